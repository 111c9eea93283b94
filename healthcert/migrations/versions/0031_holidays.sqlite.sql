CREATE TABLE holiday (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  organisation_id CHAR(32) NOT NULL,
  region VARCHAR,
  day DATE NOT NULL,
  names JSON NOT NULL,
  declared_by CHAR(32) NOT NULL,
  withdrawn_at DATETIME,
  withdrawn_by CHAR(32),
  CONSTRAINT pk_holiday PRIMARY KEY (id),
  CONSTRAINT ck_holiday_withdrawn_after_declared CHECK (withdrawn_at >= recorded_at),
  CONSTRAINT ck_holiday_withdrawn_by_somebody CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL)),
  CONSTRAINT uq_holiday_day_id UNIQUE (day, id),
  CONSTRAINT fk_holiday_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id),
  CONSTRAINT fk_holiday_declared_by FOREIGN KEY(declared_by) REFERENCES staff (id),
  CONSTRAINT fk_holiday_withdrawn_by FOREIGN KEY(withdrawn_by) REFERENCES staff (id),
  CONSTRAINT ck_holiday_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_holiday_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_holiday_organisation_id_type CHECK (length(organisation_id) = 32 AND organisation_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_holiday_day_type CHECK (date(day, '+0 days') IS day),
  CONSTRAINT ck_holiday_declared_by_type CHECK (length(declared_by) = 32 AND declared_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_holiday_withdrawn_at_type CHECK (datetime(withdrawn_at, '+0 days') IS substr(withdrawn_at, 1, 19) AND substr(withdrawn_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_holiday_withdrawn_by_type CHECK (length(withdrawn_by) = 32 AND withdrawn_by NOT GLOB '*[^0-9a-f]*')
);
CREATE UNIQUE INDEX one_holiday_of_organisation ON holiday (organisation_id, day) WHERE withdrawn_at IS NULL AND region IS NULL;
CREATE UNIQUE INDEX one_holiday_of_region ON holiday (organisation_id, region, day) WHERE withdrawn_at IS NULL;

CREATE TABLE new_site_closure (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  day DATE NOT NULL,
  holiday_id CHAR(32),
  CONSTRAINT pk_site_closure PRIMARY KEY (id),
  CONSTRAINT uq_site_closure_site_id_day UNIQUE (site_id, day),
  CONSTRAINT fk_site_closure_holiday_id_day FOREIGN KEY(holiday_id, day) REFERENCES holiday (id, day),
  CONSTRAINT fk_site_closure_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_site_closure_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_closure_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_closure_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_closure_day_type CHECK (date(day, '+0 days') IS day),
  CONSTRAINT ck_site_closure_holiday_id_type CHECK (length(holiday_id) = 32 AND holiday_id NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_site_closure (id, recorded_at, site_id, day)
SELECT id, recorded_at, site_id, day
  FROM site_closure;
DROP TABLE site_closure;
ALTER TABLE new_site_closure RENAME TO site_closure;
CREATE INDEX ix_site_closure_holiday_id ON site_closure (holiday_id);

-- down
CREATE TABLE new_site_closure (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  day DATE NOT NULL,
  CONSTRAINT pk_site_closure PRIMARY KEY (id),
  CONSTRAINT uq_site_closure_site_id_day UNIQUE (site_id, day),
  CONSTRAINT fk_site_closure_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_site_closure_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_closure_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_closure_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_closure_day_type CHECK (date(day, '+0 days') IS day)
);

INSERT INTO new_site_closure (id, recorded_at, site_id, day)
SELECT id, recorded_at, site_id, day
  FROM site_closure;
DROP TABLE site_closure;
ALTER TABLE new_site_closure RENAME TO site_closure;

DROP TABLE holiday;
