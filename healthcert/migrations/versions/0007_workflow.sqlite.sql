CREATE TABLE organisation (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	code VARCHAR NOT NULL,
	names JSON NOT NULL,
	kind VARCHAR NOT NULL,
	region VARCHAR,
	parent_id CHAR(32),
	parent_level INTEGER,
	level INTEGER NOT NULL,
	CONSTRAINT pk_organisation PRIMARY KEY (id),
	CONSTRAINT ck_organisation_kind CHECK (kind IN ('ministry', 'agency', 'region', 'municipality', 'provider', 'ngo')),
	CONSTRAINT fk_organisation_parent_id_parent_level FOREIGN KEY(parent_id, parent_level) REFERENCES organisation (id, level),
	CONSTRAINT ck_organisation_below_parent CHECK (CASE WHEN parent_id IS NULL THEN level = 0 AND parent_level IS NULL ELSE parent_level IS NOT NULL AND level = parent_level + 1 END),
	CONSTRAINT ck_organisation_level CHECK (level BETWEEN 0 AND 9),
	CONSTRAINT uq_organisation_id_level UNIQUE (id, level),
	CONSTRAINT uq_organisation_code UNIQUE (code),
	CONSTRAINT ck_organisation_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_organisation_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_organisation_parent_id_type CHECK (length(parent_id) = 32 AND parent_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_organisation_parent_level_type CHECK (typeof(parent_level) IN ('integer', 'null')),
	CONSTRAINT ck_organisation_level_type CHECK (typeof(level) IN ('integer', 'null'))
);

CREATE TABLE feedback_case (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	reference VARCHAR(12) NOT NULL,
	passphrase_hash BLOB NOT NULL,
	kind VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	site_id CHAR(32),
	organisation_id CHAR(32),
	due_at DATETIME NOT NULL,
	CONSTRAINT pk_feedback_case PRIMARY KEY (id),
	CONSTRAINT ck_feedback_case_kind CHECK (kind IN ('feedback', 'complaint', 'warning')),
	CONSTRAINT ck_feedback_case_state CHECK (state IN ('new', 'assigned', 'awaiting_reporter', 'resolved', 'appealed', 'closed')),
	CONSTRAINT ck_feedback_case_passphrase CHECK (length(passphrase_hash) = 32),
	CONSTRAINT ck_feedback_case_handled_by_someone CHECK (state = 'new' OR organisation_id IS NOT NULL),
	CONSTRAINT uq_feedback_case_reference UNIQUE (reference),
	CONSTRAINT fk_feedback_case_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT fk_feedback_case_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id),
	CONSTRAINT ck_feedback_case_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_feedback_case_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_feedback_case_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_feedback_case_organisation_id_type CHECK (length(organisation_id) = 32 AND organisation_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_feedback_case_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE TABLE request (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	reference VARCHAR(12) NOT NULL,
	kind VARCHAR NOT NULL,
	person_id CHAR(32),
	knowledge_id CHAR(32) NOT NULL,
	sealed BLOB NOT NULL,
	subject JSON NOT NULL,
	due_at DATETIME NOT NULL,
	state VARCHAR,
	steps INTEGER,
	CONSTRAINT pk_request PRIMARY KEY (id),
	CONSTRAINT ck_request_kind CHECK (kind IN ('correction', 'foreign_dose', 'exemption', 'late_record', 'recall', 'revocation')),
	CONSTRAINT ck_request_state CHECK (state IN ('submitted', 'in_review', 'needs_information', 'approved', 'rejected', 'done')),
	CONSTRAINT ck_request_begins_with_a_step CHECK ((state IS NULL) = (steps IS NULL)),
	CONSTRAINT fk_request_newest_step FOREIGN KEY(id, steps, state) REFERENCES request_step (request_id, ordinal, state),
	CONSTRAINT uq_request_reference UNIQUE (reference),
	CONSTRAINT fk_request_person_id FOREIGN KEY(person_id) REFERENCES person (id),
	CONSTRAINT fk_request_knowledge_id FOREIGN KEY(knowledge_id) REFERENCES knowledge (id),
	CONSTRAINT ck_request_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_request_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_request_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_request_knowledge_id_type CHECK (length(knowledge_id) = 32 AND knowledge_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_request_due_at_type CHECK (datetime(due_at, '+0 days') IS substr(due_at, 1, 19) AND substr(due_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_request_steps_type CHECK (typeof(steps) IN ('integer', 'null'))
);

CREATE INDEX ix_request_person_id ON request (person_id);

CREATE INDEX ix_request_state_due_at ON request (state, due_at);

CREATE TABLE case_entry (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	case_id CHAR(32) NOT NULL,
	ordinal INTEGER NOT NULL,
	staff_id CHAR(32),
	sealed BLOB NOT NULL,
	CONSTRAINT pk_case_entry PRIMARY KEY (id),
	CONSTRAINT ck_case_entry_ordinal CHECK (ordinal >= 1),
	CONSTRAINT uq_case_entry_case_id_ordinal UNIQUE (case_id, ordinal),
	CONSTRAINT fk_case_entry_case_id FOREIGN KEY(case_id) REFERENCES feedback_case (id),
	CONSTRAINT fk_case_entry_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
	CONSTRAINT ck_case_entry_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_case_entry_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_case_entry_case_id_type CHECK (length(case_id) = 32 AND case_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_case_entry_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
	CONSTRAINT ck_case_entry_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE delegation (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	giver_id CHAR(32) NOT NULL,
	taker_id CHAR(32) NOT NULL,
	act VARCHAR NOT NULL,
	given_by CHAR(32) NOT NULL,
	ends_at DATETIME NOT NULL,
	revoked_at DATETIME,
	CONSTRAINT pk_delegation PRIMARY KEY (id),
	CONSTRAINT ck_delegation_to_another CHECK (giver_id <> taker_id),
	CONSTRAINT ck_delegation_ends_after_start CHECK (ends_at > recorded_at),
	CONSTRAINT ck_delegation_revoked_after_start CHECK (revoked_at >= recorded_at),
	CONSTRAINT fk_delegation_giver_id FOREIGN KEY(giver_id) REFERENCES organisation (id),
	CONSTRAINT fk_delegation_taker_id FOREIGN KEY(taker_id) REFERENCES organisation (id),
	CONSTRAINT fk_delegation_given_by FOREIGN KEY(given_by) REFERENCES staff (id),
	CONSTRAINT ck_delegation_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_delegation_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_delegation_giver_id_type CHECK (length(giver_id) = 32 AND giver_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_delegation_taker_id_type CHECK (length(taker_id) = 32 AND taker_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_delegation_given_by_type CHECK (length(given_by) = 32 AND given_by NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_delegation_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_delegation_revoked_at_type CHECK (datetime(revoked_at, '+0 days') IS substr(revoked_at, 1, 19) AND substr(revoked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_delegation_taker_id ON delegation (taker_id);

CREATE TABLE device (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	site_id CHAR(32) NOT NULL,
	name VARCHAR NOT NULL,
	public_key BLOB NOT NULL,
	registered_by CHAR(32) NOT NULL,
	revoked_at DATETIME,
	CONSTRAINT pk_device PRIMARY KEY (id),
	CONSTRAINT ck_device_revoked_after_start CHECK (revoked_at >= recorded_at),
	CONSTRAINT fk_device_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT uq_device_public_key UNIQUE (public_key),
	CONSTRAINT fk_device_registered_by FOREIGN KEY(registered_by) REFERENCES staff (id),
	CONSTRAINT ck_device_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_device_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_device_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_device_registered_by_type CHECK (length(registered_by) = 32 AND registered_by NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_device_revoked_at_type CHECK (datetime(revoked_at, '+0 days') IS substr(revoked_at, 1, 19) AND substr(revoked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_device_site_id ON device (site_id);

CREATE TABLE draw (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	programme_id CHAR(32) NOT NULL,
	state VARCHAR NOT NULL,
	commitment BLOB NOT NULL,
	public_source VARCHAR NOT NULL,
	list_root BLOB,
	entries INTEGER,
	seed BLOB,
	public_value VARCHAR,
	CONSTRAINT pk_draw PRIMARY KEY (id),
	CONSTRAINT ck_draw_state CHECK (state IN ('announced', 'closed', 'drawn', 'published', 'void')),
	CONSTRAINT ck_draw_commitment CHECK (length(commitment) = 32),
	CONSTRAINT ck_draw_closed_has_list CHECK (state IN ('announced', 'void') OR (list_root IS NOT NULL AND entries IS NOT NULL)),
	CONSTRAINT ck_draw_seed_after_list CHECK ((state IN ('drawn', 'published')) = (seed IS NOT NULL) AND (seed IS NULL) = (public_value IS NULL)),
	CONSTRAINT ck_draw_entries CHECK (entries >= 0),
	CONSTRAINT uq_draw_id_programme_id UNIQUE (id, programme_id),
	CONSTRAINT fk_draw_programme_id FOREIGN KEY(programme_id) REFERENCES programme (id),
	CONSTRAINT ck_draw_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_draw_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_draw_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_draw_entries_type CHECK (typeof(entries) IN ('integer', 'null'))
);

CREATE TABLE proxy (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	person_id CHAR(32) NOT NULL,
	proxy_person_id CHAR(32),
	staff_id CHAR(32),
	kind VARCHAR NOT NULL,
	scope VARCHAR NOT NULL,
	ends_at DATETIME NOT NULL,
	revoked_at DATETIME,
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
	CONSTRAINT fk_proxy_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
	CONSTRAINT ck_proxy_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_proxy_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_proxy_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_proxy_proxy_person_id_type CHECK (length(proxy_person_id) = 32 AND proxy_person_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_proxy_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_proxy_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_proxy_revoked_at_type CHECK (datetime(revoked_at, '+0 days') IS substr(revoked_at, 1, 19) AND substr(revoked_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

CREATE INDEX ix_proxy_person_id ON proxy (person_id);

CREATE INDEX ix_proxy_proxy_person_id ON proxy (proxy_person_id);

CREATE INDEX ix_proxy_staff_id ON proxy (staff_id);

CREATE UNIQUE INDEX one_proxy_in_force ON proxy (person_id, proxy_person_id, scope) WHERE revoked_at IS NULL AND proxy_person_id IS NOT NULL;

CREATE TABLE request_step (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	request_id CHAR(32) NOT NULL,
	ordinal INTEGER NOT NULL,
	act VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	staff_id CHAR(32),
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
	CONSTRAINT fk_request_step_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
	CONSTRAINT ck_request_step_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_request_step_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_request_step_request_id_type CHECK (length(request_id) = 32 AND request_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_request_step_ordinal_type CHECK (typeof(ordinal) IN ('integer', 'null')),
	CONSTRAINT ck_request_step_staff_id_type CHECK (length(staff_id) = 32 AND staff_id NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE wait_entry (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	person_id CHAR(32) NOT NULL,
	programme_id CHAR(32) NOT NULL,
	site_id CHAR(32),
	state VARCHAR NOT NULL,
	draw_id CHAR(32),
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
	CONSTRAINT fk_wait_entry_site_id FOREIGN KEY(site_id) REFERENCES site (id),
	CONSTRAINT ck_wait_entry_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_wait_entry_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_wait_entry_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_wait_entry_programme_id_type CHECK (length(programme_id) = 32 AND programme_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_wait_entry_site_id_type CHECK (length(site_id) = 32 AND site_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_wait_entry_draw_id_type CHECK (length(draw_id) = 32 AND draw_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_wait_entry_rank_type CHECK (typeof(rank) IN ('integer', 'null'))
);

CREATE INDEX ix_wait_entry_order ON wait_entry (programme_id, state, rank, recorded_at);

CREATE INDEX ix_wait_entry_person_id ON wait_entry (person_id);

CREATE UNIQUE INDEX one_place_in_the_queue ON wait_entry (person_id, programme_id) WHERE state IN ('waiting', 'offered');

CREATE TABLE offer (
	id CHAR(32) NOT NULL,
	recorded_at DATETIME NOT NULL,
	wait_entry_id CHAR(32) NOT NULL,
	person_id CHAR(32) NOT NULL,
	slot_id CHAR(32) NOT NULL,
	state VARCHAR NOT NULL,
	ends_at DATETIME NOT NULL,
	appointment_id CHAR(32),
	CONSTRAINT pk_offer PRIMARY KEY (id),
	CONSTRAINT ck_offer_state CHECK (state IN ('open', 'accepted', 'declined', 'lapsed', 'withdrawn')),
	CONSTRAINT ck_offer_ends_after_start CHECK (ends_at > recorded_at),
	CONSTRAINT fk_offer_wait_entry_id_person_id FOREIGN KEY(wait_entry_id, person_id) REFERENCES wait_entry (id, person_id),
	CONSTRAINT fk_offer_appointment_id_person_id FOREIGN KEY(appointment_id, person_id) REFERENCES appointment (id, person_id),
	CONSTRAINT ck_offer_accepted CHECK ((state = 'accepted') = (appointment_id IS NOT NULL)),
	CONSTRAINT fk_offer_slot_id FOREIGN KEY(slot_id) REFERENCES slot (id),
	CONSTRAINT ck_offer_id_type CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_offer_recorded_at_type CHECK (datetime(recorded_at, '+0 days') IS substr(recorded_at, 1, 19) AND substr(recorded_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_offer_wait_entry_id_type CHECK (length(wait_entry_id) = 32 AND wait_entry_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_offer_person_id_type CHECK (length(person_id) = 32 AND person_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_offer_slot_id_type CHECK (length(slot_id) = 32 AND slot_id NOT GLOB '*[^0-9a-f]*'),
	CONSTRAINT ck_offer_ends_at_type CHECK (datetime(ends_at, '+0 days') IS substr(ends_at, 1, 19) AND substr(ends_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'),
	CONSTRAINT ck_offer_appointment_id_type CHECK (length(appointment_id) = 32 AND appointment_id NOT GLOB '*[^0-9a-f]*')
);

CREATE INDEX ix_offer_slot_id_state ON offer (slot_id, state);

CREATE UNIQUE INDEX one_open_offer ON offer (wait_entry_id) WHERE state = 'open';

-- down
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
