-- Who is in the list of a draw stays in it as listed, unless the draw is void; a rank stays, and
-- is given by a draw whose seed is shown. In a list that was closed nobody is added.
CREATE FUNCTION entry_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (CASE TG_OP WHEN 'INSERT' THEN NEW.draw_id IS NULL ELSE
     NEW.token = OLD.token
     AND (OLD.rank IS NULL OR NEW.rank IS NOT DISTINCT FROM OLD.rank)
     AND ((NEW.draw_id, NEW.draw_group) IS NOT DISTINCT FROM (OLD.draw_id, OLD.draw_group)
          OR NOT EXISTS (SELECT FROM draw WHERE id = OLD.draw_id AND state <> 'void'
                         OR id = NEW.draw_id AND state <> 'announced'))
     AND (NEW.rank IS NOT DISTINCT FROM OLD.rank
          OR EXISTS (SELECT FROM draw WHERE id = NEW.draw_id AND state = 'drawn'))
     END) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'entry_fixed: who is in a list, and their rank, stand'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entry_fixed';
END $$;
CREATE TRIGGER entry_fixed BEFORE INSERT OR UPDATE ON wait_entry FOR EACH ROW
EXECUTE FUNCTION entry_fixed();
