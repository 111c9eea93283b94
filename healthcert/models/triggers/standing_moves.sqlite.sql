-- A standing begins with the first judgement and moves to the next one alone; that it says what
-- the judgement says is held by its foreign keys. What was entered in error stays so: whoever
-- marked the wrong dose records the right one anew.
CREATE TRIGGER standing_moves_insert BEFORE INSERT ON dose_standing WHEN NEW.ordinal <> 1
BEGIN
  SELECT RAISE(ABORT, 'standing_moves: a standing begins with the first judgement');
END;
CREATE TRIGGER standing_moves_update BEFORE UPDATE ON dose_standing
WHEN NEW.ordinal <> OLD.ordinal + 1 OR OLD.counts = 'entered_in_error'
BEGIN
  SELECT RAISE(ABORT, 'standing_moves: a standing moves to the next judgement');
END;
