-- A move moves the balance of its site and lot, and must be the next one of it. What a kind moves
-- and how stands in `total` and `change`, which follow from it.
-- Looked at once more at the end: INSERT OR IGNORE would carry its IGNORE in here.
CREATE TRIGGER stock_moves AFTER INSERT ON stock_move
BEGIN
  UPDATE stock SET
    moves = NEW.ordinal,
    received = received + CASE NEW.total WHEN 'received' THEN NEW.change ELSE 0 END,
    overfill = overfill + CASE NEW.total WHEN 'overfill' THEN NEW.change ELSE 0 END,
    unexplained = unexplained + CASE NEW.total WHEN 'unexplained' THEN NEW.change ELSE 0 END,
    transferred_in = transferred_in
      + CASE NEW.total WHEN 'transferred_in' THEN NEW.change ELSE 0 END,
    given = given + CASE NEW.total WHEN 'given' THEN NEW.change ELSE 0 END,
    wasted = wasted + CASE NEW.total WHEN 'wasted' THEN NEW.change ELSE 0 END,
    transferred_out = transferred_out
      + CASE NEW.total WHEN 'transferred_out' THEN NEW.change ELSE 0 END,
    returned = returned + CASE NEW.total WHEN 'returned' THEN NEW.change ELSE 0 END
  WHERE site_id = NEW.site_id AND lot_id = NEW.lot_id AND moves = NEW.ordinal - 1;
  SELECT RAISE(ABORT, 'stock_moves: the move does not follow the newest one')
   WHERE NOT EXISTS (
     SELECT 1 FROM stock
      WHERE site_id = NEW.site_id AND lot_id = NEW.lot_id AND moves = NEW.ordinal
   );
END;
