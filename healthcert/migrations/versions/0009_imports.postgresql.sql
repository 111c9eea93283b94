CREATE TABLE import_batch (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	kind VARCHAR NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	lines INTEGER NOT NULL,
	staff_id UUID,
	state VARCHAR NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_import_batch PRIMARY KEY (id),
	CONSTRAINT ck_import_batch_kind CHECK (kind IN ('people', 'sites', 'staff', 'lots', 'doses')),
	CONSTRAINT ck_import_batch_state CHECK (state IN ('in', 'taken_back')),
	CONSTRAINT ck_import_batch_ended CHECK ((state = 'taken_back') = (ended_at IS NOT NULL)),
	CONSTRAINT ck_import_batch_lines CHECK (lines >= 0),
	CONSTRAINT fk_import_batch_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE UNIQUE INDEX one_batch_in ON import_batch (kind, sha256) WHERE state = 'in';

CREATE TABLE import_line (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	batch_id UUID NOT NULL,
	number INTEGER NOT NULL,
	subject_id UUID NOT NULL,
	CONSTRAINT pk_import_line PRIMARY KEY (id),
	CONSTRAINT ck_import_line_number CHECK (number >= 2),
	CONSTRAINT uq_import_line_batch_id_number UNIQUE (batch_id, number),
	CONSTRAINT fk_import_line_batch_id FOREIGN KEY(batch_id) REFERENCES import_batch (id)
);

-- down
DROP TABLE import_line;
DROP TABLE import_batch;
