-- A certificate moves along the listed transitions alone (`certificate.TRANSITIONS`).
CREATE TRIGGER certificate_transition BEFORE UPDATE OF state ON certificate
WHEN OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN (
  'intended issued', 'intended revoked',
  'issued superseded', 'issued revoked',
  'superseded revoked'
)
BEGIN
  SELECT RAISE(ABORT, 'certificate_transition: not a step from this state');
END;
