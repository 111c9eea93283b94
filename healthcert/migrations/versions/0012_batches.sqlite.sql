CREATE TABLE new_import_batch (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	kind VARCHAR NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	lines INTEGER NOT NULL,
	staff_id CHAR(32),
	state VARCHAR NOT NULL,
	ended_at DATETIME,
	CONSTRAINT pk_import_batch PRIMARY KEY (id),
	CONSTRAINT ck_import_batch_kind CHECK (kind IN ('people', 'sites', 'staff', 'lots', 'doses')),
	CONSTRAINT ck_import_batch_state CHECK (state IN ('taking', 'in', 'taken_back')),
	CONSTRAINT ck_import_batch_ended CHECK ((state = 'taken_back') = (ended_at IS NOT NULL)),
	CONSTRAINT ck_import_batch_lines CHECK (lines >= 0),
	CONSTRAINT fk_import_batch_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
	CONSTRAINT ck_import_batch_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_import_batch_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_import_batch_lines_type CHECK (typeof(lines) IN ('integer', 'null')),
	CONSTRAINT ck_import_batch_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_import_batch_ended_at_type CHECK (datetime(ended_at, '+0 days') IS substr(ended_at, 1, 19) AND substr(ended_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);
INSERT INTO new_import_batch SELECT * FROM import_batch;
DROP TABLE import_batch;
ALTER TABLE new_import_batch RENAME TO import_batch;
CREATE UNIQUE INDEX one_batch_in ON import_batch (kind, sha256) WHERE state <> 'taken_back';

-- down
UPDATE import_batch SET state = 'in' WHERE state = 'taking';
CREATE TABLE new_import_batch (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	kind VARCHAR NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	lines INTEGER NOT NULL,
	staff_id CHAR(32),
	state VARCHAR NOT NULL,
	ended_at DATETIME,
	CONSTRAINT pk_import_batch PRIMARY KEY (id),
	CONSTRAINT ck_import_batch_kind CHECK (kind IN ('people', 'sites', 'staff', 'lots', 'doses')),
	CONSTRAINT ck_import_batch_state CHECK (state IN ('in', 'taken_back')),
	CONSTRAINT ck_import_batch_ended CHECK ((state = 'taken_back') = (ended_at IS NOT NULL)),
	CONSTRAINT ck_import_batch_lines CHECK (lines >= 0),
	CONSTRAINT fk_import_batch_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
	CONSTRAINT ck_import_batch_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_import_batch_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_import_batch_lines_type CHECK (typeof(lines) IN ('integer', 'null')),
	CONSTRAINT ck_import_batch_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_import_batch_ended_at_type CHECK (datetime(ended_at, '+0 days') IS substr(ended_at, 1, 19) AND substr(ended_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);
INSERT INTO new_import_batch SELECT * FROM import_batch;
DROP TABLE import_batch;
ALTER TABLE new_import_batch RENAME TO import_batch;
CREATE UNIQUE INDEX one_batch_in ON import_batch (kind, sha256) WHERE state = 'in';
