-- What counts at the point of care was given under the lot's validity in force that day.
-- Judgements share a lock on the lot that a new validity must wait for, and the other way round:
-- whoever recalls a lot sees every dose that was judged before.
CREATE FUNCTION lot_in_force() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'lot_in_force: judges only in read committed';
  END IF;
  PERFORM FROM lot WHERE id = NEW.lot_id FOR SHARE;
  IF NEW.lot_validity_id IS DISTINCT FROM (
    SELECT id FROM lot_validity WHERE lot_id = NEW.lot_id AND since <= NEW.given_on
     ORDER BY ordinal DESC LIMIT 1
  ) THEN
    RAISE EXCEPTION 'lot_in_force: another validity of the lot was in force that day'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'lot_in_force';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lot_in_force BEFORE INSERT ON dose_judgement FOR EACH ROW
WHEN (NEW.counts = 'valid' AND NEW.source = 'point_of_care') EXECUTE FUNCTION lot_in_force();

CREATE FUNCTION lot_in_force_lock() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM lot WHERE id = NEW.lot_id FOR NO KEY UPDATE;
  RETURN NEW;
END $$;
CREATE TRIGGER lot_in_force_lock BEFORE INSERT ON lot_validity FOR EACH ROW
EXECUTE FUNCTION lot_in_force_lock();
