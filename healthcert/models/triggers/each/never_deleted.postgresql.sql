-- Rows that others lean on are never deleted: they end in a state. Some may go in some of them.
CREATE FUNCTION never_deleted_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'never_deleted: {table}'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';
END $$;
CREATE TRIGGER never_deleted BEFORE DELETE ON {table}
FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION never_deleted_{table}();
CREATE TRIGGER never_deleted_truncate BEFORE TRUNCATE ON {table}
EXECUTE FUNCTION never_deleted_{table}();
