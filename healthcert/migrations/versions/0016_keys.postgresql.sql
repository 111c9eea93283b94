CREATE TABLE signing_key (
	kid BYTEA NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	purpose VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	certificate BYTEA NOT NULL,
	not_before TIMESTAMP WITH TIME ZONE NOT NULL,
	not_after TIMESTAMP WITH TIME ZONE NOT NULL,
	signs_until TIMESTAMP WITH TIME ZONE,
	published_at TIMESTAMP WITH TIME ZONE,
	activated_at TIMESTAMP WITH TIME ZONE,
	retired_at TIMESTAMP WITH TIME ZONE,
	compromised_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_signing_key PRIMARY KEY (kid),
	CONSTRAINT ck_signing_key_kid CHECK (length(kid) = 8),
	CONSTRAINT ck_signing_key_purpose CHECK (purpose IN ('v', 't', 'r')),
	CONSTRAINT ck_signing_key_state CHECK (state IN ('pending', 'published', 'active', 'retired', 'expired', 'compromised')),
	CONSTRAINT ck_signing_key_state_has_time CHECK ((published_at IS NOT NULL OR state IN ('pending', 'compromised')) AND (activated_at IS NOT NULL OR state IN ('pending', 'published', 'compromised')) AND (retired_at IS NOT NULL OR state NOT IN ('retired', 'expired')) AND (compromised_at IS NOT NULL) = (state = 'compromised')),
	CONSTRAINT ck_signing_key_used_after_published CHECK (activated_at IS NULL OR (published_at IS NOT NULL AND signs_until IS NOT NULL)),
	CONSTRAINT ck_signing_key_known_two_days_before_use CHECK (activated_at >= published_at + interval '48 hours'),
	CONSTRAINT ck_signing_key_life CHECK (not_before < signs_until AND signs_until <= not_after)
);

CREATE UNIQUE INDEX one_active_key ON signing_key (purpose) WHERE state = 'active';

CREATE INDEX ix_certificate_kid ON certificate (kid, state, expires_at);

-- down

DROP INDEX ix_certificate_kid;
DROP TABLE signing_key;
