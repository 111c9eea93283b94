CREATE TABLE audit_event (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_kind VARCHAR NOT NULL,
  actor_id UUID,
  act VARCHAR NOT NULL,
  subject_kind VARCHAR NOT NULL,
  subject_id UUID,
  details JSON NOT NULL,
  CONSTRAINT pk_audit_event PRIMARY KEY (id),
  CONSTRAINT ck_audit_event_actor_kind CHECK (actor_kind IN ('citizen', 'staff', 'system'))
);

CREATE INDEX ix_audit_event_subject ON audit_event (subject_kind, subject_id);

CREATE TABLE knowledge (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  kind VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  content JSON NOT NULL,
  CONSTRAINT pk_knowledge PRIMARY KEY (id),
  CONSTRAINT ck_knowledge_kind CHECK (kind IN ('vaccine', 'programme', 'country')),
  CONSTRAINT uq_knowledge_sha256 UNIQUE (sha256)
);

CREATE TABLE person (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  wrapped_key BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  birth_year INTEGER NOT NULL,
  sex VARCHAR NOT NULL,
  nationality_group VARCHAR NOT NULL,
  region VARCHAR,
  language VARCHAR(2) NOT NULL,
  CONSTRAINT pk_person PRIMARY KEY (id),
  CONSTRAINT ck_person_birth_year CHECK (birth_year BETWEEN 1850 AND 2200),
  CONSTRAINT ck_person_sex CHECK (sex IN ('male', 'female', 'other', 'unknown')),
  CONSTRAINT ck_person_nationality_group CHECK (nationality_group IN ('national', 'foreign', 'refugee', 'stateless', 'unknown'))
);

CREATE TABLE site (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  code VARCHAR NOT NULL,
  names JSON NOT NULL,
  address JSON NOT NULL,
  region VARCHAR NOT NULL,
  latitude DOUBLE PRECISION NOT NULL,
  longitude DOUBLE PRECISION NOT NULL,
  time_zone VARCHAR NOT NULL,
  step_free BOOLEAN NOT NULL,
  CONSTRAINT pk_site PRIMARY KEY (id),
  CONSTRAINT ck_site_latitude CHECK (latitude BETWEEN -90 AND 90),
  CONSTRAINT ck_site_longitude CHECK (longitude BETWEEN -180 AND 180),
  CONSTRAINT uq_site_code UNIQUE (code)
);

CREATE TABLE visit (
  token_hash BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_visit PRIMARY KEY (token_hash)
);

