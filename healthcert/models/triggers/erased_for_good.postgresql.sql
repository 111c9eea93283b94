-- Who was erased stays erased: nothing is left or written again that finds them, lets them in
-- or tells them; the law's time does not grow shorter; neither key nor an earlier seal comes back.
-- The person's row is locked, so that none of it slips in beside the erasure; for an appointment
-- `appointment_overlap` has done so.
CREATE FUNCTION erased_for_good() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
  wrong boolean;
BEGIN
  IF TG_TABLE_NAME = 'appointment' THEN
    wrong := EXISTS (SELECT FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL);
  ELSIF TG_TABLE_NAME <> 'person' THEN
    SELECT erased_at IS NOT NULL INTO wrong FROM person
     WHERE id = NEW.person_id FOR NO KEY UPDATE;
  ELSIF TG_OP = 'INSERT' THEN
    wrong := NEW.erased_at IS NOT NULL;
  ELSIF OLD.erased_at IS NOT NULL THEN
    wrong := NEW.erased_at IS DISTINCT FROM OLD.erased_at
      OR (NEW.kept_until IS DISTINCT FROM OLD.kept_until
          AND coalesce(NEW.kept_until <= OLD.kept_until, true))
      OR (OLD.key_gone_on IS NOT NULL AND NEW.key_gone_on IS DISTINCT FROM OLD.key_gone_on)
      OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed);
  ELSE
    wrong := NEW.erased_at IS NOT NULL AND (
      EXISTS (SELECT FROM identity WHERE person_id = NEW.id)
      OR EXISTS (SELECT FROM person_token WHERE person_id = NEW.id)
      OR EXISTS (SELECT FROM access_code WHERE person_id = NEW.id)
      OR EXISTS (SELECT FROM message WHERE person_id = NEW.id)
      OR EXISTS (SELECT FROM appointment
                  WHERE person_id = NEW.id AND state IN ('held', 'booked', 'arrived')));
  END IF;
  IF wrong THEN
    RAISE EXCEPTION 'erased_for_good: %', TG_TABLE_NAME
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'erased_for_good';
  END IF;
  RETURN NEW;
END $$;
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY
    ARRAY['person', 'identity', 'person_token', 'access_code', 'message', 'appointment']
  LOOP
    EXECUTE format('CREATE TRIGGER erased_for_good BEFORE INSERT OR UPDATE %s ON %I'
      ' FOR EACH ROW %s EXECUTE FUNCTION erased_for_good()', CASE name
        WHEN 'person' THEN ''
        WHEN 'appointment' THEN 'OF person_id, state'
        ELSE 'OF person_id' END, name, CASE name
        WHEN 'appointment' THEN 'WHEN (NEW.state IN (''held'', ''booked'', ''arrived''))'
        ELSE '' END);
  END LOOP;
END $$;
