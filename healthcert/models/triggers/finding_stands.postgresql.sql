-- A test result or a recovery stands from the moment it is written down, as its row says; it moves
-- once, to entered in error, and nothing else of it changes. One that replaces another is written
-- when that one is marked.
CREATE FUNCTION finding_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
  stands text;
BEGIN
  IF TG_TABLE_NAME = 'test_result' THEN
    SELECT counts INTO stands FROM test_standing WHERE test_result_id = NEW.replaces;
    INSERT INTO test_standing (test_result_id, counts, reason) VALUES (NEW.id, NEW.counts, '');
  ELSE
    SELECT counts INTO stands FROM recovery_standing WHERE recovery_id = NEW.replaces;
    INSERT INTO recovery_standing (recovery_id, counts, reason, test_result_id, test_counts)
    VALUES (NEW.id, NEW.counts, '', NEW.test_result_id,
            CASE WHEN NEW.test_result_id IS NOT NULL THEN 'positive' END);
  END IF;
  IF stands <> 'entered_in_error' THEN
    RAISE EXCEPTION 'finding_stands: what it replaces still stands'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'finding_stands';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER finding_stands AFTER INSERT ON test_result FOR EACH ROW
EXECUTE FUNCTION finding_stands();
CREATE TRIGGER finding_stands AFTER INSERT ON recovery FOR EACH ROW
EXECUTE FUNCTION finding_stands();

CREATE FUNCTION finding_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['counts', 'marked_at', 'marked_by', 'reason', 'test_counts'];
BEGIN
  IF OLD.counts = 'entered_in_error' OR NEW.counts <> 'entered_in_error'
     OR to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves THEN
    RAISE EXCEPTION 'finding_moves: a finding is marked in error, once'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'finding_moves';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER finding_moves BEFORE UPDATE ON test_standing FOR EACH ROW
EXECUTE FUNCTION finding_moves();
CREATE TRIGGER finding_moves BEFORE UPDATE ON recovery_standing FOR EACH ROW
EXECUTE FUNCTION finding_moves();
