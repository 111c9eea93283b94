CREATE TABLE new_slot (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  session_id CHAR(32) NOT NULL,
  starts_at DATETIME NOT NULL,
  ends_at DATETIME NOT NULL,
  capacity INTEGER NOT NULL,
  booked INTEGER NOT NULL,
  kept_phone INTEGER NOT NULL,
  kept_walk_in INTEGER NOT NULL,
  kept_second_dose INTEGER NOT NULL,
  kept_waiting INTEGER NOT NULL,
  booked_phone INTEGER NOT NULL,
  booked_walk_in INTEGER NOT NULL,
  booked_second_dose INTEGER NOT NULL,
  booked_waiting INTEGER NOT NULL,
  CONSTRAINT pk_slot PRIMARY KEY (id),
  CONSTRAINT ck_slot_booked_fits CHECK (booked BETWEEN 0 AND capacity),
  CONSTRAINT ck_slot_phone_fits CHECK (booked_phone BETWEEN 0 AND kept_phone),
  CONSTRAINT ck_slot_walk_in_fits CHECK (booked_walk_in BETWEEN 0 AND kept_walk_in),
  CONSTRAINT ck_slot_second_dose_fits CHECK (booked_second_dose BETWEEN 0 AND kept_second_dose),
  CONSTRAINT ck_slot_waiting_fits CHECK (booked_waiting BETWEEN 0 AND kept_waiting),
  CONSTRAINT ck_slot_open_fits CHECK (booked - booked_phone - booked_walk_in - booked_second_dose - booked_waiting BETWEEN 0 AND capacity - kept_phone - kept_walk_in - kept_second_dose - kept_waiting),
  CONSTRAINT ck_slot_times CHECK (starts_at < ends_at),
  CONSTRAINT uq_slot_session_id_starts_at UNIQUE (session_id, starts_at),
  CONSTRAINT uq_slot_id_starts_at_ends_at UNIQUE (id, starts_at, ends_at),
  CONSTRAINT fk_slot_session_id FOREIGN KEY(session_id) REFERENCES clinic_session (id),
  CONSTRAINT ck_slot_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_slot_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_slot_session_id_type CHECK (length(session_id) = 32 AND session_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_slot_starts_at_type CHECK (datetime(starts_at, '+0 days') IS substr(starts_at, 1, 19) AND substr(starts_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_slot_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_slot_capacity_type CHECK (typeof(capacity) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_type CHECK (typeof(booked) IN ('integer', 'null')),
  CONSTRAINT ck_slot_kept_phone_type CHECK (typeof(kept_phone) IN ('integer', 'null')),
  CONSTRAINT ck_slot_kept_walk_in_type CHECK (typeof(kept_walk_in) IN ('integer', 'null')),
  CONSTRAINT ck_slot_kept_second_dose_type CHECK (typeof(kept_second_dose) IN ('integer', 'null')),
  CONSTRAINT ck_slot_kept_waiting_type CHECK (typeof(kept_waiting) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_phone_type CHECK (typeof(booked_phone) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_walk_in_type CHECK (typeof(booked_walk_in) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_second_dose_type CHECK (typeof(booked_second_dose) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_waiting_type CHECK (typeof(booked_waiting) IN ('integer', 'null'))
);

INSERT INTO new_slot (
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in,
  kept_second_dose, kept_waiting, booked_phone, booked_walk_in, booked_second_dose,
  booked_waiting
)
SELECT
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in,
  kept_second_dose, 0, booked_phone, booked_walk_in, booked_second_dose, 0
  FROM slot;
DROP TABLE slot;
ALTER TABLE new_slot RENAME TO slot;
CREATE INDEX ix_slot_starts_at ON slot (starts_at);

CREATE TABLE new_appointment (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  reference VARCHAR(12) NOT NULL,
  person_id CHAR(32) NOT NULL,
  slot_id CHAR(32) NOT NULL,
  starts_at DATETIME NOT NULL,
  ends_at DATETIME NOT NULL,
  programme_id CHAR(32) NOT NULL,
  dose_number INTEGER NOT NULL,
  state VARCHAR NOT NULL,
  held_until DATETIME,
  source VARCHAR NOT NULL,
  pool VARCHAR NOT NULL,
  party_id CHAR(32),
  reminded INTEGER NOT NULL,
  CONSTRAINT pk_appointment PRIMARY KEY (id),
  CONSTRAINT fk_appointment_slot_id_starts_at_ends_at FOREIGN KEY(slot_id, starts_at, ends_at) REFERENCES slot (id, starts_at, ends_at),
  CONSTRAINT ck_appointment_state CHECK (state IN ('held', 'booked', 'arrived', 'vaccinated', 'not_vaccinated', 'cancelled', 'rescheduled', 'no_show', 'expired')),
  CONSTRAINT ck_appointment_source CHECK (source IN ('web', 'phone', 'ussd', 'sms', 'partner', 'walk_in', 'draw')),
  CONSTRAINT ck_appointment_pool CHECK (pool IN ('online', 'phone', 'walk_in', 'second_dose', 'waiting')),
  CONSTRAINT ck_appointment_dose_number CHECK (dose_number BETWEEN 1 AND 9),
  CONSTRAINT ck_appointment_reminded CHECK (reminded BETWEEN 0 AND 3),
  CONSTRAINT ck_appointment_held_has_end CHECK ((state = 'held') = (held_until IS NOT NULL)),
  CONSTRAINT uq_appointment_reference UNIQUE (reference),
  CONSTRAINT fk_appointment_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_appointment_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT ck_appointment_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_appointment_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_slot_id_type CHECK (length(slot_id) = 32 AND slot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_starts_at_type CHECK (datetime(starts_at, '+0 days') IS substr(starts_at, 1, 19) AND substr(starts_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_appointment_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_appointment_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_dose_number_type CHECK (typeof(dose_number) IN ('integer', 'null')),
  CONSTRAINT ck_appointment_held_until_type CHECK (datetime(held_until, '+0 days') IS substr(held_until, 1, 19) AND substr(held_until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_appointment_party_id_type CHECK (length(party_id) = 32 AND party_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_reminded_type CHECK (typeof(reminded) IN ('integer', 'null'))
);

INSERT INTO new_appointment (
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id, dose_number,
  state, held_until, source, pool, party_id, reminded
)
SELECT
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id, dose_number,
  state, held_until, source, pool, NULL, 0
  FROM appointment;
DROP TABLE appointment;
ALTER TABLE new_appointment RENAME TO appointment;
CREATE INDEX ix_appointment_held_until ON appointment (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX ix_appointment_party_id ON appointment (party_id) WHERE party_id IS NOT NULL;
CREATE INDEX ix_appointment_person_id_starts_at ON appointment (person_id, starts_at);
CREATE INDEX ix_appointment_slot_id ON appointment (slot_id);
CREATE INDEX ix_appointment_state_ends_at ON appointment (state, ends_at);
CREATE UNIQUE INDEX one_active_appointment ON appointment (person_id, programme_id, dose_number) WHERE state IN ('held', 'booked', 'arrived');
CREATE UNIQUE INDEX uq_appointment_person ON appointment (id, person_id);

-- down
CREATE TABLE new_appointment (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  reference VARCHAR(12) NOT NULL,
  person_id CHAR(32) NOT NULL,
  slot_id CHAR(32) NOT NULL,
  starts_at DATETIME NOT NULL,
  ends_at DATETIME NOT NULL,
  programme_id CHAR(32) NOT NULL,
  dose_number INTEGER NOT NULL,
  state VARCHAR NOT NULL,
  held_until DATETIME,
  source VARCHAR NOT NULL,
  pool VARCHAR NOT NULL,
  CONSTRAINT pk_appointment PRIMARY KEY (id),
  CONSTRAINT fk_appointment_slot_id_starts_at_ends_at FOREIGN KEY(slot_id, starts_at, ends_at) REFERENCES slot (id, starts_at, ends_at),
  CONSTRAINT ck_appointment_state CHECK (state IN ('held', 'booked', 'arrived', 'vaccinated', 'not_vaccinated', 'cancelled', 'rescheduled', 'no_show', 'expired')),
  CONSTRAINT ck_appointment_source CHECK (source IN ('web', 'phone', 'ussd', 'sms', 'partner', 'walk_in', 'draw')),
  CONSTRAINT ck_appointment_pool CHECK (pool IN ('online', 'phone', 'walk_in', 'second_dose')),
  CONSTRAINT ck_appointment_dose_number CHECK (dose_number BETWEEN 1 AND 9),
  CONSTRAINT ck_appointment_held_has_end CHECK ((state = 'held') = (held_until IS NOT NULL)),
  CONSTRAINT uq_appointment_reference UNIQUE (reference),
  CONSTRAINT fk_appointment_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_appointment_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT ck_appointment_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_appointment_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_slot_id_type CHECK (length(slot_id) = 32 AND slot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_starts_at_type CHECK (datetime(starts_at, '+0 days') IS substr(starts_at, 1, 19) AND substr(starts_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_appointment_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_appointment_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_appointment_dose_number_type CHECK (typeof(dose_number) IN ('integer', 'null')),
  CONSTRAINT ck_appointment_held_until_type CHECK (datetime(held_until, '+0 days') IS substr(held_until, 1, 19) AND substr(held_until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_appointment (
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id, dose_number,
  state, held_until, source, pool
)
SELECT
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id, dose_number,
  state, held_until, source, CASE pool WHEN 'waiting' THEN 'online' ELSE pool END
  FROM appointment;
DROP TABLE appointment;
ALTER TABLE new_appointment RENAME TO appointment;
CREATE INDEX ix_appointment_person_id_starts_at ON appointment (person_id, starts_at);
CREATE INDEX ix_appointment_slot_id ON appointment (slot_id);
CREATE INDEX ix_appointment_state_ends_at ON appointment (state, ends_at);
CREATE UNIQUE INDEX one_active_appointment ON appointment (person_id, programme_id, dose_number) WHERE state IN ('held', 'booked', 'arrived');
CREATE UNIQUE INDEX uq_appointment_person ON appointment (id, person_id);

CREATE TABLE new_slot (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  session_id CHAR(32) NOT NULL,
  starts_at DATETIME NOT NULL,
  ends_at DATETIME NOT NULL,
  capacity INTEGER NOT NULL,
  booked INTEGER NOT NULL,
  kept_phone INTEGER NOT NULL,
  kept_walk_in INTEGER NOT NULL,
  kept_second_dose INTEGER NOT NULL,
  booked_phone INTEGER NOT NULL,
  booked_walk_in INTEGER NOT NULL,
  booked_second_dose INTEGER NOT NULL,
  CONSTRAINT pk_slot PRIMARY KEY (id),
  CONSTRAINT ck_slot_booked_fits CHECK (booked BETWEEN 0 AND capacity),
  CONSTRAINT ck_slot_phone_fits CHECK (booked_phone BETWEEN 0 AND kept_phone),
  CONSTRAINT ck_slot_walk_in_fits CHECK (booked_walk_in BETWEEN 0 AND kept_walk_in),
  CONSTRAINT ck_slot_second_dose_fits CHECK (booked_second_dose BETWEEN 0 AND kept_second_dose),
  CONSTRAINT ck_slot_open_fits CHECK (booked - booked_phone - booked_walk_in - booked_second_dose BETWEEN 0 AND capacity - kept_phone - kept_walk_in - kept_second_dose),
  CONSTRAINT ck_slot_times CHECK (starts_at < ends_at),
  CONSTRAINT uq_slot_session_id_starts_at UNIQUE (session_id, starts_at),
  CONSTRAINT uq_slot_id_starts_at_ends_at UNIQUE (id, starts_at, ends_at),
  CONSTRAINT fk_slot_session_id FOREIGN KEY(session_id) REFERENCES clinic_session (id),
  CONSTRAINT ck_slot_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_slot_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_slot_session_id_type CHECK (length(session_id) = 32 AND session_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_slot_starts_at_type CHECK (datetime(starts_at, '+0 days') IS substr(starts_at, 1, 19) AND substr(starts_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_slot_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_slot_capacity_type CHECK (typeof(capacity) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_type CHECK (typeof(booked) IN ('integer', 'null')),
  CONSTRAINT ck_slot_kept_phone_type CHECK (typeof(kept_phone) IN ('integer', 'null')),
  CONSTRAINT ck_slot_kept_walk_in_type CHECK (typeof(kept_walk_in) IN ('integer', 'null')),
  CONSTRAINT ck_slot_kept_second_dose_type CHECK (typeof(kept_second_dose) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_phone_type CHECK (typeof(booked_phone) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_walk_in_type CHECK (typeof(booked_walk_in) IN ('integer', 'null')),
  CONSTRAINT ck_slot_booked_second_dose_type CHECK (typeof(booked_second_dose) IN ('integer', 'null'))
);

INSERT INTO new_slot (
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in,
  kept_second_dose, booked_phone, booked_walk_in, booked_second_dose
)
SELECT
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in,
  kept_second_dose, booked_phone, booked_walk_in, booked_second_dose
  FROM slot;
DROP TABLE slot;
ALTER TABLE new_slot RENAME TO slot;
CREATE INDEX ix_slot_starts_at ON slot (starts_at);
