CREATE TABLE organisation (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	code VARCHAR NOT NULL,
	names JSON NOT NULL,
	kind VARCHAR NOT NULL,
	region VARCHAR,
	parent_id UUID,
	parent_level INTEGER,
	level INTEGER NOT NULL,
	CONSTRAINT pk_organisation PRIMARY KEY (id),
	CONSTRAINT ck_organisation_kind CHECK (kind IN ('ministry', 'agency', 'region', 'municipality', 'provider', 'ngo')),
	CONSTRAINT fk_organisation_parent_id_parent_level FOREIGN KEY(parent_id, parent_level) REFERENCES organisation (id, level),
	CONSTRAINT ck_organisation_below_parent CHECK (CASE WHEN parent_id IS NULL THEN level = 0 AND parent_level IS NULL ELSE parent_level IS NOT NULL AND level = parent_level + 1 END),
	CONSTRAINT ck_organisation_level CHECK (level BETWEEN 0 AND 9),
	CONSTRAINT uq_organisation_id_level UNIQUE (id, level),
	CONSTRAINT uq_organisation_code UNIQUE (code)
);

CREATE TABLE feedback_case (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reference VARCHAR(12) NOT NULL,
	passphrase_hash BYTEA NOT NULL,
	kind VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	site_id UUID,
	organisation_id UUID,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_feedback_case PRIMARY KEY (id),
	CONSTRAINT ck_feedback_case_kind CHECK (kind IN ('feedback', 'complaint', 'warning')),
	CONSTRAINT ck_feedback_case_state CHECK (state IN ('new', 'assigned', 'awaiting_reporter', 'resolved', 'appealed', 'closed')),
	CONSTRAINT ck_feedback_case_passphrase CHECK (length(passphrase_hash) = 32),
	CONSTRAINT ck_feedback_case_handled_by_someone CHECK (state = 'new' OR organisation_id IS NOT NULL),
	CONSTRAINT uq_feedback_case_reference UNIQUE (reference),
	CONSTRAINT fk_feedback_case_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT fk_feedback_case_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);

CREATE TABLE request (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reference VARCHAR(12) NOT NULL,
	kind VARCHAR NOT NULL,
	person_id UUID,
	knowledge_id UUID NOT NULL,
	sealed BYTEA NOT NULL,
	subject JSON NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	state VARCHAR,
	steps INTEGER,
	CONSTRAINT pk_request PRIMARY KEY (id),
	CONSTRAINT ck_request_kind CHECK (kind IN ('correction', 'foreign_dose', 'exemption', 'late_record', 'recall', 'revocation')),
	CONSTRAINT ck_request_state CHECK (state IN ('submitted', 'in_review', 'needs_information', 'approved', 'rejected', 'done')),
	CONSTRAINT ck_request_begins_with_a_step CHECK ((state IS NULL) = (steps IS NULL)),
	CONSTRAINT uq_request_reference UNIQUE (reference),
	CONSTRAINT fk_request_person_id FOREIGN KEY(person_id) REFERENCES person (id),
	CONSTRAINT fk_request_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id)
);

CREATE INDEX ix_request_person_id ON request (person_id);

CREATE INDEX ix_request_state_due_at ON request (state, due_at);

