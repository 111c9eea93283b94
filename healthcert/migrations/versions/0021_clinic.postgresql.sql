CREATE TABLE stock_count (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	site_id UUID NOT NULL,
	lot_id UUID NOT NULL,
	found INTEGER NOT NULL,
	state VARCHAR NOT NULL,
	counted_by UUID NOT NULL,
	confirmed_by UUID,
	CONSTRAINT pk_stock_count PRIMARY KEY (id),
	CONSTRAINT ck_stock_count_state CHECK (state IN ('open', 'confirmed', 'dropped')),
	CONSTRAINT ck_stock_count_found CHECK (found >= 0),
	CONSTRAINT ck_stock_count_two_count CHECK (confirmed_by <> counted_by),
	CONSTRAINT ck_stock_count_confirmed CHECK ((state = 'confirmed') = (confirmed_by IS NOT NULL)),
	CONSTRAINT fk_stock_count_site_id_lot_id FOREIGN KEY(site_id, lot_id) REFERENCES stock (site_id, lot_id),
	CONSTRAINT fk_stock_count_counted_by FOREIGN KEY(counted_by) REFERENCES staff (id),
	CONSTRAINT fk_stock_count_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id)
);

CREATE UNIQUE INDEX one_open_count ON stock_count (site_id, lot_id) WHERE state = 'open';

CREATE TABLE observation (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	dose_id UUID NOT NULL,
	person_id UUID NOT NULL,
	site_id UUID NOT NULL,
	until TIMESTAMP WITH TIME ZONE NOT NULL,
	state VARCHAR NOT NULL,
	left_at TIMESTAMP WITH TIME ZONE,
	noted_by UUID,
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
	CONSTRAINT fk_observation_noted_by FOREIGN KEY(noted_by) REFERENCES staff (id)
);

CREATE INDEX ix_observation_person_id ON observation (person_id);

CREATE INDEX ix_observation_site_id_state ON observation (site_id, state);

ALTER TABLE triage ADD COLUMN until DATE;
ALTER TABLE triage ADD CONSTRAINT ck_triage_until CHECK (until IS NULL OR outcome = 'defer');
ALTER TABLE triage DROP CONSTRAINT ck_triage_reason;
ALTER TABLE triage ADD CONSTRAINT ck_triage_reason CHECK (reason IN
  ('history_clarified', 'benefit_outweighs', 'specialist_advice', 'condition_passed', 'ill_today', 'contraindication', 'other'));

-- down
DROP TABLE observation;
DROP TABLE stock_count;
UPDATE triage SET reason = 'other' WHERE reason IN ('ill_today', 'contraindication');
ALTER TABLE triage DROP CONSTRAINT ck_triage_reason;
ALTER TABLE triage ADD CONSTRAINT ck_triage_reason CHECK (reason IN
  ('history_clarified', 'benefit_outweighs', 'specialist_advice', 'condition_passed', 'other'));
ALTER TABLE triage DROP COLUMN until;
