CREATE TABLE test_result (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  test_type VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  device VARCHAR NOT NULL,
  result VARCHAR NOT NULL,
  sampled_at DATETIME NOT NULL,
  centre VARCHAR NOT NULL,
  counts VARCHAR NOT NULL GENERATED ALWAYS AS (CASE WHEN evidence = 'stated' OR (test_type = 'LP217198-3' AND device = '') THEN 'unknown' WHEN result = '260373001' THEN 'positive' ELSE 'valid' END) STORED,
  person_id CHAR(32) NOT NULL,
  disease VARCHAR NOT NULL,
  country VARCHAR(2),
  evidence VARCHAR NOT NULL,
  sealed BLOB,
  recorded_on DATE NOT NULL,
  recorded_by CHAR(32) NOT NULL,
  replaces CHAR(32),
  CONSTRAINT pk_test_result PRIMARY KEY (id),
  CONSTRAINT ck_test_result_evidence CHECK (evidence IN ('given_here', 'verified', 'seen', 'stated')),
  CONSTRAINT ck_test_result_here_or_elsewhere CHECK ((evidence = 'given_here') = (country IS NULL)),
  CONSTRAINT fk_test_result_replaces_person_id FOREIGN KEY(replaces, person_id) REFERENCES test_result (id, person_id),
  CONSTRAINT uq_test_result_id_person_id UNIQUE (id, person_id),
  CONSTRAINT uq_test_result_id_person_id_disease UNIQUE (id, person_id, disease),
  CONSTRAINT ck_test_result_test_type CHECK (test_type IN ('LP6464-4', 'LP217198-3')),
  CONSTRAINT ck_test_result_result CHECK (result IN ('260415000', '260373001')),
  CONSTRAINT ck_test_result_sampled_before_recorded CHECK (sampled_at <= recorded_at),
  CONSTRAINT ck_test_result_device CHECK (device = '' OR test_type = 'LP217198-3'),
  CONSTRAINT fk_test_result_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_test_result_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
  CONSTRAINT uq_test_result_replaces UNIQUE (replaces),
  CONSTRAINT ck_test_result_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_test_result_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_test_result_sampled_at_type CHECK (datetime(sampled_at, '+0 days') IS substr(sampled_at, 1, 19) AND substr(sampled_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_test_result_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_test_result_recorded_on_type CHECK (date(recorded_on, '+0 days') IS recorded_on),
  CONSTRAINT ck_test_result_recorded_by_type CHECK (length(recorded_by) = 32 AND recorded_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_test_result_replaces_type CHECK (length(replaces) = 32 AND replaces NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_test_result_person_id ON test_result (person_id);

CREATE TABLE test_standing (
  test_result_id CHAR(32) NOT NULL,
  counts VARCHAR NOT NULL,
  marked_at DATETIME,
  marked_by CHAR(32),
  reason VARCHAR NOT NULL,
  CONSTRAINT pk_test_standing PRIMARY KEY (test_result_id),
  CONSTRAINT ck_test_standing_counts CHECK (counts IN ('valid', 'positive', 'unknown', 'entered_in_error')),
  CONSTRAINT ck_test_standing_marked CHECK (CASE WHEN counts = 'entered_in_error' THEN marked_at IS NOT NULL AND marked_by IS NOT NULL AND length(reason) > 0 ELSE marked_at IS NULL AND marked_by IS NULL AND reason = '' END),
  CONSTRAINT uq_test_standing_test_result_id_counts UNIQUE (test_result_id, counts),
  CONSTRAINT fk_test_standing_test_result_id FOREIGN KEY(test_result_id) REFERENCES test_result (id),
  CONSTRAINT fk_test_standing_marked_by FOREIGN KEY(marked_by) REFERENCES staff (id),
  CONSTRAINT ck_test_standing_test_result_id_type CHECK (length(test_result_id) = 32 AND test_result_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_test_standing_marked_at_type CHECK (datetime(marked_at, '+0 days') IS substr(marked_at, 1, 19) AND substr(marked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_test_standing_marked_by_type CHECK (length(marked_by) = 32 AND marked_by NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE recovery (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  test_result_id CHAR(32),
  first_positive_on DATE NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  counts VARCHAR NOT NULL GENERATED ALWAYS AS (CASE WHEN evidence = 'stated' THEN 'unknown' ELSE 'valid' END) STORED,
  person_id CHAR(32) NOT NULL,
  disease VARCHAR NOT NULL,
  country VARCHAR(2),
  evidence VARCHAR NOT NULL,
  sealed BLOB,
  recorded_on DATE NOT NULL,
  recorded_by CHAR(32) NOT NULL,
  replaces CHAR(32),
  CONSTRAINT pk_recovery PRIMARY KEY (id),
  CONSTRAINT ck_recovery_evidence CHECK (evidence IN ('given_here', 'verified', 'seen', 'stated')),
  CONSTRAINT ck_recovery_here_or_elsewhere CHECK ((evidence = 'given_here') = (country IS NULL)),
  CONSTRAINT fk_recovery_replaces_person_id FOREIGN KEY(replaces, person_id) REFERENCES recovery (id, person_id),
  CONSTRAINT uq_recovery_id_person_id UNIQUE (id, person_id),
  CONSTRAINT uq_recovery_id_person_id_disease UNIQUE (id, person_id, disease),
  CONSTRAINT fk_recovery_test_result FOREIGN KEY(test_result_id, person_id, disease) REFERENCES test_result (id, person_id, disease),
  CONSTRAINT ck_recovery_found_before_recorded CHECK (first_positive_on <= recorded_on),
  CONSTRAINT ck_recovery_validity CHECK (first_positive_on < valid_from AND valid_from <= valid_until),
  CONSTRAINT uq_recovery_id_test_result_id UNIQUE (id, test_result_id),
  CONSTRAINT fk_recovery_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_recovery_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
  CONSTRAINT uq_recovery_replaces UNIQUE (replaces),
  CONSTRAINT ck_recovery_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_recovery_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_recovery_test_result_id_type CHECK (length(test_result_id) = 32 AND test_result_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_recovery_first_positive_on_type CHECK (date(first_positive_on, '+0 days') IS first_positive_on),
  CONSTRAINT ck_recovery_valid_from_type CHECK (date(valid_from, '+0 days') IS valid_from),
  CONSTRAINT ck_recovery_valid_until_type CHECK (date(valid_until, '+0 days') IS valid_until),
  CONSTRAINT ck_recovery_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_recovery_recorded_on_type CHECK (date(recorded_on, '+0 days') IS recorded_on),
  CONSTRAINT ck_recovery_recorded_by_type CHECK (length(recorded_by) = 32 AND recorded_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_recovery_replaces_type CHECK (length(replaces) = 32 AND replaces NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_recovery_person_id ON recovery (person_id);

CREATE TABLE recovery_standing (
  recovery_id CHAR(32) NOT NULL,
  test_result_id CHAR(32),
  test_counts VARCHAR,
  counts VARCHAR NOT NULL,
  marked_at DATETIME,
  marked_by CHAR(32),
  reason VARCHAR NOT NULL,
  CONSTRAINT pk_recovery_standing PRIMARY KEY (recovery_id),
  CONSTRAINT ck_recovery_standing_counts CHECK (counts IN ('valid', 'unknown', 'entered_in_error')),
  CONSTRAINT ck_recovery_standing_marked CHECK (CASE WHEN counts = 'entered_in_error' THEN marked_at IS NOT NULL AND marked_by IS NOT NULL AND length(reason) > 0 ELSE marked_at IS NULL AND marked_by IS NULL AND reason = '' END),
  CONSTRAINT fk_recovery_standing_recovery_id_test_result_id FOREIGN KEY(recovery_id, test_result_id) REFERENCES recovery (id, test_result_id),
  CONSTRAINT fk_recovery_standing_test_result_id_test_counts FOREIGN KEY(test_result_id, test_counts) REFERENCES test_standing (test_result_id, counts),
  CONSTRAINT ck_recovery_standing_holds_its_test CHECK (CASE WHEN counts = 'entered_in_error' OR test_result_id IS NULL THEN test_counts IS NULL ELSE test_counts IS NOT NULL AND test_counts = 'positive' END),
  CONSTRAINT uq_recovery_standing_recovery_id_counts UNIQUE (recovery_id, counts),
  CONSTRAINT fk_recovery_standing_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id),
  CONSTRAINT fk_recovery_standing_marked_by FOREIGN KEY(marked_by) REFERENCES staff (id),
  CONSTRAINT ck_recovery_standing_recovery_id_type CHECK (length(recovery_id) = 32 AND recovery_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_recovery_standing_test_result_id_type CHECK (length(test_result_id) = 32 AND test_result_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_recovery_standing_marked_at_type CHECK (datetime(marked_at, '+0 days') IS substr(marked_at, 1, 19) AND substr(marked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_recovery_standing_marked_by_type CHECK (length(marked_by) = 32 AND marked_by NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE new_dose (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  site_id CHAR(32),
  appointment_id CHAR(32),
  performed_by CHAR(32),
  given_at DATETIME,
  given_on DATE NOT NULL,
  day_precision VARCHAR NOT NULL,
  recorded_on DATE NOT NULL,
  lot_text VARCHAR NOT NULL,
  lot_id CHAR(32),
  lot_product_id CHAR(32),
  body_site VARCHAR,
  route VARCHAR,
  source VARCHAR NOT NULL,
  country VARCHAR(2),
  evidence VARCHAR NOT NULL,
  proof VARCHAR GENERATED ALWAYS AS (CASE WHEN evidence <> 'stated' AND day_precision = 'day' THEN 'enough' END) STORED,
  sealed BLOB,
  import_key VARCHAR,
  recorded_by CHAR(32) NOT NULL,
  replaces CHAR(32),
  CONSTRAINT pk_dose PRIMARY KEY (id),
  CONSTRAINT fk_dose_lot_id_lot_product_id FOREIGN KEY(lot_id, lot_product_id) REFERENCES lot (id, product_id),
  CONSTRAINT ck_dose_lot_whole CHECK ((lot_id IS NULL) = (lot_product_id IS NULL)),
  CONSTRAINT ck_dose_given_before_recorded CHECK (given_on <= recorded_on),
  CONSTRAINT ck_dose_source CHECK (source IN ('point_of_care', 'historic', 'foreign')),
  CONSTRAINT ck_dose_body_site CHECK (body_site IN ('LA', 'RA', 'LT', 'RT', 'other')),
  CONSTRAINT ck_dose_evidence CHECK (evidence IN ('given_here', 'verified', 'seen', 'stated')),
  CONSTRAINT ck_dose_day_precision CHECK (day_precision IN ('year', 'month', 'day')),
  CONSTRAINT ck_dose_route CHECK (route IN ('20035000', '20066000', '20030000', '20053000', '20049000')),
  CONSTRAINT ck_dose_here_or_elsewhere CHECK (CASE WHEN source = 'point_of_care' THEN evidence = 'given_here' AND country IS NULL AND day_precision = 'day' AND given_at IS NOT NULL AND body_site IS NOT NULL ELSE evidence <> 'given_here' AND appointment_id IS NULL AND country IS NOT NULL END),
  CONSTRAINT fk_dose_replaces_person_id FOREIGN KEY(replaces, person_id) REFERENCES dose (id, person_id),
  CONSTRAINT uq_dose_id_person_id_product_id_given_on_source UNIQUE (id, person_id, product_id, given_on, source),
  CONSTRAINT uq_dose_id_lot_id UNIQUE (id, lot_id),
  CONSTRAINT uq_dose_id_person_id UNIQUE (id, person_id),
  CONSTRAINT uq_dose_id_proof UNIQUE (id, proof),
  CONSTRAINT fk_dose_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_dose_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_dose_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT fk_dose_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_dose_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointment (id),
  CONSTRAINT fk_dose_performed_by FOREIGN KEY(performed_by) REFERENCES staff (id),
  CONSTRAINT uq_dose_import_key UNIQUE (import_key),
  CONSTRAINT fk_dose_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
  CONSTRAINT uq_dose_replaces UNIQUE (replaces),
  CONSTRAINT ck_dose_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_dose_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_appointment_id_type CHECK (length(appointment_id) = 32 AND appointment_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_performed_by_type CHECK (length(performed_by) = 32 AND performed_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_given_at_type CHECK (datetime(given_at, '+0 days') IS substr(given_at, 1, 19) AND substr(given_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_dose_given_on_type CHECK (date(given_on, '+0 days') IS given_on),
  CONSTRAINT ck_dose_recorded_on_type CHECK (date(recorded_on, '+0 days') IS recorded_on),
  CONSTRAINT ck_dose_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_lot_product_id_type CHECK (length(lot_product_id) = 32 AND lot_product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_recorded_by_type CHECK (length(recorded_by) = 32 AND recorded_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_dose_replaces_type CHECK (length(replaces) = 32 AND replaces NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_dose (
  id, recorded_at, person_id, programme_id, product_id, site_id,
  appointment_id, given_at, given_on, recorded_on, lot_text, lot_id,
  lot_product_id, body_site, source, recorded_by, replaces, day_precision,
  evidence
)
SELECT
  id, recorded_at, person_id, programme_id, product_id, site_id,
  appointment_id, given_at, given_on, recorded_on, lot_text, lot_id,
  lot_product_id, body_site, source, recorded_by, replaces, 'day',
  'given_here'
  FROM dose;
DROP TABLE dose;
ALTER TABLE new_dose RENAME TO dose;
CREATE INDEX ix_dose_lot_id ON dose (lot_id);
CREATE INDEX ix_dose_person_id ON dose (person_id);

CREATE TABLE new_dose_judgement (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  dose_id CHAR(32) NOT NULL,
  disease VARCHAR NOT NULL,
  valid_disease VARCHAR GENERATED ALWAYS AS (CASE WHEN counts = 'valid' THEN disease END) STORED,
  valid_proof VARCHAR GENERATED ALWAYS AS (CASE WHEN counts = 'valid' THEN 'enough' END) STORED,
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
  CONSTRAINT fk_dose_judgement_dose_id_valid_proof FOREIGN KEY(dose_id, valid_proof) REFERENCES dose (id, proof),
  CONSTRAINT fk_dose_judgement_dose_id_lot_id FOREIGN KEY(dose_id, lot_id) REFERENCES dose (id, lot_id),
  CONSTRAINT fk_dose_judgement_product_id_valid_disease FOREIGN KEY(product_id, valid_disease) REFERENCES product_target (product_id, disease),
  CONSTRAINT fk_dose_judgement_lot_validity FOREIGN KEY(lot_validity_id, lot_id, lot_product_id, lot_state, lot_released_on, lot_expires_on) REFERENCES lot_validity (id, lot_id, product_id, state, released_on, expires_on),
  CONSTRAINT ck_dose_judgement_lot_whole CHECK ((lot_validity_id IS NULL) = (lot_id IS NULL) AND (lot_validity_id IS NULL) = (lot_product_id IS NULL) AND (lot_validity_id IS NULL) = (lot_state IS NULL) AND (lot_validity_id IS NULL) = (lot_released_on IS NULL) AND (lot_validity_id IS NULL) = (lot_expires_on IS NULL)),
  CONSTRAINT ck_dose_judgement_valid_lot CHECK (counts <> 'valid' OR source <> 'point_of_care' OR (lot_validity_id IS NOT NULL AND lot_product_id = product_id AND lot_state = 'released' AND given_on BETWEEN lot_released_on AND lot_expires_on)),
  CONSTRAINT ck_dose_judgement_valid_number CHECK (counts <> 'valid' OR number IS NOT NULL),
  CONSTRAINT ck_dose_judgement_number CHECK (number BETWEEN 1 AND 9),
  CONSTRAINT ck_dose_judgement_interval CHECK (min_interval_days >= 0),
  CONSTRAINT ck_dose_judgement_ordinal CHECK (ordinal >= 1),
  CONSTRAINT ck_dose_judgement_found_reason CHECK (counts NOT IN ('entered_in_error', 'subpotent') OR length(reason) > 0),
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

INSERT INTO new_dose_judgement (
  id, recorded_at, dose_id, disease, ordinal, person_id,
  product_id, given_on, source, counts, number, min_interval_days,
  lot_validity_id, lot_id, lot_product_id, lot_state, lot_released_on, lot_expires_on,
  knowledge_id, reason, judged_by
)
SELECT
  id, recorded_at, dose_id, disease, ordinal, person_id,
  product_id, given_on, source, counts, number, min_interval_days,
  lot_validity_id, lot_id, lot_product_id, lot_state, lot_released_on, lot_expires_on,
  knowledge_id, reason, judged_by
  FROM dose_judgement;
DROP TABLE dose_judgement;
ALTER TABLE new_dose_judgement RENAME TO dose_judgement;

CREATE TABLE new_certificate (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  dose_id CHAR(32),
  test_result_id CHAR(32),
  recovery_id CHAR(32),
  disease VARCHAR NOT NULL,
  standing_counts VARCHAR,
  state VARCHAR NOT NULL,
  uvci VARCHAR NOT NULL,
  dn INTEGER,
  sd INTEGER,
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
  CONSTRAINT fk_certificate_test_result_id_person_id_disease FOREIGN KEY(test_result_id, person_id, disease) REFERENCES test_result (id, person_id, disease),
  CONSTRAINT fk_certificate_test_result_id_standing_counts FOREIGN KEY(test_result_id, standing_counts) REFERENCES test_standing (test_result_id, counts),
  CONSTRAINT fk_certificate_recovery_id_person_id_disease FOREIGN KEY(recovery_id, person_id, disease) REFERENCES recovery (id, person_id, disease),
  CONSTRAINT fk_certificate_recovery_id_standing_counts FOREIGN KEY(recovery_id, standing_counts) REFERENCES recovery_standing (recovery_id, counts),
  CONSTRAINT ck_certificate_one_fact CHECK (CASE WHEN dose_id IS NULL THEN 0 ELSE 1 END + CASE WHEN test_result_id IS NULL THEN 0 ELSE 1 END + CASE WHEN recovery_id IS NULL THEN 0 ELSE 1 END = 1),
  CONSTRAINT ck_certificate_dose_has_number CHECK ((dose_id IS NULL) = (dn IS NULL) AND (dose_id IS NULL) = (sd IS NULL)),
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
  CONSTRAINT ck_certificate_test_result_id_type CHECK (length(test_result_id) = 32 AND test_result_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_certificate_recovery_id_type CHECK (length(recovery_id) = 32 AND recovery_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_certificate_dn_type CHECK (typeof(dn) IN ('integer', 'null')),
  CONSTRAINT ck_certificate_sd_type CHECK (typeof(sd) IN ('integer', 'null')),
  CONSTRAINT ck_certificate_knowledge_id_type CHECK (length(knowledge_id) = 32 AND knowledge_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_certificate_issued_at_type CHECK (datetime(issued_at, '+0 days') IS substr(issued_at, 1, 19) AND substr(issued_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_certificate_expires_at_type CHECK (datetime(expires_at, '+0 days') IS substr(expires_at, 1, 19) AND substr(expires_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_certificate_revoked_at_type CHECK (datetime(revoked_at, '+0 days') IS substr(revoked_at, 1, 19) AND substr(revoked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_certificate (
  id, recorded_at, person_id, dose_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid,
  issued_at, expires_at, sealed, signature_hash, uvci_hash, country_uvci_hash,
  revoked_at, revoked_reason
)
SELECT
  id, recorded_at, person_id, dose_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid,
  issued_at, expires_at, sealed, signature_hash, uvci_hash, country_uvci_hash,
  revoked_at, revoked_reason
  FROM certificate;
DROP TABLE certificate;
ALTER TABLE new_certificate RENAME TO certificate;
CREATE INDEX ix_certificate_dose_id ON certificate (dose_id);
CREATE INDEX ix_certificate_person_id ON certificate (person_id);
CREATE INDEX ix_certificate_state ON certificate (state);
CREATE UNIQUE INDEX one_live_certificate ON certificate (dose_id, disease) WHERE state IN ('intended', 'issued');
CREATE UNIQUE INDEX one_live_recovery_certificate ON certificate (recovery_id) WHERE state IN ('intended', 'issued');
CREATE UNIQUE INDEX one_live_test_certificate ON certificate (test_result_id) WHERE state IN ('intended', 'issued');

-- down
CREATE TABLE new_certificate (
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

INSERT INTO new_certificate (
  id, recorded_at, person_id, dose_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid,
  issued_at, expires_at, sealed, signature_hash, uvci_hash, country_uvci_hash,
  revoked_at, revoked_reason
)
SELECT
  id, recorded_at, person_id, dose_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid,
  issued_at, expires_at, sealed, signature_hash, uvci_hash, country_uvci_hash,
  revoked_at, revoked_reason
  FROM certificate
 WHERE dose_id IS NOT NULL;
DROP TABLE certificate;
ALTER TABLE new_certificate RENAME TO certificate;
CREATE INDEX ix_certificate_dose_id ON certificate (dose_id);
CREATE INDEX ix_certificate_person_id ON certificate (person_id);
CREATE INDEX ix_certificate_state ON certificate (state);
CREATE UNIQUE INDEX one_live_certificate ON certificate (dose_id, disease) WHERE state IN ('intended', 'issued');

CREATE TABLE new_dose_judgement (
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

INSERT INTO new_dose_judgement (
  id, recorded_at, dose_id, disease, ordinal, person_id,
  product_id, given_on, source, counts, number, min_interval_days,
  lot_validity_id, lot_id, lot_product_id, lot_state, lot_released_on, lot_expires_on,
  knowledge_id, reason, judged_by
)
SELECT
  id, recorded_at, dose_id, disease, ordinal, person_id,
  product_id, given_on, source, counts, number, min_interval_days,
  lot_validity_id, lot_id, lot_product_id, lot_state, lot_released_on, lot_expires_on,
  knowledge_id, reason, judged_by
  FROM dose_judgement;
DROP TABLE dose_judgement;
ALTER TABLE new_dose_judgement RENAME TO dose_judgement;

CREATE TABLE new_dose (
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

INSERT INTO new_dose (
  id, recorded_at, person_id, programme_id, product_id, site_id,
  appointment_id, given_at, given_on, recorded_on, lot_text, lot_id,
  lot_product_id, body_site, source, recorded_by, replaces
)
SELECT
  id, recorded_at, person_id, programme_id, product_id, site_id,
  appointment_id, coalesce(given_at, recorded_at), given_on, recorded_on, lot_text, lot_id,
  lot_product_id, coalesce(body_site, 'other'), source, recorded_by, replaces
  FROM dose;
DROP TABLE dose;
ALTER TABLE new_dose RENAME TO dose;
CREATE INDEX ix_dose_lot_id ON dose (lot_id);
CREATE INDEX ix_dose_person_id ON dose (person_id);

DROP TABLE recovery_standing;
DROP TABLE recovery;
DROP TABLE test_standing;
DROP TABLE test_result;
