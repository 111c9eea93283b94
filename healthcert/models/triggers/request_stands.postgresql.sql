-- A request stands where its newest step leads, and moves step by step alone; what was asked stays.
CREATE FUNCTION request_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE request SET state = NEW.state, steps = NEW.ordinal
   WHERE id = NEW.request_id AND COALESCE(steps, 0) = NEW.ordinal - 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'request_stands: the step does not follow the newest one'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'request_stands';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER request_stands AFTER INSERT ON request_step FOR EACH ROW
EXECUTE FUNCTION request_stands();

CREATE FUNCTION request_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['state', 'steps', 'due_at', 'sealed'];
BEGIN
  IF NEW.steps IS DISTINCT FROM COALESCE(OLD.steps, 0) + 1 AND NEW.steps IS DISTINCT FROM OLD.steps
     OR to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves THEN
    RAISE EXCEPTION 'request_stands: a request moves step by step'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'request_stands';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER request_moves BEFORE UPDATE ON request FOR EACH ROW
EXECUTE FUNCTION request_moves();
