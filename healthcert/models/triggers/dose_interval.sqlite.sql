-- Counted doses of a series lie at least their interval apart, in the order of their numbers.
CREATE TRIGGER dose_interval_insert BEFORE INSERT ON dose_standing WHEN NEW.counts = 'valid'
BEGIN
  SELECT RAISE(ABORT, 'dose_interval: too near to another counted dose, or out of order')
    FROM dose_standing AS other
   WHERE other.person_id = NEW.person_id AND other.disease = NEW.disease
     AND other.counts = 'valid' AND other.dose_id <> NEW.dose_id
     AND ((other.number < NEW.number
           AND julianday(NEW.given_on) - julianday(other.given_on) < NEW.min_interval_days)
       OR (other.number > NEW.number
           AND julianday(other.given_on) - julianday(NEW.given_on) < other.min_interval_days));
END;
CREATE TRIGGER dose_interval_update BEFORE UPDATE ON dose_standing WHEN NEW.counts = 'valid'
BEGIN
  SELECT RAISE(ABORT, 'dose_interval: too near to another counted dose, or out of order')
    FROM dose_standing AS other
   WHERE other.person_id = NEW.person_id AND other.disease = NEW.disease
     AND other.counts = 'valid' AND other.dose_id <> NEW.dose_id
     AND ((other.number < NEW.number
           AND julianday(NEW.given_on) - julianday(other.given_on) < NEW.min_interval_days)
       OR (other.number > NEW.number
           AND julianday(other.given_on) - julianday(NEW.given_on) < other.min_interval_days));
END;
