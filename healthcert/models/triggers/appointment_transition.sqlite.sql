-- An appointment moves along the listed transitions alone (`appointment.TRANSITIONS`).
CREATE TRIGGER appointment_transition BEFORE UPDATE OF state ON appointment
WHEN OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN (
  'held booked', 'held expired', 'held cancelled',
  'booked arrived', 'booked vaccinated', 'booked cancelled', 'booked rescheduled', 'booked no_show',
  'arrived vaccinated', 'arrived not_vaccinated', 'arrived booked',
  'no_show arrived'
)
BEGIN
  SELECT RAISE(ABORT, 'appointment_transition: not a step from this state');
END;
