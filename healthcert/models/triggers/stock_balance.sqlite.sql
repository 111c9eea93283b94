-- A balance begins at nothing and moves by its next move alone, by what the move says. Where it
-- lies, and whether it is set aside, may change beside that.
CREATE TRIGGER stock_balance_insert BEFORE INSERT ON stock
WHEN NEW.moves <> 0 OR NEW.received <> 0 OR NEW.overfill <> 0 OR NEW.unexplained <> 0
  OR NEW.transferred_in <> 0 OR NEW.given <> 0 OR NEW.wasted <> 0 OR NEW.transferred_out <> 0
  OR NEW.returned <> 0
BEGIN
  SELECT RAISE(ABORT, 'stock_balance: a balance begins at nothing');
END;
CREATE TRIGGER stock_balance_update BEFORE UPDATE ON stock
WHEN NEW.moves <> OLD.moves OR NEW.received <> OLD.received OR NEW.overfill <> OLD.overfill OR
  NEW.unexplained <> OLD.unexplained OR NEW.transferred_in <> OLD.transferred_in OR
  NEW.given <> OLD.given OR NEW.wasted <> OLD.wasted OR NEW.transferred_out <>
  OLD.transferred_out OR NEW.returned <> OLD.returned OR NEW.site_id <> OLD.site_id OR
  NEW.lot_id <> OLD.lot_id
BEGIN
  SELECT RAISE(ABORT, 'stock_balance: a balance moves by its next move')
   WHERE NOT EXISTS (
    SELECT 1 FROM stock_move AS move
    WHERE move.site_id = OLD.site_id AND move.lot_id = OLD.lot_id
    AND move.ordinal = OLD.moves + 1 AND NEW.moves = move.ordinal
    AND NEW.site_id = OLD.site_id AND NEW.lot_id = OLD.lot_id
    AND NEW.received = OLD.received + CASE move.total WHEN 'received' THEN move.change ELSE 0 END
    AND NEW.overfill = OLD.overfill + CASE move.total WHEN 'overfill' THEN move.change ELSE 0 END
    AND NEW.unexplained = OLD.unexplained
      + CASE move.total WHEN 'unexplained' THEN move.change ELSE 0 END
    AND NEW.transferred_in = OLD.transferred_in
      + CASE move.total WHEN 'transferred_in' THEN move.change ELSE 0 END
    AND NEW.given = OLD.given + CASE move.total WHEN 'given' THEN move.change ELSE 0 END
    AND NEW.wasted = OLD.wasted + CASE move.total WHEN 'wasted' THEN move.change ELSE 0 END
    AND NEW.transferred_out = OLD.transferred_out
      + CASE move.total WHEN 'transferred_out' THEN move.change ELSE 0 END
    AND NEW.returned = OLD.returned + CASE move.total WHEN 'returned' THEN move.change ELSE 0 END
   );
END;
