-- A decision follows the newest one of its person and programme, and what was not given is not
-- withdrawn.
CREATE TRIGGER consent_follows BEFORE INSERT ON consent
BEGIN
  SELECT RAISE(ABORT, 'consent_follows: the decision does not follow the newest one')
   WHERE NEW.ordinal <> 1 + (
           SELECT count(*) FROM consent
            WHERE person_id = NEW.person_id AND programme_id = NEW.programme_id
         )
      OR (NEW.decision = 'withdrawn' AND NOT EXISTS (
           SELECT 1 FROM consent
            WHERE person_id = NEW.person_id AND programme_id = NEW.programme_id
              AND ordinal = NEW.ordinal - 1 AND decision = 'given'
         ));
END;
