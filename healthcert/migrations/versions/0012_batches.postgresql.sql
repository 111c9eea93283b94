ALTER TABLE import_batch
  DROP CONSTRAINT ck_import_batch_state,
  ADD CONSTRAINT ck_import_batch_state CHECK (state IN ('taking', 'in', 'taken_back'));
DROP INDEX one_batch_in;
CREATE UNIQUE INDEX one_batch_in ON import_batch (kind, sha256) WHERE state <> 'taken_back';

-- down
UPDATE import_batch SET state = 'in' WHERE state = 'taking';
ALTER TABLE import_batch
  DROP CONSTRAINT ck_import_batch_state,
  ADD CONSTRAINT ck_import_batch_state CHECK (state IN ('in', 'taken_back'));
DROP INDEX one_batch_in;
CREATE UNIQUE INDEX one_batch_in ON import_batch (kind, sha256) WHERE state = 'in';
