-- Who verifies, approves or carries out a request has neither submitted nor decided it before.
CREATE TRIGGER four_eyes BEFORE INSERT ON request_step
WHEN NEW.act IN ('verify', 'approve', 'carry_out') AND EXISTS (
  SELECT 1 FROM request_step AS other
   WHERE other.request_id = NEW.request_id AND other.staff_id = NEW.staff_id
     AND other.act IN ('submit', 'answer', 'appeal', 'verify', 'approve')
)
BEGIN
  SELECT RAISE(ABORT, 'four_eyes: this actor has acted on the request before');
END;
