ALTER TABLE person ADD COLUMN wrapped_by VARCHAR(8) DEFAULT '' NOT NULL;

ALTER TABLE person ADD COLUMN indexed_by VARCHAR(8) DEFAULT '' NOT NULL;

CREATE INDEX ix_person_wrapped_by ON person (wrapped_by);

CREATE INDEX ix_person_indexed_by ON person (indexed_by);

-- down
DROP INDEX ix_person_indexed_by;
DROP INDEX ix_person_wrapped_by;
ALTER TABLE person DROP COLUMN indexed_by;
ALTER TABLE person DROP COLUMN wrapped_by;
