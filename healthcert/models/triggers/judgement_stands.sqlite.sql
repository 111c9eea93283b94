-- The newest judgement of a dose toward a disease is where the dose stands.
-- Looked at once more at the end: INSERT OR IGNORE would carry its IGNORE in here.
CREATE TRIGGER judgement_stands_first AFTER INSERT ON dose_judgement WHEN NEW.ordinal = 1
BEGIN
  INSERT INTO dose_standing (
    dose_id, disease, person_id, given_on, number, counts, min_interval_days, ordinal, judgement_id
  ) VALUES (
    NEW.dose_id, NEW.disease, NEW.person_id, NEW.given_on, NEW.number, NEW.counts,
    NEW.min_interval_days, NEW.ordinal, NEW.id
  );
  SELECT RAISE(ABORT, 'judgement_stands: the dose does not stand as judged')
   WHERE NOT EXISTS (SELECT 1 FROM dose_standing WHERE judgement_id = NEW.id);
END;
CREATE TRIGGER judgement_stands_next AFTER INSERT ON dose_judgement WHEN NEW.ordinal > 1
BEGIN
  UPDATE dose_standing
     SET number = NEW.number, counts = NEW.counts, min_interval_days = NEW.min_interval_days,
         ordinal = NEW.ordinal, judgement_id = NEW.id
   WHERE dose_id = NEW.dose_id AND disease = NEW.disease AND ordinal = NEW.ordinal - 1;
  SELECT RAISE(ABORT, 'judgement_stands: the judgement does not follow the newest one')
   WHERE NOT EXISTS (SELECT 1 FROM dose_standing WHERE judgement_id = NEW.id);
END;
