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
  id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, last_day, minutes,
  capacity, kept_phone, kept_walk_in, kept_second_dose, made_until
)
SELECT
  id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, last_day, minutes,
  capacity, kept_phone, kept_walk_in, kept_second_dose, made_until
  FROM session_template;
DROP TABLE session_template;
ALTER TABLE new_session_template RENAME TO session_template;
CREATE INDEX ix_session_template_made_until ON session_template (made_until);

CREATE TABLE new_clinic_session (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  day DATE NOT NULL,
  state VARCHAR NOT NULL,
  template_id CHAR(32),
  given_up_at DATETIME,
  CONSTRAINT pk_clinic_session PRIMARY KEY (id),
  CONSTRAINT ck_clinic_session_state CHECK (state IN ('draft', 'published', 'running', 'closed', 'cancelled')),
  CONSTRAINT ck_clinic_session_given_up CHECK (given_up_at IS NULL OR state = 'cancelled'),
  CONSTRAINT fk_clinic_session_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_clinic_session_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_clinic_session_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT fk_clinic_session_template_id FOREIGN KEY(template_id) REFERENCES session_template (id),
  CONSTRAINT ck_clinic_session_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_clinic_session_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_day_type CHECK (date(day, '+0 days') IS day),
  CONSTRAINT ck_clinic_session_template_id_type CHECK (length(template_id) = 32 AND template_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_given_up_at_type CHECK (datetime(given_up_at, '+0 days') IS substr(given_up_at, 1, 19) AND substr(given_up_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_clinic_session (
  id, recorded_at, site_id, programme_id, product_id, day, state, template_id
)
SELECT
  id, recorded_at, site_id, programme_id, product_id, day, state, template_id
  FROM clinic_session;
DROP TABLE clinic_session;
ALTER TABLE new_clinic_session RENAME TO clinic_session;
CREATE INDEX ix_clinic_session_cancelled ON clinic_session (day) WHERE state = 'cancelled';
CREATE INDEX ix_clinic_session_site_id_day_product_id_id ON clinic_session (site_id, day, product_id, id);
CREATE UNIQUE INDEX one_open_session ON clinic_session (site_id, day, product_id) WHERE state <> 'cancelled';

UPDATE clinic_session SET given_up_at = (
  SELECT max(recorded_at) FROM audit_event
   WHERE subject_kind = 'clinic_session' AND subject_id = clinic_session.id AND act = 'session_cancelled'
)
 WHERE state = 'cancelled'
   AND NOT EXISTS (
     SELECT 1 FROM site_closure AS c WHERE c.site_id = clinic_session.site_id AND c.day = clinic_session.day
   )
   AND NOT EXISTS (
     SELECT 1 FROM session_template AS t WHERE t.id = clinic_session.template_id AND t.last_day < clinic_session.day
   );

-- down
CREATE TABLE new_clinic_session (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  day DATE NOT NULL,
  state VARCHAR NOT NULL,
  template_id CHAR(32),
  CONSTRAINT pk_clinic_session PRIMARY KEY (id),
  CONSTRAINT ck_clinic_session_state CHECK (state IN ('draft', 'published', 'running', 'closed', 'cancelled')),
  CONSTRAINT uq_clinic_session_site_id_day_product_id UNIQUE (site_id, day, product_id),
  CONSTRAINT fk_clinic_session_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_clinic_session_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_clinic_session_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT fk_clinic_session_template_id FOREIGN KEY(template_id) REFERENCES session_template (id),
  CONSTRAINT ck_clinic_session_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_clinic_session_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_day_type CHECK (date(day, '+0 days') IS day),
  CONSTRAINT ck_clinic_session_template_id_type CHECK (length(template_id) = 32 AND template_id NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_clinic_session (
  id, recorded_at, site_id, programme_id, product_id, day, state, template_id
)
SELECT
  id, recorded_at, site_id, programme_id, product_id, day, state, template_id
  FROM clinic_session;
DROP TABLE clinic_session;
ALTER TABLE new_clinic_session RENAME TO clinic_session;
CREATE INDEX ix_clinic_session_cancelled ON clinic_session (day) WHERE state = 'cancelled';

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
  CONSTRAINT pk_session_template PRIMARY KEY (id),
  CONSTRAINT ck_session_template_weekdays CHECK (weekdays BETWEEN 1 AND 127),
  CONSTRAINT ck_session_template_days CHECK (first_day <= last_day),
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
  CONSTRAINT ck_session_template_made_until_type CHECK (date(made_until, '+0 days') IS made_until)
);

INSERT INTO new_session_template (
  id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, last_day, minutes,
  capacity, kept_phone, kept_walk_in, kept_second_dose, made_until
)
SELECT
  id, recorded_at, site_id, programme_id, product_id, weekdays, first_day, coalesce(max(first_day, date(ended_from, '-1 day')), last_day), minutes,
  capacity, kept_phone, kept_walk_in, kept_second_dose, made_until
  FROM session_template;
DROP TABLE session_template;
ALTER TABLE new_session_template RENAME TO session_template;
CREATE INDEX ix_session_template_made_until ON session_template (made_until);
