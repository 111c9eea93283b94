ALTER TABLE lot ADD COLUMN received_by UUID, ADD COLUMN judged_up_to INTEGER,
  ADD CONSTRAINT fk_lot_received_by FOREIGN KEY(received_by) REFERENCES staff (id);

UPDATE lot SET judged_up_to = 0, state = coalesce((SELECT state FROM lot_validity
           WHERE lot_id = lot.id ORDER BY since DESC LIMIT 1), 'quarantined');

ALTER TABLE lot ALTER judged_up_to SET NOT NULL;

ALTER TABLE lot_validity ADD COLUMN ordinal INTEGER, ADD COLUMN ordered_by UUID;

UPDATE lot_validity SET ordinal = numbered.ordinal FROM (
  SELECT id, row_number() OVER (PARTITION BY lot_id ORDER BY since) AS ordinal FROM lot_validity
) AS numbered WHERE numbered.id = lot_validity.id;

ALTER TABLE lot_validity ALTER ordinal SET NOT NULL,
  DROP CONSTRAINT uq_lot_validity_lot_id_since,
  DROP CONSTRAINT ck_lot_validity_state,
  ADD CONSTRAINT uq_lot_validity_lot_id_ordinal UNIQUE (lot_id, ordinal),
  ADD CONSTRAINT ck_lot_validity_ordinal CHECK (ordinal >= 1),
  ADD CONSTRAINT ck_lot_validity_state CHECK (state IN ('quarantined', 'released', 'recalled')),
  ADD CONSTRAINT fk_lot_validity_ordered_by FOREIGN KEY(ordered_by) REFERENCES staff (id);

CREATE UNIQUE INDEX uq_dose_stock ON dose (id, lot_id, site_id);

CREATE UNIQUE INDEX uq_appointment_person ON appointment (id, person_id);

CREATE TABLE stock_move (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  site_id UUID NOT NULL,
  lot_id UUID NOT NULL,
  ordinal INTEGER NOT NULL,
  kind VARCHAR NOT NULL,
  quantity INTEGER NOT NULL,
  reason VARCHAR,
  dose_id UUID,
  answers UUID,
  answers_kind VARCHAR GENERATED ALWAYS AS (CASE kind WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'transferred_in' THEN 'transferred_out' END) STORED,
  moved_by UUID NOT NULL,
  CONSTRAINT pk_stock_move PRIMARY KEY (id),
  CONSTRAINT ck_stock_move_kind CHECK (kind IN ('received', 'overfill', 'unexplained', 'transferred_in', 'given', 'wasted', 'transferred_out', 'returned', 'given_back', 'explained', 'counted')),
  CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR (kind = 'counted' AND quantity < 0)),
  CONSTRAINT ck_stock_move_dose CHECK ((kind IN ('given', 'given_back', 'unexplained', 'explained')) = (dose_id IS NOT NULL)),
  CONSTRAINT ck_stock_move_one_dose CHECK (dose_id IS NULL OR quantity = 1),
  CONSTRAINT ck_stock_move_answers CHECK ((answers_kind IS NULL) = (answers IS NULL)),
  CONSTRAINT ck_stock_move_reason CHECK ((kind = 'wasted') = (reason IS NOT NULL)),
  CONSTRAINT ck_stock_move_waste_reason CHECK (reason IN ('opened_vial', 'broken', 'contaminated', 'cold_chain', 'expired', 'recalled', 'drawn_up', 'other')),
  CONSTRAINT ck_stock_move_ordinal CHECK (ordinal >= 1),
  CONSTRAINT fk_stock_move_dose_id_lot_id_site_id FOREIGN KEY(dose_id, lot_id, site_id) REFERENCES dose (id, lot_id, site_id),
  CONSTRAINT fk_stock_move_answers FOREIGN KEY(answers, answers_kind, lot_id, quantity) REFERENCES stock_move (id, kind, lot_id, quantity),
  CONSTRAINT fk_stock_move_answers_dose FOREIGN KEY(answers, dose_id) REFERENCES stock_move (id, dose_id),
  CONSTRAINT uq_stock_move_answers UNIQUE (answers),
  CONSTRAINT uq_stock_move_id_kind_lot_id_quantity UNIQUE (id, kind, lot_id, quantity),
  CONSTRAINT uq_stock_move_id_dose_id UNIQUE (id, dose_id),
  CONSTRAINT uq_stock_move_site_id_lot_id_ordinal UNIQUE (site_id, lot_id, ordinal),
  CONSTRAINT fk_stock_move_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_move_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT fk_stock_move_moved_by FOREIGN KEY(moved_by) REFERENCES staff (id)
);

