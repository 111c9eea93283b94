-- A count is by two people; that they are two, a CHECK says.
CREATE FUNCTION count_confirmed() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'count_confirmed: a count needs a second person'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'count_confirmed';
END $$;
CREATE TRIGGER count_confirmed BEFORE INSERT ON stock_move FOR EACH ROW
WHEN (NEW.kind = 'counted' AND NEW.confirmed_by IS NULL) EXECUTE FUNCTION count_confirmed();
