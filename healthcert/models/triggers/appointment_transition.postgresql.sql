-- An appointment moves along the listed transitions alone (`appointment.TRANSITIONS`).
CREATE FUNCTION appointment_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'appointment_transition: not a step from this state'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'appointment_transition';
END $$;
CREATE TRIGGER appointment_transition BEFORE UPDATE ON appointment FOR EACH ROW
WHEN (OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN (
  'held booked', 'held expired', 'held cancelled',
  'booked arrived', 'booked vaccinated', 'booked cancelled', 'booked rescheduled', 'booked no_show',
  'arrived vaccinated', 'arrived not_vaccinated', 'arrived booked',
  'no_show arrived'
))
EXECUTE FUNCTION appointment_transition();
