CREATE TABLE new_identity (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  kind VARCHAR NOT NULL,
  country VARCHAR(2) NOT NULL,
  level VARCHAR NOT NULL,
  blind BLOB,
  sealed BLOB,
  CONSTRAINT pk_identity PRIMARY KEY (id),
  CONSTRAINT ck_identity_kind CHECK (kind IN ('national', 'passport', 'refugee', 'municipal', 'vouched', 'none', 'card', 'subject')),
  CONSTRAINT ck_identity_level CHECK (level IN ('low', 'substantial', 'high')),
  CONSTRAINT ck_identity_blind_where_valued CHECK ((kind IN ('vouched', 'none')) = (blind IS NULL)),
  CONSTRAINT ck_identity_level_of_kind CHECK (CASE kind WHEN 'subject' THEN level <> 'low' WHEN 'vouched' THEN level = 'low' WHEN 'none' THEN level = 'low' WHEN 'card' THEN level = 'low' ELSE 1 = 1 END),
  CONSTRAINT fk_identity_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT uq_identity_blind UNIQUE (blind),
  CONSTRAINT ck_identity_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_identity_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_identity_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_identity (
  id, recorded_at, person_id, kind, country, level, blind
)
SELECT
  id, recorded_at, person_id, kind, country, level, blind
  FROM identity;
DROP TABLE identity;
ALTER TABLE new_identity RENAME TO identity;
CREATE INDEX ix_identity_person_id ON identity (person_id);
CREATE UNIQUE INDEX one_of_ours ON identity (person_id, kind) WHERE kind IN ('card', 'subject');

CREATE TABLE new_access_code (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  digest BLOB NOT NULL,
  expires_at DATETIME NOT NULL,
  tries INTEGER NOT NULL,
  used_at DATETIME,
  lets VARCHAR DEFAULT 'sign_in' NOT NULL,
  CONSTRAINT pk_access_code PRIMARY KEY (id),
  CONSTRAINT ck_access_code_five_tries CHECK (tries BETWEEN 0 AND 5),
  CONSTRAINT ck_access_code_ends_after_start CHECK (expires_at > recorded_at),
  CONSTRAINT ck_access_code_lets CHECK (lets IN ('sign_in', 'book', 'consent', 'view', 'book consent', 'book view', 'consent view', 'book consent view')),
  CONSTRAINT fk_access_code_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT ck_access_code_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_access_code_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_access_code_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_access_code_expires_at_type CHECK (datetime(expires_at, '+0 days') IS substr(expires_at, 1, 19) AND substr(expires_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_access_code_tries_type CHECK (typeof(tries) IN ('integer', 'null')),
  CONSTRAINT ck_access_code_used_at_type CHECK (datetime(used_at, '+0 days') IS substr(used_at, 1, 19) AND substr(used_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_access_code (
  id, recorded_at, person_id, digest, expires_at, tries, used_at
)
SELECT
  id, recorded_at, person_id, digest, expires_at, tries, used_at
  FROM access_code;
DROP TABLE access_code;
ALTER TABLE new_access_code RENAME TO access_code;
CREATE INDEX ix_access_code_person_id ON access_code (person_id);

-- down
CREATE TABLE new_identity (
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

INSERT INTO new_identity (
  id, recorded_at, person_id, kind, country, level, blind
)
SELECT
  id, recorded_at, person_id, kind, country, level, blind
  FROM identity
 WHERE kind NOT IN ('card', 'subject');
DROP TABLE identity;
ALTER TABLE new_identity RENAME TO identity;
CREATE INDEX ix_identity_person_id ON identity (person_id);

CREATE TABLE new_access_code (
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

INSERT INTO new_access_code (
  id, recorded_at, person_id, digest, expires_at, tries, used_at
)
SELECT
  id, recorded_at, person_id, digest, expires_at, tries, used_at
  FROM access_code
 WHERE lets = 'sign_in';
DROP TABLE access_code;
ALTER TABLE new_access_code RENAME TO access_code;
CREATE INDEX ix_access_code_person_id ON access_code (person_id);
