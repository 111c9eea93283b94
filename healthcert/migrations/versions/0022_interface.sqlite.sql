CREATE TABLE api_answer (
	key_hash BLOB NOT NULL,
	asked_hash BLOB NOT NULL,
	sealed BLOB NOT NULL,
	ends_at DATETIME NOT NULL,
	CONSTRAINT pk_api_answer PRIMARY KEY (key_hash),
	CONSTRAINT ck_api_answer_key_is_a_digest CHECK (length(key_hash) = 32),
	CONSTRAINT ck_api_answer_asked_is_a_digest CHECK (length(asked_hash) = 32),
	CONSTRAINT ck_api_answer_sealed_is_bounded CHECK (length(sealed) <= 262144),
	CONSTRAINT ck_api_answer_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_api_answer_ends_at ON api_answer (ends_at);

CREATE TABLE api_token (
	token_hash BLOB NOT NULL,
	recorded_at DATETIME NOT NULL,
	name VARCHAR(60) NOT NULL,
	staff_id CHAR(32),
	person_id CHAR(32),
	acts VARCHAR NOT NULL,
	reads_only BOOLEAN NOT NULL,
	ends_at DATETIME NOT NULL,
	seen_at DATETIME,
	CONSTRAINT pk_api_token PRIMARY KEY (token_hash),
	CONSTRAINT ck_api_token_hash_is_a_digest CHECK (length(token_hash) = 32),
	CONSTRAINT ck_api_token_of_one CHECK ((staff_id IS NULL) <> (person_id IS NULL)),
	CONSTRAINT ck_api_token_ends_after_start CHECK (ends_at > recorded_at),
	CONSTRAINT fk_api_token_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
	CONSTRAINT fk_api_token_person_id FOREIGN KEY(person_id) REFERENCES person (id),
	CONSTRAINT ck_api_token_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_api_token_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_api_token_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_api_token_reads_only_type CHECK (reads_only IN (0, 1)),
	CONSTRAINT ck_api_token_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_api_token_seen_at_type CHECK (datetime(seen_at, '+0 days') IS substr(seen_at, 1, 19) AND substr(seen_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_api_token_person_id ON api_token (person_id);

CREATE INDEX ix_api_token_staff_id ON api_token (staff_id);

-- down
DROP TABLE api_token;
DROP TABLE api_answer;
