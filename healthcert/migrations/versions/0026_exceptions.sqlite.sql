ALTER TABLE appointment ADD COLUMN exception_reason VARCHAR CONSTRAINT ck_appointment_exception_reason CHECK (exception_reason IN ('medical_need', 'contact_of_case', 'end_of_day_dose', 'carer', 'other'));
DROP INDEX ix_dose_lot_id;
CREATE INDEX ix_dose_lot_id_person_id ON dose (lot_id, person_id);
CREATE INDEX ix_dose_site_id_recorded_on ON dose (site_id, recorded_on);
CREATE INDEX ix_stock_move_site_id_recorded_at ON stock_move (site_id, recorded_at);
CREATE UNIQUE INDEX uq_adverse_event_person ON adverse_event (id, person_id);

CREATE TABLE adverse_event_entry (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  event_id CHAR(32) NOT NULL,
  person_id CHAR(32) NOT NULL,
  told_by CHAR(32) NOT NULL,
  sealed BLOB NOT NULL,
  CONSTRAINT pk_adverse_event_entry PRIMARY KEY (id),
  CONSTRAINT fk_adverse_event_entry_event_id_person_id FOREIGN KEY(event_id, person_id) REFERENCES adverse_event (id, person_id),
  CONSTRAINT fk_adverse_event_entry_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_adverse_event_entry_told_by FOREIGN KEY(told_by) REFERENCES staff (id),
  CONSTRAINT ck_adverse_event_entry_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_entry_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_adverse_event_entry_event_id_type CHECK (length(event_id) = 32 AND event_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_entry_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_adverse_event_entry_told_by_type CHECK (length(told_by) = 32 AND told_by NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_adverse_event_entry_event_id ON adverse_event_entry (event_id);
CREATE INDEX ix_adverse_event_entry_person_id ON adverse_event_entry (person_id);

-- down
DROP TABLE adverse_event_entry;
DROP INDEX uq_adverse_event_person;
DROP INDEX ix_stock_move_site_id_recorded_at;
DROP INDEX ix_dose_site_id_recorded_on;
DROP INDEX ix_dose_lot_id_person_id;
CREATE INDEX ix_dose_lot_id ON dose (lot_id);
ALTER TABLE appointment DROP COLUMN exception_reason;
