CREATE TABLE new_adverse_event (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  number VARCHAR NOT NULL,
  country VARCHAR NOT NULL,
  person_id CHAR(32) NOT NULL,
  dose_id CHAR(32),
  site_id CHAR(32),
  term VARCHAR NOT NULL,
  onset_on DATE NOT NULL,
  reporter VARCHAR NOT NULL,
  reported_by CHAR(32),
  sealed BLOB NOT NULL,
  seriousness VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  causality VARCHAR,
  due_at DATETIME,
  error_reason VARCHAR,
  CONSTRAINT pk_adverse_event PRIMARY KEY (id),
  CONSTRAINT fk_adverse_event_dose_id_person_id FOREIGN KEY(dose_id, person_id) REFERENCES dose (id, person_id),
  CONSTRAINT ck_adverse_event_state CHECK (state IN ('reported', 'investigating', 'assessed', 'closed', 'entered_in_error')),
  CONSTRAINT ck_adverse_event_term CHECK (term IN ('local_reaction_severe', 'seizure_febrile', 'seizure_afebrile', 'abscess', 'sepsis', 'encephalopathy', 'toxic_shock_syndrome', 'thrombocytopenia', 'anaphylaxis', 'fever_38', 'myocarditis', 'pericarditis', 'thrombosis_with_thrombocytopenia', 'capillary_leak_syndrome', 'guillain_barre_syndrome', 'other')),
  CONSTRAINT ck_adverse_event_seriousness CHECK (seriousness IN ('not_serious', 'death', 'life_threatening', 'hospitalisation', 'disability', 'congenital_anomaly', 'medically_important')),
  CONSTRAINT ck_adverse_event_outcome CHECK (outcome IN ('recovering', 'recovered', 'recovered_with_sequelae', 'not_recovered', 'died', 'unknown')),
  CONSTRAINT ck_adverse_event_causality CHECK (causality IN ('vaccine_product', 'vaccine_quality', 'immunisation_error', 'immunisation_anxiety', 'indeterminate_temporal', 'indeterminate_conflicting', 'coincidental', 'unclassifiable')),
  CONSTRAINT ck_adverse_event_reporter CHECK (reporter IN ('self', 'parent', 'guardian', 'carer', 'health_worker')),
  CONSTRAINT ck_adverse_event_clock CHECK ((seriousness = 'not_serious') = (due_at IS NULL)),
  CONSTRAINT ck_adverse_event_death CHECK (seriousness <> 'not_serious' OR outcome <> 'died'),
  CONSTRAINT ck_adverse_event_due_after_report CHECK (due_at >= recorded_at),
  CONSTRAINT ck_adverse_event_assessed CHECK (state <> 'assessed' OR causality IS NOT NULL),
  CONSTRAINT ck_adverse_event_serious_is_assessed CHECK (state <> 'closed' OR seriousness = 'not_serious' OR causality IS NOT NULL),
  CONSTRAINT ck_adverse_event_error_reason CHECK (error_reason IN ('wrong_person', 'not_happened', 'reported_twice', 'wrong_details', 'other')),
  CONSTRAINT ck_adverse_event_error_has_reason CHECK ((state = 'entered_in_error') = (error_reason IS NOT NULL)),
  CONSTRAINT uq_adverse_event_number UNIQUE (number),
  CONSTRAINT fk_adverse_event_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_adverse_event_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_adverse_event_reported_by FOREIGN KEY(reported_by) REFERENCES staff (id),
  CONSTRAINT ck_adverse_event_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_adverse_event_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_onset_on_type CHECK (date(onset_on, '+0 days') IS onset_on),
  CONSTRAINT ck_adverse_event_reported_by_type CHECK (length(reported_by) = 32 AND reported_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_adverse_event (
  id, recorded_at, number, country, person_id, dose_id, site_id, term, onset_on, reporter, reported_by, sealed, seriousness, outcome, state, causality, due_at
)
SELECT id, recorded_at, number, country, person_id, dose_id, site_id, term, onset_on, reporter, reported_by, sealed, seriousness, outcome, state, causality, due_at
  FROM adverse_event;
DROP TABLE adverse_event;
ALTER TABLE new_adverse_event RENAME TO adverse_event;
CREATE INDEX ix_adverse_event_person_id ON adverse_event (person_id);
CREATE INDEX ix_adverse_event_state_due_at ON adverse_event (state, due_at);
CREATE UNIQUE INDEX uq_adverse_event_person ON adverse_event (id, person_id);
ALTER TABLE appointment ADD COLUMN why_not VARCHAR CONSTRAINT ck_appointment_why_not CHECK (why_not IN ('refused', 'unwell', 'contraindicated', 'already_had', 'no_consent', 'no_vaccine', 'left'));

-- down
ALTER TABLE appointment DROP COLUMN why_not;
-- The tables of before know neither these kinds nor that a report was taken back.
CREATE TABLE new_adverse_event (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  number VARCHAR NOT NULL,
  country VARCHAR NOT NULL,
  person_id CHAR(32) NOT NULL,
  dose_id CHAR(32),
  site_id CHAR(32),
  term VARCHAR NOT NULL,
  onset_on DATE NOT NULL,
  reporter VARCHAR NOT NULL,
  reported_by CHAR(32),
  sealed BLOB NOT NULL,
  seriousness VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  causality VARCHAR,
  due_at DATETIME,
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
  CONSTRAINT fk_adverse_event_reported_by FOREIGN KEY(reported_by) REFERENCES staff (id),
  CONSTRAINT ck_adverse_event_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_adverse_event_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_onset_on_type CHECK (date(onset_on, '+0 days') IS onset_on),
  CONSTRAINT ck_adverse_event_reported_by_type CHECK (length(reported_by) = 32 AND reported_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_adverse_event (
  id, recorded_at, number, country, person_id, dose_id, site_id, term, onset_on, reporter, reported_by, sealed, seriousness, outcome, state, causality, due_at
)
SELECT id, recorded_at, number, country, person_id, dose_id, site_id, CASE WHEN term IN ('local_reaction_severe', 'seizure_febrile', 'seizure_afebrile', 'abscess', 'sepsis', 'encephalopathy', 'toxic_shock_syndrome', 'thrombocytopenia', 'anaphylaxis', 'fever_38', 'other') THEN term ELSE 'other' END, onset_on, reporter, reported_by, sealed, seriousness, outcome, CASE state WHEN 'entered_in_error' THEN 'reported' ELSE state END, causality, due_at
  FROM adverse_event;
DROP TABLE adverse_event;
ALTER TABLE new_adverse_event RENAME TO adverse_event;
CREATE INDEX ix_adverse_event_person_id ON adverse_event (person_id);
CREATE INDEX ix_adverse_event_state_due_at ON adverse_event (state, due_at);
CREATE UNIQUE INDEX uq_adverse_event_person ON adverse_event (id, person_id);
