-- Nothing is issued of a fact whose certificate waits for somebody's look.
CREATE TRIGGER certificate_held_new BEFORE INSERT ON certificate
WHEN NEW.state = 'issued' AND EXISTS (
  SELECT 1 FROM certificate_hold AS hold
   WHERE hold.fact_id = COALESCE(NEW.dose_id, NEW.test_result_id, NEW.recovery_id)
     AND hold.released_at IS NULL
)
BEGIN
  SELECT RAISE(ABORT, 'certificate_held: this certificate waits for a release');
END;
CREATE TRIGGER certificate_held BEFORE UPDATE OF state ON certificate
WHEN NEW.state = 'issued' AND OLD.state <> 'issued' AND EXISTS (
  SELECT 1 FROM certificate_hold AS hold
   WHERE hold.fact_id = COALESCE(NEW.dose_id, NEW.test_result_id, NEW.recovery_id)
     AND hold.released_at IS NULL
)
BEGIN
  SELECT RAISE(ABORT, 'certificate_held: this certificate waits for a release');
END;
