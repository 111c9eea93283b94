-- A lot begins in quarantine, and it is known who received it.
CREATE TRIGGER lot_begins BEFORE INSERT ON lot
WHEN NEW.state <> 'quarantined' OR NEW.received_by IS NULL
BEGIN
  SELECT RAISE(ABORT, 'lot_begins: a lot is received into quarantine');
END;
