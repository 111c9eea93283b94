-- A fridge that is gone stays so: nothing lies in it then, and nothing is put or read there again.
CREATE TRIGGER fridge_gone BEFORE UPDATE ON fridge
WHEN OLD.gone_at IS NOT NULL
  OR NEW.gone_at IS NOT NULL AND EXISTS (SELECT 1 FROM stock WHERE fridge_id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'fridge_gone: the fridge is gone, or doses lie in it');
END;
CREATE TRIGGER fridge_gone_insert BEFORE INSERT ON stock
WHEN EXISTS (SELECT 1 FROM fridge WHERE id = NEW.fridge_id AND gone_at IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'fridge_gone: the fridge is gone, or doses lie in it');
END;
CREATE TRIGGER fridge_gone_update BEFORE UPDATE OF fridge_id ON stock
WHEN EXISTS (SELECT 1 FROM fridge WHERE id = NEW.fridge_id AND gone_at IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'fridge_gone: the fridge is gone, or doses lie in it');
END;
CREATE TRIGGER fridge_gone_reading BEFORE INSERT ON cold_reading
WHEN EXISTS (SELECT 1 FROM fridge WHERE id = NEW.fridge_id AND gone_at IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'fridge_gone: the fridge is gone, or doses lie in it');
END;
