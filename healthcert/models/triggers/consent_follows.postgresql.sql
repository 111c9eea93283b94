-- A decision follows the newest one of its person and programme, and what was not given is not
-- withdrawn. Of two at the same moment the unique number refuses one.
CREATE FUNCTION consent_follows() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
  newest record;
BEGIN
  SELECT * INTO newest FROM consent
   WHERE person_id = NEW.person_id AND programme_id = NEW.programme_id
   ORDER BY ordinal DESC LIMIT 1;
  IF NEW.ordinal <> coalesce(newest.ordinal, 0) + 1
     OR (NEW.decision = 'withdrawn' AND newest.decision IS DISTINCT FROM 'given') THEN
    RAISE EXCEPTION 'consent_follows: the decision does not follow the newest one'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'consent_follows';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER consent_follows BEFORE INSERT ON consent FOR EACH ROW
EXECUTE FUNCTION consent_follows();
