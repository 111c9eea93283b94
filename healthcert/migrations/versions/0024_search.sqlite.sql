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
  is_full BOOLEAN NOT NULL GENERATED ALWAYS AS (booked >= capacity) STORED,
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
  CONSTRAINT ck_slot_booked_waiting_type CHECK (typeof(booked_waiting) IN ('integer', 'null')),
  CONSTRAINT ck_slot_is_full_type CHECK (is_full IN (0, 1))
);

INSERT INTO new_slot (
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in, kept_second_dose, kept_waiting, booked_phone, booked_walk_in, booked_second_dose, booked_waiting
)
SELECT
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in, kept_second_dose, kept_waiting, booked_phone, booked_walk_in, booked_second_dose, booked_waiting
  FROM slot;
DROP TABLE slot;
ALTER TABLE new_slot RENAME TO slot;
CREATE INDEX ix_slot_not_full ON slot (session_id, starts_at) WHERE is_full = 0;
CREATE INDEX ix_slot_starts_at ON slot (starts_at);
CREATE INDEX ix_slot_waiting ON slot (starts_at) WHERE kept_waiting > booked_waiting;

CREATE INDEX ix_site_latitude_longitude ON site (latitude, longitude);

-- down
DROP INDEX ix_site_latitude_longitude;

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
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in, kept_second_dose, kept_waiting, booked_phone, booked_walk_in, booked_second_dose, booked_waiting
)
SELECT
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone, kept_walk_in, kept_second_dose, kept_waiting, booked_phone, booked_walk_in, booked_second_dose, booked_waiting
  FROM slot;
DROP TABLE slot;
ALTER TABLE new_slot RENAME TO slot;
CREATE INDEX ix_slot_starts_at ON slot (starts_at);
CREATE INDEX ix_slot_waiting ON slot (starts_at) WHERE kept_waiting > booked_waiting;
