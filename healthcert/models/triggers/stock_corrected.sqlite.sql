-- A wrong entry is taken back at its own site, by another than who made it; the right one in its
-- place is of its kind, its site and its lot, and by that other too.
CREATE TRIGGER stock_corrected BEFORE INSERT ON stock_move
WHEN NEW.replaces IS NOT NULL OR NEW.kind IN (
  'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back',
  'transferred_in_back'
)
BEGIN
  SELECT RAISE(ABORT, 'stock_corrected: corrected by another, at its site, by its like')
   WHERE NOT EXISTS (
     SELECT 1 FROM stock_move AS wrong
      WHERE wrong.id = coalesce(NEW.replaces, NEW.answers)
        AND wrong.site_id = NEW.site_id AND wrong.moved_by <> NEW.moved_by
        AND (NEW.replaces IS NULL OR (wrong.kind = NEW.kind AND wrong.lot_id = NEW.lot_id))
   );
END;
