ALTER TABLE draw
  ADD rules JSON DEFAULT '{}' NOT NULL,
  ADD sealed BYTEA;
ALTER TABLE draw ALTER rules DROP DEFAULT;

ALTER TABLE wait_entry
  ADD within_km INTEGER,
  ADD standby BOOLEAN DEFAULT false NOT NULL,
  ADD turn_on DATE,
  ADD phase VARCHAR DEFAULT '' NOT NULL,
  ADD token BYTEA,
  ADD draw_group VARCHAR DEFAULT '' NOT NULL;
UPDATE wait_entry SET
  turn_on = (recorded_at AT TIME ZONE 'UTC')::date,
  token = decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
ALTER TABLE wait_entry
  ALTER standby DROP DEFAULT,
  ALTER turn_on SET NOT NULL,
  ALTER phase DROP DEFAULT,
  ALTER token SET NOT NULL,
  ALTER draw_group DROP DEFAULT,
  DROP CONSTRAINT ck_wait_entry_ranked_by_draw,
  ADD CONSTRAINT ck_wait_entry_ranked_by_draw CHECK (rank IS NULL OR draw_id IS NOT NULL),
  ADD CONSTRAINT ck_wait_entry_token CHECK (length(token) = 16),
  ADD CONSTRAINT ck_wait_entry_around_a_site CHECK (within_km IS NULL OR (within_km >= 1 AND site_id IS NOT NULL)),
  ADD CONSTRAINT uq_wait_entry_token UNIQUE (token);
DROP INDEX ix_wait_entry_order;
CREATE INDEX ix_wait_entry_order ON wait_entry (programme_id, state, turn_on, coalesce(rank, 2147483647), recorded_at, id);
CREATE INDEX ix_offer_ends_at ON offer (ends_at) WHERE state = 'open';
CREATE INDEX ix_slot_waiting ON slot (starts_at) WHERE kept_waiting > booked_waiting;

-- down
DROP INDEX ix_slot_waiting;
DROP INDEX ix_offer_ends_at;
UPDATE wait_entry SET draw_id = NULL WHERE rank IS NULL;
DROP INDEX ix_wait_entry_order;
ALTER TABLE wait_entry
  DROP CONSTRAINT ck_wait_entry_ranked_by_draw,
  DROP within_km,
  DROP standby,
  DROP turn_on,
  DROP phase,
  DROP token,
  DROP draw_group,
  ADD CONSTRAINT ck_wait_entry_ranked_by_draw CHECK ((rank IS NULL) = (draw_id IS NULL));
CREATE INDEX ix_wait_entry_order ON wait_entry (programme_id, state, rank, recorded_at);

ALTER TABLE draw
  DROP rules,
  DROP sealed;
