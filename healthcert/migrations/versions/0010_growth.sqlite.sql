CREATE INDEX ix_appointment_state_ends_at ON appointment (state, ends_at);

-- down

DROP INDEX ix_appointment_state_ends_at;
