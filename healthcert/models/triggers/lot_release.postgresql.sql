-- What makes a lot count is ordered by somebody other than who received it.
CREATE FUNCTION lot_release() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.ordered_by IS NULL OR EXISTS (
    SELECT FROM lot WHERE id = NEW.lot_id AND received_by = NEW.ordered_by
  ) THEN
    RAISE EXCEPTION 'lot_release: released by another than who received it'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'lot_release';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lot_release BEFORE INSERT ON lot_validity FOR EACH ROW
WHEN (NEW.state = 'released') EXECUTE FUNCTION lot_release();
