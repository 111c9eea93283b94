-- A person's active appointments never share a moment.
-- The person's row is locked: without that, two transactions would not see each other's rows;
-- a snapshot older than the lock would not either, so REPEATABLE READ is refused.
CREATE FUNCTION appointment_overlap() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'appointment_overlap: judges only in read committed';
  END IF;
  PERFORM FROM person WHERE id = NEW.person_id FOR NO KEY UPDATE;
  IF EXISTS (
    SELECT FROM appointment AS other
     WHERE other.person_id = NEW.person_id AND other.id <> NEW.id
       AND other.state IN ('held', 'booked', 'arrived')
       AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at
  ) THEN
    RAISE EXCEPTION 'appointment_overlap: the person has another appointment then'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'appointment_overlap';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER appointment_overlap BEFORE INSERT OR UPDATE ON appointment FOR EACH ROW
WHEN (NEW.state IN ('held', 'booked', 'arrived')) EXECUTE FUNCTION appointment_overlap();
