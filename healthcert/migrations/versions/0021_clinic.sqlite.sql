CREATE TABLE stock_count (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	site_id CHAR(32) NOT NULL,
	lot_id CHAR(32) NOT NULL,
	found INTEGER NOT NULL,
	state VARCHAR NOT NULL,
	counted_by CHAR(32) NOT NULL,
	confirmed_by CHAR(32),
	CONSTRAINT pk_stock_count PRIMARY KEY (id),
	CONSTRAINT ck_stock_count_state CHECK (state IN ('open', 'confirmed', 'dropped')),
	CONSTRAINT ck_stock_count_found CHECK (found >= 0),
	CONSTRAINT ck_stock_count_two_count CHECK (confirmed_by <> counted_by),
	CONSTRAINT ck_stock_count_confirmed CHECK ((state = 'confirmed') = (confirmed_by IS NOT NULL)),
	CONSTRAINT fk_stock_count_site_id_lot_id FOREIGN KEY(site_id, lot_id) REFERENCES stock (site_id, lot_id),
	CONSTRAINT fk_stock_count_counted_by FOREIGN KEY(counted_by) REFERENCES staff (id),
	CONSTRAINT fk_stock_count_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id),
	CONSTRAINT ck_stock_count_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_stock_count_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_stock_count_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_stock_count_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_stock_count_found_type CHECK (typeof(found) IN ('integer', 'null')),
	CONSTRAINT ck_stock_count_counted_by_type CHECK (length(counted_by) = 32 AND counted_by NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_stock_count_confirmed_by_type CHECK (length(confirmed_by) = 32 AND confirmed_by NOT GLOB '*[^0-9a-f]*')
);

CREATE UNIQUE INDEX one_open_count ON stock_count (site_id, lot_id) WHERE state = 'open';

CREATE TABLE observation (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	dose_id CHAR(32) NOT NULL,
	person_id CHAR(32) NOT NULL,
	site_id CHAR(32) NOT NULL,
	until DATETIME NOT NULL,
	state VARCHAR NOT NULL,
	left_at DATETIME,
	noted_by CHAR(32),
	CONSTRAINT pk_observation PRIMARY KEY (id),
	CONSTRAINT fk_observation_dose_id_person_id FOREIGN KEY(dose_id, person_id) REFERENCES dose (id, person_id),
	CONSTRAINT ck_observation_state CHECK (state IN ('observed', 'left', 'left_early')),
	CONSTRAINT ck_observation_until CHECK (until > recorded_at),
	CONSTRAINT ck_observation_left_after CHECK (left_at >= recorded_at),
	CONSTRAINT ck_observation_left CHECK ((state = 'observed') = (left_at IS NULL)),
	CONSTRAINT ck_observation_noted CHECK ((left_at IS NULL) = (noted_by IS NULL)),
	CONSTRAINT ck_observation_early CHECK (state = 'observed' OR (state = 'left_early') = (left_at < until)),
	CONSTRAINT uq_observation_dose_id UNIQUE (dose_id),
	CONSTRAINT fk_observation_person_id FOREIGN KEY(person_id) REFERENCES person (id),
	CONSTRAINT fk_observation_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT fk_observation_noted_by FOREIGN KEY(noted_by) REFERENCES staff (id),
	CONSTRAINT ck_observation_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_observation_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_observation_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_observation_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_observation_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_observation_until_type CHECK (datetime(until, '+0 days') IS substr(until, 1, 19) AND substr(until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_observation_left_at_type CHECK (datetime(left_at, '+0 days') IS substr(left_at, 1, 19) AND substr(left_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_observation_noted_by_type CHECK (length(noted_by) = 32 AND noted_by NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_observation_person_id ON observation (person_id);

CREATE INDEX ix_observation_site_id_state ON observation (site_id, state);

CREATE TABLE new_triage (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	screening_id CHAR(32) NOT NULL,
	ordinal INTEGER NOT NULL,
	outcome VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	until DATE,
	decided_by CHAR(32) NOT NULL,
	CONSTRAINT pk_triage PRIMARY KEY (id),
	CONSTRAINT ck_triage_outcome CHECK (outcome IN ('go', 'defer', 'refuse')),
	CONSTRAINT ck_triage_reason CHECK (reason IN ('history_clarified', 'benefit_outweighs', 'specialist_advice', 'condition_passed', 'ill_today', 'contraindication', 'other')),
	CONSTRAINT ck_triage_until CHECK (until IS NULL OR outcome = 'defer'),
	CONSTRAINT ck_triage_ordinal CHECK (ordinal >= 1),
	CONSTRAINT uq_triage_screening_id_ordinal UNIQUE (screening_id, ordinal),
	CONSTRAINT fk_triage_screening_id FOREIGN KEY(screening_id) REFERENCES screening (id),
	CONSTRAINT fk_triage_decided_by FOREIGN KEY(decided_by) REFERENCES staff (id),
	CONSTRAINT ck_triage_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_triage_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_triage_screening_id_type CHECK (length(screening_id) = 32 AND screening_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_triage_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
	CONSTRAINT ck_triage_until_type CHECK (date(until, '+0 days') IS until),
	CONSTRAINT ck_triage_decided_by_type CHECK (length(decided_by) = 32 AND decided_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_triage (id, recorded_at, screening_id, ordinal, outcome, reason, decided_by)
SELECT id, recorded_at, screening_id, ordinal, outcome, reason, decided_by FROM triage;
DROP TABLE triage;
ALTER TABLE new_triage RENAME TO triage;

-- down
DROP TABLE observation;
DROP TABLE stock_count;

CREATE TABLE new_triage (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	screening_id CHAR(32) NOT NULL,
	ordinal INTEGER NOT NULL,
	outcome VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	decided_by CHAR(32) NOT NULL,
	CONSTRAINT pk_triage PRIMARY KEY (id),
	CONSTRAINT ck_triage_outcome CHECK (outcome IN ('go', 'defer', 'refuse')),
	CONSTRAINT ck_triage_reason CHECK (reason IN ('history_clarified', 'benefit_outweighs', 'specialist_advice', 'condition_passed', 'other')),
	CONSTRAINT ck_triage_ordinal CHECK (ordinal >= 1),
	CONSTRAINT uq_triage_screening_id_ordinal UNIQUE (screening_id, ordinal),
	CONSTRAINT fk_triage_screening_id FOREIGN KEY(screening_id) REFERENCES screening (id),
	CONSTRAINT fk_triage_decided_by FOREIGN KEY(decided_by) REFERENCES staff (id),
	CONSTRAINT ck_triage_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_triage_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_triage_screening_id_type CHECK (length(screening_id) = 32 AND screening_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_triage_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
	CONSTRAINT ck_triage_decided_by_type CHECK (length(decided_by) = 32 AND decided_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_triage (id, recorded_at, screening_id, ordinal, outcome, reason, decided_by)
SELECT id, recorded_at, screening_id, ordinal, outcome,
  CASE WHEN reason IN ('ill_today', 'contraindication') THEN 'other' ELSE reason END, decided_by
  FROM triage;
DROP TABLE triage;
ALTER TABLE new_triage RENAME TO triage;
