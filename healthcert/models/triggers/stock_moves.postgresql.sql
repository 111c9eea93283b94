-- A move moves the balance of its site and lot, and must be the next one of it.
CREATE FUNCTION stock_moves() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
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
  IF NOT FOUND THEN
    RAISE EXCEPTION 'stock_moves: the move does not follow the newest one'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_moves';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER stock_moves AFTER INSERT ON stock_move FOR EACH ROW
EXECUTE FUNCTION stock_moves();
