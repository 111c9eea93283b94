-- A dose that replaces another counts only when that one is marked as entered in error.
CREATE TRIGGER replaced_in_error BEFORE INSERT ON dose_judgement WHEN NEW.counts = 'valid'
BEGIN
  SELECT RAISE(ABORT, 'replaced_in_error: the dose it replaces still stands')
    FROM dose JOIN dose_standing AS past ON past.dose_id = dose.replaces
   WHERE dose.id = NEW.dose_id AND past.disease = NEW.disease AND past.counts <> 'entered_in_error';
END;
