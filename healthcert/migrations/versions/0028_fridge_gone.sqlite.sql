CREATE TABLE new_fridge (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  name VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  gone_at DATETIME,
  CONSTRAINT pk_fridge PRIMARY KEY (id),
  CONSTRAINT ck_fridge_kind CHECK (kind IN ('fridge', 'freezer')),
  CONSTRAINT ck_fridge_gone_after_added CHECK (gone_at >= recorded_at),
  CONSTRAINT uq_fridge_id_site_id UNIQUE (id, site_id),
  CONSTRAINT fk_fridge_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_fridge_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_fridge_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_fridge_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_fridge_gone_at_type CHECK (datetime(gone_at, '+0 days') IS substr(gone_at, 1, 19) AND substr(gone_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_fridge (id, recorded_at, site_id, name, kind)
SELECT id, recorded_at, site_id, name, kind
  FROM fridge;
DROP TABLE fridge;
ALTER TABLE new_fridge RENAME TO fridge;
CREATE UNIQUE INDEX one_fridge_of_a_name ON fridge (site_id, name) WHERE gone_at IS NULL;

-- down
CREATE TABLE new_fridge (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  name VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  CONSTRAINT pk_fridge PRIMARY KEY (id),
  CONSTRAINT ck_fridge_kind CHECK (kind IN ('fridge', 'freezer')),
  CONSTRAINT uq_fridge_site_id_name UNIQUE (site_id, name),
  CONSTRAINT uq_fridge_id_site_id UNIQUE (id, site_id),
  CONSTRAINT fk_fridge_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_fridge_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_fridge_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_fridge_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_fridge (id, recorded_at, site_id, name, kind)
SELECT id, recorded_at, site_id, CASE WHEN gone_at IS NULL THEN name ELSE name || ' ' || id END, kind
  FROM fridge;
DROP TABLE fridge;
ALTER TABLE new_fridge RENAME TO fridge;
