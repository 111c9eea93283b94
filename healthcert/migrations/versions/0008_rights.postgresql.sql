ALTER TABLE person
  ALTER wrapped_key DROP NOT NULL,
  ALTER sealed DROP NOT NULL,
  ADD erased_at TIMESTAMP WITH TIME ZONE,
  ADD kept_until DATE,
  ADD key_gone_on DATE,
  ADD CONSTRAINT ck_person_key_with_seal CHECK ((key_gone_on IS NULL) = (wrapped_key IS NOT NULL) AND (wrapped_key IS NULL) = (sealed IS NULL)),
  ADD CONSTRAINT ck_person_erased_first CHECK (erased_at IS NOT NULL OR (kept_until IS NULL AND key_gone_on IS NULL)),
  ADD CONSTRAINT ck_person_kept_its_time CHECK (kept_until IS NULL OR key_gone_on IS NULL OR key_gone_on >= kept_until),
  ADD CONSTRAINT ck_person_erased_is_bare CHECK (erased_at IS NULL OR (region IS NULL AND nationality_group = 'unknown'));

CREATE INDEX ix_person_kept_until ON person (kept_until);

ALTER TABLE message
  ALTER sealed DROP NOT NULL,
  ADD CONSTRAINT ck_message_queued_is_whole CHECK (sealed IS NOT NULL OR state <> 'queued');

ALTER TABLE certificate
  ADD blanked_at TIMESTAMP WITH TIME ZONE,
  DROP CONSTRAINT ck_certificate_issued_is_whole,
  ADD CONSTRAINT ck_certificate_issued_is_whole CHECK (state IN ('intended', 'revoked') OR (kid IS NOT NULL AND (sealed IS NOT NULL OR blanked_at IS NOT NULL) AND issued_at IS NOT NULL AND expires_at IS NOT NULL)),
  ADD CONSTRAINT ck_certificate_blanked_after_its_end CHECK (blanked_at IS NULL OR (sealed IS NULL AND expires_at IS NOT NULL AND blanked_at >= expires_at));

-- down
ALTER TABLE certificate
  DROP CONSTRAINT ck_certificate_blanked_after_its_end,
  DROP CONSTRAINT ck_certificate_issued_is_whole,
  ADD CONSTRAINT ck_certificate_issued_is_whole CHECK (state IN ('intended', 'revoked') OR (sealed IS NOT NULL AND kid IS NOT NULL AND issued_at IS NOT NULL AND expires_at IS NOT NULL)),
  DROP blanked_at;

ALTER TABLE message
  DROP CONSTRAINT ck_message_queued_is_whole,
  ALTER sealed SET NOT NULL;

DROP INDEX ix_person_kept_until;

ALTER TABLE person
  DROP CONSTRAINT ck_person_key_with_seal,
  DROP CONSTRAINT ck_person_erased_first,
  DROP CONSTRAINT ck_person_kept_its_time,
  DROP CONSTRAINT ck_person_erased_is_bare,
  DROP erased_at,
  DROP kept_until,
  DROP key_gone_on,
  ALTER wrapped_key SET NOT NULL,
  ALTER sealed SET NOT NULL;
