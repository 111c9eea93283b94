CREATE TABLE new_site (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  code VARCHAR NOT NULL,
  names JSON NOT NULL,
  address JSON NOT NULL,
  region VARCHAR NOT NULL,
  latitude DOUBLE NOT NULL,
  longitude DOUBLE NOT NULL,
  time_zone VARCHAR NOT NULL,
  step_free BOOLEAN NOT NULL,
  facilities JSON NOT NULL,
  languages JSON NOT NULL,
  female_vaccinator BOOLEAN NOT NULL,
  CONSTRAINT pk_site PRIMARY KEY (id),
  CONSTRAINT ck_site_latitude CHECK (latitude BETWEEN -90 AND 90),
  CONSTRAINT ck_site_longitude CHECK (longitude BETWEEN -180 AND 180),
  CONSTRAINT uq_site_code UNIQUE (code),
  CONSTRAINT ck_site_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_latitude_type CHECK (typeof(latitude) IN ('real', 'null')),
  CONSTRAINT ck_site_longitude_type CHECK (typeof(longitude) IN ('real', 'null')),
  CONSTRAINT ck_site_step_free_type CHECK (step_free IN (0, 1)),
  CONSTRAINT ck_site_female_vaccinator_type CHECK (female_vaccinator IN (0, 1))
);

INSERT INTO new_site (
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free,
  facilities, languages, female_vaccinator
)
SELECT
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free,
  '[]', '[]', 0
  FROM site;
DROP TABLE site;
ALTER TABLE new_site RENAME TO site;

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
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked, 0, 0, 0, 0, 0, 0
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
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id,
  dose_number, state, held_until, source, pool
)
SELECT
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id,
  dose_number, state, held_until, source, 'online'
  FROM appointment;
DROP TABLE appointment;
ALTER TABLE new_appointment RENAME TO appointment;
CREATE INDEX ix_appointment_person_id_starts_at ON appointment (person_id, starts_at);
CREATE INDEX ix_appointment_slot_id ON appointment (slot_id);
CREATE INDEX ix_appointment_state_ends_at ON appointment (state, ends_at);
CREATE UNIQUE INDEX one_active_appointment ON appointment (person_id, programme_id, dose_number) WHERE state IN ('held', 'booked', 'arrived');
CREATE UNIQUE INDEX uq_appointment_person ON appointment (id, person_id);

