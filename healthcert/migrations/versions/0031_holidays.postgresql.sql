CREATE TABLE holiday (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  organisation_id UUID NOT NULL,
  region VARCHAR,
  day DATE NOT NULL,
  names JSON NOT NULL,
  declared_by UUID NOT NULL,
  withdrawn_at TIMESTAMP WITH TIME ZONE,
  withdrawn_by UUID,
  CONSTRAINT pk_holiday PRIMARY KEY (id),
  CONSTRAINT ck_holiday_withdrawn_after_declared CHECK (withdrawn_at >= recorded_at),
  CONSTRAINT ck_holiday_withdrawn_by_somebody CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL)),
  CONSTRAINT uq_holiday_day_id UNIQUE (day, id),
  CONSTRAINT fk_holiday_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id),
  CONSTRAINT fk_holiday_declared_by FOREIGN KEY(declared_by) REFERENCES staff (id),
  CONSTRAINT fk_holiday_withdrawn_by FOREIGN KEY(withdrawn_by) REFERENCES staff (id)
);
CREATE UNIQUE INDEX one_holiday_of_organisation ON holiday (organisation_id, day) WHERE withdrawn_at IS NULL AND region IS NULL;
CREATE UNIQUE INDEX one_holiday_of_region ON holiday (organisation_id, region, day) WHERE withdrawn_at IS NULL;

ALTER TABLE site_closure
  ADD holiday_id UUID,
  ADD CONSTRAINT fk_site_closure_holiday_id_day FOREIGN KEY(holiday_id, day) REFERENCES holiday (id, day);
CREATE INDEX ix_site_closure_holiday_id ON site_closure (holiday_id);

-- down
ALTER TABLE site_closure DROP holiday_id;
DROP TABLE holiday;
