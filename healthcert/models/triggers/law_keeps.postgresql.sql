-- Of whom a dose, a test or a recovery is on record, the law keeps something: the key does not go
-- without its time.
CREATE FUNCTION law_keeps() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM dose WHERE person_id = NEW.id)
     OR EXISTS (SELECT FROM test_result WHERE person_id = NEW.id)
     OR EXISTS (SELECT FROM recovery WHERE person_id = NEW.id) THEN
    RAISE EXCEPTION 'law_keeps: a fact is on record and no time is set'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'law_keeps';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER law_keeps BEFORE UPDATE ON person FOR EACH ROW
WHEN (NEW.key_gone_on IS NOT NULL AND NEW.kept_until IS NULL) EXECUTE FUNCTION law_keeps();
