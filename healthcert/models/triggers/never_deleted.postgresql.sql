-- Rows that others lean on are never deleted: they end in a state. What retention lets go is
-- named here: appointments that hold no place and led to no dose, messages that were settled.
CREATE FUNCTION never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'never_deleted: %', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';
END $$;
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['appointment', 'certificate', 'dose_standing', 'message', 'person']
  LOOP
    EXECUTE format('CREATE TRIGGER never_deleted BEFORE DELETE ON %I FOR EACH ROW %s'
      ' EXECUTE FUNCTION never_deleted()', name, CASE name
        WHEN 'appointment' THEN 'WHEN (OLD.state NOT IN (''cancelled'', ''rescheduled'','
          ' ''expired'', ''no_show'', ''not_vaccinated''))'
        WHEN 'message' THEN 'WHEN (OLD.state = ''queued'')'
        ELSE '' END);
    EXECUTE format('CREATE TRIGGER never_deleted_truncate BEFORE TRUNCATE ON %I'
      ' EXECUTE FUNCTION never_deleted()', name);
  END LOOP;
END $$;
