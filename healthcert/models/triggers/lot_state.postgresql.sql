-- A lot is in the state of its newest validity, or exhausted when no site has any of it left.
CREATE FUNCTION lot_state() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.ordinal <> (SELECT count(*) FROM lot_validity WHERE lot_id = NEW.lot_id) THEN
    RAISE EXCEPTION 'lot_state: the validity does not follow the newest one'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'lot_state';
  END IF;
  UPDATE lot SET state = NEW.state WHERE id = NEW.lot_id
     AND state <> NEW.state AND NOT (state = 'exhausted' AND NEW.state = 'released');
  RETURN NULL;
END $$;
CREATE TRIGGER lot_state AFTER INSERT ON lot_validity FOR EACH ROW EXECUTE FUNCTION lot_state();

CREATE FUNCTION lot_state_moves() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.product_id, NEW.number, NEW.recorded_at) IS DISTINCT FROM
     (OLD.id, OLD.product_id, OLD.number, OLD.recorded_at)
     OR NEW.received_by IS DISTINCT FROM OLD.received_by
     OR (NEW.state = 'exhausted'
         AND EXISTS (SELECT FROM stock WHERE lot_id = NEW.id AND remaining > 0))
     OR (NEW.state <> 'exhausted' AND NEW.state IS DISTINCT FROM (
           SELECT state FROM lot_validity WHERE lot_id = NEW.id ORDER BY ordinal DESC LIMIT 1
         )) THEN
    RAISE EXCEPTION 'lot_state: a lot moves by its validities, or is used up'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'lot_state';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lot_state BEFORE UPDATE ON lot FOR EACH ROW EXECUTE FUNCTION lot_state_moves();
