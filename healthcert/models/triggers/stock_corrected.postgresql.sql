-- A wrong entry is taken back at its own site, by another than who made it; the right one in its
-- place is of its kind, its site and its lot, and by that other too.
CREATE FUNCTION stock_corrected() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM stock_move AS wrong
     WHERE wrong.id = coalesce(NEW.replaces, NEW.answers)
       AND wrong.site_id = NEW.site_id AND wrong.moved_by <> NEW.moved_by
       AND (NEW.replaces IS NULL OR (wrong.kind = NEW.kind AND wrong.lot_id = NEW.lot_id))
  ) THEN
    RAISE EXCEPTION 'stock_corrected: corrected by another, at its site, by its like'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_corrected';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stock_corrected BEFORE INSERT ON stock_move FOR EACH ROW
WHEN (NEW.replaces IS NOT NULL OR NEW.kind IN (
  'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back',
  'transferred_in_back'
)) EXECUTE FUNCTION stock_corrected();
