CREATE TABLE vial (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  lot_id CHAR(32) NOT NULL,
  opened_by CHAR(32) NOT NULL,
  doses INTEGER NOT NULL,
  thawed_on DATE,
  use_until DATETIME NOT NULL,
  state VARCHAR NOT NULL,
  ended_at DATETIME,
  CONSTRAINT pk_vial PRIMARY KEY (id),
  CONSTRAINT fk_vial_site_id_lot_id FOREIGN KEY(site_id, lot_id) REFERENCES stock (site_id, lot_id),
  CONSTRAINT ck_vial_doses CHECK (doses BETWEEN 1 AND 100),
  CONSTRAINT ck_vial_state CHECK (state IN ('open', 'finished', 'discarded')),
  CONSTRAINT ck_vial_ended CHECK ((state = 'open') = (ended_at IS NULL)),
  CONSTRAINT ck_vial_ended_after_opened CHECK (ended_at >= recorded_at),
  CONSTRAINT fk_vial_opened_by FOREIGN KEY(opened_by) REFERENCES staff (id),
  CONSTRAINT ck_vial_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_vial_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_vial_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_vial_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_vial_opened_by_type CHECK (length(opened_by) = 32 AND opened_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_vial_doses_type CHECK (typeof(doses) IN ('integer', 'null')),
  CONSTRAINT ck_vial_thawed_on_type CHECK (date(thawed_on, '+0 days') IS thawed_on),
  CONSTRAINT ck_vial_use_until_type CHECK (datetime(use_until, '+0 days') IS substr(use_until, 1, 19) AND substr(use_until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_vial_ended_at_type CHECK (datetime(ended_at, '+0 days') IS substr(ended_at, 1, 19) AND substr(ended_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_vial_open ON vial (site_id) WHERE state = 'open';
CREATE INDEX ix_vial_site_id_lot_id ON vial (site_id, lot_id, recorded_at);

CREATE TABLE new_cold_reading (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  fridge_id CHAR(32),
  lot_id CHAR(32),
  site_id CHAR(32) NOT NULL,
  celsius DOUBLE,
  vvm_stage INTEGER,
  taken_at DATETIME NOT NULL,
  read_by CHAR(32) NOT NULL,
  CONSTRAINT pk_cold_reading PRIMARY KEY (id),
  CONSTRAINT fk_cold_reading_fridge_id_site_id FOREIGN KEY(fridge_id, site_id) REFERENCES fridge (id, site_id),
  CONSTRAINT ck_cold_reading_celsius CHECK (celsius BETWEEN -100 AND 60),
  CONSTRAINT ck_cold_reading_vvm_stage CHECK (vvm_stage BETWEEN 1 AND 4),
  CONSTRAINT ck_cold_reading_of_one CHECK ((fridge_id IS NULL) = (celsius IS NULL) AND (lot_id IS NULL) = (vvm_stage IS NULL) AND (fridge_id IS NULL) <> (lot_id IS NULL)),
  CONSTRAINT ck_cold_reading_taken_before_recorded CHECK (taken_at <= recorded_at),
  CONSTRAINT uq_cold_reading_id_site_id UNIQUE (id, site_id),
  CONSTRAINT fk_cold_reading_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT fk_cold_reading_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_cold_reading_read_by FOREIGN KEY(read_by) REFERENCES staff (id),
  CONSTRAINT ck_cold_reading_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_cold_reading_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_cold_reading_fridge_id_type CHECK (length(fridge_id) = 32 AND fridge_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_cold_reading_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_cold_reading_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_cold_reading_celsius_type CHECK (typeof(celsius) IN ('real', 'null')),
  CONSTRAINT ck_cold_reading_vvm_stage_type CHECK (typeof(vvm_stage) IN ('integer', 'null')),
  CONSTRAINT ck_cold_reading_taken_at_type CHECK (datetime(taken_at, '+0 days') IS substr(taken_at, 1, 19) AND substr(taken_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_cold_reading_read_by_type CHECK (length(read_by) = 32 AND read_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_cold_reading (id, recorded_at, fridge_id, site_id, celsius, taken_at, read_by)
SELECT id, recorded_at, fridge_id, site_id, celsius, taken_at, read_by
  FROM cold_reading;
DROP TABLE cold_reading;
ALTER TABLE new_cold_reading RENAME TO cold_reading;
CREATE INDEX ix_cold_reading_fridge_id_taken_at ON cold_reading (fridge_id, taken_at);

-- down
DROP TABLE vial;
UPDATE stock SET set_aside = NULL
 WHERE set_aside IN (SELECT id FROM cold_reading WHERE lot_id IS NOT NULL);

CREATE TABLE new_cold_reading (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  fridge_id CHAR(32) NOT NULL,
  site_id CHAR(32) NOT NULL,
  celsius DOUBLE NOT NULL,
  taken_at DATETIME NOT NULL,
  read_by CHAR(32) NOT NULL,
  CONSTRAINT pk_cold_reading PRIMARY KEY (id),
  CONSTRAINT fk_cold_reading_fridge_id_site_id FOREIGN KEY(fridge_id, site_id) REFERENCES fridge (id, site_id),
  CONSTRAINT ck_cold_reading_celsius CHECK (celsius BETWEEN -100 AND 60),
  CONSTRAINT ck_cold_reading_taken_before_recorded CHECK (taken_at <= recorded_at),
  CONSTRAINT uq_cold_reading_id_site_id UNIQUE (id, site_id),
  CONSTRAINT fk_cold_reading_read_by FOREIGN KEY(read_by) REFERENCES staff (id),
  CONSTRAINT ck_cold_reading_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_cold_reading_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_cold_reading_fridge_id_type CHECK (length(fridge_id) = 32 AND fridge_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_cold_reading_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_cold_reading_celsius_type CHECK (typeof(celsius) IN ('real', 'null')),
  CONSTRAINT ck_cold_reading_taken_at_type CHECK (datetime(taken_at, '+0 days') IS substr(taken_at, 1, 19) AND substr(taken_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_cold_reading_read_by_type CHECK (length(read_by) = 32 AND read_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_cold_reading (id, recorded_at, fridge_id, site_id, celsius, taken_at, read_by)
SELECT id, recorded_at, fridge_id, site_id, celsius, taken_at, read_by
  FROM cold_reading WHERE lot_id IS NULL;
DROP TABLE cold_reading;
ALTER TABLE new_cold_reading RENAME TO cold_reading;
CREATE INDEX ix_cold_reading_fridge_id_taken_at ON cold_reading (fridge_id, taken_at);
