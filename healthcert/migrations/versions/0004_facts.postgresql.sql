CREATE TABLE test_result (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  test_type VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  device VARCHAR NOT NULL,
  result VARCHAR NOT NULL,
  sampled_at TIMESTAMP WITH TIME ZONE NOT NULL,
  centre VARCHAR NOT NULL,
  counts VARCHAR GENERATED ALWAYS AS (CASE WHEN evidence = 'stated' OR (test_type = 'LP217198-3' AND device = '') THEN 'unknown' WHEN result = '260373001' THEN 'positive' ELSE 'valid' END) STORED NOT NULL,
  person_id UUID NOT NULL,
  disease VARCHAR NOT NULL,
  country VARCHAR(2),
  evidence VARCHAR NOT NULL,
  sealed BYTEA,
  recorded_on DATE NOT NULL,
  recorded_by UUID NOT NULL,
  replaces UUID,
  CONSTRAINT pk_test_result PRIMARY KEY (id),
  CONSTRAINT ck_test_result_evidence CHECK (evidence IN ('given_here', 'verified', 'seen', 'stated')),
  CONSTRAINT ck_test_result_here_or_elsewhere CHECK ((evidence = 'given_here') = (country IS NULL)),
  CONSTRAINT fk_test_result_replaces_person_id FOREIGN KEY(replaces, person_id) REFERENCES test_result (id, person_id),
  CONSTRAINT uq_test_result_id_person_id UNIQUE (id, person_id),
  CONSTRAINT uq_test_result_id_person_id_disease UNIQUE (id, person_id, disease),
  CONSTRAINT ck_test_result_test_type CHECK (test_type IN ('LP6464-4', 'LP217198-3')),
  CONSTRAINT ck_test_result_result CHECK (result IN ('260415000', '260373001')),
  CONSTRAINT ck_test_result_sampled_before_recorded CHECK (sampled_at <= recorded_at),
  CONSTRAINT ck_test_result_device CHECK (device = '' OR test_type = 'LP217198-3'),
  CONSTRAINT fk_test_result_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_test_result_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
  CONSTRAINT uq_test_result_replaces UNIQUE (replaces)
);

CREATE INDEX ix_test_result_person_id ON test_result (person_id);

CREATE TABLE test_standing (
  test_result_id UUID NOT NULL,
  counts VARCHAR NOT NULL,
  marked_at TIMESTAMP WITH TIME ZONE,
  marked_by UUID,
  reason VARCHAR NOT NULL,
  CONSTRAINT pk_test_standing PRIMARY KEY (test_result_id),
  CONSTRAINT ck_test_standing_counts CHECK (counts IN ('valid', 'positive', 'unknown', 'entered_in_error')),
  CONSTRAINT ck_test_standing_marked CHECK (CASE WHEN counts = 'entered_in_error' THEN marked_at IS NOT NULL AND marked_by IS NOT NULL AND length(reason) > 0 ELSE marked_at IS NULL AND marked_by IS NULL AND reason = '' END),
  CONSTRAINT uq_test_standing_test_result_id_counts UNIQUE (test_result_id, counts),
  CONSTRAINT fk_test_standing_test_result_id FOREIGN KEY(test_result_id) REFERENCES test_result (id),
  CONSTRAINT fk_test_standing_marked_by FOREIGN KEY(marked_by) REFERENCES staff (id)
);

CREATE TABLE recovery (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  test_result_id UUID,
  first_positive_on DATE NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  counts VARCHAR GENERATED ALWAYS AS (CASE WHEN evidence = 'stated' THEN 'unknown' ELSE 'valid' END) STORED NOT NULL,
  person_id UUID NOT NULL,
  disease VARCHAR NOT NULL,
  country VARCHAR(2),
  evidence VARCHAR NOT NULL,
  sealed BYTEA,
  recorded_on DATE NOT NULL,
  recorded_by UUID NOT NULL,
  replaces UUID,
  CONSTRAINT pk_recovery PRIMARY KEY (id),
  CONSTRAINT ck_recovery_evidence CHECK (evidence IN ('given_here', 'verified', 'seen', 'stated')),
  CONSTRAINT ck_recovery_here_or_elsewhere CHECK ((evidence = 'given_here') = (country IS NULL)),
  CONSTRAINT fk_recovery_replaces_person_id FOREIGN KEY(replaces, person_id) REFERENCES recovery (id, person_id),
  CONSTRAINT uq_recovery_id_person_id UNIQUE (id, person_id),
  CONSTRAINT uq_recovery_id_person_id_disease UNIQUE (id, person_id, disease),
  CONSTRAINT fk_recovery_test_result FOREIGN KEY(test_result_id, person_id, disease) REFERENCES test_result (id, person_id, disease),
  CONSTRAINT ck_recovery_found_before_recorded CHECK (first_positive_on <= recorded_on),
  CONSTRAINT ck_recovery_validity CHECK (first_positive_on < valid_from AND valid_from <= valid_until),
  CONSTRAINT uq_recovery_id_test_result_id UNIQUE (id, test_result_id),
  CONSTRAINT fk_recovery_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_recovery_recorded_by FOREIGN KEY(recorded_by) REFERENCES staff (id),
  CONSTRAINT uq_recovery_replaces UNIQUE (replaces)
);

