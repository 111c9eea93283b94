-- A person's active appointments never share a moment.
CREATE TRIGGER appointment_overlap_insert BEFORE INSERT ON appointment
WHEN NEW.state IN ('held', 'booked', 'arrived')
BEGIN
  SELECT RAISE(ABORT, 'appointment_overlap: the person has another appointment then')
    FROM appointment AS other
   WHERE other.person_id = NEW.person_id AND other.id <> NEW.id
     AND other.state IN ('held', 'booked', 'arrived')
     AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at;
END;
CREATE TRIGGER appointment_overlap_update BEFORE UPDATE ON appointment
WHEN NEW.state IN ('held', 'booked', 'arrived')
BEGIN
  SELECT RAISE(ABORT, 'appointment_overlap: the person has another appointment then')
    FROM appointment AS other
   WHERE other.person_id = NEW.person_id AND other.id <> OLD.id
     AND other.state IN ('held', 'booked', 'arrived')
     AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at;
END;
-- An ended appointment may go, but INSERT OR REPLACE puts no other in its place.
CREATE TRIGGER appointment_overlap_replaced BEFORE INSERT ON appointment
BEGIN
  SELECT RAISE(ABORT, 'never_deleted: appointment') FROM appointment WHERE id = NEW.id;
  SELECT RAISE(ABORT, 'uq_appointment_reference: taken')
    FROM appointment WHERE reference = NEW.reference;
END;
