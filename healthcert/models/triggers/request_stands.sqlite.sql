-- A request stands where its newest step leads, and moves step by step alone; what was asked stays.
CREATE TRIGGER request_stands AFTER INSERT ON request_step
BEGIN
  SELECT RAISE(ABORT, 'request_stands: the step does not follow the newest one')
   WHERE NOT EXISTS (
     SELECT 1 FROM request WHERE id = NEW.request_id AND COALESCE(steps, 0) = NEW.ordinal - 1
   );
  UPDATE request SET state = NEW.state, steps = NEW.ordinal WHERE id = NEW.request_id;
END;
CREATE TRIGGER request_moves BEFORE UPDATE ON request
WHEN (NEW.steps IS NOT COALESCE(OLD.steps, 0) + 1 AND NEW.steps IS NOT OLD.steps)
  OR NEW.id <> OLD.id OR NEW.reference <> OLD.reference OR NEW.kind <> OLD.kind
  OR NEW.person_id IS NOT OLD.person_id OR NEW.knowledge_id <> OLD.knowledge_id
  OR NEW.subject <> OLD.subject OR NEW.recorded_at <> OLD.recorded_at
BEGIN
  SELECT RAISE(ABORT, 'request_stands: a request moves step by step');
END;
