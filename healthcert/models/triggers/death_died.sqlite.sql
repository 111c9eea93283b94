-- What is reported as grave by a death says of its outcome that they died; what is on record from
-- before stays, until one of the two is told anew.
CREATE TRIGGER death_died_insert BEFORE INSERT ON adverse_event
WHEN NEW.seriousness = 'death' AND NEW.outcome <> 'died'
BEGIN
  SELECT RAISE(ABORT, 'death_died: of a death the outcome is that they died');
END;
CREATE TRIGGER death_died_update BEFORE UPDATE OF seriousness, outcome ON adverse_event
WHEN NEW.seriousness = 'death' AND NEW.outcome <> 'died'
BEGIN
  SELECT RAISE(ABORT, 'death_died: of a death the outcome is that they died');
END;
