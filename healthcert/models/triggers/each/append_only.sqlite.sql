-- What was written stays written; a correction is a new row.
CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}
BEGIN
  SELECT RAISE(ABORT, 'append_only: {table}');
END;
CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table}
BEGIN
  SELECT RAISE(ABORT, 'append_only: {table}');
END;
