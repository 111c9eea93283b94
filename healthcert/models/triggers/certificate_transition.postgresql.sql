-- A certificate moves along the listed transitions alone (`certificate.TRANSITIONS`).
CREATE FUNCTION certificate_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'certificate_transition: not a step from this state'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_transition';
END $$;
CREATE TRIGGER certificate_transition BEFORE UPDATE ON certificate FOR EACH ROW
WHEN (OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN (
  'intended issued', 'intended revoked',
  'issued superseded', 'issued revoked',
  'superseded revoked'
))
EXECUTE FUNCTION certificate_transition();
