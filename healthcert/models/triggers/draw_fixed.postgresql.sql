-- What was announced of a draw stands, and so does the list once it is closed.
CREATE FUNCTION draw_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['state', 'seed', 'public_value', 'sealed'];
BEGIN
  IF OLD.list_root IS NULL THEN
    moves := moves || ARRAY['list_root', 'entries'];
  END IF;
  IF to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves
     OR (OLD.seed IS NOT NULL
         AND (NEW.seed, NEW.public_value) IS DISTINCT FROM (OLD.seed, OLD.public_value)) THEN
    RAISE EXCEPTION 'draw_fixed: what was told of a draw stands'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'draw_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER draw_fixed BEFORE UPDATE ON draw FOR EACH ROW EXECUTE FUNCTION draw_fixed();