CREATE TABLE access_code (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  digest BYTEA NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  tries INTEGER NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_access_code PRIMARY KEY (id),
  CONSTRAINT ck_access_code_five_tries CHECK (tries BETWEEN 0 AND 5),
  CONSTRAINT ck_access_code_ends_after_start CHECK (expires_at > recorded_at),
  CONSTRAINT fk_access_code_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_access_code_person_id ON access_code (person_id);

CREATE TABLE identity (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  kind VARCHAR NOT NULL,
  country VARCHAR(2) NOT NULL,
  level VARCHAR NOT NULL,
  blind BYTEA,
  CONSTRAINT pk_identity PRIMARY KEY (id),
  CONSTRAINT ck_identity_kind CHECK (kind IN ('national', 'passport', 'refugee', 'municipal', 'vouched', 'none')),
  CONSTRAINT ck_identity_level CHECK (level IN ('low', 'substantial', 'high')),
  CONSTRAINT ck_identity_blind_where_valued CHECK ((kind IN ('vouched', 'none')) = (blind IS NULL)),
  CONSTRAINT fk_identity_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT uq_identity_blind UNIQUE (blind)
);

CREATE INDEX ix_identity_person_id ON identity (person_id);

CREATE TABLE message (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  channel VARCHAR NOT NULL,
  template VARCHAR NOT NULL,
  language VARCHAR(2) NOT NULL,
  sealed BYTEA NOT NULL,
  state VARCHAR NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  attempts INTEGER NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT ck_message_channel CHECK (channel IN ('sms', 'mail')),
  CONSTRAINT ck_message_state CHECK (state IN ('queued', 'sent', 'failed')),
  CONSTRAINT ck_message_attempts CHECK (attempts >= 0),
  CONSTRAINT ck_message_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT fk_message_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_message_state_due_at ON message (state, due_at);

CREATE TABLE person_token (
  person_id UUID NOT NULL,
  kind VARCHAR NOT NULL,
  blind BYTEA NOT NULL,
  CONSTRAINT pk_person_token PRIMARY KEY (person_id, kind, blind),
  CONSTRAINT ck_person_token_kind CHECK (kind IN ('phone', 'mail', 'name')),
  CONSTRAINT fk_person_token_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_person_token_kind_blind ON person_token (kind, blind);

CREATE TABLE product (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  code VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  vp VARCHAR NOT NULL,
  ma VARCHAR NOT NULL,
  series_doses INTEGER NOT NULL,
  min_interval_days INTEGER NOT NULL,
  target_interval_days INTEGER NOT NULL,
  min_age_years INTEGER NOT NULL,
  knowledge_id UUID NOT NULL,
  CONSTRAINT pk_product PRIMARY KEY (id),
  CONSTRAINT ck_product_series CHECK (series_doses BETWEEN 1 AND 9),
  CONSTRAINT ck_product_intervals CHECK (min_interval_days >= 0 AND target_interval_days >= min_interval_days),
  CONSTRAINT ck_product_age CHECK (min_age_years >= 0),
  CONSTRAINT uq_product_code UNIQUE (code),
  CONSTRAINT fk_product_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id)
);

CREATE TABLE programme (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  code VARCHAR NOT NULL,
  disease VARCHAR NOT NULL,
  names JSON NOT NULL,
  knowledge_id UUID NOT NULL,
  CONSTRAINT pk_programme PRIMARY KEY (id),
  CONSTRAINT uq_programme_code UNIQUE (code),
  CONSTRAINT fk_programme_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id)
);

CREATE TABLE staff (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  name VARCHAR NOT NULL,
  role VARCHAR NOT NULL,
  site_id UUID,
  active BOOLEAN NOT NULL,
  CONSTRAINT pk_staff PRIMARY KEY (id),
  CONSTRAINT ck_staff_role CHECK (role IN ('clerk', 'nurse', 'admin')),
  CONSTRAINT ck_staff_clinic_staff_has_site CHECK (role = 'admin' OR site_id IS NOT NULL),
  CONSTRAINT fk_staff_site_id FOREIGN KEY(site_id) REFERENCES site (id)
);

CREATE TABLE clinic_session (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  site_id UUID NOT NULL,
  programme_id UUID NOT NULL,
  product_id UUID NOT NULL,
  day DATE NOT NULL,
  state VARCHAR NOT NULL,
  CONSTRAINT pk_clinic_session PRIMARY KEY (id),
  CONSTRAINT ck_clinic_session_state CHECK (state IN ('draft', 'published', 'running', 'closed', 'cancelled')),
  CONSTRAINT uq_clinic_session_site_id_day_product_id UNIQUE (site_id, day, product_id),
  CONSTRAINT fk_clinic_session_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_clinic_session_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_clinic_session_product_id FOREIGN KEY(product_id) REFERENCES product (id)
);

CREATE TABLE lot (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  product_id UUID NOT NULL,
  number VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  CONSTRAINT pk_lot PRIMARY KEY (id),
  CONSTRAINT uq_lot_product_id_number UNIQUE (product_id, number),
  CONSTRAINT uq_lot_id_product_id UNIQUE (id, product_id),
  CONSTRAINT ck_lot_state CHECK (state IN ('quarantined', 'released', 'recalled', 'exhausted')),
  CONSTRAINT fk_lot_product_id FOREIGN KEY(product_id) REFERENCES product (id)
);

CREATE TABLE product_target (
  product_id UUID NOT NULL,
  disease VARCHAR NOT NULL,
  CONSTRAINT pk_product_target PRIMARY KEY (product_id, disease),
  CONSTRAINT fk_product_target_product_id FOREIGN KEY(product_id) REFERENCES product (id)
);

CREATE TABLE lot_validity (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  lot_id UUID NOT NULL,
  product_id UUID NOT NULL,
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
  CONSTRAINT ck_lot_validity_released_before_expiry CHECK (released_on <= expires_on)
);

CREATE TABLE slot (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  session_id UUID NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  capacity INTEGER NOT NULL,
  booked INTEGER NOT NULL,
  CONSTRAINT pk_slot PRIMARY KEY (id),
  CONSTRAINT ck_slot_booked_fits CHECK (booked BETWEEN 0 AND capacity),
  CONSTRAINT ck_slot_times CHECK (starts_at < ends_at),
  CONSTRAINT uq_slot_session_id_starts_at UNIQUE (session_id, starts_at),
  CONSTRAINT uq_slot_id_starts_at_ends_at UNIQUE (id, starts_at, ends_at),
  CONSTRAINT fk_slot_session_id FOREIGN KEY(session_id) REFERENCES clinic_session (id)
);

CREATE INDEX ix_slot_starts_at ON slot (starts_at);

CREATE TABLE appointment (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reference VARCHAR(12) NOT NULL,
  person_id UUID NOT NULL,
  slot_id UUID NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  programme_id UUID NOT NULL,
  dose_number INTEGER NOT NULL,
  state VARCHAR NOT NULL,
  held_until TIMESTAMP WITH TIME ZONE,
  source VARCHAR NOT NULL,
  CONSTRAINT pk_appointment PRIMARY KEY (id),
  CONSTRAINT fk_appointment_slot_id_starts_at_ends_at FOREIGN KEY(slot_id, starts_at, ends_at) REFERENCES slot (id, starts_at, ends_at),
  CONSTRAINT ck_appointment_state CHECK (state IN ('held', 'booked', 'arrived', 'vaccinated', 'not_vaccinated', 'cancelled', 'rescheduled', 'no_show', 'expired')),
  CONSTRAINT ck_appointment_source CHECK (source IN ('web', 'phone', 'ussd', 'sms', 'partner', 'walk_in', 'draw')),
  CONSTRAINT ck_appointment_dose_number CHECK (dose_number BETWEEN 1 AND 9),
  CONSTRAINT ck_appointment_held_has_end CHECK ((state = 'held') = (held_until IS NOT NULL)),
  CONSTRAINT uq_appointment_reference UNIQUE (reference),
  CONSTRAINT fk_appointment_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_appointment_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id)
);

