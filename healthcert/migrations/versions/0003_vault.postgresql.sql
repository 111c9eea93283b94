ALTER TABLE person ADD COLUMN wrapped_by VARCHAR(8) DEFAULT '' NOT NULL;

ALTER TABLE person ADD COLUMN indexed_by VARCHAR(8) DEFAULT '' NOT NULL;

CREATE INDEX ix_person_wrapped_by_id ON person (wrapped_by, id);

CREATE INDEX ix_person_indexed_by_id ON person (indexed_by, id);

-- down
DROP INDEX ix_person_indexed_by_id;
DROP INDEX ix_person_wrapped_by_id;
ALTER TABLE person DROP COLUMN indexed_by;
ALTER TABLE person DROP COLUMN wrapped_by;
