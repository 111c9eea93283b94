ALTER TABLE slot
  ADD kept_waiting INTEGER DEFAULT 0 NOT NULL,
  ADD booked_waiting INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE slot
  ALTER kept_waiting DROP DEFAULT,
  ALTER booked_waiting DROP DEFAULT,
  DROP CONSTRAINT ck_slot_open_fits,
  ADD CONSTRAINT ck_slot_waiting_fits CHECK (booked_waiting BETWEEN 0 AND kept_waiting),
  ADD CONSTRAINT ck_slot_open_fits CHECK (booked - booked_phone - booked_walk_in - booked_second_dose - booked_waiting BETWEEN 0 AND capacity - kept_phone - kept_walk_in - kept_second_dose - kept_waiting);

ALTER TABLE appointment
  ADD party_id UUID,
  ADD reminded INTEGER DEFAULT 0 NOT NULL,
  ADD CONSTRAINT ck_appointment_reminded CHECK (reminded BETWEEN 0 AND 3),
  DROP CONSTRAINT ck_appointment_pool,
  ADD CONSTRAINT ck_appointment_pool CHECK (pool IN ('online', 'phone', 'walk_in', 'second_dose', 'waiting'));
ALTER TABLE appointment
  ALTER reminded DROP DEFAULT;
CREATE INDEX ix_appointment_held_until ON appointment (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX ix_appointment_party_id ON appointment (party_id) WHERE party_id IS NOT NULL;

-- down
DROP INDEX ix_appointment_party_id;
DROP INDEX ix_appointment_held_until;
UPDATE appointment SET pool = 'online' WHERE pool = 'waiting';
ALTER TABLE appointment
  DROP party_id,
  DROP CONSTRAINT ck_appointment_reminded,
  DROP reminded,
  DROP CONSTRAINT ck_appointment_pool,
  ADD CONSTRAINT ck_appointment_pool CHECK (pool IN ('online', 'phone', 'walk_in', 'second_dose'));

ALTER TABLE slot
  DROP CONSTRAINT ck_slot_waiting_fits,
  DROP CONSTRAINT ck_slot_open_fits,
  DROP kept_waiting,
  DROP booked_waiting,
  ADD CONSTRAINT ck_slot_open_fits CHECK (booked - booked_phone - booked_walk_in - booked_second_dose BETWEEN 0 AND capacity - kept_phone - kept_walk_in - kept_second_dose);
