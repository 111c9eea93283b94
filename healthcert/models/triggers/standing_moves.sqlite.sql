-- A standing begins with the first judgement and moves to the next one alone; that it says what
-- the judgement says is held by its foreign keys.
CREATE TRIGGER standing_moves_insert BEFORE INSERT ON dose_standing WHEN NEW.ordinal <> 1
BEGIN
  SELECT RAISE(ABORT, 'standing_moves: a standing begins with the first judgement');
END;
CREATE TRIGGER standing_moves_update BEFORE UPDATE ON dose_standing
WHEN NEW.ordinal <> OLD.ordinal + 1
BEGIN
  SELECT RAISE(ABORT, 'standing_moves: a standing moves to the next judgement');
END;
