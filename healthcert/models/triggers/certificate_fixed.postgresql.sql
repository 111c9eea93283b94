-- What was signed is what is stored: only the state, its hold on the dose, the seal and the
-- revocation change after the intent, and a revocation does not change at all.
CREATE FUNCTION certificate_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['state', 'standing_counts', 'sealed'];
BEGIN
  IF OLD.state <> 'revoked' THEN
    moves := moves || ARRAY['revoked_at', 'revoked_reason'];
  END IF;
  IF to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves THEN
    RAISE EXCEPTION 'certificate_fixed: what was signed does not change'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER certificate_fixed BEFORE UPDATE ON certificate FOR EACH ROW
WHEN (OLD.state <> 'intended') EXECUTE FUNCTION certificate_fixed();
