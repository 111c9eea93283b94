"""A day at the clinic: who is expected, who came, and nobody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.errors import AlreadyBooked, BadInput, NotFound, WrongState
from healthcert.models import Appointment, AuditEvent, new_id
from healthcert.services import clinic as clinics
from tests.factories import NOW, day, make_site, make_staff
from tests.services.clinic import COMIRNATY, JCOVDEN, details


def listed(clinic, on=None, site=None) -> list[clinics.Expected]:
    with clinic.doors.reading() as db:
        return clinics.day_list(
            db, vault=clinic.vault, site_id=(site or clinic.site).id, day=on or day(1)
        )


def arrive(clinic, appointment, **changes) -> None:
    wanted = {"site_id": clinic.site.id, "staff_id": clinic.nurse.id, "now": NOW} | changes
    clinic.doors.run(lambda db: clinics.arrive(db, appointment_id=appointment.id, **wanted))


def test_the_list_names_who_is_expected_by_time_and_name(clinic):
    slot = clinic.slot(capacity=3)
    zoe = clinic.book(slot, details(given_latin="Zoe"))
    adam = clinic.book(slot, details(given_latin="Adam"))
    clinic.book(clinic.slot(day(2)))
    assert [line.appointment_id for line in listed(clinic)] == [adam.id, zoe.id]
    assert listed(clinic)[0].name == "كنارية الكناري"
    assert listed(clinic)[0].birth_date == "1980-05-17"


def test_another_sites_people_are_not_on_the_list(clinic):
    with clinic.doors.transaction() as db:
        elsewhere = make_site(db)
    clinic.book(clinic.slot(site=elsewhere))
    assert listed(clinic) == []
    assert len(listed(clinic, site=elsewhere)) == 1


def test_who_comes_is_noted_once(clinic):
    appointment = clinic.book(clinic.slot())
    arrive(clinic, appointment)
    assert [line.state for line in listed(clinic)] == ["arrived"]
    with pytest.raises(WrongState):
        arrive(clinic, appointment)


def test_nobody_arrives_at_another_site(clinic):
    appointment = clinic.book(clinic.slot())
    with pytest.raises(NotFound):
        arrive(clinic, appointment, site_id=new_id())


def test_who_was_given_up_may_still_come(clinic):
    appointment = clinic.book(clinic.slot())
    with clinic.doors.transaction() as db:
        db.get_one(Appointment, appointment.id).state = "no_show"
    arrive(clinic, appointment)
    assert [line.state for line in listed(clinic)] == ["arrived"]


def test_who_was_given_up_and_has_booked_again_is_not_expected_twice(clinic):
    who = details()
    appointment = clinic.book(clinic.slot(), who)
    with clinic.doors.transaction() as db:
        db.get_one(Appointment, appointment.id).state = "no_show"
    clinic.book(clinic.slot(day(2)), who)
    with pytest.raises(AlreadyBooked):
        arrive(clinic, appointment)
    assert [line.state for line in listed(clinic)] == ["no_show"]


def test_who_leaves_without_a_dose_leaves_with_a_reason(clinic):
    appointment = clinic.book(clinic.slot())
    refuse = {"appointment_id": appointment.id, "staff": clinic.nurse, "now": NOW}
    with pytest.raises(BadInput), clinic.doors.transaction() as db:
        clinics.not_vaccinated(db, reason="she said so", **refuse)
    clinic.doors.run(lambda db: clinics.not_vaccinated(db, reason="unwell", **refuse))
    assert [line.state for line in listed(clinic)] == ["not_vaccinated"]
    with pytest.raises(WrongState), clinic.doors.transaction() as db:
        clinics.not_vaccinated(db, reason="unwell", **refuse)
    arrive(clinic, appointment)  # and comes back
    assert [line.state for line in listed(clinic)] == ["arrived"]


def test_looking_at_a_patient_is_written_down(clinic):
    clinic.lot()
    who = details()
    clinic.vaccinated(day(-30), who)
    appointment = clinic.book(clinic.slot(), who, dose_number=2)
    seen = clinic.doors.run(
        lambda db: clinics.patient(
            db,
            vault=clinic.vault,
            appointment_id=appointment.id,
            staff=clinic.nurse,
            reason="care",
            now=NOW,
        )
    )
    assert seen.details.phone == who.phone
    assert [(each.counts, each.number, each.lot) for each in seen.before] == [("valid", 1, "GOOD")]
    with clinic.doors.reading() as db:
        looked = db.scalars(select(AuditEvent).where(AuditEvent.act == "record_seen")).one()
        assert (looked.actor_id, looked.subject_id) == (clinic.nurse.id, appointment.person_id)


def test_another_sites_staff_sees_no_patient(clinic):
    appointment = clinic.book(clinic.slot())
    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    with pytest.raises(NotFound), clinic.doors.transaction() as db:
        clinics.patient(
            db, vault=clinic.vault, appointment_id=appointment.id, staff=stranger,
            reason="care", now=NOW,
        )  # fmt: skip


def test_the_supply_names_the_lots_in_force_that_day(clinic):
    clinic.slot()
    clinic.slot(product=JCOVDEN)
    clinic.lot("IN")
    clinic.lot("OUT", expires_on=day(0))
    clinic.lot("RECALLED", state="recalled")
    clinic.lot("LATER", since=day(2))
    with clinic.doors.reading() as db:
        found = clinics.supply(
            db, programme_id=clinic.programme.id, site_id=clinic.site.id, day=day(1)
        )
    names = {code: clinic.products[code].name for code in (COMIRNATY, JCOVDEN)}
    assert [(product.name, lots) for product, lots in found] == [
        (names[COMIRNATY], ["IN"]),
        (names[JCOVDEN], []),
    ]
