CREATE TABLE api_answer (
	key_hash BYTEA NOT NULL,
	asked_hash BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_api_answer PRIMARY KEY (key_hash),
	CONSTRAINT ck_api_answer_key_is_a_digest CHECK (length(key_hash) = 32),
	CONSTRAINT ck_api_answer_asked_is_a_digest CHECK (length(asked_hash) = 32),
	CONSTRAINT ck_api_answer_sealed_is_bounded CHECK (length(sealed) <= 262144)
);

CREATE INDEX ix_api_answer_ends_at ON api_answer (ends_at);

CREATE TABLE api_token (
	token_hash BYTEA NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	name VARCHAR(60) NOT NULL,
	staff_id UUID,
	person_id UUID,
	acts VARCHAR NOT NULL,
	reads_only BOOLEAN NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	seen_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_api_token PRIMARY KEY (token_hash),
	CONSTRAINT ck_api_token_hash_is_a_digest CHECK (length(token_hash) = 32),
	CONSTRAINT ck_api_token_of_one CHECK ((staff_id IS NULL) <> (person_id IS NULL)),
	CONSTRAINT ck_api_token_ends_after_start CHECK (ends_at > recorded_at),
	CONSTRAINT fk_api_token_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
	CONSTRAINT fk_api_token_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_api_token_person_id ON api_token (person_id);

CREATE INDEX ix_api_token_staff_id ON api_token (staff_id);

-- down
DROP TABLE api_token;
DROP TABLE api_answer;
