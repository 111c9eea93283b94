-- A lot is in the state of its newest validity, or exhausted when no site has any of it left.
CREATE TRIGGER lot_state AFTER INSERT ON lot_validity
BEGIN
  SELECT RAISE(ABORT, 'lot_state: the validity does not follow the newest one')
   WHERE NEW.ordinal <> (SELECT count(*) FROM lot_validity WHERE lot_id = NEW.lot_id);
  UPDATE lot SET state = NEW.state WHERE id = NEW.lot_id
     AND state <> NEW.state AND NOT (state = 'exhausted' AND NEW.state = 'released');
END;
CREATE TRIGGER lot_state_moves BEFORE UPDATE ON lot
BEGIN
  SELECT RAISE(ABORT, 'lot_state: a lot moves by its validities, or is used up')
   WHERE NEW.id IS NOT OLD.id OR NEW.product_id IS NOT OLD.product_id
      OR NEW.number IS NOT OLD.number OR NEW.recorded_at IS NOT OLD.recorded_at
      OR NEW.received_by IS NOT OLD.received_by
      OR (NEW.state = 'exhausted'
          AND EXISTS (SELECT 1 FROM stock WHERE lot_id = NEW.id AND remaining > 0))
      OR (NEW.state <> 'exhausted' AND NEW.state IS NOT (
            SELECT state FROM lot_validity WHERE lot_id = NEW.id ORDER BY ordinal DESC LIMIT 1
          ));
END;
