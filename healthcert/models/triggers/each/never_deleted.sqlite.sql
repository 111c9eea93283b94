-- Rows that others lean on are never deleted: they end in a state.
CREATE TRIGGER never_deleted_{table} BEFORE DELETE ON {table}
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: {table}');
END;
