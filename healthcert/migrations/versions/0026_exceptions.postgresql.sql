ALTER TABLE appointment ADD COLUMN exception_reason VARCHAR CONSTRAINT ck_appointment_exception_reason CHECK (exception_reason IN ('medical_need', 'contact_of_case', 'end_of_day_dose', 'carer', 'other'));
DROP INDEX ix_dose_lot_id;
CREATE INDEX ix_dose_lot_id_person_id ON dose (lot_id, person_id);
CREATE INDEX ix_dose_site_id_recorded_on ON dose (site_id, recorded_on);
CREATE INDEX ix_stock_move_site_id_recorded_at ON stock_move (site_id, recorded_at);
CREATE UNIQUE INDEX uq_adverse_event_person ON adverse_event (id, person_id);

CREATE TABLE adverse_event_entry (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  event_id UUID NOT NULL,
  person_id UUID NOT NULL,
  told_by UUID NOT NULL,
  sealed BYTEA NOT NULL,
  CONSTRAINT pk_adverse_event_entry PRIMARY KEY (id),
  CONSTRAINT fk_adverse_event_entry_event_id_person_id FOREIGN KEY(event_id, person_id) REFERENCES adverse_event (id, person_id),
  CONSTRAINT fk_adverse_event_entry_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_adverse_event_entry_told_by FOREIGN KEY(told_by) REFERENCES staff (id)
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
