-- A row moves along the listed transitions alone.
CREATE TRIGGER {table}_transition BEFORE UPDATE OF state ON {table}
WHEN OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN ({steps})
BEGIN
  SELECT RAISE(ABORT, '{table}_transition: not a step from this state');
END;
