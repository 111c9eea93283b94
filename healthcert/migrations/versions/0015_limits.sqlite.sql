CREATE TABLE limit_counter (
	name VARCHAR NOT NULL,
	"key" BLOB NOT NULL,
	ends_at DATETIME NOT NULL,
	count INTEGER NOT NULL,
	CONSTRAINT pk_limit_counter PRIMARY KEY (name, "key"),
	CONSTRAINT ck_limit_counter_count CHECK (count >= 1),
	CONSTRAINT ck_limit_counter_key_is_a_digest CHECK (length(key) = 32),
	CONSTRAINT ck_limit_counter_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_limit_counter_count_type CHECK (typeof(count) IN ('integer', 'null'))
);

CREATE INDEX ix_limit_counter_ends_at ON limit_counter (ends_at);

CREATE TABLE alarm (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	kind VARCHAR NOT NULL,
	subject_kind VARCHAR NOT NULL,
	subject_id CHAR(32) NOT NULL,
	state VARCHAR NOT NULL,
	seen_by CHAR(32),
	reason VARCHAR,
	CONSTRAINT pk_alarm PRIMARY KEY (id),
	CONSTRAINT ck_alarm_state CHECK (state IN ('open', 'seen', 'closed')),
	CONSTRAINT ck_alarm_seen_by_somebody CHECK ((state = 'open') = (seen_by IS NULL)),
	CONSTRAINT ck_alarm_closed_with_reason CHECK ((state = 'closed') = (reason IS NOT NULL)),
	CONSTRAINT fk_alarm_seen_by FOREIGN KEY(seen_by) REFERENCES staff (id),
	CONSTRAINT ck_alarm_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_alarm_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_alarm_subject_id_type CHECK (length(subject_id) = 32 AND subject_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_alarm_seen_by_type CHECK (length(seen_by) = 32 AND seen_by NOT GLOB '*[^0-9a-f]*')
);

CREATE UNIQUE INDEX one_open_alarm ON alarm (kind, subject_id) WHERE state <> 'closed';

CREATE TABLE certificate_hold (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	fact_id CHAR(32) NOT NULL,
	why VARCHAR NOT NULL,
	recorded_by CHAR(32) NOT NULL,
	site_id CHAR(32),
	released_by CHAR(32),
	released_at DATETIME,
	CONSTRAINT pk_certificate_hold PRIMARY KEY (id),
	CONSTRAINT ck_certificate_hold_why CHECK (why IN ('cap', 'probation', 'withdrawn')),
	CONSTRAINT uq_certificate_hold_fact_id_why UNIQUE (fact_id, why),
	CONSTRAINT ck_certificate_hold_released_by_another CHECK (released_by <> recorded_by),
	CONSTRAINT ck_certificate_hold_released_has_time CHECK ((released_by IS NULL) = (released_at IS NULL)),
	CONSTRAINT fk_certificate_hold_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
	CONSTRAINT fk_certificate_hold_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT fk_certificate_hold_released_by FOREIGN KEY(released_by) REFERENCES staff (id),
	CONSTRAINT ck_certificate_hold_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_certificate_hold_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_certificate_hold_fact_id_type CHECK (length(fact_id) = 32 AND fact_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_certificate_hold_recorded_by_type CHECK (length(recorded_by) = 32 AND recorded_by NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_certificate_hold_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_certificate_hold_released_by_type CHECK (length(released_by) = 32 AND released_by NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_certificate_hold_released_at_type CHECK (datetime(released_at, '+0 days') IS substr(released_at, 1, 19) AND substr(released_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_certificate_hold_recorded_by ON certificate_hold (recorded_by);

CREATE INDEX ix_certificate_hold_site_id ON certificate_hold (site_id);

CREATE TABLE site_probation (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	site_id CHAR(32) NOT NULL,
	released_by CHAR(32),
	confirmed_by CHAR(32),
	CONSTRAINT pk_site_probation PRIMARY KEY (id),
	CONSTRAINT ck_site_probation_two_officers CHECK (confirmed_by IS NULL OR (released_by IS NOT NULL AND released_by <> confirmed_by)),
	CONSTRAINT uq_site_probation_site_id UNIQUE (site_id),
	CONSTRAINT fk_site_probation_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT fk_site_probation_released_by FOREIGN KEY(released_by) REFERENCES staff (id),
	CONSTRAINT fk_site_probation_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id),
	CONSTRAINT ck_site_probation_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_site_probation_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_site_probation_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_site_probation_released_by_type CHECK (length(released_by) = 32 AND released_by NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_site_probation_confirmed_by_type CHECK (length(confirmed_by) = 32 AND confirmed_by NOT GLOB '*[^0-9a-f]*')
);

-- down
DROP TABLE site_probation;
DROP TABLE certificate_hold;
DROP TABLE alarm;
DROP TABLE limit_counter;
