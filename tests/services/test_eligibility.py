"""Whether a programme is open to a person: decided, kept, and answered the same again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from healthcert.data import knowledge as files
from healthcert.errors import BadInput, NotAllowed, NotEligible
from healthcert.models import (
    Appointment,
    AuditEvent,
    EligibilityDecision,
    Person,
    Phase,
    Programme,
)
from healthcert.services import (
    audit,
    booking,
    eligibility,
    enrolment,
    knowledge,
    moving,
    parties,
    people,
    rebooking,
    sweeping,
)
from healthcert.services.people import IdentityDetails
from tests.factories import NOW, day
from tests.services.clinic import Clinic, details

OLD = {"code": "old", "opens_on": str(day(-30)), "admits": {"age": {"from_years": 65}}}
NURSES = {"code": "nurses", "opens_on": str(day(-30)), "admits": {"occupation": ["nurse"]}}
ANSWERS = {"occupation": {"nurse": {"en": "Nurse"}}, "risk": {"heart": {"en": "Heart"}}}
COAST = {"code": "coast", "opens_on": str(day(-30)), "admits": {"region": ["coast"]}}
AGAIN = {"code": "again", "opens_on": str(day(-30)), "admits": {"doses": {"at_least": 1}}}
ALL = {"code": "all", "opens_on": str(day(30)), "admits": {}}


def publish(clinic: Clinic, *phases: dict[str, Any]) -> None:
    """Give the programme these phases, in a new version of its file."""
    source = files.sources("programme")[0]
    named = [phase | {"names": {"en": phase["code"].title()}} for phase in phases]
    content = source.content | {"phases": named, "answers": ANSWERS}
    with clinic.doors.transaction() as db:
        sha256 = "-".join(phase["code"] for phase in phases)
        knowledge.load(db, now=NOW, more=[replace(source, content=content, sha256=sha256)])


def enrolled(clinic: Clinic, **changes: Any) -> Person:
    with clinic.doors.transaction() as db:
        return enrolment.enrol(db, vault=clinic.vault, details=details(**changes), now=NOW)


def ask(clinic: Clinic, person: Person, on: date | None = None, **more: Any) -> EligibilityDecision:
    wanted: dict[str, Any] = {
        "vault": clinic.vault, "person": person, "programme_id": clinic.programme.id,
        "day": on or day(1), "actor": audit.Actor("citizen", person.id), "now": NOW,
    }  # fmt: skip
    return clinic.doors.run(lambda db: eligibility.decide(db, **wanted | more))


def kept(clinic: Clinic) -> int:
    with clinic.doors.reading() as db:
        return db.scalar(select(func.count()).select_from(EligibilityDecision)) or 0


def test_the_demonstration_is_open_to_everybody_and_a_booking_keeps_the_decision(clinic):
    appointment = clinic.book(clinic.slot())
    with clinic.doors.reading() as db:
        [decision] = db.scalars(select(EligibilityDecision)).all()
        programme = db.get_one(Programme, clinic.programme.id)
        assert (decision.outcome, decision.person_id) == ("eligible", appointment.person_id)
        assert decision.knowledge_id == programme.knowledge_id
        assert decision.reasons == [{"code": "admitted", "about": {"phase": "everybody"}}]


def test_who_is_not_admitted_is_refused_with_the_group_that_comes_first(clinic):
    publish(clinic, OLD, ALL)
    with pytest.raises(NotEligible) as refusal:
        clinic.book(clinic.slot(), details(birth_date="1980-05-17"))
    assert (refusal.value.opens_on, refusal.value.group) == (day(30), {"en": "All"})
    assert clinic.book(clinic.slot(day(2)), details(birth_date="1950")).state == "booked"


def test_a_refusal_without_a_later_phase_has_no_day(clinic):
    publish(clinic, OLD)
    with pytest.raises(NotEligible) as refusal:
        clinic.book(clinic.slot())
    assert (refusal.value.opens_on, refusal.value.by_phase) == (None, True)


def test_a_refusal_is_kept_and_answers_why_not_yet(clinic):
    publish(clinic, OLD, ALL)
    without = details(identity=IdentityDetails("none"))
    for who, is_kept in ((details(), True), (without, False)):
        with clinic.doors.transaction() as db:
            assert is_kept == booking.keep_refusal(
                db,
                vault=clinic.vault,
                programme_id=clinic.programme.id,
                day=day(1),
                details=who,
                now=NOW,
            )
    with clinic.doors.reading() as db:
        person = db.scalars(select(Person)).one()
        found = eligibility.answers(db, person_id=person.id)[clinic.programme.id]
        assert found is not None
        assert [(reason["code"], reason["about"]) for reason in found.reasons] == [
            ("asks", {"phase": "old", "field": "age"}),
            ("opens", {"phase": "all", "on": str(day(30))}),
        ]
        assert db.scalars(select(Appointment)).all() == []


def test_deciding_twice_gives_the_row_that_is_kept(clinic):
    person = enrolled(clinic)
    first = ask(clinic, person)
    assert ask(clinic, person).id == first.id
    assert ask(clinic, person, day(2)).id != first.id
    assert kept(clinic) == 2


def test_what_was_told_holds_until_something_else_is_told(clinic):
    publish(clinic, NURSES)
    person = enrolled(clinic)
    assert ask(clinic, person).outcome == "refused"
    assert ask(clinic, person, told={"occupation": ["nurse"]}).outcome == "eligible"
    assert ask(clinic, person, day(2)).outcome == "eligible"
    assert ask(clinic, person, told={"occupation": []}).outcome == "refused"


def test_the_region_on_record_is_asked(clinic):
    publish(clinic, COAST)
    person = enrolled(clinic)
    assert ask(clinic, person).outcome == "refused"
    with clinic.doors.transaction() as db:
        db.get_one(Person, person.id).region = "coast"
    with clinic.doors.reading() as db:
        person = db.get_one(Person, person.id)
    assert ask(clinic, person).outcome == "eligible"


def test_papers_keep_nobody_out(clinic):
    publish(clinic, {**ALL, "opens_on": str(day(-1)), "admits": {"age": {"from_years": 18}}})
    slot = clinic.slot(capacity=3)
    for kind, value in (("refugee", "UN-1"), ("vouched", "Kanari"), ("none", "")):
        who = details(identity=IdentityDetails(kind, "XX", value))
        assert clinic.book(slot, who).state == "booked"


def test_a_phase_that_asks_for_doses_refuses_as_the_record_does(clinic):
    publish(clinic, AGAIN)
    with pytest.raises(booking.NotDue):
        clinic.book(clinic.slot(), dose_number=2)


def test_a_nurse_takes_somebody_out_of_turn_with_a_reason_that_is_written_down(clinic):
    publish(clinic, OLD)
    person = enrolled(clinic)
    slot = clinic.slot()
    made = clinic.doors.run(
        lambda db: booking.take(
            db, vault=clinic.vault, person_id=person.id, slot_id=slot.id, dose_number=1,
            source="walk_in", actor=audit.Actor("staff", clinic.nurse.id), now=NOW,
            exception_reason="medical_need",
        )
    )  # fmt: skip
    assert made.state == "booked"
    with clinic.doors.reading() as db:
        [decision] = db.scalars(select(EligibilityDecision)).all()
        assert (decision.outcome, decision.exception_reason) == ("exception", "medical_need")
        assert decision.decided_by == clinic.nurse.id
        event = db.scalars(select(AuditEvent).filter_by(act="eligibility_exception")).one()
        assert event.details["reason"] == "medical_need"


def test_whoever_waits_for_the_lock_is_judged_by_what_was_kept_meanwhile(clinic):
    person, slot = enrolled(clinic), clinic.slot()
    wanted: dict[str, Any] = {"vault": clinic.vault, "actor": audit.STRANGER, "now": NOW}

    def take() -> Appointment:
        how = {"person_id": person.id, "slot_id": slot.id, "dose_number": 1, "source": "web"}
        return clinic.doors.run(lambda db: booking.take(db, **how, **wanted))

    with ThreadPoolExecutor(1) as pool:
        with clinic.doors.transaction() as db:
            people.locked(db, person.id)
            waiting = pool.submit(take)
            time.sleep(0.5)
            how = {"programme_id": clinic.programme.id, "day": day(1)}
            decided = eligibility.decide(db, person=person, **how, **wanted)
        assert waiting.result().state == "booked"
    assert (kept(clinic), decided.outcome) == (1, "eligible")


def test_an_exception_stays_with_what_it_was_made_for_and_with_nothing_else(clinic):
    publish(clinic, OLD)
    person, slots = enrolled(clinic), [clinic.slot(day(number)) for number in (1, 2, 3)]
    deed: dict[str, Any] = {"vault": clinic.vault, "now": NOW}
    nurse = audit.Actor("staff", clinic.nurse.id)
    wishes = [parties.Wish(person, slots[0].id, 1)]
    party = clinic.doors.run(
        lambda db: parties.hold(
            db, wishes=wishes, source="phone", actor=nurse, exception_reason="carer", **deed
        )
    )
    deed["now"] = party.until
    clinic.doors.run(lambda db: sweeping.sweep(db, now=party.until))
    late = {"party_id": party.id, "actor": audit.STRANGER, **deed}
    [held] = clinic.doors.run(lambda db: parties.confirm(db, **late))
    assert (held.state, held.exception_reason) == ("booked", "carer")
    theirs = {"person_id": person.id, **deed}
    moved = clinic.doors.run(
        lambda db: moving.move(db, appointment_id=held.id, slot_id=slots[1].id, **theirs)
    )
    others = [(slots[2].id, slots[2].starts_at)]
    again = {"appointment_id": moved.id, "slots": others, **deed}
    assert clinic.doors.run(lambda db: rebooking.rebook(db, **again))
    with clinic.doors.reading() as db:
        made = db.scalars(select(Appointment).order_by(Appointment.id)).all()
        assert [each.exception_reason for each in made] == ["carer"] * 3
        decided = db.scalars(select(EligibilityDecision)).all()
        assert {(each.outcome, each.decided_by) for each in decided} == {
            ("exception", clinic.nurse.id)
        }
    theirs["appointment_id"] = made[-1].id
    clinic.doors.run(lambda db: booking.cancel(db, **theirs))
    with pytest.raises(NotEligible):
        clinic.doors.run(
            lambda db: booking.take(
                db, person_id=person.id, slot_id=slots[0].id, dose_number=1, source="web",
                actor=audit.STRANGER, **deed,
            )
        )  # fmt: skip


def test_who_is_admitted_needs_no_exception(clinic):
    nurse = audit.Actor("staff", clinic.nurse.id)
    decision = ask(clinic, enrolled(clinic), actor=nurse, exception_reason="other")
    assert (decision.outcome, decision.exception_reason) == ("eligible", "")


def test_an_exception_is_for_nurses_with_a_reason_we_know_and_nationality_is_never_told(clinic):
    publish(clinic, OLD)
    person = enrolled(clinic)
    with pytest.raises(NotAllowed):
        ask(clinic, person, exception_reason="medical_need")
    with pytest.raises(BadInput):
        ask(clinic, person, actor=audit.Actor("staff", clinic.nurse.id), exception_reason="friend")
    with pytest.raises(BadInput):
        ask(clinic, person, told={"nationality_group": ["refugee"]})
    assert kept(clinic) == 0


def test_moving_to_a_day_on_which_no_phase_is_open_keeps_the_old_place(clinic):
    publish(clinic, {**ALL, "opens_on": str(day(-1)), "closes_on": str(day(5))})
    made = clinic.book(clinic.slot(day(1)))
    late = clinic.slot(day(6))
    with pytest.raises(NotEligible):
        clinic.doors.run(
            lambda db: moving.move(
                db, vault=clinic.vault, appointment_id=made.id, person_id=made.person_id,
                slot_id=late.id, now=NOW,
            )
        )  # fmt: skip


def test_a_new_version_has_phases_of_its_own_and_the_old_ones_stay(clinic):
    publish(clinic, OLD)
    publish(clinic, OLD, ALL)
    publish(clinic, OLD)
    with clinic.doors.reading() as db:
        assert len(db.scalars(select(Phase)).all()) == 4
        programme = db.get_one(Programme, clinic.programme.id)
        assert [phase.code for phase in eligibility.phases_of(db, programme)] == ["old"]
