CREATE TABLE new_message (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  channel VARCHAR NOT NULL,
  template VARCHAR NOT NULL,
  language VARCHAR(2) NOT NULL,
  sealed BLOB,
  state VARCHAR NOT NULL,
  due_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  sent_at DATETIME,
  site_id CHAR(32),
  until DATETIME,
  about_id CHAR(32),
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT ck_message_channel CHECK (channel IN ('sms', 'mail', 'call')),
  CONSTRAINT ck_message_state CHECK (state IN ('queued', 'sent', 'failed')),
  CONSTRAINT ck_message_attempts CHECK (attempts >= 0),
  CONSTRAINT ck_message_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT ck_message_queued_is_whole CHECK (sealed IS NOT NULL OR state <> 'queued'),
  CONSTRAINT ck_message_call_is_whose CHECK (channel <> 'call' OR (site_id IS NOT NULL AND until IS NOT NULL)),
  CONSTRAINT fk_message_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT fk_message_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT ck_message_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_attempts_type CHECK (typeof(attempts) IN ('integer', 'null')),
  CONSTRAINT ck_message_sent_at_type CHECK (datetime(sent_at, '+0 days') IS substr(sent_at, 1, 19) AND substr(sent_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_until_type CHECK (datetime(until, '+0 days') IS substr(until, 1, 19) AND substr(until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_about_id_type CHECK (length(about_id) = 32 AND about_id NOT GLOB '*[^0-9a-f]*')
);

INSERT INTO new_message (
  id, recorded_at, person_id, channel, template, language, sealed, state, due_at, attempts, sent_at
)
SELECT id, recorded_at, person_id, channel, template, language, sealed, state, due_at, attempts, sent_at
  FROM message;
DROP TABLE message;
ALTER TABLE new_message RENAME TO message;
CREATE INDEX ix_message_state_due_at ON message (state, due_at);
CREATE INDEX ix_message_site_id_until ON message (site_id, until) WHERE state = 'queued' AND until IS NOT NULL;
CREATE INDEX ix_message_channel_until ON message (channel, until) WHERE state = 'queued' AND channel = 'call';

-- down
-- The tables of before know no calls: what was to be told by one has failed.
CREATE TABLE new_message (
  id CHAR(32) NOT NULL,
  recorded_at DATETIME NOT NULL,
  person_id CHAR(32) NOT NULL,
  channel VARCHAR NOT NULL,
  template VARCHAR NOT NULL,
  language VARCHAR(2) NOT NULL,
  sealed BLOB,
  state VARCHAR NOT NULL,
  due_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  sent_at DATETIME,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT ck_message_channel CHECK (channel IN ('sms', 'mail')),
  CONSTRAINT ck_message_state CHECK (state IN ('queued', 'sent', 'failed')),
  CONSTRAINT ck_message_attempts CHECK (attempts >= 0),
  CONSTRAINT ck_message_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT ck_message_queued_is_whole CHECK (sealed IS NOT NULL OR state <> 'queued'),
  CONSTRAINT fk_message_person_id FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT ck_message_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT ck_message_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
  CONSTRAINT ck_message_attempts_type CHECK (typeof(attempts) IN ('integer', 'null')),
  CONSTRAINT ck_message_sent_at_type CHECK (datetime(sent_at, '+0 days') IS substr(sent_at, 1, 19) AND substr(sent_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

INSERT INTO new_message (
  id, recorded_at, person_id, channel, template, language, sealed, state, due_at, attempts, sent_at
)
SELECT id, recorded_at, person_id, CASE channel WHEN 'call' THEN 'mail' ELSE channel END, template, language, sealed, CASE WHEN channel = 'call' AND state = 'queued' THEN 'failed' ELSE state END, due_at, attempts, sent_at
  FROM message;
DROP TABLE message;
ALTER TABLE new_message RENAME TO message;
CREATE INDEX ix_message_state_due_at ON message (state, due_at);
