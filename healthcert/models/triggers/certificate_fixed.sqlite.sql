-- What was signed is what is stored: only the state, its hold on the dose, the seal and the
-- revocation change after the intent, and a revocation does not change at all. The text goes
-- with the time of its going alone, and does not come back.
CREATE TRIGGER certificate_fixed BEFORE UPDATE ON certificate
WHEN OLD.state <> 'intended' AND NOT (
  NEW.id IS OLD.id AND NEW.recorded_at IS OLD.recorded_at AND NEW.person_id IS OLD.person_id
  AND NEW.dose_id IS OLD.dose_id AND NEW.test_result_id IS OLD.test_result_id
  AND NEW.recovery_id IS OLD.recovery_id AND NEW.disease IS OLD.disease AND NEW.uvci IS OLD.uvci
  AND NEW.dn IS OLD.dn AND NEW.sd IS OLD.sd AND NEW.knowledge_id IS OLD.knowledge_id
  AND NEW.kid IS OLD.kid AND NEW.issued_at IS OLD.issued_at AND NEW.expires_at IS OLD.expires_at
  AND NEW.signature_hash IS OLD.signature_hash AND NEW.uvci_hash IS OLD.uvci_hash
  AND NEW.country_uvci_hash IS OLD.country_uvci_hash
  AND (OLD.blanked_at IS NULL OR NEW.blanked_at IS OLD.blanked_at)
  AND (NEW.sealed IS NOT NULL OR OLD.sealed IS NULL OR NEW.blanked_at IS NOT NULL)
  AND (OLD.state <> 'revoked' OR (
    NEW.revoked_at IS OLD.revoked_at AND NEW.revoked_reason IS OLD.revoked_reason
  ))
)
BEGIN
  SELECT RAISE(ABORT, 'certificate_fixed: what was signed does not change');
END;
