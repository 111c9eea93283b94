-- Which key is meant, when verifiers were first told of it and when it was first used stand.
CREATE TRIGGER key_fixed BEFORE UPDATE ON signing_key
WHEN NOT (
  NEW.kid IS OLD.kid AND NEW.recorded_at IS OLD.recorded_at AND NEW.purpose IS OLD.purpose
  AND NEW.certificate IS OLD.certificate
  AND NEW.not_before IS OLD.not_before AND NEW.not_after IS OLD.not_after
  AND (OLD.signs_until IS NULL OR NEW.signs_until IS OLD.signs_until)
  AND (OLD.published_at IS NULL OR NEW.published_at IS OLD.published_at)
  AND (OLD.activated_at IS NULL OR NEW.activated_at IS OLD.activated_at)
  AND (OLD.retired_at IS NULL OR NEW.retired_at IS OLD.retired_at)
  AND (OLD.compromised_at IS NULL OR NEW.compromised_at IS OLD.compromised_at)
)
BEGIN
  SELECT RAISE(ABORT, 'key_fixed: which key is meant does not change');
END;