CREATE TABLE case_entry (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	case_id UUID NOT NULL,
	ordinal INTEGER NOT NULL,
	staff_id UUID,
	sealed BYTEA NOT NULL,
	CONSTRAINT pk_case_entry PRIMARY KEY (id),
	CONSTRAINT ck_case_entry_ordinal CHECK (ordinal >= 1),
	CONSTRAINT uq_case_entry_case_id_ordinal UNIQUE (case_id, ordinal),
	CONSTRAINT fk_case_entry_case_id FOREIGN KEY(case_id) REFERENCES feedback_case (id),
	CONSTRAINT fk_case_entry_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE TABLE delegation (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	giver_id UUID NOT NULL,
	taker_id UUID NOT NULL,
	act VARCHAR NOT NULL,
	given_by UUID NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	revoked_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_delegation PRIMARY KEY (id),
	CONSTRAINT ck_delegation_to_another CHECK (giver_id <> taker_id),
	CONSTRAINT ck_delegation_ends_after_start CHECK (ends_at > recorded_at),
	CONSTRAINT ck_delegation_revoked_after_start CHECK (revoked_at >= recorded_at),
	CONSTRAINT fk_delegation_giver_id FOREIGN KEY(giver_id) REFERENCES organisation (id),
	CONSTRAINT fk_delegation_taker_id FOREIGN KEY(taker_id) REFERENCES organisation (id),
	CONSTRAINT fk_delegation_given_by FOREIGN KEY(given_by) REFERENCES staff (id)
);

CREATE INDEX ix_delegation_taker_id ON delegation (taker_id);

CREATE TABLE device (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	site_id UUID NOT NULL,
	name VARCHAR NOT NULL,
	public_key BYTEA NOT NULL,
	registered_by UUID NOT NULL,
	revoked_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_device PRIMARY KEY (id),
	CONSTRAINT ck_device_revoked_after_start CHECK (revoked_at >= recorded_at),
	CONSTRAINT fk_device_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT uq_device_public_key UNIQUE (public_key),
	CONSTRAINT fk_device_registered_by FOREIGN KEY(registered_by) REFERENCES staff (id)
);

CREATE INDEX ix_device_site_id ON device (site_id);

CREATE TABLE draw (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	programme_id UUID NOT NULL,
	state VARCHAR NOT NULL,
	commitment BYTEA NOT NULL,
	public_source VARCHAR NOT NULL,
	list_root BYTEA,
	entries INTEGER,
	seed BYTEA,
	public_value VARCHAR,
	CONSTRAINT pk_draw PRIMARY KEY (id),
	CONSTRAINT ck_draw_state CHECK (state IN ('announced', 'closed', 'drawn', 'published', 'void')),
	CONSTRAINT ck_draw_commitment CHECK (length(commitment) = 32),
	CONSTRAINT ck_draw_closed_has_list CHECK (state IN ('announced', 'void') OR (list_root IS NOT NULL AND entries IS NOT NULL)),
	CONSTRAINT ck_draw_seed_after_list CHECK ((state IN ('drawn', 'published')) = (seed IS NOT NULL) AND (seed IS NULL) = (public_value IS NULL)),
	CONSTRAINT ck_draw_entries CHECK (entries >= 0),
	CONSTRAINT uq_draw_id_programme_id UNIQUE (id, programme_id),
	CONSTRAINT fk_draw_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id)
);

