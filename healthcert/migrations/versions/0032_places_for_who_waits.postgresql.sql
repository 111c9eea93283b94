ALTER TABLE session_template
  ADD kept_waiting INTEGER DEFAULT 0 NOT NULL,
  ADD CONSTRAINT ck_session_template_kept_waiting CHECK (kept_waiting >= 0),
  DROP CONSTRAINT ck_session_template_fits,
  ADD CONSTRAINT ck_session_template_fits CHECK (capacity > 0 AND kept_phone + kept_walk_in + kept_second_dose + kept_waiting <= capacity);
ALTER TABLE session_template ALTER kept_waiting DROP DEFAULT;

-- down
ALTER TABLE session_template
  DROP CONSTRAINT ck_session_template_fits,
  DROP kept_waiting,
  ADD CONSTRAINT ck_session_template_fits CHECK (capacity > 0 AND kept_phone + kept_walk_in + kept_second_dose <= capacity);
