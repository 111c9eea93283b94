CREATE TABLE import_batch (
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

CREATE UNIQUE INDEX one_batch_in ON import_batch (kind, sha256) WHERE state = 'in';

CREATE TABLE import_line (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	batch_id CHAR(32) NOT NULL,
	number INTEGER NOT NULL,
	subject_id CHAR(32) NOT NULL,
	CONSTRAINT pk_import_line PRIMARY KEY (id),
	CONSTRAINT ck_import_line_number CHECK (number >= 2),
	CONSTRAINT uq_import_line_batch_id_number UNIQUE (batch_id, number),
	CONSTRAINT fk_import_line_batch_id FOREIGN KEY(batch_id) REFERENCES import_batch (id),
	CONSTRAINT ck_import_line_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_import_line_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_import_line_batch_id_type CHECK (length(batch_id) = 32 AND batch_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_import_line_number_type CHECK (typeof(number) IN ('integer', 'null')),
	CONSTRAINT ck_import_line_subject_id_type CHECK (length(subject_id) = 32 AND subject_id NOT GLOB '*[^0-9a-f]*')
);

-- down
DROP TABLE import_line;
DROP TABLE import_batch;