CREATE TABLE proxy (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	person_id UUID NOT NULL,
	proxy_person_id UUID,
	staff_id UUID,
	kind VARCHAR NOT NULL,
	scope VARCHAR NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	revoked_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_proxy PRIMARY KEY (id),
	CONSTRAINT ck_proxy_kind CHECK (kind IN ('guardian', 'carer', 'operator')),
	CONSTRAINT ck_proxy_scope CHECK (scope IN ('book', 'consent', 'view')),
	CONSTRAINT ck_proxy_one_proxy CHECK ((proxy_person_id IS NULL) <> (staff_id IS NULL)),
	CONSTRAINT ck_proxy_operators_are_staff CHECK ((kind = 'operator') = (staff_id IS NOT NULL)),
	CONSTRAINT ck_proxy_for_another CHECK (proxy_person_id <> person_id),
	CONSTRAINT ck_proxy_ends_after_start CHECK (ends_at > recorded_at),
	CONSTRAINT ck_proxy_revoked_after_start CHECK (revoked_at >= recorded_at),
	CONSTRAINT fk_proxy_person_id FOREIGN KEY(person_id) REFERENCES person (id),
	CONSTRAINT fk_proxy_proxy_person_id FOREIGN KEY(proxy_person_id) REFERENCES person (id),
	CONSTRAINT fk_proxy_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE INDEX ix_proxy_person_id ON proxy (person_id);

CREATE INDEX ix_proxy_proxy_person_id ON proxy (proxy_person_id);

CREATE INDEX ix_proxy_staff_id ON proxy (staff_id);

CREATE UNIQUE INDEX one_proxy_in_force ON proxy (person_id, proxy_person_id, scope) WHERE revoked_at IS NULL AND proxy_person_id IS NOT NULL;

CREATE TABLE request_step (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	request_id UUID NOT NULL,
	ordinal INTEGER NOT NULL,
	act VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	staff_id UUID,
	reason VARCHAR NOT NULL,
	CONSTRAINT pk_request_step PRIMARY KEY (id),
	CONSTRAINT ck_request_step_act CHECK (act IN ('submit', 'answer', 'verify', 'ask', 'approve', 'reject', 'appeal', 'carry_out')),
	CONSTRAINT ck_request_step_state CHECK (state IN ('submitted', 'in_review', 'needs_information', 'approved', 'rejected', 'done')),
	CONSTRAINT ck_request_step_ordinal CHECK (ordinal BETWEEN 1 AND 99),
	CONSTRAINT ck_request_step_submitted_first CHECK ((ordinal = 1) = (act = 'submit')),
	CONSTRAINT ck_request_step_staff_decide CHECK (act IN ('submit', 'answer', 'appeal') OR staff_id IS NOT NULL),
	CONSTRAINT ck_request_step_act_leads_to_state CHECK (CASE act WHEN 'submit' THEN state = 'submitted' WHEN 'verify' THEN state = 'in_review' WHEN 'ask' THEN state = 'needs_information' WHEN 'approve' THEN state = 'approved' WHEN 'reject' THEN state = 'rejected' WHEN 'carry_out' THEN state = 'done' ELSE state = 'submitted' END),
	CONSTRAINT uq_request_step_request_id_ordinal UNIQUE (request_id, ordinal),
	CONSTRAINT uq_request_step_request_id_ordinal_state UNIQUE (request_id, ordinal, state),
	CONSTRAINT fk_request_step_request_id FOREIGN KEY(request_id) REFERENCES request (id),
	CONSTRAINT fk_request_step_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);

CREATE TABLE wait_entry (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	person_id UUID NOT NULL,
	programme_id UUID NOT NULL,
	site_id UUID,
	state VARCHAR NOT NULL,
	draw_id UUID,
	rank INTEGER,
	CONSTRAINT pk_wait_entry PRIMARY KEY (id),
	CONSTRAINT ck_wait_entry_state CHECK (state IN ('waiting', 'offered', 'placed', 'left', 'lapsed')),
	CONSTRAINT ck_wait_entry_rank CHECK (rank >= 1),
	CONSTRAINT ck_wait_entry_ranked_by_draw CHECK ((rank IS NULL) = (draw_id IS NULL)),
	CONSTRAINT fk_wait_entry_draw_id_programme_id FOREIGN KEY(draw_id, programme_id) REFERENCES draw (id, programme_id),
	CONSTRAINT uq_wait_entry_draw_id_rank UNIQUE (draw_id, rank),
	CONSTRAINT uq_wait_entry_id_person_id UNIQUE (id, person_id),
	CONSTRAINT fk_wait_entry_person_id FOREIGN KEY(person_id) REFERENCES person (id),
	CONSTRAINT fk_wait_entry_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
	CONSTRAINT fk_wait_entry_site_id FOREIGN KEY(site_id) REFERENCES site (id)
);

CREATE INDEX ix_wait_entry_order ON wait_entry (programme_id, state, rank, recorded_at);

CREATE INDEX ix_wait_entry_person_id ON wait_entry (person_id);

CREATE UNIQUE INDEX one_place_in_the_queue ON wait_entry (person_id, programme_id) WHERE state IN ('waiting', 'offered');

CREATE TABLE offer (
	id UUID NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	wait_entry_id UUID NOT NULL,
	person_id UUID NOT NULL,
	slot_id UUID NOT NULL,
	state VARCHAR NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	appointment_id UUID,
	CONSTRAINT pk_offer PRIMARY KEY (id),
	CONSTRAINT ck_offer_state CHECK (state IN ('open', 'accepted', 'declined', 'lapsed', 'withdrawn')),
	CONSTRAINT ck_offer_ends_after_start CHECK (ends_at > recorded_at),
	CONSTRAINT fk_offer_wait_entry_id_person_id FOREIGN KEY(wait_entry_id, person_id) REFERENCES wait_entry (id, person_id),
	CONSTRAINT fk_offer_appointment_id_person_id FOREIGN KEY(appointment_id, person_id) REFERENCES appointment (id, person_id),
	CONSTRAINT ck_offer_accepted CHECK ((state = 'accepted') = (appointment_id IS NOT NULL)),
	CONSTRAINT fk_offer_slot_id FOREIGN KEY(slot_id) REFERENCES slot (id)
);

CREATE INDEX ix_offer_slot_id_state ON offer (slot_id, state);

CREATE UNIQUE INDEX one_open_offer ON offer (wait_entry_id) WHERE state = 'open';

ALTER TABLE request ADD CONSTRAINT fk_request_newest_step FOREIGN KEY(id, steps, state) REFERENCES request_step (request_id, ordinal, state);

-- down
ALTER TABLE request DROP CONSTRAINT fk_request_newest_step;
DROP TABLE offer;
DROP TABLE wait_entry;
DROP TABLE request_step;
DROP TABLE proxy;
DROP TABLE draw;
DROP TABLE device;
DROP TABLE delegation;
DROP TABLE case_entry;
DROP TABLE request;
DROP TABLE feedback_case;
DROP TABLE organisation;
