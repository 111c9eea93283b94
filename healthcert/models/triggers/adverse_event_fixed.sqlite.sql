-- What was reported stays: only the case's state, gravity, outcome, causality and clock move, and
-- the seal under a new key; of one that was taken back the seal alone. A case begins as reported.
CREATE TRIGGER adverse_event_fixed_insert BEFORE INSERT ON adverse_event
WHEN NEW.state <> 'reported'
BEGIN
  SELECT RAISE(ABORT, 'adverse_event_fixed: a case begins as reported');
END;
CREATE TRIGGER adverse_event_fixed_update BEFORE UPDATE ON adverse_event
WHEN NOT (
  NEW.id IS OLD.id AND NEW.recorded_at IS OLD.recorded_at
  AND NEW.number IS OLD.number AND NEW.country IS OLD.country
  AND NEW.person_id IS OLD.person_id AND NEW.dose_id IS OLD.dose_id
  AND NEW.site_id IS OLD.site_id AND NEW.term IS OLD.term
  AND NEW.onset_on IS OLD.onset_on AND NEW.reporter IS OLD.reporter
  AND NEW.reported_by IS OLD.reported_by
  AND (OLD.state <> 'entered_in_error' OR (
    NEW.state IS OLD.state AND NEW.error_reason IS OLD.error_reason
    AND NEW.seriousness IS OLD.seriousness AND NEW.outcome IS OLD.outcome
    AND NEW.causality IS OLD.causality AND NEW.due_at IS OLD.due_at
  ))
)
BEGIN
  SELECT RAISE(ABORT, 'adverse_event_fixed: what was reported does not change');
END;
