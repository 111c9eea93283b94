-- Which key is meant, when verifiers were first told of it and when it was first used stand.
CREATE FUNCTION key_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moment text;
  moves text[] := ARRAY['state'];
BEGIN
  FOREACH moment IN ARRAY
    ARRAY['signs_until', 'published_at', 'activated_at', 'retired_at', 'compromised_at']
  LOOP
    IF to_jsonb(OLD) -> moment = 'null'::jsonb THEN
      moves := moves || moment;
    END IF;
  END LOOP;
  IF to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves THEN
    RAISE EXCEPTION 'key_fixed: which key is meant does not change'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'key_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER key_fixed BEFORE UPDATE ON signing_key FOR EACH ROW EXECUTE FUNCTION key_fixed();
