CREATE INDEX ix_dose_without_lot ON dose (product_id, lot_text, person_id) WHERE lot_id IS NULL;
-- Recalls of before are looked through once more, for the doses that they did not find.
UPDATE lot SET judged_up_to = 0 WHERE state = 'recalled';

-- down
DROP INDEX ix_dose_without_lot;
