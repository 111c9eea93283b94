CREATE TABLE new_person (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  wrapped_key BLOB,
  wrapped_by VARCHAR(8) DEFAULT '' NOT NULL,
  sealed BLOB,
  indexed_by VARCHAR(8) DEFAULT '' NOT NULL,
  birth_year INTEGER NOT NULL,
  sex VARCHAR NOT NULL,
  nationality_group VARCHAR NOT NULL,
  region VARCHAR,
  language VARCHAR(2) NOT NULL,
  erased_at DATETIME,
  kept_until DATE,
  key_gone_on DATE,
  CONSTRAINT pk_person PRIMARY KEY (id),
  CONSTRAINT ck_person_birth_year CHECK (birth_year BETWEEN 1850 AND 2200),
  CONSTRAINT ck_person_sex CHECK (sex IN ('male', 'female', 'other', 'unknown')),
  CONSTRAINT ck_person_nationality_group CHECK (nationality_group IN ('national', 'foreign', 'refugee', 'stateless', 'unknown')),
  CONSTRAINT ck_person_key_with_seal CHECK ((key_gone_on IS NULL) = (wrapped_key IS NOT NULL) AND (wrapped_key IS NULL) = (sealed IS NULL)),
  CONSTRAINT ck_person_erased_first CHECK (erased_at IS NOT NULL OR (kept_until IS NULL AND key_gone_on IS NULL)),
  CONSTRAINT ck_person_kept_its_time CHECK (kept_until IS NULL OR key_gone_on IS NULL OR key_gone_on >= kept_until),
  CONSTRAINT ck_person_erased_is_bare CHECK (erased_at IS NULL OR (region IS NULL AND nationality_group = 'unknown')),
  CONSTRAINT ck_person_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_person_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_person_birth_year_type CHECK (typeof(birth_year) IN ('integer', 'null')),
  CONSTRAINT ck_person_erased_at_type CHECK (datetime(erased_at, '+0 days') IS substr(erased_at, 1, 19) AND substr(erased_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_person_kept_until_type CHECK (date(kept_until, '+0 days') IS kept_until),
  CONSTRAINT ck_person_key_gone_on_type CHECK (date(key_gone_on, '+0 days') IS key_gone_on)
);

INSERT INTO new_person (
  id, recorded_at, wrapped_key, wrapped_by, sealed, indexed_by, birth_year, sex,
  nationality_group, region, language
)
SELECT
  id, recorded_at, wrapped_key, wrapped_by, sealed, indexed_by, birth_year, sex,
  nationality_group, region, language
  FROM person;
DROP TABLE person;
ALTER TABLE new_person RENAME TO person;
CREATE INDEX ix_person_indexed_by_id ON person (indexed_by, id);
CREATE INDEX ix_person_kept_until ON person (kept_until);
CREATE INDEX ix_person_wrapped_by_id ON person (wrapped_by, id);

CREATE TABLE new_message (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  channel VARCHAR NOT NULL,
  template VARCHAR NOT NULL,
  language VARCHAR(2) NOT NULL,
  sealed BLOB,
  state VARCHAR NOT NULL,
  due_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  sent_at DATETIME,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT ck_message_channel CHECK (channel IN ('sms', 'mail')),
  CONSTRAINT ck_message_state CHECK (state IN ('queued', 'sent', 'failed')),
  CONSTRAINT ck_message_attempts CHECK (attempts >= 0),
  CONSTRAINT ck_message_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT ck_message_queued_is_whole CHECK (sealed IS NOT NULL OR state <> 'queued'),
  CONSTRAINT fk_message_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT ck_message_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_attempts_type CHECK (typeof(attempts) IN ('integer', 'null')),
  CONSTRAINT ck_message_sent_at_type CHECK (datetime(sent_at, '+0 days') IS substr(sent_at, 1, 19) AND substr(sent_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_message (
  id, recorded_at, person_id, channel, template, language, sealed, state, due_at, attempts,
  sent_at
)
SELECT
  id, recorded_at, person_id, channel, template, language, sealed, state, due_at, attempts,
  sent_at
  FROM message;
DROP TABLE message;
ALTER TABLE new_message RENAME TO message;
CREATE INDEX ix_message_state_due_at ON message (state, due_at);

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
  blanked_at DATETIME,
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
  CONSTRAINT ck_certificate_issued_is_whole CHECK (state IN ('intended', 'revoked') OR (kid IS NOT NULL AND (sealed IS NOT NULL OR blanked_at IS NOT NULL) AND issued_at IS NOT NULL AND expires_at IS NOT NULL)),
  CONSTRAINT ck_certificate_blanked_after_its_end CHECK (blanked_at IS NULL OR (sealed IS NULL AND expires_at IS NOT NULL AND blanked_at >= expires_at)),
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
  CONSTRAINT ck_certificate_blanked_at_type CHECK (datetime(blanked_at, '+0 days') IS substr(blanked_at, 1, 19) AND substr(blanked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_certificate_revoked_at_type CHECK (datetime(revoked_at, '+0 days') IS substr(revoked_at, 1, 19) AND substr(revoked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_certificate (
  id, recorded_at, person_id, dose_id, test_result_id, recovery_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid, issued_at, expires_at, sealed, signature_hash,
  uvci_hash, country_uvci_hash, revoked_at, revoked_reason
)
SELECT
  id, recorded_at, person_id, dose_id, test_result_id, recovery_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid, issued_at, expires_at, sealed, signature_hash,
  uvci_hash, country_uvci_hash, revoked_at, revoked_reason
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
  id, recorded_at, person_id, dose_id, test_result_id, recovery_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid, issued_at, expires_at, sealed, signature_hash,
  uvci_hash, country_uvci_hash, revoked_at, revoked_reason
)
SELECT
  id, recorded_at, person_id, dose_id, test_result_id, recovery_id, disease, standing_counts,
  state, uvci, dn, sd, knowledge_id, kid, issued_at, expires_at, sealed, signature_hash,
  uvci_hash, country_uvci_hash, revoked_at, revoked_reason
  FROM certificate;
DROP TABLE certificate;
ALTER TABLE new_certificate RENAME TO certificate;
CREATE INDEX ix_certificate_dose_id ON certificate (dose_id);
CREATE INDEX ix_certificate_person_id ON certificate (person_id);
CREATE INDEX ix_certificate_state ON certificate (state);
CREATE UNIQUE INDEX one_live_certificate ON certificate (dose_id, disease) WHERE state IN ('intended', 'issued');
CREATE UNIQUE INDEX one_live_recovery_certificate ON certificate (recovery_id) WHERE state IN ('intended', 'issued');
CREATE UNIQUE INDEX one_live_test_certificate ON certificate (test_result_id) WHERE state IN ('intended', 'issued');

CREATE TABLE new_message (
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

INSERT INTO new_message (
  id, recorded_at, person_id, channel, template, language, sealed, state, due_at, attempts,
  sent_at
)
SELECT
  id, recorded_at, person_id, channel, template, language, sealed, state, due_at, attempts,
  sent_at
  FROM message;
DROP TABLE message;
ALTER TABLE new_message RENAME TO message;
CREATE INDEX ix_message_state_due_at ON message (state, due_at);

CREATE TABLE new_person (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  wrapped_key BLOB NOT NULL,
  wrapped_by VARCHAR(8) DEFAULT '' NOT NULL,
  sealed BLOB NOT NULL,
  indexed_by VARCHAR(8) DEFAULT '' NOT NULL,
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

INSERT INTO new_person (
  id, recorded_at, wrapped_key, wrapped_by, sealed, indexed_by, birth_year, sex,
  nationality_group, region, language
)
SELECT
  id, recorded_at, wrapped_key, wrapped_by, sealed, indexed_by, birth_year, sex,
  nationality_group, region, language
  FROM person;
DROP TABLE person;
ALTER TABLE new_person RENAME TO person;
CREATE INDEX ix_person_indexed_by_id ON person (indexed_by, id);
CREATE INDEX ix_person_wrapped_by_id ON person (wrapped_by, id);
