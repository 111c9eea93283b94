ALTER TABLE identity
  ADD sealed BYTEA,
  DROP CONSTRAINT ck_identity_kind,
  ADD CONSTRAINT ck_identity_kind CHECK (kind IN ('national', 'passport', 'refugee', 'municipal', 'vouched', 'none', 'card', 'subject')),
  ADD CONSTRAINT ck_identity_level_of_kind CHECK (CASE kind WHEN 'subject' THEN level <> 'low' WHEN 'vouched' THEN level = 'low' WHEN 'none' THEN level = 'low' WHEN 'card' THEN level = 'low' ELSE 1 = 1 END);

CREATE UNIQUE INDEX one_of_ours ON identity (person_id, kind) WHERE kind IN ('card', 'subject');

ALTER TABLE access_code
  ADD lets VARCHAR DEFAULT 'sign_in' NOT NULL,
  ADD CONSTRAINT ck_access_code_lets CHECK (lets IN ('sign_in', 'book', 'consent', 'view', 'book consent', 'book view', 'consent view', 'book consent view'));

-- down
DELETE FROM access_code WHERE lets <> 'sign_in';
ALTER TABLE access_code DROP lets;

DROP INDEX one_of_ours;
DELETE FROM identity WHERE kind IN ('card', 'subject');
ALTER TABLE identity
  DROP sealed,
  DROP CONSTRAINT ck_identity_level_of_kind,
  DROP CONSTRAINT ck_identity_kind,
  ADD CONSTRAINT ck_identity_kind CHECK (kind IN ('national', 'passport', 'refugee', 'municipal', 'vouched', 'none'));
