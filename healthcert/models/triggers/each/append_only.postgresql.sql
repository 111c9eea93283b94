-- What was written stays written; a correction is a new row.
CREATE FUNCTION append_only_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'append_only: {table}'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION append_only_{table}();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
EXECUTE FUNCTION append_only_{table}();
