-- Of whom a dose, a test or a recovery is on record, the law keeps something: the key does not go
-- without its time.
CREATE TRIGGER law_keeps BEFORE UPDATE ON person
WHEN NEW.key_gone_on IS NOT NULL AND NEW.kept_until IS NULL
  AND (EXISTS (SELECT 1 FROM dose WHERE person_id = NEW.id)
    OR EXISTS (SELECT 1 FROM test_result WHERE person_id = NEW.id)
    OR EXISTS (SELECT 1 FROM recovery WHERE person_id = NEW.id))
BEGIN
  SELECT RAISE(ABORT, 'law_keeps: a fact is on record and no time is set');
END;
