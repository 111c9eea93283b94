CREATE TABLE session_template (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  site_id UUID NOT NULL,
  programme_id UUID NOT NULL,
  product_id UUID NOT NULL,
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
  CONSTRAINT fk_session_template_product_id FOREIGN KEY(product_id) REFERENCES product (id)
);

CREATE INDEX ix_session_template_made_until ON session_template (made_until);

CREATE TABLE fridge (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  site_id UUID NOT NULL,
  name VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  CONSTRAINT pk_fridge PRIMARY KEY (id),
  CONSTRAINT ck_fridge_kind CHECK (kind IN ('fridge', 'freezer')),
  CONSTRAINT uq_fridge_site_id_name UNIQUE (site_id, name),
  CONSTRAINT uq_fridge_id_site_id UNIQUE (id, site_id),
  CONSTRAINT fk_fridge_site_id FOREIGN KEY(site_id) REFERENCES site (id)
);

CREATE TABLE cold_reading (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  fridge_id UUID NOT NULL,
  site_id UUID NOT NULL,
  celsius DOUBLE PRECISION NOT NULL,
  taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
  read_by UUID NOT NULL,
  CONSTRAINT pk_cold_reading PRIMARY KEY (id),
  CONSTRAINT fk_cold_reading_fridge_id_site_id FOREIGN KEY(fridge_id, site_id) REFERENCES fridge (id, site_id),
  CONSTRAINT ck_cold_reading_celsius CHECK (celsius BETWEEN -100 AND 60),
  CONSTRAINT ck_cold_reading_taken_before_recorded CHECK (taken_at <= recorded_at),
  CONSTRAINT uq_cold_reading_id_site_id UNIQUE (id, site_id),
  CONSTRAINT fk_cold_reading_read_by FOREIGN KEY(read_by) REFERENCES staff (id)
);

CREATE INDEX ix_cold_reading_fridge_id_taken_at ON cold_reading (fridge_id, taken_at);

ALTER TABLE clinic_session
  ADD template_id UUID,
  ADD CONSTRAINT fk_clinic_session_template_id FOREIGN KEY(template_id) REFERENCES session_template (id);
CREATE INDEX ix_clinic_session_cancelled ON clinic_session (day) WHERE state = 'cancelled';

ALTER TABLE stock
  ADD fridge_id UUID,
  ADD set_aside UUID,
  ADD CONSTRAINT fk_stock_fridge_id_site_id FOREIGN KEY(fridge_id, site_id) REFERENCES fridge (id, site_id),
  ADD CONSTRAINT fk_stock_set_aside_site_id FOREIGN KEY(set_aside, site_id) REFERENCES cold_reading (id, site_id);

-- down
DROP INDEX ix_clinic_session_cancelled;
ALTER TABLE clinic_session DROP template_id;
ALTER TABLE stock DROP fridge_id, DROP set_aside;
DROP TABLE cold_reading;
DROP TABLE fridge;
DROP TABLE session_template;
