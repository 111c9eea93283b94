-- A balance begins at nothing and moves by its next move alone, by what the move says. Where it
-- lies, and whether it is set aside, may change beside that.
CREATE FUNCTION stock_balance() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (
    NEW.moves, NEW.received, NEW.overfill, NEW.unexplained, NEW.transferred_in,
    NEW.given, NEW.wasted, NEW.transferred_out, NEW.returned, NEW.site_id, NEW.lot_id
  ) = (
    OLD.moves, OLD.received, OLD.overfill, OLD.unexplained, OLD.transferred_in,
    OLD.given, OLD.wasted, OLD.transferred_out, OLD.returned, OLD.site_id, OLD.lot_id
  ) THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND EXISTS (
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
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'stock_balance: a balance begins at nothing and moves by its next move'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_balance';
END $$;
CREATE TRIGGER stock_balance_insert BEFORE INSERT ON stock FOR EACH ROW
WHEN (
  NEW.moves <> 0 OR NEW.received <> 0 OR NEW.overfill <> 0 OR NEW.unexplained <> 0
  OR NEW.transferred_in <> 0 OR NEW.given <> 0 OR NEW.wasted <> 0 OR NEW.transferred_out <> 0
  OR NEW.returned <> 0
) EXECUTE FUNCTION stock_balance();
CREATE TRIGGER stock_balance_update BEFORE UPDATE ON stock FOR EACH ROW
EXECUTE FUNCTION stock_balance();
