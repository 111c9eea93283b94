-- A test result or a recovery stands from the moment it is written down, as its row says; it moves
-- once, to entered in error, and nothing else of it changes. One that replaces another is written
-- when that one is marked.
-- Looked at once more at the end: INSERT OR IGNORE would carry its IGNORE in here.
CREATE TRIGGER finding_stands_test AFTER INSERT ON test_result
BEGIN
  INSERT INTO test_standing (test_result_id, counts, reason) VALUES (NEW.id, NEW.counts, '');
  SELECT RAISE(ABORT, 'finding_stands: what it replaces still stands')
    FROM test_standing WHERE test_result_id = NEW.replaces AND counts <> 'entered_in_error';
  SELECT RAISE(ABORT, 'finding_stands: the finding does not stand')
   WHERE NOT EXISTS (SELECT 1 FROM test_standing WHERE test_result_id = NEW.id);
END;
CREATE TRIGGER finding_stands_recovery AFTER INSERT ON recovery
BEGIN
  INSERT INTO recovery_standing (recovery_id, counts, reason, test_result_id, test_counts)
  VALUES (NEW.id, NEW.counts, '', NEW.test_result_id,
          CASE WHEN NEW.test_result_id IS NOT NULL THEN 'positive' END);
  SELECT RAISE(ABORT, 'finding_stands: what it replaces still stands')
    FROM recovery_standing WHERE recovery_id = NEW.replaces AND counts <> 'entered_in_error';
  SELECT RAISE(ABORT, 'finding_stands: the finding does not stand')
   WHERE NOT EXISTS (SELECT 1 FROM recovery_standing WHERE recovery_id = NEW.id);
END;
CREATE TRIGGER finding_moves_test BEFORE UPDATE ON test_standing
WHEN OLD.counts = 'entered_in_error' OR NEW.counts <> 'entered_in_error'
  OR NEW.test_result_id IS NOT OLD.test_result_id
BEGIN
  SELECT RAISE(ABORT, 'finding_moves: a finding is marked in error, once');
END;
CREATE TRIGGER finding_moves_recovery BEFORE UPDATE ON recovery_standing
WHEN OLD.counts = 'entered_in_error' OR NEW.counts <> 'entered_in_error'
  OR NEW.recovery_id IS NOT OLD.recovery_id OR NEW.test_result_id IS NOT OLD.test_result_id
BEGIN
  SELECT RAISE(ABORT, 'finding_moves: a finding is marked in error, once');
END;
