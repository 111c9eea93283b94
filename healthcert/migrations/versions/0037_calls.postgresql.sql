ALTER TABLE message
  ADD site_id UUID,
  ADD until TIMESTAMP WITH TIME ZONE,
  ADD about_id UUID,
  ADD CONSTRAINT fk_message_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  DROP CONSTRAINT ck_message_channel,
  ADD CONSTRAINT ck_message_channel CHECK (channel IN ('sms', 'mail', 'call')),
  ADD CONSTRAINT ck_message_call_is_whose CHECK (channel <> 'call' OR (site_id IS NOT NULL AND until IS NOT NULL));
CREATE INDEX ix_message_site_id_until ON message (site_id, until) WHERE state = 'queued' AND until IS NOT NULL;
CREATE INDEX ix_message_channel_until ON message (channel, until) WHERE state = 'queued' AND channel = 'call';

-- down
-- The tables of before know no calls: what was to be told by one has failed.
UPDATE message SET state = CASE state WHEN 'queued' THEN 'failed' ELSE state END, channel = 'mail' WHERE channel = 'call';
DROP INDEX ix_message_channel_until;
DROP INDEX ix_message_site_id_until;
ALTER TABLE message
  DROP CONSTRAINT ck_message_call_is_whose,
  DROP CONSTRAINT ck_message_channel,
  ADD CONSTRAINT ck_message_channel CHECK (channel IN ('sms', 'mail')),
  DROP about_id,
  DROP until,
  DROP site_id;
