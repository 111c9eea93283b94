CREATE TABLE new_site (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  code VARCHAR NOT NULL,
  names JSON NOT NULL,
  address JSON NOT NULL,
  region VARCHAR NOT NULL,
  latitude DOUBLE NOT NULL,
  longitude DOUBLE NOT NULL,
  time_zone VARCHAR NOT NULL,
  step_free BOOLEAN NOT NULL,
  facilities JSON NOT NULL,
  languages JSON NOT NULL,
  female_vaccinator BOOLEAN NOT NULL,
  organisation_id CHAR(32),
  CONSTRAINT pk_site PRIMARY KEY (id),
  CONSTRAINT ck_site_latitude CHECK (latitude BETWEEN -90 AND 90),
  CONSTRAINT ck_site_longitude CHECK (longitude BETWEEN -180 AND 180),
  CONSTRAINT uq_site_code UNIQUE (code),
  CONSTRAINT fk_site_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id),
  CONSTRAINT ck_site_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_latitude_type CHECK (typeof(latitude) IN ('real', 'null')),
  CONSTRAINT ck_site_longitude_type CHECK (typeof(longitude) IN ('real', 'null')),
  CONSTRAINT ck_site_step_free_type CHECK (step_free IN (0, 1)),
  CONSTRAINT ck_site_female_vaccinator_type CHECK (female_vaccinator IN (0, 1)),
  CONSTRAINT ck_site_organisation_id_type CHECK (length(organisation_id) = 32 AND organisation_id NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_site (
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free,
  facilities, languages, female_vaccinator
)
SELECT
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free,
  facilities, languages, female_vaccinator
  FROM site;
DROP TABLE site;
ALTER TABLE new_site RENAME TO site;

CREATE TABLE new_staff (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  name VARCHAR NOT NULL,
  role VARCHAR NOT NULL,
  site_id CHAR(32),
  organisation_id CHAR(32),
  active BOOLEAN NOT NULL,
  CONSTRAINT pk_staff PRIMARY KEY (id),
  CONSTRAINT ck_staff_role CHECK (role IN ('clerk', 'nurse', 'lead', 'admin', 'key_officer', 'inspector')),
  CONSTRAINT ck_staff_clinic_staff_has_site CHECK (role IN ('admin', 'key_officer', 'inspector') OR site_id IS NOT NULL),
  CONSTRAINT ck_staff_one_employer CHECK (site_id IS NULL OR organisation_id IS NULL),
  CONSTRAINT fk_staff_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_staff_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id),
  CONSTRAINT ck_staff_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_staff_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_organisation_id_type CHECK (length(organisation_id) = 32 AND organisation_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_active_type CHECK (active IN (0, 1))
);

INSERT INTO new_staff (
  id, recorded_at, name, role, site_id, active
)
SELECT
  id, recorded_at, name, role, site_id, active
  FROM staff;
DROP TABLE staff;
ALTER TABLE new_staff RENAME TO staff;

-- down
CREATE TABLE new_staff (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  name VARCHAR NOT NULL,
  role VARCHAR NOT NULL,
  site_id CHAR(32),
  active BOOLEAN NOT NULL,
  CONSTRAINT pk_staff PRIMARY KEY (id),
  CONSTRAINT ck_staff_role CHECK (role IN ('clerk', 'nurse', 'admin')),
  CONSTRAINT ck_staff_clinic_staff_has_site CHECK (role = 'admin' OR site_id IS NOT NULL),
  CONSTRAINT fk_staff_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_staff_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_staff_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_staff_active_type CHECK (active IN (0, 1))
);

INSERT INTO new_staff (
  id, recorded_at, name, role, site_id, active
)
SELECT
  id, recorded_at, name, role, site_id, active
  FROM staff;
DROP TABLE staff;
ALTER TABLE new_staff RENAME TO staff;

CREATE TABLE new_site (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  code VARCHAR NOT NULL,
  names JSON NOT NULL,
  address JSON NOT NULL,
  region VARCHAR NOT NULL,
  latitude DOUBLE NOT NULL,
  longitude DOUBLE NOT NULL,
  time_zone VARCHAR NOT NULL,
  step_free BOOLEAN NOT NULL,
  facilities JSON NOT NULL,
  languages JSON NOT NULL,
  female_vaccinator BOOLEAN NOT NULL,
  CONSTRAINT pk_site PRIMARY KEY (id),
  CONSTRAINT ck_site_latitude CHECK (latitude BETWEEN -90 AND 90),
  CONSTRAINT ck_site_longitude CHECK (longitude BETWEEN -180 AND 180),
  CONSTRAINT uq_site_code UNIQUE (code),
  CONSTRAINT ck_site_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_latitude_type CHECK (typeof(latitude) IN ('real', 'null')),
  CONSTRAINT ck_site_longitude_type CHECK (typeof(longitude) IN ('real', 'null')),
  CONSTRAINT ck_site_step_free_type CHECK (step_free IN (0, 1)),
  CONSTRAINT ck_site_female_vaccinator_type CHECK (female_vaccinator IN (0, 1))
);

INSERT INTO new_site (
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free,
  facilities, languages, female_vaccinator
)
SELECT
  id, recorded_at, code, names, address, region, latitude, longitude, time_zone, step_free,
  facilities, languages, female_vaccinator
  FROM site;
DROP TABLE site;
ALTER TABLE new_site RENAME TO site;