CREATE INDEX ix_recovery_person_id ON recovery (person_id);

CREATE TABLE recovery_standing (
  recovery_id UUID NOT NULL,
  test_result_id UUID,
  test_counts VARCHAR,
  counts VARCHAR NOT NULL,
  marked_at TIMESTAMP WITH TIME ZONE,
  marked_by UUID,
  reason VARCHAR NOT NULL,
  CONSTRAINT pk_recovery_standing PRIMARY KEY (recovery_id),
  CONSTRAINT ck_recovery_standing_counts CHECK (counts IN ('valid', 'unknown', 'entered_in_error')),
  CONSTRAINT ck_recovery_standing_marked CHECK (CASE WHEN counts = 'entered_in_error' THEN marked_at IS NOT NULL AND marked_by IS NOT NULL AND length(reason) > 0 ELSE marked_at IS NULL AND marked_by IS NULL AND reason = '' END),
  CONSTRAINT fk_recovery_standing_recovery_id_test_result_id FOREIGN KEY(recovery_id, test_result_id) REFERENCES recovery (id, test_result_id),
  CONSTRAINT fk_recovery_standing_test_result_id_test_counts FOREIGN KEY(test_result_id, test_counts) REFERENCES test_standing (test_result_id, counts),
  CONSTRAINT ck_recovery_standing_holds_its_test CHECK (CASE WHEN counts = 'entered_in_error' OR test_result_id IS NULL THEN test_counts IS NULL ELSE test_counts IS NOT NULL AND test_counts = 'positive' END),
  CONSTRAINT uq_recovery_standing_recovery_id_counts UNIQUE (recovery_id, counts),
  CONSTRAINT fk_recovery_standing_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id),
  CONSTRAINT fk_recovery_standing_marked_by FOREIGN KEY(marked_by) REFERENCES staff (id)
);

ALTER TABLE dose
  DROP CONSTRAINT fk_dose_replaces,
  ADD COLUMN performed_by UUID,
  ALTER COLUMN given_at DROP NOT NULL,
  ADD COLUMN day_precision VARCHAR NOT NULL DEFAULT 'day',
  ALTER COLUMN body_site DROP NOT NULL,
  ADD COLUMN route VARCHAR,
  ADD COLUMN country VARCHAR(2),
  ADD COLUMN evidence VARCHAR NOT NULL DEFAULT 'given_here',
  ADD COLUMN proof VARCHAR GENERATED ALWAYS AS (CASE WHEN evidence <> 'stated' AND day_precision = 'day' THEN 'enough' END) STORED,
  ADD COLUMN sealed BYTEA,
  ADD COLUMN import_key VARCHAR,
  ADD CONSTRAINT ck_dose_day_precision CHECK (day_precision IN ('year', 'month', 'day')),
  ADD CONSTRAINT ck_dose_evidence CHECK (evidence IN ('given_here', 'verified', 'seen', 'stated')),
  ADD CONSTRAINT ck_dose_here_or_elsewhere CHECK (CASE WHEN source = 'point_of_care' THEN evidence = 'given_here' AND country IS NULL AND day_precision = 'day' AND given_at IS NOT NULL AND body_site IS NOT NULL ELSE evidence <> 'given_here' AND appointment_id IS NULL AND country IS NOT NULL END),
  ADD CONSTRAINT ck_dose_route CHECK (route IN ('20035000', '20066000', '20030000', '20053000', '20049000')),
  ADD CONSTRAINT uq_dose_id_proof UNIQUE (id, proof),
  ADD CONSTRAINT uq_dose_import_key UNIQUE (import_key),
  ADD CONSTRAINT fk_dose_performed_by FOREIGN KEY(performed_by) REFERENCES staff (id),
  ADD CONSTRAINT fk_dose_replaces_person_id FOREIGN KEY(replaces, person_id) REFERENCES dose (id, person_id);
ALTER TABLE dose
  ALTER COLUMN day_precision DROP DEFAULT,
  ALTER COLUMN evidence DROP DEFAULT;

