ALTER TABLE session_template
  ADD ended_from DATE,
  ADD CONSTRAINT ck_session_template_ended CHECK (ended_from <= last_day);

ALTER TABLE clinic_session
  ADD given_up_at TIMESTAMP WITH TIME ZONE,
  ADD CONSTRAINT ck_clinic_session_given_up CHECK (given_up_at IS NULL OR state = 'cancelled'),
  DROP CONSTRAINT uq_clinic_session_site_id_day_product_id;
CREATE INDEX ix_clinic_session_site_id_day_product_id_id ON clinic_session (site_id, day, product_id, id);
CREATE UNIQUE INDEX one_open_session ON clinic_session (site_id, day, product_id) WHERE state <> 'cancelled';

UPDATE clinic_session SET given_up_at = (
  SELECT max(recorded_at) FROM audit_event
   WHERE subject_kind = 'clinic_session' AND subject_id = clinic_session.id AND act = 'session_cancelled'
)
 WHERE state = 'cancelled'
   AND NOT EXISTS (
     SELECT 1 FROM site_closure AS c WHERE c.site_id = clinic_session.site_id AND c.day = clinic_session.day
   )
   AND NOT EXISTS (
     SELECT 1 FROM session_template AS t WHERE t.id = clinic_session.template_id AND t.last_day < clinic_session.day
   );

-- down
DROP INDEX one_open_session;
DROP INDEX ix_clinic_session_site_id_day_product_id_id;
ALTER TABLE clinic_session
  DROP given_up_at,
  ADD CONSTRAINT uq_clinic_session_site_id_day_product_id UNIQUE (site_id, day, product_id);

ALTER TABLE session_template DROP CONSTRAINT ck_session_template_ended;
UPDATE session_template SET last_day = greatest(first_day, ended_from - 1) WHERE ended_from IS NOT NULL;
ALTER TABLE session_template DROP ended_from;
