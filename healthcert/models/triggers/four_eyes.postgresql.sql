-- Who verifies, approves or carries out a request has neither submitted nor decided it before.
-- The request's row is locked, so that two steps of one actor at once see each other.
CREATE FUNCTION four_eyes() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'four_eyes: judges only in read committed';
  END IF;
  PERFORM FROM request WHERE id = NEW.request_id FOR NO KEY UPDATE;
  IF EXISTS (
    SELECT FROM request_step AS other
     WHERE other.request_id = NEW.request_id AND other.staff_id = NEW.staff_id
       AND other.act IN ('submit', 'answer', 'appeal', 'verify', 'approve')
  ) THEN
    RAISE EXCEPTION 'four_eyes: this actor has acted on the request before'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'four_eyes';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER four_eyes BEFORE INSERT ON request_step FOR EACH ROW
WHEN (NEW.act IN ('verify', 'approve', 'carry_out')) EXECUTE FUNCTION four_eyes();
