CREATE TABLE phase (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  programme_id UUID NOT NULL,
  knowledge_id UUID NOT NULL,
  code VARCHAR NOT NULL,
  names JSON NOT NULL,
  admits JSON NOT NULL,
  opens_on DATE NOT NULL,
  closes_on DATE,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_phase PRIMARY KEY (id),
  CONSTRAINT uq_phase_knowledge_id_code UNIQUE (knowledge_id, code),
  CONSTRAINT uq_phase_mirror UNIQUE (id, programme_id, knowledge_id),
  CONSTRAINT ck_phase_opens_first CHECK (closes_on IS NULL OR opens_on <= closes_on),
  CONSTRAINT fk_phase_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_phase_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id)
);
CREATE TABLE eligibility_decision (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  person_id UUID NOT NULL,
  programme_id UUID NOT NULL,
  knowledge_id UUID NOT NULL,
  phase_id UUID,
  day DATE NOT NULL,
  outcome VARCHAR NOT NULL,
  reasons JSON NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by UUID,
  exception_reason VARCHAR NOT NULL,
  sealed BYTEA NOT NULL,
  CONSTRAINT pk_eligibility_decision PRIMARY KEY (id),
  CONSTRAINT fk_eligibility_decision_phase FOREIGN KEY(phase_id, programme_id, knowledge_id) REFERENCES phase (id, programme_id, knowledge_id),
  CONSTRAINT ck_eligibility_decision_outcome CHECK (outcome IN ('eligible', 'refused', 'exception')),
  CONSTRAINT ck_eligibility_decision_admitted_by CHECK ((outcome = 'eligible') = (phase_id IS NOT NULL)),
  CONSTRAINT ck_eligibility_decision_exception_has_reason CHECK ((outcome = 'exception') = (length(exception_reason) > 0) AND (outcome <> 'exception' OR decided_by IS NOT NULL)),
  CONSTRAINT fk_eligibility_decision_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_eligibility_decision_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_eligibility_decision_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id),
  CONSTRAINT fk_eligibility_decision_decided_by FOREIGN KEY(decided_by) REFERENCES staff (id)
);
CREATE INDEX ix_eligibility_decision_person_id_programme_id ON eligibility_decision (person_id, programme_id);
-- down
DROP TABLE eligibility_decision;
DROP TABLE phase;
