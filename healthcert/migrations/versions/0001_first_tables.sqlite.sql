CREATE TABLE audit_event (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  actor_kind VARCHAR NOT NULL,
  actor_id CHAR(32),
  act VARCHAR NOT NULL,
  subject_kind VARCHAR NOT NULL,
  subject_id CHAR(32),
  details JSON NOT NULL,
  CONSTRAINT pk_audit_event PRIMARY KEY (id),
  CONSTRAINT ck_audit_event_actor_kind CHECK (actor_kind IN ('citizen', 'staff', 'system')),
  CONSTRAINT ck_audit_event_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_audit_event_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_audit_event_actor_id_type CHECK (length(actor_id) = 32 AND actor_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_audit_event_subject_id_type CHECK (length(subject_id) = 32 AND subject_id NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_audit_event_subject ON audit_event (subject_kind, subject_id);

CREATE TABLE knowledge (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  kind VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  content JSON NOT NULL,
  CONSTRAINT pk_knowledge PRIMARY KEY (id),
  CONSTRAINT ck_knowledge_kind CHECK (kind IN ('vaccine', 'programme', 'country')),
  CONSTRAINT uq_knowledge_sha256 UNIQUE (sha256),
  CONSTRAINT ck_knowledge_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_knowledge_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE TABLE person (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  wrapped_key BLOB NOT NULL,
  sealed BLOB NOT NULL,
  birth_year INTEGER NOT NULL,
  sex VARCHAR NOT NULL,
  nationality_group VARCHAR NOT NULL,
  region VARCHAR,
  language VARCHAR(2) NOT NULL,
  CONSTRAINT pk_person PRIMARY KEY (id),
  CONSTRAINT ck_person_birth_year CHECK (birth_year BETWEEN 1850 AND 2200),
  CONSTRAINT ck_person_sex CHECK (sex IN ('male', 'female', 'other', 'unknown')),
  CONSTRAINT ck_person_nationality_group CHECK (nationality_group IN ('national', 'foreign', 'refugee', 'stateless', 'unknown')),
  CONSTRAINT ck_person_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_person_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_person_birth_year_type CHECK (typeof(birth_year) IN ('integer', 'null'))
);

CREATE TABLE site (
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

CREATE TABLE visit (
  token_hash BLOB NOT NULL,
  sealed BLOB NOT NULL,
  started_at DATETIME NOT NULL,
  seen_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  CONSTRAINT pk_visit PRIMARY KEY (token_hash),
  CONSTRAINT ck_visit_started_at_type CHECK (datetime(started_at, '+0 days') IS substr(started_at, 1, 19) AND substr(started_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_visit_seen_at_type CHECK (datetime(seen_at, '+0 days') IS substr(seen_at, 1, 19) AND substr(seen_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_visit_expires_at_type CHECK (datetime(expires_at, '+0 days') IS substr(expires_at, 1, 19) AND substr(expires_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE TABLE access_code (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  digest BLOB NOT NULL,
  expires_at DATETIME NOT NULL,
  tries INTEGER NOT NULL,
  used_at DATETIME,
  CONSTRAINT pk_access_code PRIMARY KEY (id),
  CONSTRAINT ck_access_code_five_tries CHECK (tries BETWEEN 0 AND 5),
  CONSTRAINT ck_access_code_ends_after_start CHECK (expires_at > recorded_at),
  CONSTRAINT fk_access_code_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT ck_access_code_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_access_code_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_access_code_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_access_code_expires_at_type CHECK (datetime(expires_at, '+0 days') IS substr(expires_at, 1, 19) AND substr(expires_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_access_code_tries_type CHECK (typeof(tries) IN ('integer', 'null')),
  CONSTRAINT ck_access_code_used_at_type CHECK (datetime(used_at, '+0 days') IS substr(used_at, 1, 19) AND substr(used_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_access_code_person_id ON access_code (person_id);

CREATE TABLE identity (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  kind VARCHAR NOT NULL,
  country VARCHAR(2) NOT NULL,
  level VARCHAR NOT NULL,
  blind BLOB,
  CONSTRAINT pk_identity PRIMARY KEY (id),
  CONSTRAINT ck_identity_kind CHECK (kind IN ('national', 'passport', 'refugee', 'municipal', 'vouched', 'none')),
  CONSTRAINT ck_identity_level CHECK (level IN ('low', 'substantial', 'high')),
  CONSTRAINT ck_identity_blind_where_valued CHECK ((kind IN ('vouched', 'none')) = (blind IS NULL)),
  CONSTRAINT fk_identity_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT uq_identity_blind UNIQUE (blind),
  CONSTRAINT ck_identity_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_identity_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_identity_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_identity_person_id ON identity (person_id);

CREATE TABLE message (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  channel VARCHAR NOT NULL,
  template VARCHAR NOT NULL,
  language VARCHAR(2) NOT NULL,
  sealed BLOB NOT NULL,
  state VARCHAR NOT NULL,
  due_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  sent_at DATETIME,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT ck_message_channel CHECK (channel IN ('sms', 'mail')),
  CONSTRAINT ck_message_state CHECK (state IN ('queued', 'sent', 'failed')),
  CONSTRAINT ck_message_attempts CHECK (attempts >= 0),
  CONSTRAINT ck_message_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT fk_message_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT ck_message_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_attempts_type CHECK (typeof(attempts) IN ('integer', 'null')),
  CONSTRAINT ck_message_sent_at_type CHECK (datetime(sent_at, '+0 days') IS substr(sent_at, 1, 19) AND substr(sent_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_message_state_due_at ON message (state, due_at);

CREATE TABLE person_token (
  person_id CHAR(32) NOT NULL,
  kind VARCHAR NOT NULL,
  blind BLOB NOT NULL,
  CONSTRAINT pk_person_token PRIMARY KEY (person_id, kind, blind),
  CONSTRAINT ck_person_token_kind CHECK (kind IN ('phone', 'mail', 'name')),
  CONSTRAINT fk_person_token_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT ck_person_token_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_person_token_kind_blind ON person_token (kind, blind);

CREATE TABLE product (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  code VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  vp VARCHAR NOT NULL,
  ma VARCHAR NOT NULL,
  series_doses INTEGER NOT NULL,
  min_interval_days INTEGER NOT NULL,
  target_interval_days INTEGER NOT NULL,
  min_age_years INTEGER NOT NULL,
  knowledge_id CHAR(32) NOT NULL,
  CONSTRAINT pk_product PRIMARY KEY (id),
  CONSTRAINT ck_product_series CHECK (series_doses BETWEEN 1 AND 9),
  CONSTRAINT ck_product_intervals CHECK (min_interval_days >= 0 AND target_interval_days >= min_interval_days),
  CONSTRAINT ck_product_age CHECK (min_age_years >= 0),
  CONSTRAINT uq_product_code UNIQUE (code),
  CONSTRAINT fk_product_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id),
  CONSTRAINT ck_product_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_product_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_product_series_doses_type CHECK (typeof(series_doses) IN ('integer', 'null')),
  CONSTRAINT ck_product_min_interval_days_type CHECK (typeof(min_interval_days) IN ('integer', 'null')),
  CONSTRAINT ck_product_target_interval_days_type CHECK (typeof(target_interval_days) IN ('integer', 'null')),
  CONSTRAINT ck_product_min_age_years_type CHECK (typeof(min_age_years) IN ('integer', 'null')),
  CONSTRAINT ck_product_knowledge_id_type CHECK (length(knowledge_id) = 32 AND knowledge_id NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE programme (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  code VARCHAR NOT NULL,
  disease VARCHAR NOT NULL,
  names JSON NOT NULL,
  knowledge_id CHAR(32) NOT NULL,
  CONSTRAINT pk_programme PRIMARY KEY (id),
  CONSTRAINT uq_programme_code UNIQUE (code),
  CONSTRAINT fk_programme_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id),
  CONSTRAINT ck_programme_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_programme_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_programme_knowledge_id_type CHECK (length(knowledge_id) = 32 AND knowledge_id NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE staff (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  name VARCHAR NOT NULL,
  role VARCHAR NOT NULL,
  site_id CHAR(32),
  active BOOLEAN NOT NULL,
  CONSTRAINT pk_staff PRIMARY KEY (id),
  CONSTRAINT ck_staff_role CHECK (role IN ('clerk', 'nurse', 'admin')),
  CONSTRAINT ck_staff_clinic_staff_has_site CHECK (role = 'admin' OR site_id IS NOT NULL),
  CONSTRAINT fk_staff_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_staff_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_staff_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_active_type CHECK (active IN (0, 1))
);

CREATE TABLE clinic_session (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  day DATE NOT NULL,
  state VARCHAR NOT NULL,
  CONSTRAINT pk_clinic_session PRIMARY KEY (id),
  CONSTRAINT ck_clinic_session_state CHECK (state IN ('draft', 'published', 'running', 'closed', 'cancelled')),
  CONSTRAINT uq_clinic_session_site_id_day_product_id UNIQUE (site_id, day, product_id),
  CONSTRAINT fk_clinic_session_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_clinic_session_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_clinic_session_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT ck_clinic_session_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_clinic_session_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_day_type CHECK (date(day, '+0 days') IS day)
);

CREATE TABLE lot (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  product_id CHAR(32) NOT NULL,
  number VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  CONSTRAINT pk_lot PRIMARY KEY (id),
  CONSTRAINT uq_lot_product_id_number UNIQUE (product_id, number),
  CONSTRAINT uq_lot_id_product_id UNIQUE (id, product_id),
  CONSTRAINT ck_lot_state CHECK (state IN ('quarantined', 'released', 'recalled', 'exhausted')),
  CONSTRAINT fk_lot_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT ck_lot_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_lot_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_lot_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE product_target (
  product_id CHAR(32) NOT NULL,
  disease VARCHAR NOT NULL,
  CONSTRAINT pk_product_target PRIMARY KEY (product_id, disease),
  CONSTRAINT fk_product_target_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT ck_product_target_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE lot_validity (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  lot_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  since DATE NOT NULL,
  released_on DATE NOT NULL,
  expires_on DATE NOT NULL,
  state VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  CONSTRAINT pk_lot_validity PRIMARY KEY (id),
  CONSTRAINT fk_lot_validity_lot_id_product_id FOREIGN KEY(lot_id, product_id) REFERENCES lot (id, product_id),
  CONSTRAINT uq_lot_validity_lot_id_since UNIQUE (lot_id, since),
  CONSTRAINT uq_lot_validity_mirror UNIQUE (id, lot_id, product_id, state, released_on, expires_on),
  CONSTRAINT ck_lot_validity_state CHECK (state IN ('released', 'recalled')),
  CONSTRAINT ck_lot_validity_released_before_expiry CHECK (released_on <= expires_on),
  CONSTRAINT ck_lot_validity_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_lot_validity_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_lot_validity_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_lot_validity_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_lot_validity_since_type CHECK (date(since, '+0 days') IS since),
  CONSTRAINT ck_lot_validity_released_on_type CHECK (date(released_on, '+0 days') IS released_on),
  CONSTRAINT ck_lot_validity_expires_on_type CHECK (date(expires_on, '+0 days') IS expires_on)
);

CREATE TABLE slot (
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

CREATE INDEX ix_slot_starts_at ON slot (starts_at);

CREATE TABLE appointment (
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

CREATE INDEX ix_appointment_person_id_starts_at ON appointment (person_id, starts_at);

CREATE INDEX ix_appointment_slot_id ON appointment (slot_id);

CREATE UNIQUE INDEX one_active_appointment ON appointment (person_id, programme_id, dose_number) WHERE state IN ('held', 'booked', 'arrived');

CREATE TABLE dose (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  site_id CHAR(32),
  appointment_id CHAR(32),
  given_at DATETIME NOT NULL,
  given_on DATE NOT NULL,
  recorded_on DATE NOT NULL,
  lot_text VARCHAR NOT NULL,
  lot_id CHAR(32),
  lot_product_id CHAR(32),
  body_site VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  recorded_by CHAR(32) NOT NULL,
  replaces CHAR(32),
  CONSTRAINT pk_dose PRIMARY KEY (id),
  CONSTRAINT fk_dose_lot_id_lot_product_id FOREIGN KEY(lot_id, lot_product_id) REFERENCES lot (id, product_id),
  CONSTRAINT ck_dose_lot_whole CHECK ((lot_id IS NULL) = (lot_product_id IS NULL)),
  CONSTRAINT ck_dose_given_before_recorded CHECK (given_on <= recorded_on),
  CONSTRAINT ck_dose_source CHECK (source IN ('point_of_care', 'historic', 'foreign')),
  CONSTRAINT ck_dose_body_site CHECK (body_site IN ('LA', 'RA', 'LT', 'RT', 'other')),
  CONSTRAINT uq_dose_id_person_id_product_id_given_on_source UNIQUE (id, person_id, product_id, given_on, source),
  CONSTRAINT uq_dose_id_lot_id UNIQUE (id, lot_id),
  CONSTRAINT uq_dose_id_person_id UNIQUE (id, person_id),
  CONSTRAINT fk_dose_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_dose_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_dose_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT fk_dose_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_dose_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointment (id),
  CONSTRAINT fk_dose_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
  CONSTRAINT uq_dose_replaces UNIQUE (replaces),
  CONSTRAINT fk_dose_replaces FOREIGN KEY(replaces) REFERENCES dose (id),
  CONSTRAINT ck_dose_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_dose_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_appointment_id_type CHECK (length(appointment_id) = 32 AND appointment_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_given_at_type CHECK (datetime(given_at, '+0 days') IS substr(given_at, 1, 19) AND substr(given_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_dose_given_on_type CHECK (date(given_on, '+0 days') IS given_on),
  CONSTRAINT ck_dose_recorded_on_type CHECK (date(recorded_on, '+0 days') IS recorded_on),
  CONSTRAINT ck_dose_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_lot_product_id_type CHECK (length(lot_product_id) = 32 AND lot_product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_recorded_by_type CHECK (length(recorded_by) = 32 AND recorded_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_replaces_type CHECK (length(replaces) = 32 AND replaces NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_dose_lot_id ON dose (lot_id);

CREATE INDEX ix_dose_person_id ON dose (person_id);

CREATE TABLE dose_judgement (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  dose_id CHAR(32) NOT NULL,
  disease VARCHAR NOT NULL,
  valid_disease VARCHAR GENERATED ALWAYS AS (CASE WHEN counts = 'valid' THEN disease END) STORED,
  ordinal INTEGER NOT NULL,
  person_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  given_on DATE NOT NULL,
  source VARCHAR NOT NULL,
  counts VARCHAR NOT NULL,
  number INTEGER,
  min_interval_days INTEGER NOT NULL,
  lot_validity_id CHAR(32),
  lot_id CHAR(32),
  lot_product_id CHAR(32),
  lot_state VARCHAR,
  lot_released_on DATE,
  lot_expires_on DATE,
  knowledge_id CHAR(32) NOT NULL,
  reason VARCHAR NOT NULL,
  judged_by CHAR(32),
  CONSTRAINT pk_dose_judgement PRIMARY KEY (id),
  CONSTRAINT fk_dose_judgement_dose FOREIGN KEY(dose_id, person_id, product_id, given_on, source) REFERENCES dose (id, person_id, product_id, given_on, source),
  CONSTRAINT fk_dose_judgement_dose_id_lot_id FOREIGN KEY(dose_id, lot_id) REFERENCES dose (id, lot_id),
  CONSTRAINT fk_dose_judgement_product_id_valid_disease FOREIGN KEY(product_id, valid_disease) REFERENCES product_target (product_id, disease),
  CONSTRAINT fk_dose_judgement_lot_validity FOREIGN KEY(lot_validity_id, lot_id, lot_product_id, lot_state, lot_released_on, lot_expires_on) REFERENCES lot_validity (id, lot_id, product_id, state, released_on, expires_on),
  CONSTRAINT ck_dose_judgement_lot_whole CHECK ((lot_validity_id IS NULL) = (lot_id IS NULL) AND (lot_validity_id IS NULL) = (lot_product_id IS NULL) AND (lot_validity_id IS NULL) = (lot_state IS NULL) AND (lot_validity_id IS NULL) = (lot_released_on IS NULL) AND (lot_validity_id IS NULL) = (lot_expires_on IS NULL)),
  CONSTRAINT ck_dose_judgement_valid_lot CHECK (counts <> 'valid' OR source <> 'point_of_care' OR (lot_validity_id IS NOT NULL AND lot_product_id = product_id AND lot_state = 'released' AND given_on BETWEEN lot_released_on AND lot_expires_on)),
  CONSTRAINT ck_dose_judgement_valid_number CHECK (counts <> 'valid' OR number IS NOT NULL),
  CONSTRAINT ck_dose_judgement_number CHECK (number BETWEEN 1 AND 9),
  CONSTRAINT ck_dose_judgement_interval CHECK (min_interval_days >= 0),
  CONSTRAINT ck_dose_judgement_ordinal CHECK (ordinal >= 1),
  CONSTRAINT ck_dose_judgement_error_reason CHECK (counts <> 'entered_in_error' OR length(reason) > 0),
  CONSTRAINT ck_dose_judgement_counts CHECK (counts IN ('valid', 'too_early', 'expired_lot', 'recalled_lot', 'wrong_product', 'duplicate', 'outside_age', 'subpotent', 'unknown', 'entered_in_error')),
  CONSTRAINT uq_dose_judgement_dose_id_disease_ordinal UNIQUE (dose_id, disease, ordinal),
  CONSTRAINT uq_dose_judgement_mirror UNIQUE (id, dose_id, disease, person_id, counts, ordinal, given_on, min_interval_days),
  CONSTRAINT uq_dose_judgement_mirror_number UNIQUE (id, number),
  CONSTRAINT fk_dose_judgement_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id),
  CONSTRAINT fk_dose_judgement_judged_by FOREIGN KEY(judged_by) REFERENCES staff (id),
  CONSTRAINT ck_dose_judgement_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_dose_judgement_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
  CONSTRAINT ck_dose_judgement_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_given_on_type CHECK (date(given_on, '+0 days') IS given_on),
  CONSTRAINT ck_dose_judgement_number_type CHECK (typeof(number) IN ('integer', 'null')),
  CONSTRAINT ck_dose_judgement_min_interval_days_type CHECK (typeof(min_interval_days) IN ('integer', 'null')),
  CONSTRAINT ck_dose_judgement_lot_validity_id_type CHECK (length(lot_validity_id) = 32 AND lot_validity_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_lot_product_id_type CHECK (length(lot_product_id) = 32 AND lot_product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_lot_released_on_type CHECK (date(lot_released_on, '+0 days') IS lot_released_on),
  CONSTRAINT ck_dose_judgement_lot_expires_on_type CHECK (date(lot_expires_on, '+0 days') IS lot_expires_on),
  CONSTRAINT ck_dose_judgement_knowledge_id_type CHECK (length(knowledge_id) = 32 AND knowledge_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_judgement_judged_by_type CHECK (length(judged_by) = 32 AND judged_by NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE dose_standing (
  dose_id CHAR(32) NOT NULL,
  disease VARCHAR NOT NULL,
  person_id CHAR(32) NOT NULL,
  given_on DATE NOT NULL,
  number INTEGER,
  counts VARCHAR NOT NULL,
  min_interval_days INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  judgement_id CHAR(32) NOT NULL,
  CONSTRAINT pk_dose_standing PRIMARY KEY (dose_id, disease),
  CONSTRAINT fk_dose_standing_mirror FOREIGN KEY(judgement_id, dose_id, disease, person_id, counts, ordinal, given_on, min_interval_days) REFERENCES dose_judgement (id, dose_id, disease, person_id, counts, ordinal, given_on, min_interval_days),
  CONSTRAINT fk_dose_standing_mirror_number FOREIGN KEY(judgement_id, number) REFERENCES dose_judgement (id, number),
  CONSTRAINT ck_dose_standing_valid_number CHECK (counts <> 'valid' OR number IS NOT NULL),
  CONSTRAINT uq_dose_standing_dose_id_disease_counts_number UNIQUE (dose_id, disease, counts, number),
  CONSTRAINT fk_dose_standing_dose_id FOREIGN KEY(dose_id) REFERENCES dose (id),
  CONSTRAINT ck_dose_standing_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_standing_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_standing_given_on_type CHECK (date(given_on, '+0 days') IS given_on),
  CONSTRAINT ck_dose_standing_number_type CHECK (typeof(number) IN ('integer', 'null')),
  CONSTRAINT ck_dose_standing_min_interval_days_type CHECK (typeof(min_interval_days) IN ('integer', 'null')),
  CONSTRAINT ck_dose_standing_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
  CONSTRAINT ck_dose_standing_judgement_id_type CHECK (length(judgement_id) = 32 AND judgement_id NOT GLOB '*[^0-9a-f]*')
);

CREATE UNIQUE INDEX one_counted_dose ON dose_standing (person_id, disease, number) WHERE counts = 'valid';

CREATE TABLE certificate (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  dose_id CHAR(32) NOT NULL,
  disease VARCHAR NOT NULL,
  standing_counts VARCHAR,
  state VARCHAR NOT NULL,
  uvci VARCHAR NOT NULL,
  dn INTEGER NOT NULL,
  sd INTEGER NOT NULL,
  knowledge_id CHAR(32) NOT NULL,
  kid BLOB,
  issued_at DATETIME,
  expires_at DATETIME,
  sealed BLOB,
  signature_hash BLOB,
  uvci_hash BLOB,
  country_uvci_hash BLOB,
  revoked_at DATETIME,
  revoked_reason VARCHAR NOT NULL,
  CONSTRAINT pk_certificate PRIMARY KEY (id),
  CONSTRAINT fk_certificate_standing FOREIGN KEY(dose_id, disease, standing_counts, dn) REFERENCES dose_standing (dose_id, disease, counts, number),
  CONSTRAINT fk_certificate_dose_id_person_id FOREIGN KEY(dose_id, person_id) REFERENCES dose (id, person_id),
  CONSTRAINT ck_certificate_state CHECK (state IN ('intended', 'issued', 'superseded', 'revoked')),
  CONSTRAINT ck_certificate_live_holds_standing CHECK (CASE WHEN state IN ('intended', 'issued') THEN standing_counts IS NOT NULL AND standing_counts = 'valid' ELSE standing_counts IS NULL END),
  CONSTRAINT ck_certificate_issued_is_whole CHECK (state IN ('intended', 'revoked') OR (sealed IS NOT NULL AND kid IS NOT NULL AND issued_at IS NOT NULL AND expires_at IS NOT NULL)),
  CONSTRAINT ck_certificate_revoked_has_time CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
  CONSTRAINT ck_certificate_doses CHECK (dn >= 1 AND sd >= 1),
  CONSTRAINT uq_certificate_uvci UNIQUE (uvci),
  CONSTRAINT fk_certificate_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id),
  CONSTRAINT ck_certificate_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_certificate_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_certificate_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_certificate_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_certificate_dn_type CHECK (typeof(dn) IN ('integer', 'null')),
  CONSTRAINT ck_certificate_sd_type CHECK (typeof(sd) IN ('integer', 'null')),
  CONSTRAINT ck_certificate_knowledge_id_type CHECK (length(knowledge_id) = 32 AND knowledge_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_certificate_issued_at_type CHECK (datetime(issued_at, '+0 days') IS substr(issued_at, 1, 19) AND substr(issued_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_certificate_expires_at_type CHECK (datetime(expires_at, '+0 days') IS substr(expires_at, 1, 19) AND substr(expires_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_certificate_revoked_at_type CHECK (datetime(revoked_at, '+0 days') IS substr(revoked_at, 1, 19) AND substr(revoked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_certificate_dose_id ON certificate (dose_id);

CREATE INDEX ix_certificate_person_id ON certificate (person_id);

CREATE INDEX ix_certificate_state ON certificate (state);

CREATE UNIQUE INDEX one_live_certificate ON certificate (dose_id, disease) WHERE state IN ('intended', 'issued');

-- down
DROP TABLE certificate;
DROP TABLE dose_standing;
DROP TABLE dose_judgement;
DROP TABLE dose;
DROP TABLE appointment;
DROP TABLE slot;
DROP TABLE lot_validity;
DROP TABLE product_target;
DROP TABLE lot;
DROP TABLE clinic_session;
DROP TABLE staff;
DROP TABLE programme;
DROP TABLE product;
DROP TABLE person_token;
DROP TABLE message;
DROP TABLE identity;
DROP TABLE access_code;
DROP TABLE visit;
DROP TABLE site;
DROP TABLE person;
DROP TABLE knowledge;
DROP TABLE audit_event;
