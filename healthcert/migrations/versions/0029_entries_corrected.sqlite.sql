CREATE TABLE new_stock_move (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  lot_id CHAR(32) NOT NULL,
  ordinal INTEGER NOT NULL,
  kind VARCHAR NOT NULL,
  quantity INTEGER NOT NULL,
  total VARCHAR NOT NULL GENERATED ALWAYS AS (CASE kind WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'counted' THEN 'unexplained' WHEN 'received_back' THEN 'received' WHEN 'overfill_back' THEN 'overfill' WHEN 'wasted_back' THEN 'wasted' WHEN 'returned_back' THEN 'returned' WHEN 'transferred_out_back' THEN 'transferred_out' WHEN 'transferred_in_back' THEN 'transferred_in' ELSE kind END) STORED,
  change INTEGER NOT NULL GENERATED ALWAYS AS (CASE WHEN kind IN ('given_back', 'explained', 'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back') THEN -quantity ELSE quantity END) STORED,
  reason VARCHAR,
  dose_id CHAR(32),
  answers CHAR(32),
  answers_kind VARCHAR GENERATED ALWAYS AS (CASE kind WHEN 'transferred_in' THEN 'transferred_out' WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'received_back' THEN 'received' WHEN 'overfill_back' THEN 'overfill' WHEN 'wasted_back' THEN 'wasted' WHEN 'returned_back' THEN 'returned' WHEN 'transferred_out_back' THEN 'transferred_out' WHEN 'transferred_in_back' THEN 'transferred_in' ELSE NULL END) STORED,
  replaces CHAR(32),
  moved_by CHAR(32) NOT NULL,
  confirmed_by CHAR(32),
  CONSTRAINT pk_stock_move PRIMARY KEY (id),
  CONSTRAINT ck_stock_move_kind CHECK (kind IN ('received', 'overfill', 'wasted', 'returned', 'transferred_out', 'transferred_in', 'given', 'unexplained', 'given_back', 'explained', 'counted', 'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back')),
  CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR kind = 'counted'),
  CONSTRAINT ck_stock_move_confirmed CHECK (confirmed_by IS NULL OR kind = 'counted'),
  CONSTRAINT ck_stock_move_two_count CHECK (confirmed_by <> moved_by),
  CONSTRAINT ck_stock_move_dose CHECK ((kind IN ('given', 'given_back', 'unexplained', 'explained')) = (dose_id IS NOT NULL)),
  CONSTRAINT ck_stock_move_one_dose CHECK (dose_id IS NULL OR quantity = 1),
  CONSTRAINT ck_stock_move_answers CHECK ((answers_kind IS NULL) = (answers IS NULL)),
  CONSTRAINT ck_stock_move_reason CHECK ((kind IN ('wasted', 'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back')) = (reason IS NOT NULL)),
  CONSTRAINT ck_stock_move_waste_reason CHECK (kind <> 'wasted' OR reason IN ('opened_vial', 'broken', 'contaminated', 'cold_chain', 'expired', 'recalled', 'drawn_up', 'other')),
  CONSTRAINT ck_stock_move_wrong_because CHECK (kind NOT IN ('received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back') OR reason IN ('wrong_number', 'wrong_lot', 'twice', 'not_so')),
  CONSTRAINT ck_stock_move_replaces CHECK (replaces IS NULL OR kind IN ('received', 'overfill', 'wasted', 'returned', 'transferred_out', 'transferred_in')),
  CONSTRAINT ck_stock_move_ordinal CHECK (ordinal >= 1),
  CONSTRAINT fk_stock_move_dose_id_lot_id_site_id FOREIGN KEY(dose_id, lot_id, site_id) REFERENCES dose (id, lot_id, site_id),
  CONSTRAINT fk_stock_move_answers FOREIGN KEY(answers, answers_kind, lot_id, quantity) REFERENCES stock_move (id, kind, lot_id, quantity),
  CONSTRAINT fk_stock_move_answers_dose FOREIGN KEY(answers, dose_id) REFERENCES stock_move (id, dose_id),
  CONSTRAINT uq_stock_move_answers_kind UNIQUE (answers, kind),
  CONSTRAINT uq_stock_move_id_kind_lot_id_quantity UNIQUE (id, kind, lot_id, quantity),
  CONSTRAINT uq_stock_move_id_dose_id UNIQUE (id, dose_id),
  CONSTRAINT uq_stock_move_site_id_lot_id_ordinal UNIQUE (site_id, lot_id, ordinal),
  CONSTRAINT fk_stock_move_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_move_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT fk_stock_move_replaces FOREIGN KEY(replaces) REFERENCES stock_move (id),
  CONSTRAINT fk_stock_move_moved_by FOREIGN KEY(moved_by) REFERENCES staff (id),
  CONSTRAINT fk_stock_move_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id),
  CONSTRAINT ck_stock_move_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_stock_move_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_quantity_type CHECK (typeof(quantity) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_change_type CHECK (typeof(change) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_answers_type CHECK (length(answers) = 32 AND answers NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_replaces_type CHECK (length(replaces) = 32 AND replaces NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_moved_by_type CHECK (length(moved_by) = 32 AND moved_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_confirmed_by_type CHECK (length(confirmed_by) = 32 AND confirmed_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_stock_move (
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, reason, dose_id, answers, moved_by,
  confirmed_by
)
SELECT
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, reason, dose_id, answers, moved_by,
  confirmed_by
  FROM stock_move;
DROP TABLE stock_move;
ALTER TABLE new_stock_move RENAME TO stock_move;
CREATE INDEX ix_stock_move_lot_id ON stock_move (lot_id);
CREATE INDEX ix_stock_move_site_id_recorded_at ON stock_move (site_id, recorded_at);
CREATE UNIQUE INDEX one_move_a_dose ON stock_move (dose_id, kind) WHERE dose_id IS NOT NULL;
CREATE UNIQUE INDEX one_right_move ON stock_move (replaces) WHERE replaces IS NOT NULL;

-- down
-- What took a wrong entry back stands as a count: the steps before know of no other kind that does.
UPDATE stock SET
  received = received + coalesce((SELECT sum(quantity) FROM stock_move AS m WHERE m.site_id = stock.site_id AND m.lot_id = stock.lot_id AND m.kind = 'received_back'), 0),
  overfill = overfill + coalesce((SELECT sum(quantity) FROM stock_move AS m WHERE m.site_id = stock.site_id AND m.lot_id = stock.lot_id AND m.kind = 'overfill_back'), 0),
  transferred_in = transferred_in + coalesce((SELECT sum(quantity) FROM stock_move AS m WHERE m.site_id = stock.site_id AND m.lot_id = stock.lot_id AND m.kind = 'transferred_in_back'), 0),
  wasted = wasted + coalesce((SELECT sum(quantity) FROM stock_move AS m WHERE m.site_id = stock.site_id AND m.lot_id = stock.lot_id AND m.kind = 'wasted_back'), 0),
  returned = returned + coalesce((SELECT sum(quantity) FROM stock_move AS m WHERE m.site_id = stock.site_id AND m.lot_id = stock.lot_id AND m.kind = 'returned_back'), 0),
  transferred_out = transferred_out + coalesce((SELECT sum(quantity) FROM stock_move AS m WHERE m.site_id = stock.site_id AND m.lot_id = stock.lot_id AND m.kind = 'transferred_out_back'), 0),
  unexplained = unexplained + coalesce((SELECT sum(CASE WHEN m.kind IN ('wasted_back', 'returned_back', 'transferred_out_back') THEN m.quantity ELSE -m.quantity END) FROM stock_move AS m WHERE m.site_id = stock.site_id AND m.lot_id = stock.lot_id AND m.kind IN ('received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back')), 0);

CREATE TABLE new_stock_move (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  site_id CHAR(32) NOT NULL,
  lot_id CHAR(32) NOT NULL,
  ordinal INTEGER NOT NULL,
  kind VARCHAR NOT NULL,
  quantity INTEGER NOT NULL,
  reason VARCHAR,
  dose_id CHAR(32),
  answers CHAR(32),
  answers_kind VARCHAR GENERATED ALWAYS AS (CASE kind WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'transferred_in' THEN 'transferred_out' END) STORED,
  moved_by CHAR(32) NOT NULL,
  confirmed_by CHAR(32),
  CONSTRAINT pk_stock_move PRIMARY KEY (id),
  CONSTRAINT ck_stock_move_kind CHECK (kind IN ('received', 'overfill', 'unexplained', 'transferred_in', 'given', 'wasted', 'transferred_out', 'returned', 'given_back', 'explained', 'counted')),
  CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR kind = 'counted'),
  CONSTRAINT ck_stock_move_confirmed CHECK (confirmed_by IS NULL OR kind = 'counted'),
  CONSTRAINT ck_stock_move_two_count CHECK (confirmed_by <> moved_by),
  CONSTRAINT ck_stock_move_dose CHECK ((kind IN ('given', 'given_back', 'unexplained', 'explained')) = (dose_id IS NOT NULL)),
  CONSTRAINT ck_stock_move_one_dose CHECK (dose_id IS NULL OR quantity = 1),
  CONSTRAINT ck_stock_move_answers CHECK ((answers_kind IS NULL) = (answers IS NULL)),
  CONSTRAINT ck_stock_move_reason CHECK ((kind = 'wasted') = (reason IS NOT NULL)),
  CONSTRAINT ck_stock_move_waste_reason CHECK (reason IN ('opened_vial', 'broken', 'contaminated', 'cold_chain', 'expired', 'recalled', 'drawn_up', 'other')),
  CONSTRAINT ck_stock_move_ordinal CHECK (ordinal >= 1),
  CONSTRAINT fk_stock_move_dose_id_lot_id_site_id FOREIGN KEY(dose_id, lot_id, site_id) REFERENCES dose (id, lot_id, site_id),
  CONSTRAINT fk_stock_move_answers FOREIGN KEY(answers, answers_kind, lot_id, quantity) REFERENCES stock_move (id, kind, lot_id, quantity),
  CONSTRAINT fk_stock_move_answers_dose FOREIGN KEY(answers, dose_id) REFERENCES stock_move (id, dose_id),
  CONSTRAINT uq_stock_move_answers UNIQUE (answers),
  CONSTRAINT uq_stock_move_id_kind_lot_id_quantity UNIQUE (id, kind, lot_id, quantity),
  CONSTRAINT uq_stock_move_id_dose_id UNIQUE (id, dose_id),
  CONSTRAINT uq_stock_move_site_id_lot_id_ordinal UNIQUE (site_id, lot_id, ordinal),
  CONSTRAINT fk_stock_move_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_stock_move_lot_id FOREIGN KEY(lot_id) REFERENCES lot (id),
  CONSTRAINT fk_stock_move_moved_by FOREIGN KEY(moved_by) REFERENCES staff (id),
  CONSTRAINT fk_stock_move_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES staff (id),
  CONSTRAINT ck_stock_move_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_stock_move_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_lot_id_type CHECK (length(lot_id) = 32 AND lot_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_quantity_type CHECK (typeof(quantity) IN ('integer', 'null')),
  CONSTRAINT ck_stock_move_dose_id_type CHECK (length(dose_id) = 32 AND dose_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_answers_type CHECK (length(answers) = 32 AND answers NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_moved_by_type CHECK (length(moved_by) = 32 AND moved_by NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_stock_move_confirmed_by_type CHECK (length(confirmed_by) = 32 AND confirmed_by NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_stock_move (
  id, recorded_at, site_id, lot_id, ordinal, kind, quantity, reason, dose_id, answers, moved_by,
  confirmed_by
)
SELECT
  id, recorded_at, site_id, lot_id, ordinal,
  CASE WHEN kind IN ('received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back') THEN 'counted' ELSE kind END,
  CASE WHEN kind IN ('received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back') AND kind NOT IN ('wasted_back', 'returned_back', 'transferred_out_back') THEN -quantity ELSE quantity END,
  CASE WHEN kind = 'wasted' THEN reason END, dose_id,
  CASE WHEN kind NOT IN ('received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back') THEN answers END, moved_by, confirmed_by
  FROM stock_move;
DROP TABLE stock_move;
ALTER TABLE new_stock_move RENAME TO stock_move;
CREATE INDEX ix_stock_move_lot_id ON stock_move (lot_id);
CREATE UNIQUE INDEX one_move_a_dose ON stock_move (dose_id, kind) WHERE dose_id IS NOT NULL;
CREATE INDEX ix_stock_move_site_id_recorded_at ON stock_move (site_id, recorded_at);
