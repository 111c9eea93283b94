-- Nothing is issued of a fact whose certificate waits for somebody's look.
CREATE FUNCTION certificate_held() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT FROM certificate_hold AS hold
     WHERE hold.fact_id = COALESCE(NEW.dose_id, NEW.test_result_id, NEW.recovery_id)
       AND hold.released_at IS NULL
  ) THEN
    RAISE EXCEPTION 'certificate_held: this certificate waits for a release'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_held';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER certificate_held_new BEFORE INSERT ON certificate FOR EACH ROW
WHEN (NEW.state = 'issued') EXECUTE FUNCTION certificate_held();
CREATE TRIGGER certificate_held BEFORE UPDATE OF state ON certificate FOR EACH ROW
WHEN (NEW.state = 'issued' AND OLD.state <> 'issued') EXECUTE FUNCTION certificate_held();
