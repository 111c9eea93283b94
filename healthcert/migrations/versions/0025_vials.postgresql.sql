CREATE TABLE vial (
  id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  site_id UUID NOT NULL,
  lot_id UUID NOT NULL,
  opened_by UUID NOT NULL,
  doses INTEGER NOT NULL,
  thawed_on DATE,
  use_until TIMESTAMP WITH TIME ZONE NOT NULL,
  state VARCHAR NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_vial PRIMARY KEY (id),
  CONSTRAINT fk_vial_site_id_lot_id FOREIGN KEY(site_id, lot_id) REFERENCES stock (site_id, lot_id),
  CONSTRAINT ck_vial_doses CHECK (doses BETWEEN 1 AND 100),
  CONSTRAINT ck_vial_state CHECK (state IN ('open', 'finished', 'discarded')),
  CONSTRAINT ck_vial_ended CHECK ((state = 'open') = (ended_at IS NULL)),
  CONSTRAINT ck_vial_ended_after_opened CHECK (ended_at >= recorded_at),
  CONSTRAINT fk_vial_opened_by FOREIGN KEY(opened_by) REFERENCES staff (id)
);

CREATE INDEX ix_vial_open ON vial (site_id) WHERE state = 'open';
CREATE INDEX ix_vial_site_id_lot_id ON vial (site_id, lot_id, recorded_at);

ALTER TABLE cold_reading
  ALTER fridge_id DROP NOT NULL,
  ALTER celsius DROP NOT NULL,
  ADD lot_id UUID,
  ADD vvm_stage INTEGER,
  ADD CONSTRAINT ck_cold_reading_vvm_stage CHECK (vvm_stage BETWEEN 1 AND 4),
  ADD CONSTRAINT ck_cold_reading_of_one CHECK ((fridge_id IS NULL) = (celsius IS NULL) AND (lot_id IS NULL) = (vvm_stage IS NULL) AND (fridge_id IS NULL) <> (lot_id IS NULL)),
  ADD CONSTRAINT fk_cold_reading_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  ADD CONSTRAINT fk_cold_reading_site_id FOREIGN KEY(site_id) REFERENCES site (id);

-- down
DROP TABLE vial;
UPDATE stock SET set_aside = NULL
 WHERE set_aside IN (SELECT id FROM cold_reading WHERE lot_id IS NOT NULL);
DELETE FROM cold_reading WHERE lot_id IS NOT NULL;
ALTER TABLE cold_reading
  DROP lot_id,
  DROP vvm_stage,
  ALTER fridge_id SET NOT NULL,
  ALTER celsius SET NOT NULL,
  DROP CONSTRAINT fk_cold_reading_site_id;
