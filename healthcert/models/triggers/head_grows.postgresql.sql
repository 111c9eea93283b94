-- A head is of the whole tree as it stands, and larger than every head before: no fork, no gap.
CREATE FUNCTION head_grows() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.size <= coalesce((SELECT max(size) FROM tree_head), 0)
    OR NEW.size <> coalesce((SELECT max(position) FROM audit_leaf), -1) + 1
  THEN
    RAISE EXCEPTION 'head_grows: %', NEW.size
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'head_grows';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER head_grows BEFORE INSERT ON tree_head
  FOR EACH ROW EXECUTE FUNCTION head_grows();
