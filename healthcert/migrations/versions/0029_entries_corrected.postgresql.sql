ALTER TABLE stock_move
  DROP CONSTRAINT ck_stock_move_kind,
  DROP CONSTRAINT ck_stock_move_answers,
  DROP CONSTRAINT ck_stock_move_reason,
  DROP CONSTRAINT ck_stock_move_waste_reason,
  DROP CONSTRAINT fk_stock_move_answers,
  DROP CONSTRAINT uq_stock_move_answers,
  DROP answers_kind;
ALTER TABLE stock_move
  ADD total VARCHAR NOT NULL GENERATED ALWAYS AS (CASE kind WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'counted' THEN 'unexplained' WHEN 'received_back' THEN 'received' WHEN 'overfill_back' THEN 'overfill' WHEN 'wasted_back' THEN 'wasted' WHEN 'returned_back' THEN 'returned' WHEN 'transferred_out_back' THEN 'transferred_out' WHEN 'transferred_in_back' THEN 'transferred_in' ELSE kind END) STORED,
  ADD change INTEGER NOT NULL GENERATED ALWAYS AS (CASE WHEN kind IN ('given_back', 'explained', 'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back') THEN -quantity ELSE quantity END) STORED,
  ADD answers_kind VARCHAR GENERATED ALWAYS AS (CASE kind WHEN 'transferred_in' THEN 'transferred_out' WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'received_back' THEN 'received' WHEN 'overfill_back' THEN 'overfill' WHEN 'wasted_back' THEN 'wasted' WHEN 'returned_back' THEN 'returned' WHEN 'transferred_out_back' THEN 'transferred_out' WHEN 'transferred_in_back' THEN 'transferred_in' ELSE NULL END) STORED,
  ADD replaces UUID CONSTRAINT fk_stock_move_replaces REFERENCES stock_move (id),
  ADD CONSTRAINT ck_stock_move_kind CHECK (kind IN ('received', 'overfill', 'wasted', 'returned', 'transferred_out', 'transferred_in', 'given', 'unexplained', 'given_back', 'explained', 'counted', 'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back')),
  ADD CONSTRAINT ck_stock_move_answers CHECK ((answers_kind IS NULL) = (answers IS NULL)),
  ADD CONSTRAINT ck_stock_move_reason CHECK ((kind IN ('wasted', 'received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back')) = (reason IS NOT NULL)),
  ADD CONSTRAINT ck_stock_move_waste_reason CHECK (kind <> 'wasted' OR reason IN ('opened_vial', 'broken', 'contaminated', 'cold_chain', 'expired', 'recalled', 'drawn_up', 'other')),
  ADD CONSTRAINT ck_stock_move_wrong_because CHECK (kind NOT IN ('received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back') OR reason IN ('wrong_number', 'wrong_lot', 'twice', 'not_so')),
  ADD CONSTRAINT ck_stock_move_replaces CHECK (replaces IS NULL OR kind IN ('received', 'overfill', 'wasted', 'returned', 'transferred_out', 'transferred_in')),
  ADD CONSTRAINT uq_stock_move_answers_kind UNIQUE (answers, kind),
  ADD CONSTRAINT fk_stock_move_answers FOREIGN KEY (answers, answers_kind, lot_id, quantity) REFERENCES stock_move (id, kind, lot_id, quantity);
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

DROP INDEX one_right_move;
ALTER TABLE stock_move
  DROP CONSTRAINT ck_stock_move_kind,
  DROP CONSTRAINT ck_stock_move_answers,
  DROP CONSTRAINT ck_stock_move_reason,
  DROP CONSTRAINT ck_stock_move_waste_reason,
  DROP CONSTRAINT ck_stock_move_wrong_because,
  DROP CONSTRAINT ck_stock_move_replaces,
  DROP CONSTRAINT fk_stock_move_answers,
  DROP CONSTRAINT uq_stock_move_answers_kind,
  DROP CONSTRAINT ck_stock_move_quantity,
  DROP answers_kind,
  DROP total,
  DROP change,
  DROP replaces;
UPDATE stock_move SET
  quantity = CASE WHEN kind IN ('wasted_back', 'returned_back', 'transferred_out_back') THEN quantity ELSE -quantity END, kind = 'counted', reason = NULL, answers = NULL
 WHERE kind IN ('received_back', 'overfill_back', 'wasted_back', 'returned_back', 'transferred_out_back', 'transferred_in_back');
ALTER TABLE stock_move
  ADD answers_kind VARCHAR GENERATED ALWAYS AS (CASE kind WHEN 'given_back' THEN 'given' WHEN 'explained' THEN 'unexplained' WHEN 'transferred_in' THEN 'transferred_out' END) STORED,
  ADD CONSTRAINT ck_stock_move_kind CHECK (kind IN ('received', 'overfill', 'unexplained', 'transferred_in', 'given', 'wasted', 'transferred_out', 'returned', 'given_back', 'explained', 'counted')),
  ADD CONSTRAINT ck_stock_move_quantity CHECK (quantity > 0 OR kind = 'counted'),
  ADD CONSTRAINT ck_stock_move_answers CHECK ((answers_kind IS NULL) = (answers IS NULL)),
  ADD CONSTRAINT ck_stock_move_reason CHECK ((kind = 'wasted') = (reason IS NOT NULL)),
  ADD CONSTRAINT ck_stock_move_waste_reason CHECK (reason IN ('opened_vial', 'broken', 'contaminated', 'cold_chain', 'expired', 'recalled', 'drawn_up', 'other')),
  ADD CONSTRAINT uq_stock_move_answers UNIQUE (answers),
  ADD CONSTRAINT fk_stock_move_answers FOREIGN KEY (answers, answers_kind, lot_id, quantity) REFERENCES stock_move (id, kind, lot_id, quantity);