CREATE INDEX ix_stock_move_lot_id ON stock_move (lot_id);

CREATE UNIQUE INDEX one_move_a_dose ON stock_move (dose_id, kind) WHERE dose_id IS NOT NULL;

CREATE TABLE stock (
  site_id UUID NOT NULL,
  lot_id UUID NOT NULL,
  moves INTEGER NOT NULL,
  received INTEGER NOT NULL,
  overfill INTEGER NOT NULL,
  unexplained INTEGER NOT NULL,
  transferred_in INTEGER NOT NULL,
  given INTEGER NOT NULL,
  wasted INTEGER NOT NULL,
  transferred_out INTEGER NOT NULL,
  returned INTEGER NOT NULL,
  remaining INTEGER GENERATED ALWAYS AS (received + overfill + unexplained + transferred_in - given - wasted - transferred_out - returned) STORED NOT NULL,
  CONSTRAINT pk_stock PRIMARY KEY (site_id, lot_id),
  CONSTRAINT ck_stock_remaining CHECK (remaining >= 0),
  CONSTRAINT ck_stock_sums CHECK (received >= 0 AND overfill >= 0 AND transferred_in >= 0 AND given >= 0 AND wasted >= 0 AND transferred_out >= 0 AND returned >= 0),
  CONSTRAINT fk_stock_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id)
);

CREATE TABLE consent (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  programme_id UUID NOT NULL,
  ordinal INTEGER NOT NULL,
  decision VARCHAR NOT NULL,
  decided_by VARCHAR NOT NULL,
  sealed BYTEA,
  recorded_by UUID,
  CONSTRAINT pk_consent PRIMARY KEY (id),
  CONSTRAINT ck_consent_decision CHECK (decision IN ('given', 'refused', 'withdrawn')),
  CONSTRAINT ck_consent_decided_by CHECK (decided_by IN ('self', 'parent', 'guardian', 'carer')),
  CONSTRAINT ck_consent_other_is_named CHECK ((decided_by = 'self') = (sealed IS NULL)),
  CONSTRAINT ck_consent_ordinal CHECK (ordinal >= 1),
  CONSTRAINT uq_consent_person_id_programme_id_ordinal UNIQUE (person_id, programme_id, ordinal),
  CONSTRAINT fk_consent_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_consent_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_consent_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id)
);

CREATE TABLE screening (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  programme_id UUID NOT NULL,
  appointment_id UUID,
  questions_id UUID NOT NULL,
  sealed BYTEA NOT NULL,
  outcome VARCHAR NOT NULL,
  screened_by UUID,
  CONSTRAINT pk_screening PRIMARY KEY (id),
  CONSTRAINT fk_screening_appointment_id_person_id FOREIGN KEY(appointment_id, person_id) REFERENCES appointment (id, person_id),
  CONSTRAINT ck_screening_outcome CHECK (outcome IN ('go', 'ask_clinician', 'defer', 'refuse')),
  CONSTRAINT fk_screening_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_screening_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_screening_questions_id FOREIGN KEY(questions_id) REFERENCES knowledge (id),
  CONSTRAINT fk_screening_screened_by FOREIGN KEY(screened_by) REFERENCES staff (id)
);

CREATE INDEX ix_screening_person_id ON screening (person_id);

CREATE TABLE triage (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  screening_id UUID NOT NULL,
  ordinal INTEGER NOT NULL,
  outcome VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  decided_by UUID NOT NULL,
  CONSTRAINT pk_triage PRIMARY KEY (id),
  CONSTRAINT ck_triage_outcome CHECK (outcome IN ('go', 'defer', 'refuse')),
  CONSTRAINT ck_triage_reason CHECK (reason IN ('history_clarified', 'benefit_outweighs', 'specialist_advice', 'condition_passed', 'other')),
  CONSTRAINT ck_triage_ordinal CHECK (ordinal >= 1),
  CONSTRAINT uq_triage_screening_id_ordinal UNIQUE (screening_id, ordinal),
  CONSTRAINT fk_triage_screening_id FOREIGN KEY(screening_id) REFERENCES screening (id),
  CONSTRAINT fk_triage_decided_by FOREIGN KEY(decided_by) REFERENCES staff (id)
);

