CREATE TABLE new_draw (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  programme_id CHAR(32) NOT NULL,
  state VARCHAR NOT NULL,
  commitment BLOB NOT NULL,
  public_source VARCHAR NOT NULL,
  rules JSON NOT NULL,
  sealed BLOB,
  list_root BLOB,
  entries INTEGER,
  seed BLOB,
  public_value VARCHAR,
  CONSTRAINT pk_draw PRIMARY KEY (id),
  CONSTRAINT ck_draw_state CHECK (state IN ('announced', 'closed', 'drawn', 'published', 'void')),
  CONSTRAINT ck_draw_commitment CHECK (length(commitment) = 32),
  CONSTRAINT ck_draw_closed_has_list CHECK (state IN ('announced', 'void') OR (list_root IS NOT NULL AND entries IS NOT NULL)),
  CONSTRAINT ck_draw_seed_after_list CHECK ((state IN ('drawn', 'published')) = (seed IS NOT NULL) AND (seed IS NULL) = (public_value IS NULL)),
  CONSTRAINT ck_draw_entries CHECK (entries >= 0),
  CONSTRAINT uq_draw_id_programme_id UNIQUE (id, programme_id),
  CONSTRAINT fk_draw_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT ck_draw_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_draw_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_draw_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_draw_entries_type CHECK (typeof(entries) IN ('integer', 'null'))
);

INSERT INTO new_draw (
  id, recorded_at, programme_id, state, commitment, public_source, rules, list_root, entries, seed, public_value
)
SELECT
  id, recorded_at, programme_id, state, commitment, public_source, '{}', list_root, entries, seed, public_value
  FROM draw;
DROP TABLE draw;
ALTER TABLE new_draw RENAME TO draw;

