-- A count is by two people; that they are two, a CHECK says.
CREATE TRIGGER count_confirmed BEFORE INSERT ON stock_move
WHEN NEW.kind = 'counted' AND NEW.confirmed_by IS NULL
BEGIN
  SELECT RAISE(ABORT, 'count_confirmed: a count needs a second person');
END;