ALTER TABLE dose_judgement
  DROP CONSTRAINT ck_dose_judgement_error_reason,
  ADD COLUMN valid_proof VARCHAR GENERATED ALWAYS AS (CASE WHEN counts = 'valid' THEN 'enough' END) STORED,
  ADD CONSTRAINT ck_dose_judgement_found_reason CHECK (counts NOT IN ('entered_in_error', 'subpotent') OR length(reason) > 0),
  ADD CONSTRAINT fk_dose_judgement_dose_id_valid_proof FOREIGN KEY(dose_id, valid_proof) REFERENCES dose (id, proof);

ALTER TABLE certificate
  ALTER COLUMN dose_id DROP NOT NULL,
  ADD COLUMN test_result_id UUID,
  ADD COLUMN recovery_id UUID,
  ALTER COLUMN dn DROP NOT NULL,
  ALTER COLUMN sd DROP NOT NULL,
  ADD CONSTRAINT ck_certificate_dose_has_number CHECK ((dose_id IS NULL) = (dn IS NULL) AND (dose_id IS NULL) = (sd IS NULL)),
  ADD CONSTRAINT ck_certificate_one_fact CHECK (CASE WHEN dose_id IS NULL THEN 0 ELSE 1 END + CASE WHEN test_result_id IS NULL THEN 0 ELSE 1 END + CASE WHEN recovery_id IS NULL THEN 0 ELSE 1 END = 1),
  ADD CONSTRAINT fk_certificate_recovery_id_person_id_disease FOREIGN KEY(recovery_id, person_id, disease) REFERENCES recovery (id, person_id, disease),
  ADD CONSTRAINT fk_certificate_recovery_id_standing_counts FOREIGN KEY(recovery_id, standing_counts) REFERENCES recovery_standing (recovery_id, counts),
  ADD CONSTRAINT fk_certificate_test_result_id_person_id_disease FOREIGN KEY(test_result_id, person_id, disease) REFERENCES test_result (id, person_id, disease),
  ADD CONSTRAINT fk_certificate_test_result_id_standing_counts FOREIGN KEY(test_result_id, standing_counts) REFERENCES test_standing (test_result_id, counts);

CREATE UNIQUE INDEX one_live_recovery_certificate ON certificate (recovery_id) WHERE state IN ('intended', 'issued');
CREATE UNIQUE INDEX one_live_test_certificate ON certificate (test_result_id) WHERE state IN ('intended', 'issued');

-- down
DROP INDEX one_live_recovery_certificate;
DROP INDEX one_live_test_certificate;
DELETE FROM certificate WHERE dose_id IS NULL;
UPDATE dose SET given_at = coalesce(given_at, recorded_at), body_site = coalesce(body_site, 'other');
ALTER TABLE certificate
  DROP CONSTRAINT fk_certificate_test_result_id_standing_counts,
  DROP CONSTRAINT fk_certificate_test_result_id_person_id_disease,
  DROP CONSTRAINT fk_certificate_recovery_id_standing_counts,
  DROP CONSTRAINT fk_certificate_recovery_id_person_id_disease,
  DROP CONSTRAINT ck_certificate_one_fact,
  DROP CONSTRAINT ck_certificate_dose_has_number,
  ALTER COLUMN dose_id SET NOT NULL,
  DROP COLUMN test_result_id,
  DROP COLUMN recovery_id,
  ALTER COLUMN dn SET NOT NULL,
  ALTER COLUMN sd SET NOT NULL;

ALTER TABLE dose_judgement
  DROP CONSTRAINT fk_dose_judgement_dose_id_valid_proof,
  DROP CONSTRAINT ck_dose_judgement_found_reason,
  DROP COLUMN valid_proof,
  ADD CONSTRAINT ck_dose_judgement_error_reason CHECK (counts <> 'entered_in_error' OR length(reason) > 0);

ALTER TABLE dose
  DROP CONSTRAINT fk_dose_replaces_person_id,
  DROP CONSTRAINT fk_dose_performed_by,
  DROP CONSTRAINT uq_dose_import_key,
  DROP CONSTRAINT uq_dose_id_proof,
  DROP CONSTRAINT ck_dose_route,
  DROP CONSTRAINT ck_dose_here_or_elsewhere,
  DROP CONSTRAINT ck_dose_evidence,
  DROP CONSTRAINT ck_dose_day_precision,
  DROP COLUMN proof,
  DROP COLUMN performed_by,
  ALTER COLUMN given_at SET NOT NULL,
  DROP COLUMN day_precision,
  ALTER COLUMN body_site SET NOT NULL,
  DROP COLUMN route,
  DROP COLUMN country,
  DROP COLUMN evidence,
  DROP COLUMN sealed,
  DROP COLUMN import_key,
  ADD CONSTRAINT fk_dose_replaces FOREIGN KEY(replaces) REFERENCES dose (id);

DROP TABLE recovery_standing;
DROP TABLE recovery;
DROP TABLE test_standing;
DROP TABLE test_result;
