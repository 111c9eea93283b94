-- What was reported stays: only the case's state, gravity, outcome, causality and clock move, and
-- the seal under a new key; of one that was taken back the seal alone. A case begins as reported.
CREATE FUNCTION adverse_event_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['state', 'seriousness', 'outcome', 'causality', 'due_at', 'sealed', 'error_reason'];
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'entered_in_error' THEN
    moves := ARRAY['sealed'];
  END IF;
  IF (TG_OP = 'INSERT' AND NEW.state <> 'reported')
     OR (TG_OP = 'UPDATE' AND to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves) THEN
    RAISE EXCEPTION 'adverse_event_fixed: what was reported does not change'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'adverse_event_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER adverse_event_fixed BEFORE INSERT OR UPDATE ON adverse_event FOR EACH ROW
EXECUTE FUNCTION adverse_event_fixed();
