-- A recovery that was found here names the positive test that founds it; that the test is of the
-- same person, positive and not in error is held by the foreign keys of the recovery's standing.
CREATE TRIGGER recovery_founded BEFORE INSERT ON recovery
WHEN NEW.evidence = 'given_here' AND NEW.test_result_id IS NULL
BEGIN
  SELECT RAISE(ABORT, 'recovery_founded: what was found here names its positive test');
END;