CREATE INDEX ix_appointment_person_id_starts_at ON appointment (person_id, starts_at);

CREATE INDEX ix_appointment_slot_id ON appointment (slot_id);

CREATE UNIQUE INDEX one_active_appointment ON appointment (person_id, programme_id, dose_number) WHERE state IN ('held', 'booked', 'arrived');

CREATE TABLE dose (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  programme_id UUID NOT NULL,
  product_id UUID NOT NULL,
  site_id UUID,
  appointment_id UUID,
  given_at TIMESTAMP WITH TIME ZONE NOT NULL,
  given_on DATE NOT NULL,
  recorded_on DATE NOT NULL,
  lot_text VARCHAR NOT NULL,
  lot_id UUID,
  lot_product_id UUID,
  body_site VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  recorded_by UUID NOT NULL,
  replaces UUID,
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
  CONSTRAINT fk_dose_replaces FOREIGN KEY(replaces) REFERENCES dose (id)
);

CREATE INDEX ix_dose_lot_id ON dose (lot_id);

CREATE INDEX ix_dose_person_id ON dose (person_id);

CREATE TABLE dose_judgement (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  dose_id UUID NOT NULL,
  disease VARCHAR NOT NULL,
  valid_disease VARCHAR GENERATED ALWAYS AS (CASE WHEN counts = 'valid' THEN disease END) STORED,
  ordinal INTEGER NOT NULL,
  person_id UUID NOT NULL,
  product_id UUID NOT NULL,
  given_on DATE NOT NULL,
  source VARCHAR NOT NULL,
  counts VARCHAR NOT NULL,
  number INTEGER,
  min_interval_days INTEGER NOT NULL,
  lot_validity_id UUID,
  lot_id UUID,
  lot_product_id UUID,
  lot_state VARCHAR,
  lot_released_on DATE,
  lot_expires_on DATE,
  knowledge_id UUID NOT NULL,
  reason VARCHAR NOT NULL,
  judged_by UUID,
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
  CONSTRAINT fk_dose_judgement_judged_by FOREIGN KEY(judged_by) REFERENCES staff (id)
);

CREATE TABLE dose_standing (
  dose_id UUID NOT NULL,
  disease VARCHAR NOT NULL,
  person_id UUID NOT NULL,
  given_on DATE NOT NULL,
  number INTEGER,
  counts VARCHAR NOT NULL,
  min_interval_days INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  judgement_id UUID NOT NULL,
  CONSTRAINT pk_dose_standing PRIMARY KEY (dose_id, disease),
  CONSTRAINT fk_dose_standing_mirror FOREIGN KEY(judgement_id, dose_id, disease, person_id, counts, ordinal, given_on, min_interval_days) REFERENCES dose_judgement (id, dose_id, disease, person_id, counts, ordinal, given_on, min_interval_days),
  CONSTRAINT fk_dose_standing_mirror_number FOREIGN KEY(judgement_id, number) REFERENCES dose_judgement (id, number),
  CONSTRAINT ck_dose_standing_valid_number CHECK (counts <> 'valid' OR number IS NOT NULL),
  CONSTRAINT uq_dose_standing_dose_id_disease_counts_number UNIQUE (dose_id, disease, counts, number),
  CONSTRAINT fk_dose_standing_dose_id FOREIGN KEY(dose_id) REFERENCES dose (id)
);

CREATE UNIQUE INDEX one_counted_dose ON dose_standing (person_id, disease, number) WHERE counts = 'valid';

CREATE TABLE certificate (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  dose_id UUID NOT NULL,
  disease VARCHAR NOT NULL,
  standing_counts VARCHAR,
  state VARCHAR NOT NULL,
  uvci VARCHAR NOT NULL,
  dn INTEGER NOT NULL,
  sd INTEGER NOT NULL,
  knowledge_id UUID NOT NULL,
  kid BYTEA,
  issued_at TIMESTAMP WITH TIME ZONE,
  expires_at TIMESTAMP WITH TIME ZONE,
  sealed BYTEA,
  signature_hash BYTEA,
  uvci_hash BYTEA,
  country_uvci_hash BYTEA,
  revoked_at TIMESTAMP WITH TIME ZONE,
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
  CONSTRAINT fk_certificate_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id)
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
