-- Rows that others lean on are never deleted: they end in a state. Some may go in some of them.
CREATE TRIGGER never_deleted_{table} BEFORE DELETE ON {table}
WHEN {when}
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: {table}');
END;
