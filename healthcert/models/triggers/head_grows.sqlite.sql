-- A head is of the whole tree as it stands, and larger than every head before: no fork, no gap.
CREATE TRIGGER head_grows BEFORE INSERT ON tree_head
WHEN NEW.size <= coalesce((SELECT max(size) FROM tree_head), 0)
  OR NEW.size <> coalesce((SELECT max(position) FROM audit_leaf), -1) + 1
BEGIN
  SELECT RAISE(ABORT, 'head_grows: tree_head');
END;
