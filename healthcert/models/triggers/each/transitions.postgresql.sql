-- A row moves along the listed transitions alone.
CREATE FUNCTION {table}_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{table}_transition: not a step from this state'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{table}_transition';
END $$;
CREATE TRIGGER {table}_transition BEFORE UPDATE ON {table} FOR EACH ROW
WHEN (OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN ({steps}))
EXECUTE FUNCTION {table}_transition();