CREATE TABLE new_stock_move (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  lot_id CHAR(32) NOT NULL,
  ordinal INTEGER NOT NULL,
  kind VARCHAR NOT NULL,
  quantity INTEGER NOT NULL,
  reason VARCHAR,
  dose_id CHAR(32),
  answers CHAR(32),
  answers_kind VARCHAR GENERATED ALWAYS AS (CASE kind WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'transferred_in' THEN 'transferred_out' END) STORED,
  moved_by CHAR(32) NOT NULL,
  confirmed_by CHAR(32),
  CONSTRAINT pk_stock_move PRIMARY KEY (id),
  CONSTRAINT ck_stock_move_kind CHECK (kind IN ('received', 'overfill', 'unexplained', 'transferred_in', 'given', 'wasted', 'transferred_out', 'returned', 'given_back', 'explained', 'counted')),
  CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR kind = 'counted'),
  CONSTRAINT ck_stock_move_confirmed CHECK (confirmed_by IS NULL OR kind = 'counted'),
  CONSTRAINT ck_stock_move_two_count CHECK (confirmed_by <> moved_by),
  CONSTRAINT ck_stock_move_dose CHECK ((kind IN ('given', 'given_back', 'unexplained', 'explained')) = (dose_id IS NOT NULL)),
  CONSTRAINT ck_stock_move_one_dose CHECK (dose_id IS NULL OR quantity = 1),
  CONSTRAINT ck_stock_move_answers CHECK ((answers_kind IS NULL) = (answers IS NULL)),
  CONSTRAINT ck_stock_move_reason CHECK ((kind = 'wasted') = (reason IS NOT NULL)),
  CONSTRAINT ck_stock_move_waste_reason CHECK (reason IN ('opened_vial', 'broken', 'contaminated', 'cold_chain', 'expired', 'recalled', 'drawn_up', 'other')),
  CONSTRAINT ck_stock_move_ordinal CHECK (ordinal >= 1),
  CONSTRAINT fk_stock_move_dose_id_lot_id_site_id FOREIGN KEY(dose_id, lot_id, site_id) REFERENCES dose (id, lot_id, site_id),
  CONSTRAINT fk_stock_move_answers FOREIGN KEY(answers, answers_kind, lot_id, quantity) REFERENCES stock_move (id, kind, lot_id, quantity),
  CONSTRAINT fk_stock_move_answers_dose FOREIGN KEY(answers, dose_id) REFERENCES stock_move (id, dose_id),
  CONSTRAINT uq_stock_move_answers UNIQUE (answers),
  CONSTRAINT uq_stock_move_id_kind_lot_id_quantity UNIQUE (id, kind, lot_id, quantity),
  CONSTRAINT uq_stock_move_id_dose_id UNIQUE (id, dose_id),
  CONSTRAINT uq_stock_move_site_id_lot_id_ordinal UNIQUE (site_id, lot_id, ordinal),
  CONSTRAINT fk_stock_move_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_move_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT fk_stock_move_moved_by FOREIGN KEY(moved_by) REFERENCES staff (id),
  CONSTRAINT fk_stock_move_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id),
  CONSTRAINT ck_stock_move_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_stock_move_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_quantity_type CHECK (typeof(quantity) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_answers_type CHECK (length(answers) = 32 AND answers NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_moved_by_type CHECK (length(moved_by) = 32 AND moved_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_confirmed_by_type CHECK (length(confirmed_by) = 32 AND confirmed_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_stock_move (
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, reason, dose_id, answers, moved_by
)
SELECT
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, reason, dose_id, answers, moved_by
  FROM stock_move;
DROP TABLE stock_move;
ALTER TABLE new_stock_move RENAME TO stock_move;
CREATE INDEX ix_stock_move_lot_id ON stock_move (lot_id);
CREATE UNIQUE INDEX one_move_a_dose ON stock_move (dose_id, kind) WHERE dose_id IS NOT NULL;

CREATE TABLE site_closure (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  day DATE NOT NULL,
  CONSTRAINT pk_site_closure PRIMARY KEY (id),
  CONSTRAINT uq_site_closure_site_id_day UNIQUE (site_id, day),
  CONSTRAINT fk_site_closure_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_site_closure_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_closure_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_closure_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_closure_day_type CHECK (date(day, '+0 days') IS day)
);

CREATE TABLE site_hours (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  weekday INTEGER NOT NULL,
  opens TIME NOT NULL,
  closes TIME NOT NULL,
  CONSTRAINT pk_site_hours PRIMARY KEY (id),
  CONSTRAINT ck_site_hours_weekday CHECK (weekday BETWEEN 1 AND 7),
  CONSTRAINT ck_site_hours_times CHECK (opens < closes),
  CONSTRAINT uq_site_hours_site_id_weekday_opens UNIQUE (site_id, weekday, opens),
  CONSTRAINT fk_site_hours_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_site_hours_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_hours_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_hours_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_hours_weekday_type CHECK (typeof(weekday) IN ('integer', 'null')),
  CONSTRAINT ck_site_hours_opens_type CHECK (time(opens, '+0 days') || '.000000' IS opens),
  CONSTRAINT ck_site_hours_closes_type CHECK (time(closes, '+0 days') || '.000000' IS closes)
);

-- down
DROP TABLE site_hours;
DROP TABLE site_closure;

CREATE TABLE new_stock_move (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  lot_id CHAR(32) NOT NULL,
  ordinal INTEGER NOT NULL,
  kind VARCHAR NOT NULL,
  quantity INTEGER NOT NULL,
  reason VARCHAR,
  dose_id CHAR(32),
  answers CHAR(32),
  answers_kind VARCHAR GENERATED ALWAYS AS (CASE kind WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'transferred_in' THEN 'transferred_out' END) STORED,
  moved_by CHAR(32) NOT NULL,
  CONSTRAINT pk_stock_move PRIMARY KEY (id),
  CONSTRAINT ck_stock_move_kind CHECK (kind IN ('received', 'overfill', 'unexplained', 'transferred_in', 'given', 'wasted', 'transferred_out', 'returned', 'given_back', 'explained', 'counted')),
  CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR (kind = 'counted' AND quantity < 0)),
  CONSTRAINT ck_stock_move_dose CHECK ((kind IN ('given', 'given_back', 'unexplained', 'explained')) = (dose_id IS NOT NULL)),
  CONSTRAINT ck_stock_move_one_dose CHECK (dose_id IS NULL OR quantity = 1),
  CONSTRAINT ck_stock_move_answers CHECK ((answers_kind IS NULL) = (answers IS NULL)),
  CONSTRAINT ck_stock_move_reason CHECK ((kind = 'wasted') = (reason IS NOT NULL)),
  CONSTRAINT ck_stock_move_waste_reason CHECK (reason IN ('opened_vial', 'broken', 'contaminated', 'cold_chain', 'expired', 'recalled', 'drawn_up', 'other')),
  CONSTRAINT ck_stock_move_ordinal CHECK (ordinal >= 1),
  CONSTRAINT fk_stock_move_dose_id_lot_id_site_id FOREIGN KEY(dose_id, lot_id, site_id) REFERENCES dose (id, lot_id, site_id),
  CONSTRAINT fk_stock_move_answers FOREIGN KEY(answers, answers_kind, lot_id, quantity) REFERENCES stock_move (id, kind, lot_id, quantity),
  CONSTRAINT fk_stock_move_answers_dose FOREIGN KEY(answers, dose_id) REFERENCES stock_move (id, dose_id),
  CONSTRAINT uq_stock_move_answers UNIQUE (answers),
  CONSTRAINT uq_stock_move_id_kind_lot_id_quantity UNIQUE (id, kind, lot_id, quantity),
  CONSTRAINT uq_stock_move_id_dose_id UNIQUE (id, dose_id),
  CONSTRAINT uq_stock_move_site_id_lot_id_ordinal UNIQUE (site_id, lot_id, ordinal),
  CONSTRAINT fk_stock_move_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_move_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT fk_stock_move_moved_by FOREIGN KEY(moved_by) REFERENCES staff (id),
  CONSTRAINT ck_stock_move_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_stock_move_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_quantity_type CHECK (typeof(quantity) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_answers_type CHECK (length(answers) = 32 AND answers NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_moved_by_type CHECK (length(moved_by) = 32 AND moved_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_stock_move (
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, reason, dose_id, answers, moved_by
)
SELECT
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, reason, dose_id, answers, moved_by
  FROM stock_move;
DROP TABLE stock_move;
ALTER TABLE new_stock_move RENAME TO stock_move;
CREATE INDEX ix_stock_move_lot_id ON stock_move (lot_id);
CREATE UNIQUE INDEX one_move_a_dose ON stock_move (dose_id, kind) WHERE dose_id IS NOT NULL;

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
  CONSTRAINT pk_appointment PRIMARY KEY (id),
  CONSTRAINT fk_appointment_slot_id_starts_at_ends_at FOREIGN KEY(slot_id, starts_at, ends_at) REFERENCES slot (id, starts_at, ends_at),
  CONSTRAINT ck_appointment_state CHECK (state IN ('held', 'booked', 'arrived', 'vaccinated', 'not_vaccinated', 'cancelled', 'rescheduled', 'no_show', 'expired')),
  CONSTRAINT ck_appointment_source CHECK (source IN ('web', 'phone', 'ussd', 'sms', 'partner', 'walk_in', 'draw')),
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
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id,
  dose_number, state, held_until, source
)
SELECT
  id, recorded_at, reference, person_id, slot_id, starts_at, ends_at, programme_id,
  dose_number, state, held_until, source
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
  CONSTRAINT pk_slot PRIMARY KEY (id),
  CONSTRAINT ck_slot_booked_fits CHECK (booked BETWEEN 0 AND capacity),
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
  CONSTRAINT ck_slot_booked_type CHECK (typeof(booked) IN ('integer', 'null'))
);

INSERT INTO new_slot (
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked
)
SELECT
  id, recorded_at, session_id, starts_at, ends_at, capacity, booked
  FROM slot;
DROP TABLE slot;
ALTER TABLE new_slot RENAME TO slot;
CREATE INDEX ix_slot_starts_at ON slot (starts_at);

CREATE TABLE new_site (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  code VARCHAR NOT NULL,
  names JSON NOT NULL,
  address JSON NOT NULL,
  region VARCHAR NOT NULL,
  latitude DOUBLE NOT NULL,
  longitude DOUBLE NOT NULL,
  time_zone VARCHAR NOT NULL,
  step_free BOOLEAN NOT NULL,
  CONSTRAINT pk_site PRIMARY KEY (id),
  CONSTRAINT ck_site_latitude CHECK (latitude BETWEEN -90 AND 90),
  CONSTRAINT ck_site_longitude CHECK (longitude BETWEEN -180 AND 180),
  CONSTRAINT uq_site_code UNIQUE (code),
  CONSTRAINT ck_site_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_latitude_type CHECK (typeof(latitude) IN ('real', 'null')),
  CONSTRAINT ck_site_longitude_type CHECK (typeof(longitude) IN ('real', 'null')),
  CONSTRAINT ck_site_step_free_type CHECK (step_free IN (0, 1))
);

INSERT INTO new_site (
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free
)
SELECT
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free
  FROM site;
DROP TABLE site;
ALTER TABLE new_site RENAME TO site;
