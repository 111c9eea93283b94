ALTER TABLE fridge
  ADD gone_at TIMESTAMP WITH TIME ZONE,
  ADD CONSTRAINT ck_fridge_gone_after_added CHECK (gone_at >= recorded_at),
  DROP CONSTRAINT uq_fridge_site_id_name;
CREATE UNIQUE INDEX one_fridge_of_a_name ON fridge (site_id, name) WHERE gone_at IS NULL;

-- down
DROP INDEX one_fridge_of_a_name;
UPDATE fridge SET gone_at = NULL, name = name || ' ' || replace(CAST(id AS text), '-', '') WHERE gone_at IS NOT NULL;
ALTER TABLE fridge
  DROP gone_at,
  ADD CONSTRAINT uq_fridge_site_id_name UNIQUE (site_id, name);
