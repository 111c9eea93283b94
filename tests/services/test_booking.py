"""Booking: one place, one person, never one too many."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.errors import (
    AlreadyBooked,
    BadInput,
    NotEligible,
    NotFound,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.models import Appointment, ClinicSession, Person, Slot, new_id
from healthcert.policy import reference
from healthcert.services import booking, enrolment, moving, people, scenes
from healthcert.services.people import IdentityDetails
from tests.factories import NOW, day
from tests.services.clinic import JCOVDEN, details
from tests.threads import at_once


def booked(clinic, slot) -> int:
    with clinic.doors.reading() as db:
        return db.get_one(Slot, slot.id).booked


def test_booking_takes_one_place_and_tells_the_person(clinic):
    slot = clinic.slot()
    appointment = clinic.book(slot)
    assert booked(clinic, slot) == 1
    assert appointment.state == "booked"
    assert reference.read(appointment.reference) == appointment.reference


def test_thirty_two_people_race_for_five_places(clinic):
    slot = clinic.slot(capacity=5)
    came_of_it = at_once(32, lambda _: clinic.book(slot))
    assert sum(isinstance(each, Appointment) for each in came_of_it) == 5
    assert sum(isinstance(each, SlotFull) for each in came_of_it) == 27
    assert booked(clinic, slot) == 5


def test_eight_clicks_of_one_person_book_once(clinic):
    slots, who = [clinic.slot(day(n)) for n in range(1, 9)], details()
    came_of_it = at_once(8, lambda n: clinic.book(slots[n], who))
    assert sum(isinstance(each, Appointment) for each in came_of_it) == 1
    assert sum(isinstance(each, AlreadyBooked) for each in came_of_it) == 7
    assert sum(booked(clinic, slot) for slot in slots) == 1
    with clinic.doors.reading() as db:
        assert len(db.scalars(select(Person)).all()) == 1


def test_a_refused_booking_leaves_nothing_behind(clinic):
    slot = clinic.slot(capacity=1)
    clinic.book(slot)
    with pytest.raises(SlotFull):
        clinic.book(slot)
    with clinic.doors.reading() as db:
        assert len(db.scalars(select(Person)).all()) == 1


def test_an_identity_with_another_birth_date_is_answered_as_if_it_were_booked(clinic):
    who = details()
    clinic.book(clinic.slot(), who)
    stranger = details(identity=who.identity, birth_date="1990-01-01")
    with pytest.raises(AlreadyBooked):
        clinic.book(clinic.slot(day(2)), stranger)


def test_a_stranger_cannot_redirect_messages_by_booking_again(clinic):
    who = details()
    appointment = clinic.book(clinic.slot(), who)
    clinic.doors.run(
        lambda db: booking.cancel(
            db,
            vault=clinic.vault,
            appointment_id=appointment.id,
            person_id=appointment.person_id,
            now=NOW,
        )
    )
    clinic.book(clinic.slot(day(2)), details(identity=who.identity, phone="+447700900999"))
    with clinic.doors.reading() as db:
        person = db.get_one(Person, appointment.person_id)
        assert people.details_of(clinic.vault, person).phone == who.phone


def test_two_doses_at_the_same_time_overlap(clinic):
    who = details()
    clinic.book(clinic.slot(), who)
    with pytest.raises(TimesOverlap):
        clinic.book(clinic.slot(product=JCOVDEN), who, dose_number=2)


def test_a_child_is_too_young_on_the_day_itself(clinic):
    slot = clinic.slot(day(1))
    almost = details(birth_date=f"{day(2).replace(year=day(2).year - 12)}")
    with pytest.raises(NotEligible):
        clinic.book(slot, almost)
    just = details(birth_date=f"{day(1).replace(year=day(1).year - 12)}")
    assert clinic.book(slot, just).state == "booked"


def test_a_birth_year_alone_speaks_for_the_person(clinic):
    assert clinic.book(clinic.slot(), details(birth_date=str(day(1).year - 12))).state == "booked"


def test_the_dose_that_is_on_record_cannot_be_booked_again(clinic):
    who = details()
    clinic.lot()
    clinic.vaccinated(day(-30), who)
    with pytest.raises(booking.NotDue):
        clinic.book(clinic.slot(), who, dose_number=1)
    assert clinic.book(clinic.slot(day(2)), who, dose_number=2).dose_number == 2


def test_grace_days_never_schedule(clinic):
    who = details()
    clinic.lot()
    clinic.vaccinated(day(-19), who)
    with pytest.raises(booking.NotDue):
        clinic.book(clinic.slot(day(1)), who, dose_number=2)
    assert clinic.book(clinic.slot(day(2)), who, dose_number=2).state == "booked"


def test_a_slot_that_has_begun_is_over(clinic):
    slot = clinic.slot()
    with pytest.raises(WrongState):
        clinic.book(slot, now=slot.starts_at)


def test_a_slot_that_is_not_published_is_not_found(clinic):
    with pytest.raises(NotFound), clinic.doors.transaction() as db:
        scenes.place_of(db, new_id())


def test_cancelling_frees_the_place_at_once(clinic):
    slot = clinic.slot(capacity=1)
    appointment = clinic.book(slot)
    cancel = {"vault": clinic.vault, "appointment_id": appointment.id, "now": NOW}
    with pytest.raises(NotFound), clinic.doors.transaction() as db:
        booking.cancel(db, person_id=new_id(), **cancel)
    clinic.doors.run(lambda db: booking.cancel(db, person_id=appointment.person_id, **cancel))
    assert booked(clinic, slot) == 0
    with pytest.raises(WrongState), clinic.doors.transaction() as db:
        booking.cancel(db, person_id=appointment.person_id, **cancel)
    clinic.book(slot)
    assert booked(clinic, slot) == 1


def test_moving_takes_the_new_place_and_frees_the_old(clinic):
    old, new = clinic.slot(), clinic.slot(day(2))
    appointment = clinic.book(old)
    moved = clinic.doors.run(
        lambda db: moving.move(
            db,
            vault=clinic.vault,
            appointment_id=appointment.id,
            person_id=appointment.person_id,
            slot_id=new.id,
            now=NOW,
        )
    )
    assert (booked(clinic, old), booked(clinic, new)) == (0, 1)
    assert moved.reference != appointment.reference


def test_moving_into_a_full_slot_keeps_the_old_place(clinic):
    old, full = clinic.slot(), clinic.slot(day(2), capacity=1)
    clinic.book(full)
    appointment = clinic.book(old)
    with pytest.raises(SlotFull), clinic.doors.transaction() as db:
        moving.move(
            db,
            vault=clinic.vault,
            appointment_id=appointment.id,
            person_id=appointment.person_id,
            slot_id=full.id,
            now=NOW,
        )
    assert (booked(clinic, old), booked(clinic, full)) == (1, 1)


def test_people_who_change_places_crosswise_both_arrive(clinic):
    slots = [clinic.slot(day(n), capacity=2) for n in (1, 2)]
    mine = [clinic.book(slots[n]) for n in (0, 1)]

    def swap(turn: int) -> Appointment:
        return clinic.doors.run(
            lambda db: moving.move(
                db,
                vault=clinic.vault,
                appointment_id=mine[turn].id,
                person_id=mine[turn].person_id,
                slot_id=slots[1 - turn].id,
                now=NOW,
            )
        )

    assert [each.slot_id for each in at_once(2, swap)] == [slots[1].id, slots[0].id]
    assert [booked(clinic, slot) for slot in slots] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"family": " "}, {"family": "missing"}),
        ({"given": "x" * 81}, {"given": "too_long"}),
        ({"family_latin": "الخوري"}, {"family_latin": "not_latin"}),
        ({"birth_date": ""}, {"birth_date": "missing"}),
        ({"birth_date": "1980-02-30"}, {"birth_date": "not_a_date"}),
        ({"birth_date": "17/05/1980"}, {"birth_date": "not_a_date"}),
        ({"birth_date": "1899"}, {"birth_date": "too_long_ago"}),
        ({"birth_date": f"{NOW + timedelta(days=1):%Y-%m-%d}"}, {"birth_date": "in_the_future"}),
        ({"sex": "none"}, {"sex": "not_a_choice"}),
        ({"phone": "03 123 456"}, {"phone": "not_a_phone_number"}),
        ({"mail": "nobody"}, {"mail": "not_a_mail_address"}),
        ({"language": "english"}, {"language": "not_a_language"}),
    ],
)
def test_details_that_cannot_be_used_are_named(clinic, changes, wrong):
    with pytest.raises(BadInput) as refused:
        clinic.book(clinic.slot(), details(**changes))
    assert refused.value.fields == wrong


@pytest.mark.parametrize(
    ("identity", "wrong"),
    [
        (("library card", "XX", "1"), {"identity_kind": "not_a_choice"}),
        (("passport", "XX", " - "), {"identity_value": "missing"}),
        (("none", "XX", "1"), {"identity_value": "not_needed"}),
        (("passport", "Utopia", "1"), {"identity_country": "not_a_country"}),
    ],
)
def test_an_identity_that_cannot_be_used_is_named(clinic, identity, wrong):
    with pytest.raises(BadInput) as refused:
        clinic.book(clinic.slot(), details(identity=IdentityDetails(*identity)))
    assert refused.value.fields == wrong


def test_a_number_is_the_same_however_it_is_written(clinic):
    clinic.book(clinic.slot(), details(identity=IdentityDetails("passport", "XX", "ab 12-34")))
    with pytest.raises(AlreadyBooked):
        clinic.book(
            clinic.slot(day(2)), details(identity=IdentityDetails("passport", "xx", "AB1234"))
        )


def test_people_without_papers_are_booked_each_for_themselves(clinic):
    nothing, vouched = IdentityDetails("none"), IdentityDetails("vouched", value="Kanari Imam")
    slot = clinic.slot(capacity=3)
    booked_for = {clinic.book(slot, details(identity=nothing)).person_id for _ in range(2)}
    booked_for.add(clinic.book(slot, details(identity=vouched)).person_id)
    assert len(booked_for) == 3


def test_moving_to_where_one_is_already_is_refused(clinic):
    slot = clinic.slot()
    appointment = clinic.book(slot)
    with pytest.raises(WrongState), clinic.doors.transaction() as db:
        moving.move(
            db,
            vault=clinic.vault,
            appointment_id=appointment.id,
            person_id=appointment.person_id,
            slot_id=slot.id,
            now=NOW,
        )


def test_a_reference_that_is_taken_is_drawn_again(clinic, monkeypatch):
    slot = clinic.slot(capacity=3)
    drawn = iter([7] * 4 + [8] * 4)
    monkeypatch.setattr(secrets, "randbelow", lambda _below: next(drawn))
    taken, next_one = clinic.book(slot), clinic.book(slot)
    assert [each.reference for each in (taken, next_one)] == [
        reference.write(7),
        reference.write(8),
    ]
    assert booked(clinic, slot) == 2


def test_eight_who_enrol_the_same_person_at_once_write_one_down(clinic):
    who = details()
    people_found = at_once(
        8,
        lambda _: clinic.doors.run(
            lambda db: enrolment.enrol(db, vault=clinic.vault, details=who, now=NOW).id
        ),
    )
    assert len(set(people_found)) == 1


def test_a_session_that_is_cancelled_is_not_found(clinic):
    slot = clinic.slot()
    with clinic.doors.transaction() as db:
        db.get_one(ClinicSession, slot.session_id).state = "cancelled"
    with pytest.raises(NotFound):
        clinic.book(slot)
