-- What counts at the point of care was given under the lot's validity in force that day.
CREATE TRIGGER lot_in_force BEFORE INSERT ON dose_judgement
WHEN NEW.counts = 'valid' AND NEW.source = 'point_of_care'
BEGIN
  SELECT RAISE(ABORT, 'lot_in_force: another validity of the lot was in force that day')
   WHERE NEW.lot_validity_id IS NOT (
     SELECT id FROM lot_validity WHERE lot_id = NEW.lot_id AND since <= NEW.given_on
      ORDER BY ordinal DESC LIMIT 1
   );
END;
