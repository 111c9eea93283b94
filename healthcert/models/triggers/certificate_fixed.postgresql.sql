-- What was signed is what is stored: only the state, its hold on the dose, the seal and the
-- revocation change after the intent, and a revocation does not change at all. The text goes
-- with the time of its going alone, and does not come back.
CREATE FUNCTION certificate_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['state', 'standing_counts', 'sealed'];
BEGIN
  IF OLD.state <> 'revoked' THEN
    moves := moves || ARRAY['revoked_at', 'revoked_reason'];
  END IF;
  IF OLD.blanked_at IS NULL THEN
    moves := moves || ARRAY['blanked_at'];
  END IF;
  IF to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves
    OR (NEW.sealed IS NULL AND OLD.sealed IS NOT NULL AND NEW.blanked_at IS NULL)
  THEN
    RAISE EXCEPTION 'certificate_fixed: what was signed does not change'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER certificate_fixed BEFORE UPDATE ON certificate FOR EACH ROW
WHEN (OLD.state <> 'intended') EXECUTE FUNCTION certificate_fixed();
