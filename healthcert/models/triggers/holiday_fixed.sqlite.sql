-- What was declared stays as it was declared: a holiday is withdrawn, once.
CREATE TRIGGER holiday_fixed BEFORE UPDATE ON holiday
WHEN NOT (
  NEW.id IS OLD.id AND NEW.recorded_at IS OLD.recorded_at
  AND NEW.organisation_id IS OLD.organisation_id AND NEW.region IS OLD.region
  AND NEW.day IS OLD.day AND NEW.names IS OLD.names AND NEW.declared_by IS OLD.declared_by
  AND OLD.withdrawn_at IS NULL
)
BEGIN
  SELECT RAISE(ABORT, 'holiday_fixed: a holiday is withdrawn, once');
END;
