-- Who is in the list of a draw stays in it as listed, unless the draw is void; a rank stays, and
-- is given by a draw whose seed is shown. In a list that was closed nobody is added.
CREATE TRIGGER entry_fixed_insert BEFORE INSERT ON wait_entry
WHEN NEW.draw_id IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'entry_fixed: who is in a list, and their rank, stand');
END;
CREATE TRIGGER entry_fixed_update BEFORE UPDATE ON wait_entry
WHEN NOT (
  NEW.token IS OLD.token
  AND (OLD.rank IS NULL OR NEW.rank IS OLD.rank)
  AND (NEW.draw_id IS OLD.draw_id AND NEW.draw_group IS OLD.draw_group
       OR NOT EXISTS (SELECT 1 FROM draw WHERE id = OLD.draw_id AND state <> 'void'
                      OR id = NEW.draw_id AND state <> 'announced'))
  AND (NEW.rank IS OLD.rank
       OR EXISTS (SELECT 1 FROM draw WHERE id = NEW.draw_id AND state = 'drawn'))
)
BEGIN
  SELECT RAISE(ABORT, 'entry_fixed: who is in a list, and their rank, stand');
END;
