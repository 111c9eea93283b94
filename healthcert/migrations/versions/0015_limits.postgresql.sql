CREATE TABLE limit_counter (
	name VARCHAR NOT NULL,
	key BYTEA NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	count INTEGER NOT NULL,
	CONSTRAINT pk_limit_counter PRIMARY KEY (name, key),
	CONSTRAINT ck_limit_counter_count CHECK (count >= 1),
	CONSTRAINT ck_limit_counter_key_is_a_digest CHECK (length(key) = 32)
);

CREATE INDEX ix_limit_counter_ends_at ON limit_counter (ends_at);

CREATE TABLE alarm (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	kind VARCHAR NOT NULL,
	subject_kind VARCHAR NOT NULL,
	subject_id UUID NOT NULL,
	state VARCHAR NOT NULL,
	seen_by UUID,
	reason VARCHAR,
	CONSTRAINT pk_alarm PRIMARY KEY (id),
	CONSTRAINT ck_alarm_state CHECK (state IN ('open', 'seen', 'closed')),
	CONSTRAINT ck_alarm_seen_by_somebody CHECK ((state = 'open') = (seen_by IS NULL)),
	CONSTRAINT ck_alarm_closed_with_reason CHECK ((state = 'closed') = (reason IS NOT NULL)),
	CONSTRAINT fk_alarm_seen_by FOREIGN KEY(seen_by) REFERENCES staff (id)
);

CREATE UNIQUE INDEX one_open_alarm ON alarm (kind, subject_id) WHERE state <> 'closed';

CREATE TABLE certificate_hold (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	fact_id UUID NOT NULL,
	why VARCHAR NOT NULL,
	recorded_by UUID NOT NULL,
	site_id UUID,
	released_by UUID,
	released_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_certificate_hold PRIMARY KEY (id),
	CONSTRAINT ck_certificate_hold_why CHECK (why IN ('cap', 'probation', 'withdrawn')),
	CONSTRAINT uq_certificate_hold_fact_id_why UNIQUE (fact_id, why),
	CONSTRAINT ck_certificate_hold_released_by_another CHECK (released_by <> recorded_by),
	CONSTRAINT ck_certificate_hold_released_has_time CHECK ((released_by IS NULL) = (released_at IS NULL)),
	CONSTRAINT fk_certificate_hold_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
	CONSTRAINT fk_certificate_hold_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT fk_certificate_hold_released_by FOREIGN KEY(released_by) REFERENCES staff (id)
);

CREATE INDEX ix_certificate_hold_recorded_by ON certificate_hold (recorded_by);

CREATE INDEX ix_certificate_hold_site_id ON certificate_hold (site_id);

CREATE TABLE site_probation (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	site_id UUID NOT NULL,
	released_by UUID,
	confirmed_by UUID,
	CONSTRAINT pk_site_probation PRIMARY KEY (id),
	CONSTRAINT ck_site_probation_two_officers CHECK (confirmed_by IS NULL OR (released_by IS NOT NULL AND released_by <> confirmed_by)),
	CONSTRAINT uq_site_probation_site_id UNIQUE (site_id),
	CONSTRAINT fk_site_probation_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT fk_site_probation_released_by FOREIGN KEY(released_by) REFERENCES staff (id),
	CONSTRAINT fk_site_probation_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id)
);

-- down
DROP TABLE site_probation;
DROP TABLE certificate_hold;
DROP TABLE alarm;
DROP TABLE limit_counter;
