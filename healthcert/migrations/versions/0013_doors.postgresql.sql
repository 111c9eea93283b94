ALTER TABLE site
  ADD organisation_id UUID,
  ADD CONSTRAINT fk_site_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id);

ALTER TABLE staff
  ADD organisation_id UUID,
  ADD CONSTRAINT fk_staff_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
  ADD CONSTRAINT ck_staff_one_employer CHECK (site_id IS NULL OR organisation_id IS NULL),
  DROP CONSTRAINT ck_staff_role,
  ADD CONSTRAINT ck_staff_role CHECK (role IN ('clerk', 'nurse', 'lead', 'admin', 'key_officer', 'inspector')),
  DROP CONSTRAINT ck_staff_clinic_staff_has_site,
  ADD CONSTRAINT ck_staff_clinic_staff_has_site CHECK (role IN ('admin', 'key_officer', 'inspector') OR site_id IS NOT NULL);

-- down
ALTER TABLE staff
  DROP CONSTRAINT ck_staff_one_employer,
  DROP organisation_id,
  DROP CONSTRAINT ck_staff_role,
  ADD CONSTRAINT ck_staff_role CHECK (role IN ('clerk', 'nurse', 'admin')),
  DROP CONSTRAINT ck_staff_clinic_staff_has_site,
  ADD CONSTRAINT ck_staff_clinic_staff_has_site CHECK (role = 'admin' OR site_id IS NOT NULL);

ALTER TABLE site
  DROP organisation_id;
