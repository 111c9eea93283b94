-- Only what is released goes to another site, and was not set aside for its cold chain; the rest
-- stays where it is, or goes back. What went before may still be written right.
CREATE TRIGGER stock_frozen BEFORE INSERT ON stock_move
WHEN NEW.kind = 'transferred_out' AND NEW.replaces IS NULL
BEGIN
  SELECT RAISE(ABORT, 'stock_frozen: the lot is not released, or set aside here')
   WHERE NOT EXISTS (SELECT 1 FROM lot WHERE id = NEW.lot_id AND state = 'released')
      OR EXISTS (SELECT 1 FROM stock WHERE site_id = NEW.site_id AND lot_id = NEW.lot_id
                 AND set_aside IS NOT NULL);
END;
