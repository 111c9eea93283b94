-- What was declared stays as it was declared: a holiday is withdrawn, once.
CREATE FUNCTION holiday_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['withdrawn_at', 'withdrawn_by'];
BEGIN
  IF OLD.withdrawn_at IS NOT NULL OR to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves THEN
    RAISE EXCEPTION 'holiday_fixed: a holiday is withdrawn, once'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'holiday_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER holiday_fixed BEFORE UPDATE ON holiday FOR EACH ROW
EXECUTE FUNCTION holiday_fixed();
