-- What makes a lot count is ordered by somebody other than who received it.
CREATE TRIGGER lot_release BEFORE INSERT ON lot_validity WHEN NEW.state = 'released'
BEGIN
  SELECT RAISE(ABORT, 'lot_release: released by another than who received it')
   WHERE NEW.ordered_by IS NULL OR EXISTS (
     SELECT 1 FROM lot WHERE id = NEW.lot_id AND received_by = NEW.ordered_by
   );
END;
