-- A dose that replaces another counts only when that one is marked as entered in error.
CREATE FUNCTION replaced_in_error() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT FROM dose JOIN dose_standing AS past ON past.dose_id = dose.replaces
     WHERE dose.id = NEW.dose_id AND past.disease = NEW.disease
       AND past.counts <> 'entered_in_error'
  ) THEN
    RAISE EXCEPTION 'replaced_in_error: the dose it replaces still stands'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'replaced_in_error';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER replaced_in_error BEFORE INSERT ON dose_judgement FOR EACH ROW
WHEN (NEW.counts = 'valid') EXECUTE FUNCTION replaced_in_error();
