ALTER TABLE site
  ADD facilities JSON DEFAULT '[]' NOT NULL,
  ADD languages JSON DEFAULT '[]' NOT NULL,
  ADD female_vaccinator BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE site
  ALTER facilities DROP DEFAULT,
  ALTER languages DROP DEFAULT,
  ALTER female_vaccinator DROP DEFAULT;

ALTER TABLE slot
  ADD kept_phone INTEGER DEFAULT 0 NOT NULL,
  ADD kept_walk_in INTEGER DEFAULT 0 NOT NULL,
  ADD kept_second_dose INTEGER DEFAULT 0 NOT NULL,
  ADD booked_phone INTEGER DEFAULT 0 NOT NULL,
  ADD booked_walk_in INTEGER DEFAULT 0 NOT NULL,
  ADD booked_second_dose INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE slot
  ALTER kept_phone DROP DEFAULT,
  ALTER kept_walk_in DROP DEFAULT,
  ALTER kept_second_dose DROP DEFAULT,
  ALTER booked_phone DROP DEFAULT,
  ALTER booked_walk_in DROP DEFAULT,
  ALTER booked_second_dose DROP DEFAULT,
  ADD CONSTRAINT ck_slot_phone_fits CHECK (booked_phone BETWEEN 0 AND kept_phone),
  ADD CONSTRAINT ck_slot_walk_in_fits CHECK (booked_walk_in BETWEEN 0 AND kept_walk_in),
  ADD CONSTRAINT ck_slot_second_dose_fits CHECK (booked_second_dose BETWEEN 0 AND kept_second_dose),
  ADD CONSTRAINT ck_slot_open_fits CHECK (booked - booked_phone - booked_walk_in - booked_second_dose BETWEEN 0 AND capacity - kept_phone - kept_walk_in - kept_second_dose);

ALTER TABLE appointment
  ADD pool VARCHAR DEFAULT 'online' NOT NULL,
  ADD CONSTRAINT ck_appointment_pool CHECK (pool IN ('online', 'phone', 'walk_in', 'second_dose'));
ALTER TABLE appointment
  ALTER pool DROP DEFAULT;

ALTER TABLE stock_move
  ADD confirmed_by UUID,
  ADD CONSTRAINT fk_stock_move_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id),
  ADD CONSTRAINT ck_stock_move_confirmed CHECK (confirmed_by IS NULL OR kind = 'counted'),
  ADD CONSTRAINT ck_stock_move_two_count CHECK (confirmed_by <> moved_by),
  DROP CONSTRAINT ck_stock_move_quantity,
  ADD CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR kind = 'counted');

CREATE TABLE site_closure (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  site_id UUID NOT NULL,
  day DATE NOT NULL,
  CONSTRAINT pk_site_closure PRIMARY KEY (id),
  CONSTRAINT uq_site_closure_site_id_day UNIQUE (site_id, day),
  CONSTRAINT fk_site_closure_site_id FOREIGN KEY(site_id) REFERENCES site (id)
);

CREATE TABLE site_hours (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  site_id UUID NOT NULL,
  weekday INTEGER NOT NULL,
  opens TIME WITHOUT TIME ZONE NOT NULL,
  closes TIME WITHOUT TIME ZONE NOT NULL,
  CONSTRAINT pk_site_hours PRIMARY KEY (id),
  CONSTRAINT ck_site_hours_weekday CHECK (weekday BETWEEN 1 AND 7),
  CONSTRAINT ck_site_hours_times CHECK (opens < closes),
  CONSTRAINT uq_site_hours_site_id_weekday_opens UNIQUE (site_id, weekday, opens),
  CONSTRAINT fk_site_hours_site_id FOREIGN KEY(site_id) REFERENCES site (id)
);

-- down
DROP TABLE site_hours;
DROP TABLE site_closure;

ALTER TABLE stock_move
  DROP CONSTRAINT ck_stock_move_quantity,
  DROP CONSTRAINT ck_stock_move_two_count,
  DROP CONSTRAINT ck_stock_move_confirmed,
  DROP confirmed_by,
  ADD CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR (kind = 'counted' AND quantity < 0));

ALTER TABLE appointment
  DROP pool;

ALTER TABLE slot
  DROP CONSTRAINT ck_slot_phone_fits,
  DROP CONSTRAINT ck_slot_walk_in_fits,
  DROP CONSTRAINT ck_slot_second_dose_fits,
  DROP CONSTRAINT ck_slot_open_fits,
  DROP kept_phone,
  DROP kept_walk_in,
  DROP kept_second_dose,
  DROP booked_phone,
  DROP booked_walk_in,
  DROP booked_second_dose;

ALTER TABLE site
  DROP facilities,
  DROP languages,
  DROP female_vaccinator;
