-- Only what is released goes to another site; the rest stays where it is, or goes back.
CREATE TRIGGER stock_frozen BEFORE INSERT ON stock_move WHEN NEW.kind = 'transferred_out'
BEGIN
  SELECT RAISE(ABORT, 'stock_frozen: the lot is not released')
   WHERE NOT EXISTS (SELECT 1 FROM lot WHERE id = NEW.lot_id AND state = 'released');
END;