CREATE TABLE new_wait_entry (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  site_id CHAR(32),
  within_km INTEGER,
  standby BOOLEAN NOT NULL,
  turn_on DATE NOT NULL,
  phase VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  token BLOB NOT NULL,
  draw_group VARCHAR NOT NULL,
  draw_id CHAR(32),
  rank INTEGER,
  CONSTRAINT pk_wait_entry PRIMARY KEY (id),
  CONSTRAINT ck_wait_entry_state CHECK (state IN ('waiting', 'offered', 'placed', 'left', 'lapsed')),
  CONSTRAINT ck_wait_entry_rank CHECK (rank >= 1),
  CONSTRAINT ck_wait_entry_ranked_by_draw CHECK (rank IS NULL OR draw_id IS NOT NULL),
  CONSTRAINT ck_wait_entry_token CHECK (length(token) = 16),
  CONSTRAINT ck_wait_entry_around_a_site CHECK (within_km IS NULL OR (within_km >= 1 AND site_id IS NOT NULL)),
  CONSTRAINT fk_wait_entry_draw_id_programme_id FOREIGN KEY(draw_id, programme_id) REFERENCES draw (id, programme_id),
  CONSTRAINT uq_wait_entry_draw_id_rank UNIQUE (draw_id, rank),
  CONSTRAINT uq_wait_entry_id_person_id UNIQUE (id, person_id),
  CONSTRAINT uq_wait_entry_token UNIQUE (token),
  CONSTRAINT fk_wait_entry_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_wait_entry_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_wait_entry_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_wait_entry_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_wait_entry_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_within_km_type CHECK (typeof(within_km) IN ('integer', 'null')),
  CONSTRAINT ck_wait_entry_standby_type CHECK (standby IN (0, 1)),
  CONSTRAINT ck_wait_entry_turn_on_type CHECK (date(turn_on, '+0 days') IS turn_on),
  CONSTRAINT ck_wait_entry_draw_id_type CHECK (length(draw_id) = 32 AND draw_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_rank_type CHECK (typeof(rank) IN ('integer', 'null'))
);

INSERT INTO new_wait_entry (
  id, recorded_at, person_id, programme_id, site_id, standby, turn_on, phase, state, token, draw_group, draw_id, rank
)
SELECT
  id, recorded_at, person_id, programme_id, site_id, 0, date(recorded_at), '', state, randomblob(16), '', draw_id, rank
  FROM wait_entry;
DROP TABLE wait_entry;
ALTER TABLE new_wait_entry RENAME TO wait_entry;
CREATE INDEX ix_wait_entry_order ON wait_entry (programme_id, state, turn_on, coalesce(rank, 2147483647), recorded_at, id);
CREATE INDEX ix_wait_entry_person_id ON wait_entry (person_id);
CREATE UNIQUE INDEX one_place_in_the_queue ON wait_entry (person_id, programme_id) WHERE state IN ('waiting', 'offered');
CREATE INDEX ix_offer_ends_at ON offer (ends_at) WHERE state = 'open';
CREATE INDEX ix_slot_waiting ON slot (starts_at) WHERE kept_waiting > booked_waiting;

-- down
DROP INDEX ix_slot_waiting;
DROP INDEX ix_offer_ends_at;
UPDATE wait_entry SET draw_id = NULL WHERE rank IS NULL;
CREATE TABLE new_wait_entry (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  programme_id CHAR(32) NOT NULL,
  site_id CHAR(32),
  state VARCHAR NOT NULL,
  draw_id CHAR(32),
  rank INTEGER,
  CONSTRAINT pk_wait_entry PRIMARY KEY (id),
  CONSTRAINT ck_wait_entry_state CHECK (state IN ('waiting', 'offered', 'placed', 'left', 'lapsed')),
  CONSTRAINT ck_wait_entry_rank CHECK (rank >= 1),
  CONSTRAINT ck_wait_entry_ranked_by_draw CHECK ((rank IS NULL) = (draw_id IS NULL)),
  CONSTRAINT fk_wait_entry_draw_id_programme_id FOREIGN KEY(draw_id, programme_id) REFERENCES draw (id, programme_id),
  CONSTRAINT uq_wait_entry_draw_id_rank UNIQUE (draw_id, rank),
  CONSTRAINT uq_wait_entry_id_person_id UNIQUE (id, person_id),
  CONSTRAINT fk_wait_entry_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_wait_entry_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT fk_wait_entry_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_wait_entry_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_wait_entry_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_draw_id_type CHECK (length(draw_id) = 32 AND draw_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_wait_entry_rank_type CHECK (typeof(rank) IN ('integer', 'null'))
);

INSERT INTO new_wait_entry (
  id, recorded_at, person_id, programme_id, site_id, state, draw_id, rank
)
SELECT
  id, recorded_at, person_id, programme_id, site_id, state, draw_id, rank
  FROM wait_entry;
DROP TABLE wait_entry;
ALTER TABLE new_wait_entry RENAME TO wait_entry;
CREATE INDEX ix_wait_entry_order ON wait_entry (programme_id, state, rank, recorded_at);
CREATE INDEX ix_wait_entry_person_id ON wait_entry (person_id);
CREATE UNIQUE INDEX one_place_in_the_queue ON wait_entry (person_id, programme_id) WHERE state IN ('waiting', 'offered');

CREATE TABLE new_draw (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  programme_id CHAR(32) NOT NULL,
  state VARCHAR NOT NULL,
  commitment BLOB NOT NULL,
  public_source VARCHAR NOT NULL,
  list_root BLOB,
  entries INTEGER,
  seed BLOB,
  public_value VARCHAR,
  CONSTRAINT pk_draw PRIMARY KEY (id),
  CONSTRAINT ck_draw_state CHECK (state IN ('announced', 'closed', 'drawn', 'published', 'void')),
  CONSTRAINT ck_draw_commitment CHECK (length(commitment) = 32),
  CONSTRAINT ck_draw_closed_has_list CHECK (state IN ('announced', 'void') OR (list_root IS NOT NULL AND entries IS NOT NULL)),
  CONSTRAINT ck_draw_seed_after_list CHECK ((state IN ('drawn', 'published')) = (seed IS NOT NULL) AND (seed IS NULL) = (public_value IS NULL)),
  CONSTRAINT ck_draw_entries CHECK (entries >= 0),
  CONSTRAINT uq_draw_id_programme_id UNIQUE (id, programme_id),
  CONSTRAINT fk_draw_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
  CONSTRAINT ck_draw_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_draw_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_draw_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_draw_entries_type CHECK (typeof(entries) IN ('integer', 'null'))
);

INSERT INTO new_draw (
  id, recorded_at, programme_id, state, commitment, public_source, list_root, entries, seed, public_value
)
SELECT
  id, recorded_at, programme_id, state, commitment, public_source, list_root, entries, seed, public_value
  FROM draw;
DROP TABLE draw;
ALTER TABLE new_draw RENAME TO draw;
