-- Rows that others lean on are never deleted: they end in a state.
CREATE FUNCTION never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'never_deleted: %', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_deleted';
END $$;
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'appointment', 'certificate', 'dose_standing', 'recovery_standing', 'test_standing'
  ]
  LOOP
    EXECUTE format('CREATE TRIGGER never_deleted BEFORE DELETE ON %I'
      ' FOR EACH ROW EXECUTE FUNCTION never_deleted()', name);
    EXECUTE format('CREATE TRIGGER never_deleted_truncate BEFORE TRUNCATE ON %I'
      ' EXECUTE FUNCTION never_deleted()', name);
  END LOOP;
END $$;
