-- What was let stays as it was let: a proxy's end alone is brought forward, once. Staff act for
-- somebody for a day at most.
CREATE FUNCTION proxy_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['revoked_at'];
BEGIN
  IF (TG_OP = 'INSERT' AND NEW.kind = 'operator'
      AND NEW.ends_at > NEW.recorded_at + interval '1 day')
     OR (TG_OP = 'UPDATE'
         AND (OLD.revoked_at IS NOT NULL OR to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves)) THEN
    RAISE EXCEPTION 'proxy_fixed: of a proxy only its end is brought forward'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'proxy_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER proxy_fixed BEFORE INSERT OR UPDATE ON proxy FOR EACH ROW
EXECUTE FUNCTION proxy_fixed();
