-- What was announced of a draw stands, and so does the list once it is closed.
CREATE TRIGGER draw_fixed BEFORE UPDATE ON draw
WHEN NOT (
  NEW.id IS OLD.id AND NEW.recorded_at IS OLD.recorded_at AND NEW.programme_id IS OLD.programme_id
  AND NEW.commitment IS OLD.commitment AND NEW.public_source IS OLD.public_source
  AND NEW.rules IS OLD.rules
  AND (OLD.list_root IS NULL OR (NEW.list_root IS OLD.list_root AND NEW.entries IS OLD.entries))
  AND (OLD.seed IS NULL OR (NEW.seed IS OLD.seed AND NEW.public_value IS OLD.public_value))
)
BEGIN
  SELECT RAISE(ABORT, 'draw_fixed: what was told of a draw stands');
END;
