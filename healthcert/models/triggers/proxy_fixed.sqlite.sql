-- What was let stays as it was let: a proxy's end alone is brought forward, once. Staff act for
-- somebody for a day at most.
CREATE TRIGGER proxy_fixed_insert BEFORE INSERT ON proxy
WHEN NEW.kind = 'operator' AND julianday(NEW.ends_at) > julianday(NEW.recorded_at) + 1
BEGIN
  SELECT RAISE(ABORT, 'proxy_fixed: staff act for somebody for a day at most');
END;
CREATE TRIGGER proxy_fixed_update BEFORE UPDATE ON proxy
WHEN NOT (
  NEW.id IS OLD.id AND NEW.recorded_at IS OLD.recorded_at AND NEW.person_id IS OLD.person_id
  AND NEW.proxy_person_id IS OLD.proxy_person_id AND NEW.staff_id IS OLD.staff_id
  AND NEW.kind IS OLD.kind AND NEW.scope IS OLD.scope AND NEW.ends_at IS OLD.ends_at
  AND OLD.revoked_at IS NULL
)
BEGIN
  SELECT RAISE(ABORT, 'proxy_fixed: of a proxy only its end is brought forward');
END;
