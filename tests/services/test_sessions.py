"""Sessions made ahead: on the days and in the hours of a site, once, whatever the clock does."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import (
    ClinicSession,
    SessionTemplate,
    SiteClosure,
    SiteHours,
    Slot,
    new_id,
)
from healthcert.services import hours, planning, sessions
from tests.factories import NOW, TODAY, day, make_appointment, make_site
from tests.services.clinic import COMIRNATY, JCOVDEN, Clinic
from tests.threads import at_once

LAST = day(27)  # four weeks from today, a Monday


def template(clinic: Clinic, **values: object) -> SessionTemplate:
    return SessionTemplate(
        **{
            "site_id": clinic.site.id, "programme_id": clinic.programme.id,
            "product_id": clinic.products[COMIRNATY].id, "weekdays": 0b0010101, "first_day": TODAY,
            "last_day": LAST, "minutes": 30, "capacity": 4, "kept_phone": 1, "kept_walk_in": 1,
        }
        | values
    )  # fmt: skip


def begin(clinic: Clinic, **values: object) -> SessionTemplate:
    return clinic.doors.run(
        lambda db: sessions.begin(db, template(clinic, **values), staff=clinic.nurse, now=NOW)
    )


def opened(clinic: Clinic, text: str, *closed: date, site_id: object = None) -> None:
    with clinic.doors.transaction() as db:
        here = site_id or clinic.site.id
        hours.begin(db, site_id=here, spans=hours.read(text), closed=closed, now=NOW)


def make(clinic: Clinic, one: SessionTemplate, until: date = LAST) -> list[date]:
    return clinic.doors.run(
        lambda db: sessions.make(
            db, template_id=one.id, country=clinic.country, until=until, now=NOW
        )
    )


def slots(clinic: Clinic, on: date, site_id: object = None) -> list[Slot]:
    with clinic.doors.reading() as db:
        return planning.slots_of(
            db, site_id=site_id or clinic.site.id, product_id=clinic.products[COMIRNATY].id, day=on
        )


def test_a_template_makes_months_of_slots_within_the_hours_and_never_twice(clinic):
    opened(clinic, "Mo-We 08:00-09:15,13:00-14:00; Fr 10:00-10:29")
    one = begin(clinic)
    made = make(clinic, one, day(13))
    assert made == [day(0), day(2), day(7), day(9)]  # Fridays are too short for a slot
    assert [f"{slot.starts_at:%H:%M}" for slot in slots(clinic, TODAY)] == [
        "06:00", "06:30", "11:00", "11:30",  # Beirut is two hours ahead in March
    ]  # fmt: skip
    assert {
        (slot.capacity, slot.kept_phone, slot.kept_walk_in) for slot in slots(clinic, TODAY)
    } == {(4, 1, 1)}
    assert make(clinic, one, day(13)) == []
    assert make(clinic, one) == [day(14), day(16), day(21), day(23)]


def test_only_what_is_missing_is_added(clinic):
    opened(clinic, "Mo 08:00-09:00", day(7))
    one = begin(clinic)
    assert make(clinic, one) == [day(0), day(14), day(21)]
    with clinic.doors.transaction() as db:
        db.delete(db.scalars(select(SiteClosure)).one())
    before = {slot.id for slot in slots(clinic, TODAY)}
    assert make(clinic, one) == [day(7)]
    assert {slot.id for slot in slots(clinic, TODAY)} == before


def test_nobody_works_on_a_holiday_of_the_country(clinic):
    opened(clinic, "Mo-Su 08:00-09:00")
    first = date(2026, 12, 23)
    one = begin(clinic, weekdays=0b1111111, first_day=first, last_day=date(2027, 1, 2))
    missing = {date(2026, 12, 25), date(2027, 1, 1)}
    days = {first + timedelta(days=ahead) for ahead in range(11)}
    assert set(make(clinic, one, date(2027, 2, 1))) == days - missing


@pytest.mark.parametrize(
    ("on", "utc"),
    [
        (date(2026, 3, 29), ["00:30", "01:00", "01:30"]),  # an hour is missing
        (date(2026, 10, 25), ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00", "02:30"]),
    ],
)
def test_slots_are_as_long_on_the_days_on_which_the_clock_changes(clinic, on, utc):
    with clinic.doors.transaction() as db:
        site_id = make_site(db, time_zone="Europe/Paris").id
    opened(clinic, "Su 01:30-04:00", site_id=site_id)
    one = begin(clinic, site_id=site_id, weekdays=0b1000000, first_day=on, last_day=on)
    assert make(clinic, one, on) == [on]
    found = slots(clinic, on, site_id)
    assert [f"{slot.starts_at:%H:%M}" for slot in found] == utc
    assert {slot.ends_at - slot.starts_at for slot in found} == {timedelta(minutes=30)}


def test_workers_who_make_the_same_at_once_make_it_once(clinic):
    opened(clinic, "Mo-Su 08:00-12:00")
    two = [begin(clinic, weekdays=0b1111111) for _ in range(2)]
    made = at_once(4, lambda turn: make(clinic, two[turn % 2]))
    assert sorted(each for days in made for each in days) == [day(ahead) for ahead in range(28)]
    with clinic.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(ClinicSession)) == 28
        assert db.scalar(select(func.count()).select_from(Slot)) == 28 * 8


def test_the_worker_finds_only_templates_that_are_behind(clinic):
    opened(clinic, "Mo-Su 08:00-12:00")
    one = begin(clinic)
    begin(clinic, first_day=day(90), last_day=day(120))

    def behind(until: date) -> list[object]:
        with clinic.doors.reading() as db:
            return list(sessions.behind(db, until=until))

    assert behind(day(20)) == [one.id]
    make(clinic, one, day(20))
    assert behind(day(20)) == []
    assert behind(day(21)) == [one.id]
    make(clinic, one, day(60))
    assert behind(day(80)) == []  # nothing follows its last day


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"weekdays": 0}, "weekdays"),
        ({"weekdays": 128}, "weekdays"),
        ({"last_day": day(-1)}, "last_day"),
        ({"last_day": day(732)}, "last_day"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 61}, "minutes"),
        ({"capacity": 0}, "capacity"),
        ({"kept_phone": 4}, "kept_phone"),
        ({"kept_walk_in": -1}, "kept_phone"),
    ],
)
def test_a_template_that_cannot_be_is_refused(clinic, values, field):
    with pytest.raises(BadInput) as refused:
        begin(clinic, **values)
    assert field in refused.value.fields


def test_a_programme_gives_its_own_products_alone(clinic):
    assert begin(clinic, product_id=clinic.products[JCOVDEN].id).id
    with pytest.raises(NotFound):
        begin(clinic, product_id=new_id())


def test_a_list_says_what_is_planned(clinic):
    opened(clinic, "Mo 08:00-09:00")
    make(clinic, begin(clinic))
    with clinic.doors.reading() as db:
        rows = planning.listed(db, site_ids=[clinic.site.id], first=TODAY, limit=2)
    assert [(row[0].state, row.product, row.slots, row.places, row.booked) for row in rows] == [
        ("published", "Comirnaty", 2, 8, 0)
    ] * 2


def test_a_session_grows_at_will_and_shrinks_to_what_is_booked(clinic):
    slot = clinic.slot(capacity=3)
    with clinic.doors.transaction() as db:
        make_appointment(db, slot=db.get_one(Slot, slot.id))
        db.get_one(Slot, slot.id).booked = 2

    def resize(capacity: int) -> int:
        clinic.doors.run(
            lambda db: planning.resize(
                db,
                session_id=slot.session_id,
                site_ids=[clinic.site.id],
                capacity=capacity,
                staff=clinic.nurse,
                now=NOW,
            )
        )
        with clinic.doors.reading() as db:
            return db.get_one(Slot, slot.id).capacity

    assert [resize(10), resize(2)] == [10, 2]
    for wrong in (1, 0, 1001):
        with pytest.raises(BadInput):
            resize(wrong)
    with clinic.doors.reading() as db:
        assert db.get_one(Slot, slot.id).capacity == 2


def cancel(clinic: Clinic, on: date, *, later: bool) -> None:
    with clinic.doors.transaction() as db:
        one = db.scalars(select(ClinicSession.id).filter_by(day=on)).one()
        how = {"site_ids": [clinic.site.id], "staff": clinic.nurse, "later": later, "now": NOW}
        planning.cancel(db, session_id=one, **how)


def test_a_plan_that_ended_makes_nothing_more(clinic):
    opened(clinic, "Mo 08:00-09:00")
    one = begin(clinic)
    assert make(clinic, one, day(14)) == [day(0), day(7), day(14)]
    cancel(clinic, day(14), later=False)
    cancel(clinic, day(7), later=True)
    assert make(clinic, one) == []
    with clinic.doors.reading() as db:
        states = select(ClinicSession.state).order_by(ClinicSession.day)
        assert list(db.scalars(states)) == ["published", "cancelled", "cancelled"]
    cancel(clinic, day(0), later=True)
    with clinic.doors.reading() as db:
        assert sessions.behind(db, until=LAST) == []
    with pytest.raises(WrongState):
        cancel(clinic, day(0), later=True)


def test_a_session_keeps_places_for_its_pools_and_no_more_than_it_has(clinic):
    slot = clinic.slot(capacity=3)

    def keep(**kept: int) -> tuple[int, int]:
        how = {"site_ids": [clinic.site.id], "staff": clinic.nurse, "kept": kept, "now": NOW}
        clinic.doors.run(
            lambda db: planning.resize(db, session_id=slot.session_id, capacity=3, **how)
        )
        with clinic.doors.reading() as db:
            found = db.get_one(Slot, slot.id)
            return found.kept_phone, found.kept_walk_in

    assert [keep(phone=2, walk_in=1), keep(walk_in=0), keep()] == [(2, 1), (2, 0), (2, 0)]
    for wrong in ({"phone": 4}, {"phone": -1}, {"walk_in": 2}, {"waiting": 1}, {"phone": 2**70}):
        with pytest.raises(BadInput):
            keep(**wrong)
    clinic.book(slot)
    with pytest.raises(BadInput):
        keep(phone=3)
    assert keep() == (2, 0)


def test_the_hours_of_a_site_are_untouched_by_its_sessions(clinic):
    opened(clinic, "Mo 08:00-09:00")
    make(clinic, begin(clinic))
    with clinic.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(SiteHours)) == 1
