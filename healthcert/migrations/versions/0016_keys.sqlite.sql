CREATE TABLE signing_key (
	kid BLOB NOT NULL,
	recorded_at DATETIME NOT NULL,
	purpose VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	certificate BLOB NOT NULL,
	not_before DATETIME NOT NULL,
	not_after DATETIME NOT NULL,
	signs_until DATETIME,
	published_at DATETIME,
	activated_at DATETIME,
	retired_at DATETIME,
	compromised_at DATETIME,
	CONSTRAINT pk_signing_key PRIMARY KEY (kid),
	CONSTRAINT ck_signing_key_kid CHECK (length(kid) = 8),
	CONSTRAINT ck_signing_key_purpose CHECK (purpose IN ('v', 't', 'r')),
	CONSTRAINT ck_signing_key_state CHECK (state IN ('pending', 'published', 'active', 'retired', 'expired', 'compromised')),
	CONSTRAINT ck_signing_key_state_has_time CHECK ((published_at IS NOT NULL OR state IN ('pending', 'compromised')) AND (activated_at IS NOT NULL OR state IN ('pending', 'published', 'compromised')) AND (retired_at IS NOT NULL OR state NOT IN ('retired', 'expired')) AND (compromised_at IS NOT NULL) = (state = 'compromised')),
	CONSTRAINT ck_signing_key_used_after_published CHECK (activated_at IS NULL OR (published_at IS NOT NULL AND signs_until IS NOT NULL)),
	CONSTRAINT ck_signing_key_known_two_days_before_use CHECK (unixepoch(activated_at) - unixepoch(published_at) >= 172800),
	CONSTRAINT ck_signing_key_life CHECK (not_before < signs_until AND signs_until <= not_after),
	CONSTRAINT ck_signing_key_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_signing_key_not_before_type CHECK (datetime(not_before, '+0 days') IS substr(not_before, 1, 19) AND substr(not_before, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_signing_key_not_after_type CHECK (datetime(not_after, '+0 days') IS substr(not_after, 1, 19) AND substr(not_after, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_signing_key_signs_until_type CHECK (datetime(signs_until, '+0 days') IS substr(signs_until, 1, 19) AND substr(signs_until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_signing_key_published_at_type CHECK (datetime(published_at, '+0 days') IS substr(published_at, 1, 19) AND substr(published_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_signing_key_activated_at_type CHECK (datetime(activated_at, '+0 days') IS substr(activated_at, 1, 19) AND substr(activated_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_signing_key_retired_at_type CHECK (datetime(retired_at, '+0 days') IS substr(retired_at, 1, 19) AND substr(retired_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_signing_key_compromised_at_type CHECK (datetime(compromised_at, '+0 days') IS substr(compromised_at, 1, 19) AND substr(compromised_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE UNIQUE INDEX one_active_key ON signing_key (purpose) WHERE state = 'active';

CREATE INDEX ix_certificate_kid ON certificate (kid, state, expires_at);

-- down

DROP INDEX ix_certificate_kid;
DROP TABLE signing_key;
