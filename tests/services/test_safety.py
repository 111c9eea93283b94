"""Before the needle and after it: consent, answers, decisions and reactions, as deeds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.data.knowledge import country
from healthcert.errors import BadInput, NotAllowed, NotFound, NotReady, WrongState
from healthcert.models import AdverseEvent, AuditEvent, Consent, Person, Screening, new_id
from healthcert.services import reporting, safety
from healthcert.services.reporting import Reaction
from tests import factories as make
from tests.factories import NOW, TODAY, day

XX = country("XX")
SERIOUS_WITHIN = timedelta(hours=48)  # as its file says
FEVER = Reaction("fever_38", TODAY, "not_serious", "recovering", "self", {"narrative": "39.2 °C"})


@pytest.fixture
def person(db, vault) -> Person:
    return make.make_person(db, wrapped_key=vault.new_key())


def decide(db, vault, person, programme, decision, **how) -> Consent:
    wanted = {"decided_by": "self", "staff": None, "now": NOW} | how
    return safety.consent(
        db, vault=vault, person_id=person.id, programme_id=programme.id, decision=decision, **wanted
    )


def current(db, person, programme) -> str | None:
    found = safety.current_consent(db, person_id=person.id, programme_id=programme.id)
    return found and found.decision


def acts(db) -> list[str]:
    return list(db.scalars(select(AuditEvent.act).where(AuditEvent.recorded_at == NOW)))


def test_the_newest_decision_counts(db, vault, person):
    programme, other = make.make_programme(db), make.make_programme(db)
    assert current(db, person, programme) is None
    with pytest.raises(WrongState):
        decide(db, vault, person, programme, "withdrawn")
    for decision in ("refused", "given", "withdrawn", "given"):
        decide(db, vault, person, programme, decision)
        assert current(db, person, programme) == decision
    assert current(db, person, other) is None
    assert {"consent_refused", "consent_given", "consent_withdrawn"} <= set(acts(db))


def test_the_name_of_a_parent_is_sealed_and_bound_to_the_decision(db, vault, person):
    programme = make.make_programme(db)
    row = decide(db, vault, person, programme, "given", decided_by="parent", name="Layla Khoury")
    assert b"Layla" not in row.sealed
    opened = vault.open(person.wrapped_key, row.id, row.sealed, purpose="consent")
    assert opened == {"name": "Layla Khoury"}
    with pytest.raises(NotReady):
        vault.open(person.wrapped_key, new_id(), row.sealed, purpose="consent")
    assert decide(db, vault, person, programme, "refused").sealed is None


def screened(db, vault, person, **how) -> Screening:
    wanted = {"answers": {"allergy": "yes"}, "outcome": "ask_clinician", "staff": None} | how
    return safety.screen(
        db, vault=vault, person_id=person.id, programme_id=make.make_programme(db).id,
        questions_id=make.make_knowledge(db).id, now=NOW, **wanted,
    )  # fmt: skip


def test_answers_are_sealed_and_bound_to_their_row(db, vault, person):
    row, other = screened(db, vault, person), screened(db, vault, person)
    opened = vault.open(person.wrapped_key, row.id, row.sealed, purpose="screening")
    assert opened == {"allergy": "yes"}
    for row_id, purpose in ((other.id, "screening"), (row.id, "person")):
        with pytest.raises(NotReady):
            vault.open(person.wrapped_key, row_id, row.sealed, purpose=purpose)
    assert "yes" not in str(db.scalars(select(AuditEvent.details)).all())


def test_a_clinician_decides_otherwise_with_a_reason_and_a_clerk_does_not(db, vault, person):
    row, nurse = screened(db, vault, person), make.make_staff(db)
    how = {"screening_id": row.id, "reason": "history_clarified", "day": day(0), "now": NOW}
    with pytest.raises(NotAllowed):
        safety.override(db, outcome="go", staff=make.make_staff(db, role="clerk"), **how)
    first = safety.override(db, outcome="go", staff=nurse, **how)
    second = safety.override(db, outcome="defer", until=day(7), staff=nurse, **how)
    assert (first.ordinal, second.ordinal, row.outcome) == (1, 2, "ask_clinician")
    with pytest.raises(NotFound):
        safety.override(db, outcome="go", staff=nurse, **how | {"screening_id": new_id()})
    assert acts(db).count("triaged") == 2
    with pytest.raises(BadInput):  # where it is tomorrow already
        safety.override(db, outcome="defer", until=day(1), staff=nurse, **how | {"day": day(1)})


def reported(db, vault, person, **told) -> AdverseEvent:
    return reporting.report_event(
        db, vault=vault, person_id=person.id, reaction=replace(FEVER, **told), country=XX,
        site_id=None, staff=None, now=NOW,
    )  # fmt: skip


def move(db, event, state, *, now=NOW, **found) -> AdverseEvent:
    staff = make.make_staff(db)
    return reporting.move_event(
        db, event_id=event.id, state=state, country=XX, staff=staff, now=now, **found
    )


def test_what_was_told_of_a_reaction_is_sealed_and_its_number_is_its_own(db, vault, person):
    dose = make.make_dose(db, person=person)
    one, two = reported(db, vault, person, dose_id=dose.id), reported(db, vault, person)
    assert one.number.startswith("XX-")
    assert one.number != two.number
    assert (one.due_at, one.state, one.dose_id) == (None, "reported", dose.id)
    opened = vault.open(person.wrapped_key, one.id, one.sealed, purpose="adverse_event")
    assert opened == {"narrative": "39.2 °C"}


def test_a_serious_case_is_due_and_goes_all_its_way(db, vault, person):
    event = reported(db, vault, person, term="anaphylaxis", seriousness="life_threatening")
    assert event.due_at == NOW + SERIOUS_WITHIN
    for state in ("assessed", "closed"):
        with pytest.raises(WrongState):
            move(db, event, state)
        assert event.state == "reported"
    move(db, event, "investigating")
    with pytest.raises(WrongState):
        move(db, event, "assessed")
    move(db, event, "assessed", causality="vaccine_product", outcome="recovered")
    move(db, event, "closed")
    assert (event.state, event.outcome) == ("closed", "recovered")
    assert {"adverse_event_reported", "adverse_event_closed"} <= set(acts(db))


def test_the_clock_starts_when_a_case_turns_out_to_be_serious(db, vault, person):
    event, later = reported(db, vault, person), NOW + timedelta(days=2)
    move(db, event, "investigating", seriousness="hospitalisation", now=later)
    assert event.due_at == later + SERIOUS_WITHIN
    move(db, event, "assessed", causality="coincidental", now=later + timedelta(days=1))
    assert event.due_at == later + SERIOUS_WITHIN
    move(db, event, "investigating", seriousness="not_serious")
    assert event.due_at is None


def test_a_case_that_does_not_exist_does_not_move(db):
    with pytest.raises(NotFound):
        reporting.move_event(
            db, event_id=new_id(), state="closed", country=XX, staff=make.make_staff(db), now=NOW
        )


def test_nobody_unknown_consents_answers_or_reacts(db, vault):
    nobody, programme = Person(id=new_id(), wrapped_key=vault.new_key()), make.make_programme(db)
    for deed in (
        lambda: decide(db, vault, nobody, programme, "given"),
        lambda: screened(db, vault, nobody),
        lambda: reported(db, vault, nobody),
    ):
        with pytest.raises(NotFound):
            deed()
