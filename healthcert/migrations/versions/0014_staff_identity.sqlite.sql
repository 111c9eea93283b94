CREATE TABLE invitation (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  staff_id CHAR(32) NOT NULL,
  kind VARCHAR NOT NULL,
  requested_by CHAR(32),
  approved_by CHAR(32),
  digest BLOB,
  expires_at DATETIME,
  used_at DATETIME,
  CONSTRAINT pk_invitation PRIMARY KEY (id),
  CONSTRAINT ck_invitation_kind CHECK (kind IN ('first', 'recovery')),
  CONSTRAINT ck_invitation_four_eyes CHECK (approved_by <> requested_by),
  CONSTRAINT ck_invitation_for_another CHECK (approved_by <> staff_id AND requested_by <> staff_id),
  CONSTRAINT ck_invitation_recovery_by_two CHECK (kind = 'first' OR (requested_by IS NOT NULL AND (digest IS NULL OR approved_by IS NOT NULL))),
  CONSTRAINT ck_invitation_code_ends CHECK ((digest IS NULL) = (expires_at IS NULL)),
  CONSTRAINT ck_invitation_used_in_time CHECK (used_at IS NULL OR (expires_at IS NOT NULL AND used_at < expires_at)),
  CONSTRAINT fk_invitation_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT fk_invitation_requested_by FOREIGN KEY(requested_by) REFERENCES staff (id),
  CONSTRAINT fk_invitation_approved_by FOREIGN KEY(approved_by) REFERENCES staff (id),
  CONSTRAINT uq_invitation_digest UNIQUE (digest),
  CONSTRAINT ck_invitation_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_invitation_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_invitation_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_invitation_requested_by_type CHECK (length(requested_by) = 32 AND requested_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_invitation_approved_by_type CHECK (length(approved_by) = 32 AND approved_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_invitation_expires_at_type CHECK (datetime(expires_at, '+0 days') IS substr(expires_at, 1, 19) AND substr(expires_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_invitation_used_at_type CHECK (datetime(used_at, '+0 days') IS substr(used_at, 1, 19) AND substr(used_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_invitation_staff_id ON invitation (staff_id);

CREATE UNIQUE INDEX one_first_entry ON invitation (staff_id) WHERE kind = 'first' AND used_at IS NOT NULL;

CREATE UNIQUE INDEX one_open_recovery ON invitation (staff_id) WHERE kind = 'recovery' AND digest IS NULL;

CREATE TABLE passkey (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  staff_id CHAR(32) NOT NULL,
  credential_id BLOB NOT NULL,
  public_key BLOB NOT NULL,
  name VARCHAR(60) NOT NULL,
  sign_count INTEGER NOT NULL,
  backed_up BOOLEAN NOT NULL,
  answered BLOB,
  used_at DATETIME,
  CONSTRAINT pk_passkey PRIMARY KEY (id),
  CONSTRAINT ck_passkey_sign_count CHECK (sign_count >= 0),
  CONSTRAINT fk_passkey_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT uq_passkey_credential_id UNIQUE (credential_id),
  CONSTRAINT ck_passkey_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_passkey_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_passkey_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_passkey_sign_count_type CHECK (typeof(sign_count) IN ('integer', 'null')),
  CONSTRAINT ck_passkey_backed_up_type CHECK (backed_up IN (0, 1)),
  CONSTRAINT ck_passkey_used_at_type CHECK (datetime(used_at, '+0 days') IS substr(used_at, 1, 19) AND substr(used_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_passkey_staff_id ON passkey (staff_id);

CREATE TABLE password (
  staff_id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  login VARCHAR(60) NOT NULL,
  digest VARCHAR NOT NULL,
  sealed BLOB NOT NULL,
  last_step INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  tried_at DATETIME,
  CONSTRAINT pk_password PRIMARY KEY (staff_id),
  CONSTRAINT ck_password_tries CHECK (tries BETWEEN 0 AND 5),
  CONSTRAINT fk_password_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT uq_password_login UNIQUE (login),
  CONSTRAINT ck_password_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_password_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_password_last_step_type CHECK (typeof(last_step) IN ('integer', 'null')),
  CONSTRAINT ck_password_tries_type CHECK (typeof(tries) IN ('integer', 'null')),
  CONSTRAINT ck_password_tried_at_type CHECK (datetime(tried_at, '+0 days') IS substr(tried_at, 1, 19) AND substr(tried_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE TABLE staff_link (
  issuer VARCHAR NOT NULL,
  subject VARCHAR NOT NULL,
  staff_id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  CONSTRAINT pk_staff_link PRIMARY KEY (issuer, subject),
  CONSTRAINT uq_staff_link_staff_id UNIQUE (staff_id),
  CONSTRAINT fk_staff_link_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT ck_staff_link_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_link_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

-- Whose a session is was sealed until now: those that are open end here.
DROP TABLE visit;

CREATE TABLE visit (
  token_hash BLOB NOT NULL,
  sealed BLOB NOT NULL,
  started_at DATETIME NOT NULL,
  seen_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  staff_id CHAR(32),
  person_id CHAR(32),
  proved_at DATETIME,
  device BLOB,
  locked_at DATETIME,
  CONSTRAINT pk_visit PRIMARY KEY (token_hash),
  CONSTRAINT ck_visit_of_one CHECK (staff_id IS NULL OR person_id IS NULL),
  CONSTRAINT ck_visit_proved CHECK ((proved_at IS NULL) = (staff_id IS NULL AND person_id IS NULL)),
  CONSTRAINT ck_visit_locked_staff CHECK (locked_at IS NULL OR staff_id IS NOT NULL),
  CONSTRAINT fk_visit_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT fk_visit_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT ck_visit_started_at_type CHECK (datetime(started_at, '+0 days') IS substr(started_at, 1, 19) AND substr(started_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_visit_seen_at_type CHECK (datetime(seen_at, '+0 days') IS substr(seen_at, 1, 19) AND substr(seen_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_visit_expires_at_type CHECK (datetime(expires_at, '+0 days') IS substr(expires_at, 1, 19) AND substr(expires_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_visit_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_visit_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_visit_proved_at_type CHECK (datetime(proved_at, '+0 days') IS substr(proved_at, 1, 19) AND substr(proved_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_visit_locked_at_type CHECK (datetime(locked_at, '+0 days') IS substr(locked_at, 1, 19) AND substr(locked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_visit_device ON visit (device);

CREATE INDEX ix_visit_person_id ON visit (person_id);

CREATE INDEX ix_visit_staff_id ON visit (staff_id);

-- down
DROP TABLE visit;
DROP TABLE staff_link;
DROP TABLE password;
DROP TABLE passkey;
DROP TABLE invitation;

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
