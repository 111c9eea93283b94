-- Counted doses of a series lie at least their interval apart, in the order of their numbers.
-- The lock on the person is explained in `appointment_overlap`.
CREATE FUNCTION dose_interval() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'dose_interval: judges only in read committed';
  END IF;
  PERFORM FROM person WHERE id = NEW.person_id FOR NO KEY UPDATE;
  IF EXISTS (
    SELECT FROM dose_standing AS other
     WHERE other.person_id = NEW.person_id AND other.disease = NEW.disease
       AND other.counts = 'valid' AND other.dose_id <> NEW.dose_id
       AND ((other.number < NEW.number
             AND NEW.given_on - other.given_on < NEW.min_interval_days)
         OR (other.number > NEW.number
             AND other.given_on - NEW.given_on < other.min_interval_days))
  ) THEN
    RAISE EXCEPTION 'dose_interval: too near to another counted dose, or out of order'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'dose_interval';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dose_interval BEFORE INSERT OR UPDATE ON dose_standing FOR EACH ROW
WHEN (NEW.counts = 'valid') EXECUTE FUNCTION dose_interval();
