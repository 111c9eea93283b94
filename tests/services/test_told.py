"""What people are asked to tell by phases, and that it holds wherever they are judged again."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from healthcert.errors import AlreadyBooked, BadInput, NotEligible, Refusal
from healthcert.models import (
    Appointment,
    AuditEvent,
    ClinicSession,
    EligibilityDecision,
    Message,
    Person,
    Programme,
    WaitEntry,
)
from healthcert.services import (
    booking,
    eligibility,
    enrolment,
    identities,
    moving,
    my_record,
    parties,
    rebooking,
    sweeping,
    waits,
)
from healthcert.services.audit import STRANGER, Actor
from healthcert.services.people import Details, IdentityDetails
from tests.factories import NOW, day
from tests.services.clinic import Clinic, details
from tests.services.test_eligibility import (
    AGAIN,
    ANSWERS,
    NURSES,
    OLD,
    ask,
    enrolled,
    kept,
    publish,
)
from tests.services.test_waiting import Line
from tests.statements import sent

NURSE = {"occupation": ["nurse"]}
FRAIL = {"code": "frail", "opens_on": str(day(-30)), "closes_on": str(day(5)),
         "admits": {"any": [{"risk": ["heart"]}, {"not": {"pregnant": False}}]}}  # fmt: skip
COAST = {"code": "coast", "opens_on": str(day(20)), "admits": {"region": ["valley", "coast"]}}
ALL = {"code": "all", "opens_on": str(day(-1)), "admits": {"age": {"from_years": 12}}}


def told_of(clinic: Clinic, person_id: UUID) -> dict[str, list[str]]:
    with clinic.doors.reading() as db:
        person, programme_id = db.get_one(Person, person_id), clinic.programme.id
        return eligibility.told_of(db, clinic.vault, person, programme_id)


def take(clinic: Clinic, person: Person, slot: Any, **how: Any) -> Appointment:
    wanted = {"vault": clinic.vault, "actor": STRANGER, "dose_number": 1, "source": "web"}
    wanted |= {"person_id": person.id, "slot_id": slot.id, "now": NOW}
    return clinic.doors.run(lambda db: booking.take(db, **wanted | how))


def hold(clinic: Clinic, *wishes: parties.Wish, **how: Any) -> parties.Party:
    wanted = {"vault": clinic.vault, "wishes": wishes, "source": "web", "actor": STRANGER}
    return clinic.doors.run(lambda db: parties.hold(db, now=NOW, **wanted | how))


def questions(clinic: Clinic, on: int = 0) -> dict[str, Any]:
    with clinic.doors.reading() as db:
        programme = db.get_one(Programme, clinic.programme.id)
        return eligibility.asks(db, programme, day=day(on), country=clinic.country)


def test_who_tells_what_a_phase_asks_is_booked_and_it_is_opened_again(clinic):
    publish(clinic, NURSES)
    person, slot = enrolled(clinic), clinic.slot()
    assert told_of(clinic, person.id) == {}
    with pytest.raises(NotEligible):
        take(clinic, person, slot)
    assert take(clinic, person, slot, told=NURSE).state == "booked"
    assert told_of(clinic, person.id) == NURSE


def test_telling_the_very_same_again_gives_the_row_that_is_kept(clinic):
    publish(clinic, NURSES, FRAIL | {"opens_on": str(day(3))}, ALL)
    person = enrolled(clinic)
    nothing = ask(clinic, person)
    for told in ({}, {"occupation": []}, None):
        assert ask(clinic, person, told=told).id == nothing.id
    first = ask(clinic, person, told=NURSE | {"risk": []})
    for told in (NURSE, {"occupation": ("nurse", "nurse")}, None):
        assert ask(clinic, person, told=told).id == first.id
    more = ask(clinic, person, told=NURSE | {"risk": ["heart"]})
    assert more.id != first.id
    assert (more.phase_id, more.reasons) == (first.phase_id, first.reasons)
    assert told_of(clinic, person.id) == NURSE | {"risk": ["heart"]}
    assert ask(clinic, person, told={}).id not in {nothing.id, more.id}
    assert (told_of(clinic, person.id), kept(clinic)) == ({}, 4)


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"occupation": ["baker"]}, {"occupation": "not_a_choice"}),
        (NURSE | {"risk": ["heart", "lung"]}, {"risk": "not_a_choice"}),
        ({"district": ["west"]}, {"district": "not_a_choice"}),
        ({"region": ["mountain"]}, {"region": "not_a_choice"}),
        ({"pregnant": ["no"]}, {"pregnant": "not_a_choice"}),
        ({"hair": ["red"]}, {"hair": "not_a_field"}),
    ],
)
def test_what_no_phase_in_force_asks_is_refused_and_not_kept(clinic, told, wrong):
    publish(clinic, NURSES, FRAIL, COAST)
    person, slot = enrolled(clinic), clinic.slot()
    line, who = Line(clinic), details()
    wish = parties.Wish(person, slot.id, 1, told)
    for deed in (
        partial(take, clinic, person, slot, told=told),
        partial(hold, clinic, wish),
        partial(line.join, who, told=told),
    ):
        with pytest.raises(BadInput) as refusal:
            deed()
        assert refusal.value.fields == wrong
    assert kept(clinic) == 0


def test_a_choice_that_was_shown_may_be_told_after_its_phase_is_over(clinic):
    publish(clinic, FRAIL, ALL)
    told = {"risk": ["heart"], "pregnant": ["yes"]}
    assert ask(clinic, enrolled(clinic), on=day(6), told=told).outcome == "eligible"


def test_what_is_asked_is_what_phases_ask_that_are_not_over_in_words(clinic):
    assert questions(clinic) == {}
    publish(clinic, NURSES, COAST, FRAIL, ALL)
    regions = clinic.country.regions
    asked = questions(clinic)
    assert asked == {
        "region": {code: regions[code] for code in ("valley", "coast")},
        **ANSWERS, "pregnant": {"yes": {}},
    }  # fmt: skip
    assert [*asked] == ["region", "occupation", "risk", "pregnant"]
    assert [*asked["region"]] == ["valley", "coast"]
    assert [*questions(clinic, 6)] == ["region", "occupation"]


def test_what_is_asked_costs_one_statement_and_booking_with_it_none(clinic):
    publish(clinic, NURSES, FRAIL)
    questions(clinic)
    with sent(clinic.doors.engine) as statements:
        questions(clinic)
    assert len([each for each in statements if each.startswith("SELECT")]) == 1
    slot, counts = clinic.slot(capacity=9), set()
    hold(clinic, parties.Wish(enrolled(clinic), slot.id, 1, NURSE))  # the vaccine's rule is read
    for told in (NURSE, None, {"risk": ["heart"]}):
        person = enrolled(clinic)
        ask(clinic, person, day(2), told=NURSE)
        with sent(clinic.doors.engine) as statements:
            hold(clinic, parties.Wish(person, slot.id, 1, told))
        counts.add(len(statements))
    assert len(counts) == 1, counts


def test_a_refusal_keeps_what_was_told(clinic):
    publish(clinic, OLD, NURSES | {"opens_on": str(day(9))})
    wanted = {"vault": clinic.vault, "programme_id": clinic.programme.id, "day": day(1)}
    wanted |= {"details": details(), "now": NOW}
    assert clinic.doors.run(lambda db: booking.keep_refusal(db, told=NURSE, **wanted))
    with clinic.doors.reading() as db:
        decision = db.scalars(select(EligibilityDecision)).one()
        assert decision.reasons[-1]["about"]["phase"] == "nurses"
    assert told_of(clinic, decision.person_id) == NURSE


def both(clinic: Clinic, person: Person, *told: Any) -> list[parties.Wish]:
    """Return wishes for the first dose and the second, and what is told with each."""
    slots = [clinic.slot(day(number)) for number in (1, 29)]
    return [parties.Wish(person, slots[n].id, n + 1, told[n]) for n in (0, 1)]


@pytest.mark.parametrize("again", [None, {}, NURSE])
def test_what_is_told_with_the_first_dose_holds_for_the_second_of_a_party(clinic, again):
    publish(clinic, NURSES)
    person = enrolled(clinic)
    made = hold(clinic, *both(clinic, person, NURSE, again)).appointments
    assert [each.state for each in made] == ["held", "held"]
    assert told_of(clinic, person.id) == NURSE


def test_a_second_dose_is_booked_later_by_what_was_told_with_the_first(clinic):
    publish(clinic, NURSES)
    person = enrolled(clinic)
    take(clinic, person, clinic.slot(day(1)), told=NURSE)
    second = take(clinic, person, clinic.slot(day(29)), dose_number=2)
    assert second.state == "booked"


def test_what_one_of_a_party_tells_is_not_said_of_another(clinic):
    publish(clinic, NURSES)
    one, other, slot = enrolled(clinic), enrolled(clinic), clinic.slot()
    wishes = [parties.Wish(one, slot.id, 1, NURSE), parties.Wish(other, slot.id, 1)]
    with pytest.raises(NotEligible) as refusal:
        hold(clinic, *wishes)
    assert refusal.value.which == 1
    assert kept(clinic) == 0


def test_a_hold_that_is_over_is_confirmed_by_what_was_told(clinic):
    publish(clinic, NURSES)
    party = hold(clinic, *both(clinic, enrolled(clinic), NURSE, None))
    late = party.until + timedelta(minutes=1)
    clinic.doors.run(lambda db: sweeping.sweep(db, now=late))
    how = {"vault": clinic.vault, "party_id": party.id, "actor": STRANGER, "now": late}
    booked = clinic.doors.run(lambda db: parties.confirm(db, **how))
    assert [each.state for each in booked] == ["booked", "booked"]


def test_a_move_and_a_closure_take_a_nurse_along_by_what_was_told(clinic):
    publish(clinic, NURSES)
    person, slots = enrolled(clinic), [clinic.slot(day(number)) for number in (1, 2, 3)]
    made = take(clinic, person, slots[0], told=NURSE)
    how = {"vault": clinic.vault, "person_id": person.id, "now": NOW}
    moved = clinic.doors.run(
        lambda db: moving.move(db, appointment_id=made.id, slot_id=slots[1].id, **how)
    )
    assert moved.state == "booked"
    others = [(slots[2].id, slots[2].starts_at)]
    again = {"vault": clinic.vault, "appointment_id": moved.id, "slots": others, "now": NOW}
    assert clinic.doors.run(lambda db: rebooking.rebook(db, **again))
    assert told_of(clinic, person.id) == NURSE


def test_who_finds_no_place_after_a_closure_waits_as_a_nurse(clinic):
    publish(clinic, NURSES)
    person, slot = enrolled(clinic), clinic.slot()
    made = take(clinic, person, slot, told=NURSE)
    with clinic.doors.transaction() as db:
        db.get_one(ClinicSession, slot.session_id).state = "cancelled"
    again = {"vault": clinic.vault, "appointment_id": made.id, "slots": [], "now": NOW}
    assert not clinic.doors.run(lambda db: rebooking.rebook(db, **again))
    with clinic.doors.reading() as db:
        assert db.scalars(select(WaitEntry)).one().phase == "nurses"


def test_who_waits_comes_in_the_order_of_the_phases_that_what_they_told_opens(clinic):
    publish(clinic, NURSES, ALL)
    line, late = Line(clinic), NOW + timedelta(hours=1)
    everybody, nurse = line.join(), line.join(now=late, told=NURSE)
    assert [each.phase for each in (everybody, nurse)] == ["all", "nurses"]
    slot = line.freed()
    line.fill(slot, late)
    [offer] = line.open(slot)
    assert offer.person_id == nurse.person_id
    assert line.answer(offer, now=late).state == "booked"
    assert told_of(clinic, nurse.person_id) == NURSE


def test_who_waits_until_their_phase_opens_takes_what_is_offered_then(clinic):
    opens = day(2)
    publish(clinic, NURSES | {"opens_on": str(opens)})
    line, then = Line(clinic), NOW + timedelta(days=2)
    with pytest.raises(NotEligible):
        line.join()
    nurse = line.join(told=NURSE)
    assert (nurse.phase, nurse.turn_on) == ("nurses", opens)
    slot = line.freed(day(4))
    line.fill(slot, then)
    [offer] = line.open(slot)
    assert line.answer(offer, now=then).state == "booked"


def test_nobody_is_offered_what_the_phases_would_refuse(clinic):
    publish(clinic, NURSES | {"closes_on": str(day(5))})
    line = Line(clinic)
    nurse = line.join(told=NURSE)
    assert line.fill(line.freed(day(8))) == 0
    assert line.fill(line.freed(day(4))) == 1
    assert line.answer(line.open()[0]).person_id == nurse.person_id


def test_who_waits_goes_with_their_phase_when_it_is_brought_forward_or_put_off(clinic):
    publish(clinic, NURSES | {"opens_on": str(day(20))})
    line = Line(clinic)
    nurse = line.join(told=NURSE)
    for opens, others in ((day(1), [OLD]), (day(12), [OLD, AGAIN])):
        publish(clinic, NURSES | {"opens_on": str(opens)}, *others)
        assert clinic.doors.run(partial(waits.follow, most=9)) is None
        with clinic.doors.reading() as db:
            assert db.get_one(WaitEntry, nurse.id).turn_on == opens


def enter(clinic: Clinic, who: Details, told: Any) -> WaitEntry:
    wanted = {
        "vault": clinic.vault, "details": who, "programme_id": clinic.programme.id, "now": NOW,
        "site_id": clinic.site.id, "standby": False, "country": "XX", "staff": None,
    }  # fmt: skip
    return clinic.doors.run(lambda db: identities.enter(db, told=told, **wanted))[0]


def test_who_is_on_no_record_waits_by_what_they_tell(clinic):
    publish(clinic, NURSES)
    nobody = details(identity=IdentityDetails("none"))
    with pytest.raises(NotEligible):
        enter(clinic, nobody, None)
    assert enter(clinic, nobody, NURSE).phase == "nurses"


def test_who_tells_of_somebody_does_not_learn_what_they_told(clinic):
    publish(clinic, NURSES)
    who = details()
    ask(clinic, enrolled_as(clinic, who), told=NURSE)
    for told in (None, {}):
        with pytest.raises(NotEligible):
            enter(clinic, who, told)
    assert told_of(clinic, enrolled_as(clinic, who).id) == NURSE


def test_what_a_stranger_tells_of_somebody_takes_nothing_back_and_is_judged_alone(clinic):
    publish(clinic, NURSES, FRAIL, ALL)
    who = details()
    person = enrolled_as(clinic, who)
    nurse = ask(clinic, person, told=NURSE)
    frail = {"risk": ["heart"]}
    for told, whole in (({}, NURSE), (frail, NURSE | frail)):
        shown = ask(clinic, person, told=told, typed=True)
        phase = "frail" if told else "all"
        assert shown.reasons[0]["about"]["phase"] == phase
        assert told_of(clinic, person.id) == whole
        with clinic.doors.reading() as db:
            kept_one = eligibility.latest(db, person_id=person.id, programme_id=clinic.programme.id)
            assert kept_one.outcome == nurse.outcome == "eligible"
    assert ask(clinic, person, told={}).outcome == "eligible"
    assert told_of(clinic, person.id) == {}, "they themselves may take it back"


def test_who_holds_waits_or_is_refused_by_a_strangers_word_keeps_what_they_told(clinic):
    publish(clinic, NURSES, ALL | {"opens_on": str(day(2))})
    who, line = details(), Line(clinic)
    person = enrolled_as(clinic, who)
    ask(clinic, person, told=NURSE)
    entry = enter(clinic, who, {})
    assert entry.phase == "all", "the stranger's word alone says how they stand"
    hold(clinic, parties.Wish(person, clinic.slot(day(3)).id, 1, {}, typed=True))
    wanted = {"vault": clinic.vault, "programme_id": clinic.programme.id, "day": day(1)}
    clinic.doors.run(lambda db: booking.keep_refusal(db, details=who, told={}, now=NOW, **wanted))
    assert told_of(clinic, person.id) == NURSE
    with clinic.doors.reading() as db:
        answer = eligibility.latest(db, person_id=person.id, programme_id=clinic.programme.id)
    assert answer.outcome == "eligible"
    assert line.state(entry) == "waiting"


def test_a_second_wish_of_a_stranger_is_judged_by_what_they_told_with_the_first(clinic):
    publish(clinic, NURSES, ALL | {"closes_on": str(day(9))})
    person = enrolled(clinic)
    ask(clinic, person, told=NURSE)
    wishes = [each._replace(typed=True) for each in both(clinic, person, {}, None)]
    with pytest.raises(NotEligible) as refusal:
        hold(clinic, *wishes)
    assert refusal.value.which == 1


def enrolled_as(clinic: Clinic, who: Details) -> Person:
    with clinic.doors.transaction() as db:
        return enrolment.enrol(db, vault=clinic.vault, details=who, now=NOW)


def test_what_was_told_lies_sealed_and_only_its_person_reads_it(clinic):
    publish(clinic, NURSES, ALL | {"opens_on": str(day(9))})
    person, slot = enrolled(clinic), clinic.slot()
    take(clinic, person, slot, told=NURSE)
    with pytest.raises(Refusal) as refusal:
        take(clinic, enrolled(clinic), slot)
    assert "nurse" not in str(refusal.value)
    ask(clinic, person, told={})
    with clinic.doors.reading() as db:
        decisions = db.scalars(select(EligibilityDecision)).all()
        written = [[each.reasons, each.sealed] for each in decisions]
        written += db.scalars(select(AuditEvent.details)).all()
        written += db.scalars(select(Message.sealed)).all()
        assert db.scalar(select(func.count()).select_from(AuditEvent))
        whole = my_record.export(db, vault=clinic.vault, person_id=person.id, now=NOW)
    assert "'nurse'" not in str(written).replace('"', "'")
    assert [each["told"] for each in whole.held["eligibility_decision"]] == [NURSE, {}]
    asks = {"phase": "nurses", "field": "occupation"}
    assert {"code": "asks", "about": asks} in decisions[-1].reasons


def test_staff_who_do_something_for_somebody_are_judged_by_what_they_told(clinic):
    publish(clinic, NURSES)
    person, nurse = enrolled(clinic), Actor("staff", clinic.nurse.id)
    ask(clinic, person, told=NURSE)
    made = take(clinic, person, clinic.slot(), actor=nurse, exception_reason="other")
    assert made.state == "booked"
    with clinic.doors.reading() as db:
        [decision] = db.scalars(select(EligibilityDecision)).all()
        assert (decision.outcome, decision.exception_reason) == ("eligible", "")


def test_who_tells_of_somebody_does_not_learn_from_the_list_whether_they_had_a_dose(clinic):
    publish(clinic, AGAIN)
    with pytest.raises(AlreadyBooked):
        enter(clinic, details(), None)
