CREATE TABLE new_site_hours (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  since DATE NOT NULL,
  weekday INTEGER,
  opens TIME,
  closes TIME,
  CONSTRAINT pk_site_hours PRIMARY KEY (id),
  CONSTRAINT ck_site_hours_weekday CHECK (weekday BETWEEN 1 AND 7),
  CONSTRAINT ck_site_hours_times CHECK (opens < closes),
  CONSTRAINT ck_site_hours_closed CHECK ((weekday IS NULL) = (opens IS NULL) AND (opens IS NULL) = (closes IS NULL)),
  CONSTRAINT uq_site_hours_site_id_since_weekday_opens UNIQUE (site_id, since, weekday, opens),
  CONSTRAINT fk_site_hours_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_site_hours_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_hours_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_hours_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_hours_since_type CHECK (date(since, '+0 days') IS since),
  CONSTRAINT ck_site_hours_weekday_type CHECK (typeof(weekday) IN ('integer', 'null')),
  CONSTRAINT ck_site_hours_opens_type CHECK (time(opens, '+0 days') || '.000000' IS opens),
  CONSTRAINT ck_site_hours_closes_type CHECK (time(closes, '+0 days') || '.000000' IS closes)
);

INSERT INTO new_site_hours (id, recorded_at, site_id, since, weekday, opens, closes)
SELECT id, recorded_at, site_id, '0001-01-01', weekday, opens, closes
  FROM site_hours;
DROP TABLE site_hours;
ALTER TABLE new_site_hours RENAME TO site_hours;

-- down
CREATE TABLE new_site_hours (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  weekday INTEGER NOT NULL,
  opens TIME NOT NULL,
  closes TIME NOT NULL,
  CONSTRAINT pk_site_hours PRIMARY KEY (id),
  CONSTRAINT ck_site_hours_weekday CHECK (weekday BETWEEN 1 AND 7),
  CONSTRAINT ck_site_hours_times CHECK (opens < closes),
  CONSTRAINT uq_site_hours_site_id_weekday_opens UNIQUE (site_id, weekday, opens),
  CONSTRAINT fk_site_hours_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_site_hours_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_hours_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_site_hours_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_site_hours_weekday_type CHECK (typeof(weekday) IN ('integer', 'null')),
  CONSTRAINT ck_site_hours_opens_type CHECK (time(opens, '+0 days') || '.000000' IS opens),
  CONSTRAINT ck_site_hours_closes_type CHECK (time(closes, '+0 days') || '.000000' IS closes)
);

INSERT INTO new_site_hours (id, recorded_at, site_id, weekday, opens, closes)
SELECT id, recorded_at, site_id, weekday, opens, closes
  FROM site_hours
 WHERE weekday IS NOT NULL AND since = coalesce(
   (SELECT max(since) FROM site_hours AS its WHERE its.site_id = site_hours.site_id AND its.since <= date('now')),
   (SELECT min(since) FROM site_hours AS its WHERE its.site_id = site_hours.site_id)
 );
DROP TABLE site_hours;
ALTER TABLE new_site_hours RENAME TO site_hours;
