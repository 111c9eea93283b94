-- What is reported as grave by a death says of its outcome that they died; what is on record from
-- before stays, until one of the two is told anew.
CREATE FUNCTION death_died() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'death_died: of a death the outcome is that they died'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'death_died';
END $$;
CREATE TRIGGER death_died BEFORE INSERT OR UPDATE OF seriousness, outcome ON adverse_event
FOR EACH ROW WHEN (NEW.seriousness = 'death' AND NEW.outcome <> 'died')
EXECUTE FUNCTION death_died();
