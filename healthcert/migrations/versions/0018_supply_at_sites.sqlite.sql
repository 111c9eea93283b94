CREATE TABLE session_template (
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

CREATE INDEX ix_session_template_made_until ON session_template (made_until);

CREATE TABLE fridge (
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

CREATE TABLE cold_reading (
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

CREATE INDEX ix_cold_reading_fridge_id_taken_at ON cold_reading (fridge_id, taken_at);

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
  id, recorded_at, site_id, programme_id, product_id, day, state
)
SELECT
  id, recorded_at, site_id, programme_id, product_id, day, state
  FROM clinic_session;
DROP TABLE clinic_session;
ALTER TABLE new_clinic_session RENAME TO clinic_session;

CREATE INDEX ix_clinic_session_cancelled ON clinic_session (day) WHERE state = 'cancelled';

CREATE TABLE new_stock (
  site_id CHAR(32) NOT NULL,
  lot_id CHAR(32) NOT NULL,
  moves INTEGER NOT NULL,
  received INTEGER NOT NULL,
  overfill INTEGER NOT NULL,
  unexplained INTEGER NOT NULL,
  transferred_in INTEGER NOT NULL,
  given INTEGER NOT NULL,
  wasted INTEGER NOT NULL,
  transferred_out INTEGER NOT NULL,
  returned INTEGER NOT NULL,
  remaining INTEGER NOT NULL GENERATED ALWAYS AS (received + overfill + unexplained + transferred_in - given - wasted - transferred_out - returned) STORED,
  fridge_id CHAR(32),
  set_aside CHAR(32),
  CONSTRAINT pk_stock PRIMARY KEY (site_id, lot_id),
  CONSTRAINT ck_stock_remaining CHECK (remaining >= 0),
  CONSTRAINT ck_stock_sums CHECK (received >= 0 AND overfill >= 0 AND transferred_in >= 0 AND given >= 0 AND wasted >= 0 AND transferred_out >= 0 AND returned >= 0),
  CONSTRAINT fk_stock_fridge_id_site_id FOREIGN KEY(fridge_id, site_id) REFERENCES fridge (id, site_id),
  CONSTRAINT fk_stock_set_aside_site_id FOREIGN KEY(set_aside, site_id) REFERENCES cold_reading (id, site_id),
  CONSTRAINT fk_stock_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT ck_stock_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_moves_type CHECK (typeof(moves) IN ('integer', 'null')),
  CONSTRAINT ck_stock_received_type CHECK (typeof(received) IN ('integer', 'null')),
  CONSTRAINT ck_stock_overfill_type CHECK (typeof(overfill) IN ('integer', 'null')),
  CONSTRAINT ck_stock_unexplained_type CHECK (typeof(unexplained) IN ('integer', 'null')),
  CONSTRAINT ck_stock_transferred_in_type CHECK (typeof(transferred_in) IN ('integer', 'null')),
  CONSTRAINT ck_stock_given_type CHECK (typeof(given) IN ('integer', 'null')),
  CONSTRAINT ck_stock_wasted_type CHECK (typeof(wasted) IN ('integer', 'null')),
  CONSTRAINT ck_stock_transferred_out_type CHECK (typeof(transferred_out) IN ('integer', 'null')),
  CONSTRAINT ck_stock_returned_type CHECK (typeof(returned) IN ('integer', 'null')),
  CONSTRAINT ck_stock_remaining_type CHECK (typeof(remaining) IN ('integer', 'null')),
  CONSTRAINT ck_stock_fridge_id_type CHECK (length(fridge_id) = 32 AND fridge_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_set_aside_type CHECK (length(set_aside) = 32 AND set_aside NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_stock (
  site_id, lot_id, moves, received, overfill, unexplained, transferred_in, given, wasted,
  transferred_out, returned
)
SELECT
  site_id, lot_id, moves, received, overfill, unexplained, transferred_in, given, wasted,
  transferred_out, returned
  FROM stock;
DROP TABLE stock;
ALTER TABLE new_stock RENAME TO stock;

-- down
DROP INDEX ix_clinic_session_cancelled;
CREATE TABLE old_clinic_session (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  product_id CHAR(32) NOT NULL,
  day DATE NOT NULL,
  state VARCHAR NOT NULL,
  CONSTRAINT pk_clinic_session PRIMARY KEY (id),
  CONSTRAINT ck_clinic_session_state CHECK (state IN ('draft', 'published', 'running', 'closed', 'cancelled')),
  CONSTRAINT uq_clinic_session_site_id_day_product_id UNIQUE (site_id, day, product_id),
  CONSTRAINT fk_clinic_session_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_clinic_session_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_clinic_session_product_id FOREIGN KEY(product_id) REFERENCES product (id),
  CONSTRAINT ck_clinic_session_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_clinic_session_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_product_id_type CHECK (length(product_id) = 32 AND product_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_clinic_session_day_type CHECK (date(day, '+0 days') IS day)
);

INSERT INTO old_clinic_session (
  id, recorded_at, site_id, programme_id, product_id, day, state
)
SELECT
  id, recorded_at, site_id, programme_id, product_id, day, state
  FROM clinic_session;
DROP TABLE clinic_session;
ALTER TABLE old_clinic_session RENAME TO clinic_session;

CREATE TABLE old_stock (
  site_id CHAR(32) NOT NULL,
  lot_id CHAR(32) NOT NULL,
  moves INTEGER NOT NULL,
  received INTEGER NOT NULL,
  overfill INTEGER NOT NULL,
  unexplained INTEGER NOT NULL,
  transferred_in INTEGER NOT NULL,
  given INTEGER NOT NULL,
  wasted INTEGER NOT NULL,
  transferred_out INTEGER NOT NULL,
  returned INTEGER NOT NULL,
  remaining INTEGER NOT NULL GENERATED ALWAYS AS (received + overfill + unexplained + transferred_in - given - wasted - transferred_out - returned) STORED,
  CONSTRAINT pk_stock PRIMARY KEY (site_id, lot_id),
  CONSTRAINT ck_stock_remaining CHECK (remaining >= 0),
  CONSTRAINT ck_stock_sums CHECK (received >= 0 AND overfill >= 0 AND transferred_in >= 0 AND given >= 0 AND wasted >= 0 AND transferred_out >= 0 AND returned >= 0),
  CONSTRAINT fk_stock_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT ck_stock_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_moves_type CHECK (typeof(moves) IN ('integer', 'null')),
  CONSTRAINT ck_stock_received_type CHECK (typeof(received) IN ('integer', 'null')),
  CONSTRAINT ck_stock_overfill_type CHECK (typeof(overfill) IN ('integer', 'null')),
  CONSTRAINT ck_stock_unexplained_type CHECK (typeof(unexplained) IN ('integer', 'null')),
  CONSTRAINT ck_stock_transferred_in_type CHECK (typeof(transferred_in) IN ('integer', 'null')),
  CONSTRAINT ck_stock_given_type CHECK (typeof(given) IN ('integer', 'null')),
  CONSTRAINT ck_stock_wasted_type CHECK (typeof(wasted) IN ('integer', 'null')),
  CONSTRAINT ck_stock_transferred_out_type CHECK (typeof(transferred_out) IN ('integer', 'null')),
  CONSTRAINT ck_stock_returned_type CHECK (typeof(returned) IN ('integer', 'null')),
  CONSTRAINT ck_stock_remaining_type CHECK (typeof(remaining) IN ('integer', 'null'))
);

INSERT INTO old_stock (
  site_id, lot_id, moves, received, overfill, unexplained, transferred_in, given, wasted,
  transferred_out, returned
)
SELECT
  site_id, lot_id, moves, received, overfill, unexplained, transferred_in, given, wasted,
  transferred_out, returned
  FROM stock;
DROP TABLE stock;
ALTER TABLE old_stock RENAME TO stock;
DROP TABLE cold_reading;
DROP TABLE fridge;
DROP TABLE session_template;
