-- What was written stays written; a correction is a new row.
CREATE TRIGGER append_only_audit_event_update BEFORE UPDATE ON audit_event
BEGIN
  SELECT RAISE(ABORT, 'append_only: audit_event');
END;
CREATE TRIGGER append_only_audit_event_delete BEFORE DELETE ON audit_event
BEGIN
  SELECT RAISE(ABORT, 'append_only: audit_event');
END;
CREATE TRIGGER append_only_dose_update BEFORE UPDATE ON dose
BEGIN
  SELECT RAISE(ABORT, 'append_only: dose');
END;
CREATE TRIGGER append_only_dose_delete BEFORE DELETE ON dose
BEGIN
  SELECT RAISE(ABORT, 'append_only: dose');
END;
CREATE TRIGGER append_only_dose_judgement_update BEFORE UPDATE ON dose_judgement
BEGIN
  SELECT RAISE(ABORT, 'append_only: dose_judgement');
END;
CREATE TRIGGER append_only_dose_judgement_delete BEFORE DELETE ON dose_judgement
BEGIN
  SELECT RAISE(ABORT, 'append_only: dose_judgement');
END;
CREATE TRIGGER append_only_knowledge_update BEFORE UPDATE ON knowledge
BEGIN
  SELECT RAISE(ABORT, 'append_only: knowledge');
END;
CREATE TRIGGER append_only_knowledge_delete BEFORE DELETE ON knowledge
BEGIN
  SELECT RAISE(ABORT, 'append_only: knowledge');
END;
CREATE TRIGGER append_only_lot_validity_update BEFORE UPDATE ON lot_validity
BEGIN
  SELECT RAISE(ABORT, 'append_only: lot_validity');
END;
CREATE TRIGGER append_only_lot_validity_delete BEFORE DELETE ON lot_validity
BEGIN
  SELECT RAISE(ABORT, 'append_only: lot_validity');
END;
CREATE TRIGGER append_only_eligibility_decision_update BEFORE UPDATE ON eligibility_decision
BEGIN
  SELECT RAISE(ABORT, 'append_only: eligibility_decision');
END;
CREATE TRIGGER append_only_eligibility_decision_delete BEFORE DELETE ON eligibility_decision
BEGIN
  SELECT RAISE(ABORT, 'append_only: eligibility_decision');
END;
CREATE TRIGGER append_only_phase_update BEFORE UPDATE ON phase
BEGIN
  SELECT RAISE(ABORT, 'append_only: phase');
END;
CREATE TRIGGER append_only_phase_delete BEFORE DELETE ON phase
BEGIN
  SELECT RAISE(ABORT, 'append_only: phase');
END;
