"""A person's own overview: everything of theirs, nothing of anybody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthcert.errors import NotFound
from healthcert.models import new_id
from healthcert.services import booking, holding
from tests.factories import NOW, day
from tests.services.clinic import details


def overview(clinic, person_id) -> holding.Overview:
    with clinic.doors.reading() as db:
        return holding.overview(db, vault=clinic.vault, person_id=person_id, now=NOW)


def test_the_overview_holds_appointments_doses_certificates_and_what_is_due(clinic, signers):
    clinic.lot()
    who = details()
    dose = clinic.vaccinated(day(-30), who)
    clinic.issue(signers)
    ahead = clinic.book(clinic.slot(), who, dose_number=2)
    clinic.vaccinated(day(-20), details())
    mine = overview(clinic, dose.person_id)
    assert mine.appointments[0].reference == ahead.reference
    assert [each.state for each in mine.appointments] == ["booked", "vaccinated"]
    assert [(each.counts, each.number, each.lot) for each in mine.doses] == [("valid", 1, "GOOD")]
    assert [(each.state, each.dn, each.sd) for each in mine.certificates] == [("issued", 1, 2)]
    due = mine.due[clinic.programme.id].next
    assert (due.number, due.earliest) == (2, dose.given_on + timedelta(days=21))
    assert mine.details.family == who.family


def test_what_comes_soonest_stands_first_and_behind_it_what_is_over_the_latest_first(clinic):
    who = details()
    for on in (day(-60), day(-30)):
        slot = clinic.slot(on)
        gone = clinic.book(slot, who, now=slot.starts_at - timedelta(hours=1))
        person_id = gone.person_id
        with clinic.doors.transaction() as db:
            booking.cancel(
                db, vault=clinic.vault, appointment_id=gone.id, person_id=person_id, now=NOW
            )
    later = clinic.slot(day(40))
    clinic.book(clinic.slot(day(2)), who)
    clinic.book(later, who, dose_number=2)
    shown = [each.starts_at.date() for each in overview(clinic, person_id).appointments]
    assert shown == [day(2), day(40), day(-30), day(-60)]


def test_who_had_no_dose_is_due_nothing_in_particular(clinic):
    appointment = clinic.book(clinic.slot())
    mine = overview(clinic, appointment.person_id)
    assert (mine.doses, mine.certificates, mine.due) == ([], [], {})


def test_nobody_is_found_under_an_unknown_number(clinic):
    with pytest.raises(NotFound):
        overview(clinic, new_id())
