"""Other hours begin: the worker books anew who is outside of them, and nobody else is told."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.errors import NotFound
from healthcert.jobs import sessions as jobs
from healthcert.models import Appointment, ClinicSession, Message, Slot, WaitEntry
from healthcert.services import (
    closing,
    enrolment,
    lapsing,
    new_hours,
    offers,
    parties,
    planning,
)
from healthcert.services.audit import STRANGER
from healthcert.services.parties import Wish
from tests.factories import NOW, day, make_site
from tests.jobs.test_rebooking import counters_are_true, planned, told, where
from tests.models.test_workflow import make_entry, make_offer
from tests.services.clinic import COMIRNATY, Clinic, details


def change(clinic: Clinic, text: str, since=None) -> None:
    about = {"site_id": clinic.site.id, "hours": text, "since": since or day(3), "now": NOW}
    about |= {"country": clinic.country, "staff": clinic.nurse}
    clinic.doors.run(lambda db: new_hours.begin(db, **about))


def slots(clinic: Clinic, on=None) -> list[Slot]:
    of = {"site_id": clinic.site.id, "product_id": clinic.products[COMIRNATY].id}
    with clinic.doors.reading() as db:
        return planning.slots_of(db, day=on or day(3), **of)


def test_who_is_outside_is_booked_anew_the_same_day_first_and_who_is_within_is_told_nothing(
    parts, clinic
):
    planned(clinic, capacity=2)  # 08:00 and 08:30 there
    early, late = slots(clinic)
    for _ in range(2):
        clinic.book(early)
    stays = clinic.book(late)
    before = told(clinic)
    change(clinic, "Mo-Su 08:30-09:30")
    assert jobs.rebook(parts, NOW) == 2
    kept, new = slots(clinic)
    assert kept.id == late.id
    assert where(clinic) == {late.id: 2, new.id: 1}
    assert told(clinic) - before == {"rebooked": 2}
    with clinic.doors.reading() as db:
        mine = db.get_one(Appointment, stays.id)
        assert (mine.state, mine.slot_id) == ("booked", late.id)
        messages = db.scalars(select(Message.person_id).filter_by(template="rebooked"))
        assert stays.person_id not in set(messages)
    assert counters_are_true(clinic)
    assert jobs.rebook(parts, NOW) == 0


def test_what_went_is_listed_beside_what_stays_while_somebody_there_has_no_other_time(
    parts, clinic
):
    planned(clinic)
    clinic.book(slots(clinic)[0])

    def listed() -> list[tuple[int, str]]:
        with clinic.doors.reading() as db:
            rows = planning.listed(db, site_ids=[clinic.site.id], first=day(3), limit=9)
        return sorted((row[0].day.day, row[0].state) for row in rows)

    change(clinic, "Mo-Su 08:30-09:30", day(3))
    open_ones = [(day(n).day, "published") for n in range(3, 8)]
    assert listed() == [(day(3).day, "cancelled"), *open_ones]
    assert jobs.rebook(parts, NOW) == 1
    assert listed() == open_ones
    with clinic.doors.reading() as db:
        told = [closing.sums(db, site=clinic.site, day=day(n), now=NOW)[1] for n in (3, 4)]
    assert [sorted(one.session.state for one in some) for some in told] == [
        ["cancelled", "published"], ["published"],
    ]  # fmt: skip
    change(clinic, "", day(7))
    assert {told for told in listed() if told not in open_ones} == {(day(7).day, "cancelled")}


def test_who_fits_nowhere_is_told_listed_and_waits(parts, clinic):
    planned(clinic, capacity=1, last_day=day(3))
    mine = clinic.book(slots(clinic)[0])
    change(clinic, "")
    assert jobs.rebook(parts, NOW) == 0
    with clinic.doors.reading() as db:
        lost = [row.lost for row in planning.listed(
            db, site_ids=[clinic.site.id], first=day(3), limit=9
        )]  # fmt: skip
        assert lost == [db.get_one(Appointment, mine.id).reference]
        assert db.scalars(select(WaitEntry.person_id)).all() == [mine.person_id]


def test_hours_that_change_back_before_the_worker_came_give_everybody_their_time_back(
    parts, clinic
):
    planned(clinic, capacity=2)
    old = slots(clinic)
    for _ in range(2):
        clinic.book(old[0])
    change(clinic, "Mo-Su 08:30-09:00")
    change(clinic, "Mo-Su 08:00-09:00")
    assert [slot.starts_at for slot in slots(clinic)] == [slot.starts_at for slot in old]
    assert jobs.rebook(parts, NOW) == 2
    assert where(clinic) == {slots(clinic)[0].id: 2}
    assert counters_are_true(clinic)


def test_a_second_dose_that_comes_too_near_then_moves_along(parts, clinic):
    with clinic.doors.transaction() as db:
        other = make_site(db, time_zone="Asia/Beirut")
    who = details()
    clinic.book(clinic.slot(day(3)), who)
    clinic.book(clinic.slot(day(24), site=other), who, dose_number=2)
    first, right = clinic.slot(day(4)), clinic.slot(day(25), site=other)
    change(clinic, "Fr 08:00-14:00")
    assert jobs.rebook(parts, NOW) == 1
    assert where(clinic) == {first.id: 1, right.id: 1}


def test_what_is_held_outside_is_not_confirmed_and_what_is_offered_there_is_taken_back(clinic):
    planned(clinic, capacity=4)
    early, late = slots(clinic)
    parties_of = []
    for slot in (early, late):
        with clinic.doors.transaction() as db:
            person = enrolment.enrol(db, vault=clinic.vault, details=details(), now=NOW)
            wish = Wish(person, slot.id, 1)
            how = {"vault": clinic.vault, "source": "web", "actor": STRANGER, "now": NOW}
            parties_of.append(parties.hold(db, wishes=[wish], **how).id)
            waits = enrolment.enrol(db, vault=clinic.vault, details=details(), now=NOW).id
            about = {"person_id": waits, "programme_id": clinic.programme.id}
            entry = make_entry(db, state="offered", **about)
            make_offer(db, entry=entry, slot_id=slot.id)
            db.get_one(Slot, slot.id).kept_waiting = 1
    change(clinic, "Mo-Su 08:30-09:00")
    how = {"vault": clinic.vault, "actor": STRANGER, "now": NOW}
    with pytest.raises(NotFound):
        clinic.doors.run(lambda db: parties.confirm(db, party_id=parties_of[0], **how))
    clinic.doors.run(lambda db: parties.confirm(db, party_id=parties_of[1], **how))
    with clinic.doors.transaction() as db:
        assert lapsing.close(db, vault=clinic.vault, now=NOW) == 1
        assert early.id not in offers.due(db, now=NOW)
        old = db.get_one(ClinicSession, db.get_one(Slot, early.id).session_id)
        assert old.state == "cancelled"
