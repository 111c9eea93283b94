-- A recovery that was found here names the positive test that founds it; that the test is of the
-- same person, positive and not in error is held by the foreign keys of the recovery's standing.
CREATE FUNCTION recovery_founded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'recovery_founded: what was found here names its positive test'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'recovery_founded';
END $$;
CREATE TRIGGER recovery_founded BEFORE INSERT ON recovery FOR EACH ROW
WHEN (NEW.evidence = 'given_here' AND NEW.test_result_id IS NULL)
EXECUTE FUNCTION recovery_founded();
