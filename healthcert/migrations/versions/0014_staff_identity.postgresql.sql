CREATE TABLE invitation (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  staff_id UUID NOT NULL,
  kind VARCHAR NOT NULL,
  requested_by UUID,
  approved_by UUID,
  digest BYTEA,
  expires_at TIMESTAMP WITH TIME ZONE,
  used_at TIMESTAMP WITH TIME ZONE,
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
  CONSTRAINT uq_invitation_digest UNIQUE (digest)
);

CREATE INDEX ix_invitation_staff_id ON invitation (staff_id);

CREATE UNIQUE INDEX one_first_entry ON invitation (staff_id) WHERE kind = 'first' AND used_at IS NOT NULL;

CREATE UNIQUE INDEX one_open_recovery ON invitation (staff_id) WHERE kind = 'recovery' AND digest IS NULL;

CREATE TABLE passkey (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  staff_id UUID NOT NULL,
  credential_id BYTEA NOT NULL,
  public_key BYTEA NOT NULL,
  name VARCHAR(60) NOT NULL,
  sign_count INTEGER NOT NULL,
  backed_up BOOLEAN NOT NULL,
  answered BYTEA,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_passkey PRIMARY KEY (id),
  CONSTRAINT ck_passkey_sign_count CHECK (sign_count >= 0),
  CONSTRAINT fk_passkey_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT uq_passkey_credential_id UNIQUE (credential_id)
);

CREATE INDEX ix_passkey_staff_id ON passkey (staff_id);

CREATE TABLE password (
  staff_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  login VARCHAR(60) NOT NULL,
  digest VARCHAR NOT NULL,
  sealed BYTEA NOT NULL,
  last_step INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  tried_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_password PRIMARY KEY (staff_id),
  CONSTRAINT ck_password_tries CHECK (tries BETWEEN 0 AND 5),
  CONSTRAINT fk_password_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT uq_password_login UNIQUE (login)
);

CREATE TABLE staff_link (
  issuer VARCHAR NOT NULL,
  subject VARCHAR NOT NULL,
  staff_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_staff_link PRIMARY KEY (issuer, subject),
  CONSTRAINT uq_staff_link_staff_id UNIQUE (staff_id),
  CONSTRAINT fk_staff_link_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

-- Whose a session is was sealed until now: those that are open end here.
DROP TABLE visit;

CREATE TABLE visit (
  token_hash BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  staff_id UUID,
  person_id UUID,
  proved_at TIMESTAMP WITH TIME ZONE,
  device BYTEA,
  locked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_visit PRIMARY KEY (token_hash),
  CONSTRAINT ck_visit_of_one CHECK (staff_id IS NULL OR person_id IS NULL),
  CONSTRAINT ck_visit_proved CHECK ((proved_at IS NULL) = (staff_id IS NULL AND person_id IS NULL)),
  CONSTRAINT ck_visit_locked_staff CHECK (locked_at IS NULL OR staff_id IS NOT NULL),
  CONSTRAINT fk_visit_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
  CONSTRAINT fk_visit_person_id FOREIGN KEY(person_id) REFERENCES person (id)
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
  token_hash BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_visit PRIMARY KEY (token_hash)
);
