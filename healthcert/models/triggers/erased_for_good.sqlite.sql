-- Who was erased stays erased: nothing is left or written again that finds them, lets them in
-- or tells them; the law's time does not grow shorter; neither key nor an earlier seal comes back.
CREATE TRIGGER erased_for_good_person_insert BEFORE INSERT ON person
WHEN NEW.erased_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: nobody begins erased');
END;
CREATE TRIGGER erased_for_good_person_update BEFORE UPDATE ON person
WHEN OLD.erased_at IS NOT NULL AND NOT (
  NEW.erased_at IS OLD.erased_at
  AND (NEW.kept_until IS OLD.kept_until OR coalesce(NEW.kept_until > OLD.kept_until, 0))
  AND (OLD.key_gone_on IS NULL OR NEW.key_gone_on IS OLD.key_gone_on)
  AND (NEW.sealed IS OLD.sealed OR NEW.sealed IS NULL)
)
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: what is gone does not come back');
END;
CREATE TRIGGER erased_for_good_person_erased BEFORE UPDATE ON person
WHEN OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND (
  EXISTS (SELECT 1 FROM identity WHERE person_id = NEW.id)
  OR EXISTS (SELECT 1 FROM person_token WHERE person_id = NEW.id)
  OR EXISTS (SELECT 1 FROM access_code WHERE person_id = NEW.id)
  OR EXISTS (SELECT 1 FROM message WHERE person_id = NEW.id)
  OR EXISTS (SELECT 1 FROM appointment
              WHERE person_id = NEW.id AND state IN ('held', 'booked', 'arrived'))
)
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: something is left that finds or tells the person');
END;
CREATE TRIGGER erased_for_good_identity_insert BEFORE INSERT ON identity
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: identity')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_identity_update BEFORE UPDATE OF person_id ON identity
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: identity')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_person_token_insert BEFORE INSERT ON person_token
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: person_token')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_person_token_update BEFORE UPDATE OF person_id ON person_token
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: person_token')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_access_code_insert BEFORE INSERT ON access_code
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: access_code')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_access_code_update BEFORE UPDATE OF person_id ON access_code
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: access_code')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_message_insert BEFORE INSERT ON message
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: message')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_message_update BEFORE UPDATE OF person_id ON message
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: message')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL;
END;
CREATE TRIGGER erased_for_good_appointment_insert BEFORE INSERT ON appointment
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: appointment')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL
   AND NEW.state IN ('held', 'booked', 'arrived');
END;
CREATE TRIGGER erased_for_good_appointment_update
BEFORE UPDATE OF person_id, state ON appointment
BEGIN
  SELECT RAISE(ABORT, 'erased_for_good: appointment')
    FROM person WHERE id = NEW.person_id AND erased_at IS NOT NULL
   AND NEW.state IN ('held', 'booked', 'arrived');
END;
