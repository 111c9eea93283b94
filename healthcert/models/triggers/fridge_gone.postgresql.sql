-- A fridge that is gone stays so: nothing lies in it then, and nothing is put or read there again.
-- The lock lets nobody take the fridge away meanwhile.
CREATE FUNCTION fridge_gone() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'fridge' THEN
    IF OLD.gone_at IS NULL AND NOT EXISTS (SELECT FROM stock WHERE fridge_id = NEW.id) THEN
      RETURN NEW;
    END IF;
  ELSE
    PERFORM FROM fridge WHERE id = NEW.fridge_id FOR SHARE;
    IF NOT EXISTS (SELECT FROM fridge WHERE id = NEW.fridge_id AND gone_at IS NOT NULL) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'fridge_gone: the fridge is gone, or doses lie in it'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'fridge_gone';
END $$;
CREATE TRIGGER fridge_gone BEFORE UPDATE ON fridge FOR EACH ROW
WHEN (OLD.gone_at IS NOT NULL OR NEW.gone_at IS NOT NULL) EXECUTE FUNCTION fridge_gone();
CREATE TRIGGER fridge_gone BEFORE INSERT OR UPDATE OF fridge_id ON stock FOR EACH ROW
WHEN (NEW.fridge_id IS NOT NULL) EXECUTE FUNCTION fridge_gone();
CREATE TRIGGER fridge_gone BEFORE INSERT ON cold_reading FOR EACH ROW
WHEN (NEW.fridge_id IS NOT NULL) EXECUTE FUNCTION fridge_gone();
