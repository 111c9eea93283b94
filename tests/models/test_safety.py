"""Consent follows consent, answers stay, and a case of a reaction goes its listed way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import LargeBinary, delete, update
from sqlalchemy.orm import Session

from healthcert.db import Doors, migrate
from healthcert.models import AdverseEvent, Consent
from healthcert.models.adverse_event import EVENT_OUTCOMES, STATES, TRANSITIONS
from tests import factories as make
from tests.factories import NOW, day
from tests.models.refusals import refused
from tests.models.test_append_only import another
from tests.threads import at_once

SOON = NOW + timedelta(hours=48)
SERIOUS = {"seriousness": "hospitalisation", "due_at": SOON}


def test_what_was_given_is_withdrawn_and_may_be_given_again(db):
    first = make.make_consent(db)
    same = {"person_id": first.person_id, "programme_id": first.programme_id}
    make.make_consent(db, ordinal=2, decision="withdrawn", **same)
    make.make_consent(db, ordinal=3, decision="refused", **same)
    make.make_consent(db, ordinal=4, **same)


@pytest.mark.parametrize("before", [(), ("refused",), ("given", "withdrawn")])
def test_what_is_not_given_is_not_withdrawn(db, before):
    same = {"person_id": make.make_person(db).id, "programme_id": make.make_programme(db).id}
    for ordinal, decision in enumerate(before, 1):
        make.make_consent(db, ordinal=ordinal, decision=decision, **same)
    with refused(db, "consent_follows"):
        make.make_consent(db, ordinal=len(before) + 1, decision="withdrawn", **same)


def test_a_decision_follows_the_newest_one_of_its_programme(db):
    first = make.make_consent(db)
    same = {"person_id": first.person_id, "programme_id": first.programme_id}
    for ordinal in (1, 3):
        with refused(db, "consent_follows", "uq_consent_person_id_programme_id_ordinal"):
            make.make_consent(db, ordinal=ordinal, **same)
    make.make_consent(db, person=None, ordinal=1, person_id=first.person_id)


@pytest.mark.parametrize(
    "values",
    [
        {"decided_by": "neighbour"},
        {"decision": "perhaps"},
        {"decided_by": "parent"},
        {"sealed": b"sealed"},
    ],
)
def test_it_is_known_who_decided(db, values):
    rules = ("decided_by", "decision", "other_is_named")
    with refused(db, *(f"ck_consent_{rule}" for rule in rules)):
        make.make_consent(db, **values)
    make.make_consent(db, decided_by="parent", sealed=b"sealed")


def test_of_first_decisions_at_the_same_moment_one_is_the_first(doors: Doors):
    with doors.transaction() as db:
        person, programme = make.make_person(db), make.make_programme(db)

    def decide(_turn: int) -> Consent:
        with doors.transaction() as db:
            return make.make_consent(db, person=person, programme_id=programme.id)

    assert sum(isinstance(each, Consent) for each in at_once(4, decide)) == 1


def test_a_screening_is_about_the_person_of_its_appointment(db):
    appointment = make.make_appointment(db)
    with refused(db, "foreign_key"):
        make.make_screening(db, appointment_id=appointment.id)
    make.make_screening(db, appointment_id=appointment.id, person_id=appointment.person_id)


@pytest.mark.parametrize("values", [{"outcome": "ask_clinician"}, {"reason": ""}])
def test_a_clinician_decides_and_says_why(db, values):
    with refused(db, "ck_triage_outcome", "ck_triage_reason"):
        make.make_triage(db, **values)


def test_a_second_decision_is_a_second_row(db):
    first = make.make_triage(db)
    with refused(db, "uq_triage_screening_id_ordinal"):
        make.make_triage(db, screening_id=first.screening_id)
    make.make_triage(db, screening_id=first.screening_id, ordinal=2)


def make_case(db: Session, state: str) -> AdverseEvent:
    """Return a serious case brought to a state along the listed steps."""
    case = make.make_adverse_event(db, **SERIOUS)
    if state == "entered_in_error":
        case.state, case.error_reason = state, "wrong_person"
    for step in STATES[1 : STATES.index(state) + 1] if case.error_reason is None else ():
        case.state, case.causality = step, "indeterminate_temporal"
        db.flush()
    db.flush()
    return case


@pytest.mark.parametrize("old", STATES)
@pytest.mark.parametrize("new", STATES)
def test_a_case_goes_the_listed_way(db, old, new):
    case = make_case(db, old)
    step = update(AdverseEvent).where(AdverseEvent.id == case.id)
    why = "other" if new == "entered_in_error" else None
    of_case = {} if old == "entered_in_error" else {"causality": "coincidental"}
    step = step.values(state=new, error_reason=why and (case.error_reason or why), **of_case)
    if new == old or new in TRANSITIONS.get(old, ()):
        db.execute(step)
        return
    with refused(db, "adverse_event_transition", "adverse_event_fixed"):
        db.execute(step)


@pytest.mark.parametrize("state", STATES[1:])
def test_a_case_begins_as_reported(db, state):
    with refused(db, "adverse_event_fixed"):
        make.make_adverse_event(db, state=state, causality="coincidental")


def test_a_serious_case_has_a_clock_and_is_not_closed_unassessed(db):
    for values in ({"seriousness": "disability"}, {"due_at": SOON}):
        with refused(db, "ck_adverse_event_clock"):
            make.make_adverse_event(db, **values)
    with refused(db, "ck_adverse_event_due_after_report"):
        make.make_adverse_event(db, **SERIOUS | {"due_at": NOW - timedelta(1)})
    with refused(db, "ck_adverse_event_death"):
        make.make_adverse_event(db, outcome="died")
    mild, serious = make.make_adverse_event(db), make.make_adverse_event(db, **SERIOUS)
    close = update(AdverseEvent).values(state="closed")
    db.execute(close.where(AdverseEvent.id == mild.id))
    with refused(db, "ck_adverse_event_serious_is_assessed"):
        db.execute(close.where(AdverseEvent.id == serious.id))
    db.execute(update(AdverseEvent).values(state="investigating"))
    with refused(db, "ck_adverse_event_assessed"):
        db.execute(update(AdverseEvent).values(state="assessed"))


DEATH = {"seriousness": "death", "outcome": "died", "due_at": SOON}


@pytest.mark.parametrize("outcome", [each for each in EVENT_OUTCOMES if each != "died"])
def test_a_death_says_of_its_outcome_that_they_died(db, outcome):
    with refused(db, "death_died"):
        make.make_adverse_event(db, **DEATH | {"outcome": outcome})
    event = make.make_adverse_event(db, **DEATH)
    told = update(AdverseEvent).where(AdverseEvent.id == event.id)
    with refused(db, "death_died"):
        db.execute(told.values(outcome=outcome))
    db.execute(told.values(seriousness="hospitalisation", outcome=outcome))
    with refused(db, "death_died"):
        db.execute(told.values(seriousness="death"))


def test_a_death_of_before_that_contradicts_outlives_the_step_until_it_is_told_anew(
    doors: Doors, database_url
):
    with doors.engine.begin() as connection:
        if doors.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP FUNCTION death_died() CASCADE")
        else:
            connection.exec_driver_sql("DROP TRIGGER death_died_insert")
    with doors.transaction() as db:
        old = make.make_adverse_event(db, **DEATH | {"outcome": "recovered"})
    migrate(database_url)
    told = update(AdverseEvent).where(AdverseEvent.id == old.id)
    with doors.transaction() as db:
        db.execute(told.values(sealed=b"under a new key", state="investigating"))
        with refused(db, "death_died"):
            db.execute(told.values(outcome="recovering"))
        db.execute(told.values(outcome="died"))


@pytest.mark.parametrize(
    "column", ["term", "seriousness", "outcome", "causality", "reporter", "state"]
)
def test_what_is_counted_is_coded(db, column):
    with refused(db, f"ck_adverse_event_{column}", "adverse_event_fixed"):
        make.make_adverse_event(db, **SERIOUS | {column: "somehow"})


def test_a_reaction_is_to_a_dose_of_the_same_person(db):
    dose = make.make_dose(db)
    with refused(db, "foreign_key"):
        make.make_adverse_event(db, dose_id=dose.id)
    make.make_adverse_event(db, dose_id=dose.id, person_id=dose.person_id)


MOVES = {"state", "seriousness", "outcome", "causality", "due_at", "sealed", "error_reason"}


def test_what_was_reported_stays_and_a_new_seal_may_come(db):
    make.make_adverse_event(db)
    table = AdverseEvent.__table__
    for column in [each for each in table.columns if each.name not in MOVES]:
        with refused(db, "adverse_event_fixed"):
            db.execute(update(table).values({column.name: another(column)}))
    assert isinstance(table.c.sealed.type, LargeBinary)
    db.execute(update(table).values(sealed=b"under a new key"))
    with refused(db, "never_deleted"):
        db.execute(delete(table))


def test_a_reaction_may_come_days_later(db):
    make.make_adverse_event(db, onset_on=day(-3))


def test_what_is_told_later_is_of_the_person_of_its_case(db):
    event = make.make_adverse_event(db)
    with refused(db, "foreign_key"):
        make.make_entry(db, event_id=event.id)
    make.make_entry(db, event_id=event.id, person_id=event.person_id)


@pytest.mark.parametrize("values", [{"error_reason": "other"}, {"error_reason": "because"}])
def test_what_stands_has_no_reason_for_being_wrong(db, values):
    with refused(db, "ck_adverse_event_error_has_reason", "ck_adverse_event_error_reason"):
        make.make_adverse_event(db, **values)


def test_what_is_taken_back_says_why(db):
    case = make.make_adverse_event(db)
    wrong = update(AdverseEvent).where(AdverseEvent.id == case.id)
    with refused(db, "ck_adverse_event_error_has_reason"):
        db.execute(wrong.values(state="entered_in_error"))
    db.execute(wrong.values(state="entered_in_error", error_reason="reported_twice"))


@pytest.mark.parametrize(
    "values", [{"error_reason": "other"}, {"outcome": "died"}, {"causality": "coincidental"}]
)
def test_of_what_was_taken_back_the_seal_alone_moves(db, values):
    case = make_case(db, "entered_in_error")
    back = update(AdverseEvent).where(AdverseEvent.id == case.id)
    with refused(db, "adverse_event_fixed"):
        db.execute(back.values(values))
    db.execute(back.values(sealed=b"under a new key"))
