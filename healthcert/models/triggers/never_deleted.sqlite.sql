-- Rows that others lean on are never deleted: they end in a state. What retention lets go is
-- named here: appointments that hold no place and led to no dose, messages that were settled.
CREATE TRIGGER never_deleted_appointment BEFORE DELETE ON appointment
WHEN OLD.state NOT IN ('cancelled', 'rescheduled', 'expired', 'no_show', 'not_vaccinated')
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: appointment');
END;
-- INSERT OR REPLACE would delete such a row and put another in its place.
CREATE TRIGGER never_deleted_appointment_replaced BEFORE INSERT ON appointment
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: appointment') FROM appointment WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'uq_appointment_reference: taken')
    FROM appointment WHERE reference = NEW.reference;
END;
CREATE TRIGGER never_deleted_certificate BEFORE DELETE ON certificate
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: certificate');
END;
CREATE TRIGGER never_deleted_dose_standing BEFORE DELETE ON dose_standing
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: dose_standing');
END;
CREATE TRIGGER never_deleted_message BEFORE DELETE ON message
WHEN OLD.state = 'queued'
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: message');
END;
CREATE TRIGGER never_deleted_person BEFORE DELETE ON person
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: person');
END;
