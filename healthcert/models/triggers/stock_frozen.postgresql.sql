-- Only what is released goes to another site, and was not set aside for its cold chain; the rest
-- stays where it is, or goes back. What went before may still be written right.
-- The lock lets nobody quarantine or recall the lot meanwhile (see `lot_in_force`).
CREATE FUNCTION stock_frozen() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM lot WHERE id = NEW.lot_id FOR SHARE;
  PERFORM FROM stock WHERE site_id = NEW.site_id AND lot_id = NEW.lot_id FOR SHARE;
  IF NOT EXISTS (SELECT FROM lot WHERE id = NEW.lot_id AND state = 'released')
     OR EXISTS (SELECT FROM stock WHERE site_id = NEW.site_id AND lot_id = NEW.lot_id
                AND set_aside IS NOT NULL) THEN
    RAISE EXCEPTION 'stock_frozen: the lot is not released, or set aside here'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_frozen';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stock_frozen BEFORE INSERT ON stock_move FOR EACH ROW
WHEN (NEW.kind = 'transferred_out' AND NEW.replaces IS NULL) EXECUTE FUNCTION stock_frozen();
