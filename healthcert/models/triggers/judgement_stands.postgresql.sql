-- The newest judgement of a dose toward a disease is where the dose stands.
CREATE FUNCTION judgement_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.ordinal = 1 THEN
    INSERT INTO dose_standing (
      dose_id, disease, person_id, given_on, number, counts, min_interval_days, ordinal,
      judgement_id
    ) VALUES (
      NEW.dose_id, NEW.disease, NEW.person_id, NEW.given_on, NEW.number, NEW.counts,
      NEW.min_interval_days, NEW.ordinal, NEW.id
    );
    RETURN NULL;
  END IF;
  UPDATE dose_standing
     SET number = NEW.number, counts = NEW.counts, min_interval_days = NEW.min_interval_days,
         ordinal = NEW.ordinal, judgement_id = NEW.id
   WHERE dose_id = NEW.dose_id AND disease = NEW.disease AND ordinal = NEW.ordinal - 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'judgement_stands: the judgement does not follow the newest one'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'judgement_stands';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER judgement_stands AFTER INSERT ON dose_judgement FOR EACH ROW
EXECUTE FUNCTION judgement_stands();