CREATE TABLE adverse_event (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  number VARCHAR NOT NULL,
  country VARCHAR NOT NULL,
  person_id UUID NOT NULL,
  dose_id UUID,
  site_id UUID,
  term VARCHAR NOT NULL,
  onset_on DATE NOT NULL,
  reporter VARCHAR NOT NULL,
  reported_by UUID,
  sealed BYTEA NOT NULL,
  seriousness VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  causality VARCHAR,
  due_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_adverse_event PRIMARY KEY (id),
  CONSTRAINT fk_adverse_event_dose_id_person_id FOREIGN KEY(dose_id, person_id) REFERENCES dose (id, person_id),
  CONSTRAINT ck_adverse_event_state CHECK (state IN ('reported', 'investigating', 'assessed', 'closed')),
  CONSTRAINT ck_adverse_event_term CHECK (term IN ('local_reaction_severe', 'seizure_febrile', 'seizure_afebrile', 'abscess', 'sepsis', 'encephalopathy', 'toxic_shock_syndrome', 'thrombocytopenia', 'anaphylaxis', 'fever_38', 'other')),
  CONSTRAINT ck_adverse_event_seriousness CHECK (seriousness IN ('not_serious', 'death', 'life_threatening', 'hospitalisation', 'disability', 'congenital_anomaly', 'medically_important')),
  CONSTRAINT ck_adverse_event_outcome CHECK (outcome IN ('recovering', 'recovered', 'recovered_with_sequelae', 'not_recovered', 'died', 'unknown')),
  CONSTRAINT ck_adverse_event_causality CHECK (causality IN ('vaccine_product', 'vaccine_quality', 'immunisation_error', 'immunisation_anxiety', 'indeterminate_temporal', 'indeterminate_conflicting', 'coincidental', 'unclassifiable')),
  CONSTRAINT ck_adverse_event_reporter CHECK (reporter IN ('self', 'parent', 'guardian', 'carer', 'health_worker')),
  CONSTRAINT ck_adverse_event_clock CHECK ((seriousness = 'not_serious') = (due_at IS NULL)),
  CONSTRAINT ck_adverse_event_death CHECK (seriousness <> 'not_serious' OR outcome <> 'died'),
  CONSTRAINT ck_adverse_event_due_after_report CHECK (due_at >= recorded_at),
  CONSTRAINT ck_adverse_event_assessed CHECK (state <> 'assessed' OR causality IS NOT NULL),
  CONSTRAINT ck_adverse_event_serious_is_assessed CHECK (state <> 'closed' OR seriousness = 'not_serious' OR causality IS NOT NULL),
  CONSTRAINT uq_adverse_event_number UNIQUE (number),
  CONSTRAINT fk_adverse_event_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_adverse_event_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_adverse_event_reported_by FOREIGN KEY(reported_by) REFERENCES staff (id)
);

CREATE INDEX ix_adverse_event_person_id ON adverse_event (person_id);

CREATE INDEX ix_adverse_event_state_due_at ON adverse_event (state, due_at);

-- What was given before there was any stock came from nowhere that our books know.
INSERT INTO stock_move (
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, dose_id, moved_by
)
SELECT gen_random_uuid(), given.recorded_at, given.site_id, given.lot_id, 2 * given.turn - 1 + pair.second,
       CASE pair.second WHEN 0 THEN 'unexplained' ELSE 'given' END, 1, given.id, given.recorded_by
  FROM (
    SELECT dose.*, row_number() OVER (PARTITION BY site_id, lot_id ORDER BY given_at, id) AS turn
      FROM dose
     WHERE site_id IS NOT NULL AND lot_id IS NOT NULL AND source = 'point_of_care'
       AND NOT EXISTS (
         SELECT 1 FROM dose_standing AS stands
          WHERE stands.dose_id = dose.id AND stands.counts = 'entered_in_error'
       )
  ) AS given
 CROSS JOIN (SELECT 0 AS second UNION ALL SELECT 1) AS pair;

INSERT INTO stock (
  site_id, lot_id, moves, received, overfill, unexplained, transferred_in, given, wasted,
  transferred_out, returned
)
SELECT site_id, lot_id, count(*), 0, 0, count(*) / 2, 0, count(*) / 2, 0, 0, 0
  FROM stock_move GROUP BY site_id, lot_id;

-- down
DROP TABLE adverse_event;

DROP TABLE triage;

DROP TABLE screening;

DROP TABLE consent;

DROP TABLE stock;

DROP TABLE stock_move;

DROP INDEX uq_appointment_person;

DROP INDEX uq_dose_stock;

ALTER TABLE lot_validity DROP COLUMN ordinal, DROP COLUMN ordered_by, DROP CONSTRAINT ck_lot_validity_state,
  ADD CONSTRAINT uq_lot_validity_lot_id_since UNIQUE (lot_id, since),
  ADD CONSTRAINT ck_lot_validity_state CHECK (state IN ('released', 'recalled'));

ALTER TABLE lot DROP COLUMN received_by, DROP COLUMN judged_up_to;
