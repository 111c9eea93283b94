ALTER TABLE adverse_event
  ADD error_reason VARCHAR,
  DROP CONSTRAINT ck_adverse_event_state,
  ADD CONSTRAINT ck_adverse_event_state CHECK (state IN ('reported', 'investigating', 'assessed', 'closed', 'entered_in_error')),
  DROP CONSTRAINT ck_adverse_event_term,
  ADD CONSTRAINT ck_adverse_event_term CHECK (term IN ('local_reaction_severe', 'seizure_febrile', 'seizure_afebrile', 'abscess', 'sepsis', 'encephalopathy', 'toxic_shock_syndrome', 'thrombocytopenia', 'anaphylaxis', 'fever_38', 'myocarditis', 'pericarditis', 'thrombosis_with_thrombocytopenia', 'capillary_leak_syndrome', 'guillain_barre_syndrome', 'other')),
  ADD CONSTRAINT ck_adverse_event_error_reason CHECK (error_reason IN ('wrong_person', 'not_happened', 'reported_twice', 'wrong_details', 'other')),
  ADD CONSTRAINT ck_adverse_event_error_has_reason CHECK ((state = 'entered_in_error') = (error_reason IS NOT NULL));
ALTER TABLE appointment ADD why_not VARCHAR CONSTRAINT ck_appointment_why_not CHECK (why_not IN ('refused', 'unwell', 'contraindicated', 'already_had', 'no_consent', 'no_vaccine', 'left'));

-- down
ALTER TABLE appointment DROP why_not;
-- The tables of before know neither these kinds nor that a report was taken back.
UPDATE adverse_event SET term = 'other'
 WHERE term NOT IN ('local_reaction_severe', 'seizure_febrile', 'seizure_afebrile', 'abscess', 'sepsis', 'encephalopathy', 'toxic_shock_syndrome', 'thrombocytopenia', 'anaphylaxis', 'fever_38', 'other');
UPDATE adverse_event SET state = 'reported', error_reason = NULL WHERE state = 'entered_in_error';
ALTER TABLE adverse_event
  DROP CONSTRAINT ck_adverse_event_error_has_reason,
  DROP CONSTRAINT ck_adverse_event_error_reason,
  DROP CONSTRAINT ck_adverse_event_term,
  ADD CONSTRAINT ck_adverse_event_term CHECK (term IN ('local_reaction_severe', 'seizure_febrile', 'seizure_afebrile', 'abscess', 'sepsis', 'encephalopathy', 'toxic_shock_syndrome', 'thrombocytopenia', 'anaphylaxis', 'fever_38', 'other')),
  DROP CONSTRAINT ck_adverse_event_state,
  ADD CONSTRAINT ck_adverse_event_state CHECK (state IN ('reported', 'investigating', 'assessed', 'closed')),
  DROP error_reason;
