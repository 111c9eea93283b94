-- A lot begins in quarantine, and it is known who received it.
CREATE FUNCTION lot_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'lot_begins: a lot is received into quarantine'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'lot_begins';
END $$;
CREATE TRIGGER lot_begins BEFORE INSERT ON lot FOR EACH ROW
WHEN (NEW.state <> 'quarantined' OR NEW.received_by IS NULL) EXECUTE FUNCTION lot_begins();
