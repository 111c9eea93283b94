-- Rows that others lean on are never deleted: they end in a state.
CREATE TRIGGER never_deleted_appointment BEFORE DELETE ON appointment
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: appointment');
END;
CREATE TRIGGER never_deleted_certificate BEFORE DELETE ON certificate
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: certificate');
END;
CREATE TRIGGER never_deleted_dose_standing BEFORE DELETE ON dose_standing
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: dose_standing');
END;
CREATE TRIGGER never_deleted_recovery_standing BEFORE DELETE ON recovery_standing
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: recovery_standing');
END;
CREATE TRIGGER never_deleted_test_standing BEFORE DELETE ON test_standing
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: test_standing');
END;
