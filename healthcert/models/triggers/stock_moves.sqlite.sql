-- A move moves the balance of its site and lot, and must be the next one of it.
-- Looked at once more at the end: INSERT OR IGNORE would carry its IGNORE in here.
CREATE TRIGGER stock_moves AFTER INSERT ON stock_move
BEGIN
  UPDATE stock SET
    moves = NEW.ordinal,
    received = received + CASE NEW.kind WHEN 'received' THEN NEW.quantity ELSE 0 END,
    overfill = overfill + CASE NEW.kind WHEN 'overfill' THEN NEW.quantity ELSE 0 END,
    transferred_in = transferred_in
      + CASE NEW.kind WHEN 'transferred_in' THEN NEW.quantity ELSE 0 END,
    wasted = wasted + CASE NEW.kind WHEN 'wasted' THEN NEW.quantity ELSE 0 END,
    transferred_out = transferred_out
      + CASE NEW.kind WHEN 'transferred_out' THEN NEW.quantity ELSE 0 END,
    returned = returned + CASE NEW.kind WHEN 'returned' THEN NEW.quantity ELSE 0 END,
    given = given + CASE NEW.kind WHEN 'given' THEN 1 WHEN 'given_back' THEN -1 ELSE 0 END,
    unexplained = unexplained + CASE NEW.kind WHEN 'explained' THEN -1
      WHEN 'unexplained' THEN 1 WHEN 'counted' THEN NEW.quantity ELSE 0 END
  WHERE site_id = NEW.site_id AND lot_id = NEW.lot_id AND moves = NEW.ordinal - 1;
  SELECT RAISE(ABORT, 'stock_moves: the move does not follow the newest one')
   WHERE NOT EXISTS (
     SELECT 1 FROM stock
      WHERE site_id = NEW.site_id AND lot_id = NEW.lot_id AND moves = NEW.ordinal
   );
END;
