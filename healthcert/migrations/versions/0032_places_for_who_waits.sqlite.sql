CREATE TABLE new_session_template (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  weekdays INTEGER NOT NULL,
  first_day DATE NOT NULL,
  last_day DATE NOT NULL,
  minutes INTEGER NOT NULL,
  capacity INTEGER NOT NULL,
  kept_phone INTEGER NOT NULL,
  kept_walk_in INTEGER NOT NULL,
  kept_second_dose INTEGER NOT NULL,
  kept_waiting INTEGER NOT NULL,
  made_until DATE,
  ended_from DATE,
  CONSTRAINT pk_session_template PRIMARY KEY (id),
  CONSTRAINT ck_session_template_weekdays CHECK (weekdays BETWEEN 1 AND 127),
  CONSTRAINT ck_session_template_days CHECK (first_day <= last_day),
  CONSTRAINT ck_session_template_ended CHECK (ended_from <= last_day),
  CONSTRAINT ck_session_template_minutes CHECK (minutes BETWEEN 5 AND 60),
  CONSTRAINT ck_session_template_kept_phone CHECK (kept_phone >= 0),
  CONSTRAINT ck_session_template_kept_walk_in CHECK (kept_walk_in >= 0),
  CONSTRAINT ck_session_template_kept_second_dose CHECK (kept_second_dose >= 0),
  CONSTRAINT ck_session_template_kept_waiting CHECK (kept_waiting >= 0),
  CONSTRAINT ck_session_template_fits CHECK (capacity > 0 AND kept_phone + kept_walk_in + kept_second_dose + kept_waiting <= capacity),
  CONSTRAINT fk_session_template_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_session_template_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_session_template_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT ck_session_template_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_session_template_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_weekdays_type CHECK (typeof(weekdays) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_first_day_type CHECK (date(first_day, '+0 days') IS first_day),
  CONSTRAINT ck_session_template_last_day_type CHECK (date(last_day, '+0 days') IS last_day),
  CONSTRAINT ck_session_template_minutes_type CHECK (typeof(minutes) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_capacity_type CHECK (typeof(capacity) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_kept_phone_type CHECK (typeof(kept_phone) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_kept_walk_in_type CHECK (typeof(kept_walk_in) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_kept_second_dose_type CHECK (typeof(kept_second_dose) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_kept_waiting_type CHECK (typeof(kept_waiting) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_made_until_type CHECK (date(made_until, '+0 days') IS made_until),
  CONSTRAINT ck_session_template_ended_from_type CHECK (date(ended_from, '+0 days') IS ended_from)
);

INSERT INTO new_session_template (
  id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, last_day, minutes, capacity, kept_phone, kept_walk_in, kept_second_dose, made_until, ended_from, kept_waiting
)
SELECT id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, last_day, minutes, capacity, kept_phone, kept_walk_in, kept_second_dose, made_until, ended_from, 0
  FROM session_template;
DROP TABLE session_template;
ALTER TABLE new_session_template RENAME TO session_template;
CREATE INDEX ix_session_template_made_until ON session_template (made_until);

-- down
CREATE TABLE new_session_template (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  weekdays INTEGER NOT NULL,
  first_day DATE NOT NULL,
  last_day DATE NOT NULL,
  minutes INTEGER NOT NULL,
  capacity INTEGER NOT NULL,
  kept_phone INTEGER NOT NULL,
  kept_walk_in INTEGER NOT NULL,
  kept_second_dose INTEGER NOT NULL,
  made_until DATE,
  ended_from DATE,
  CONSTRAINT pk_session_template PRIMARY KEY (id),
  CONSTRAINT ck_session_template_weekdays CHECK (weekdays BETWEEN 1 AND 127),
  CONSTRAINT ck_session_template_days CHECK (first_day <= last_day),
  CONSTRAINT ck_session_template_ended CHECK (ended_from <= last_day),
  CONSTRAINT ck_session_template_minutes CHECK (minutes BETWEEN 5 AND 60),
  CONSTRAINT ck_session_template_kept_phone CHECK (kept_phone >= 0),
  CONSTRAINT ck_session_template_kept_walk_in CHECK (kept_walk_in >= 0),
  CONSTRAINT ck_session_template_kept_second_dose CHECK (kept_second_dose >= 0),
  CONSTRAINT ck_session_template_fits CHECK (capacity > 0 AND kept_phone + kept_walk_in + kept_second_dose <= capacity),
  CONSTRAINT fk_session_template_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_session_template_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_session_template_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT ck_session_template_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_session_template_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_session_template_weekdays_type CHECK (typeof(weekdays) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_first_day_type CHECK (date(first_day, '+0 days') IS first_day),
  CONSTRAINT ck_session_template_last_day_type CHECK (date(last_day, '+0 days') IS last_day),
  CONSTRAINT ck_session_template_minutes_type CHECK (typeof(minutes) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_capacity_type CHECK (typeof(capacity) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_kept_phone_type CHECK (typeof(kept_phone) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_kept_walk_in_type CHECK (typeof(kept_walk_in) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_kept_second_dose_type CHECK (typeof(kept_second_dose) IN ('integer', 'null')),
  CONSTRAINT ck_session_template_made_until_type CHECK (date(made_until, '+0 days') IS made_until),
  CONSTRAINT ck_session_template_ended_from_type CHECK (date(ended_from, '+0 days') IS ended_from)
);

INSERT INTO new_session_template (
  id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, last_day, minutes, capacity, kept_phone, kept_walk_in, kept_second_dose, made_until, ended_from
)
SELECT id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, last_day, minutes, capacity, kept_phone, kept_walk_in, kept_second_dose, made_until, ended_from
  FROM session_template;
DROP TABLE session_template;
ALTER TABLE new_session_template RENAME TO session_template;
CREATE INDEX ix_session_template_made_until ON session_template (made_until);
