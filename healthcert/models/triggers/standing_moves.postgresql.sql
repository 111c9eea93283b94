-- A standing begins with the first judgement and moves to the next one alone; that it says what
-- the judgement says is held by its foreign keys. What was entered in error stays so: whoever
-- marked the wrong dose records the right one anew.
CREATE FUNCTION standing_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'standing_moves: a standing moves from judgement to judgement'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'standing_moves';
END $$;
CREATE TRIGGER standing_moves_insert BEFORE INSERT ON dose_standing FOR EACH ROW
WHEN (NEW.ordinal <> 1) EXECUTE FUNCTION standing_moves();
CREATE TRIGGER standing_moves_update BEFORE UPDATE ON dose_standing FOR EACH ROW
WHEN (NEW.ordinal <> OLD.ordinal + 1 OR OLD.counts = 'entered_in_error')
EXECUTE FUNCTION standing_moves();
