"""Sessions made ahead: on the days and in the hours of a site, once, whatever the clock does."""

from __future__ import annotations

from datetime import date, datetime, timedelta

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
from healthcert.services import cancelling, hours, planning, sessions
from healthcert.services.part import Part
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
        ({"kept_walk_in": -1}, "kept_walk_in"),
        ({"kept_waiting": 9}, "kept_waiting"),
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
    for state in ("closed", "published", "cancelled"):
        clinic.doors.run(lambda db, state=state: become(db, slot.session_id, state))
        if state != "published":
            with pytest.raises(WrongState):
                resize(9)
    with clinic.doors.reading() as db:
        assert db.get_one(Slot, slot.id).capacity == 2


def become(db, session_id, state: str) -> None:
    db.get_one(ClinicSession, session_id).state = state


def cancel(clinic: Clinic, on: date, *, now: datetime = NOW) -> None:
    with clinic.doors.transaction() as db:
        found = select(ClinicSession.id).filter_by(day=on, state="published")
        how = {"site_ids": [clinic.site.id], "staff": clinic.nurse, "now": now}
        cancelling.cancel(db, session_id=db.scalars(found).one(), **how)


def end(clinic: Clinic, plan: SessionTemplate, since: date, *, site_id: object = None) -> None:
    how = {"site_ids": [site_id or clinic.site.id], "staff": clinic.nurse, "now": NOW}
    clinic.doors.run(lambda db: cancelling.end(db, template_id=plan.id, since=since, **how))


def states(clinic: Clinic) -> list[tuple[date, str]]:
    with clinic.doors.reading() as db:
        found = select(ClinicSession.day, ClinicSession.state)
        return [tuple(row) for row in db.execute(found.order_by(ClinicSession.day))]


def running(clinic: Clinic, first: date = TODAY) -> list[object]:
    with clinic.doors.reading() as db:
        plans = cancelling.running(db, site_ids=[clinic.site.id], first=first, limit=9)
        return [plan.id for plan, _site, _product in plans]


def test_a_plan_that_ended_makes_nothing_more_and_may_end_earlier(clinic):
    opened(clinic, "Mo 08:00-09:00")
    one = begin(clinic)
    assert make(clinic, one, day(14)) == [day(0), day(7), day(14)]
    end(clinic, one, day(7))
    assert make(clinic, one) == []
    assert states(clinic) == [
        (day(0), "published"), (day(7), "cancelled"), (day(14), "cancelled"),
    ]  # fmt: skip
    assert (running(clinic), running(clinic, day(6)), running(clinic, day(7))) == (
        [one.id], [one.id], [],
    )  # fmt: skip
    for late in (day(7), day(8)):
        with pytest.raises(WrongState):
            end(clinic, one, late)
    end(clinic, one, TODAY)
    assert make(clinic, one) == []
    assert {state for _day, state in states(clinic)} == {"cancelled"}
    with clinic.doors.reading() as db:
        assert sessions.behind(db, until=LAST) == []


def test_a_plan_that_has_made_nothing_is_ended_too(clinic):
    opened(clinic, "Mo 08:00-09:00")
    one = begin(clinic, first_day=day(7))
    end(clinic, one, day(1))
    assert make(clinic, one) == []
    assert running(clinic) == []
    with clinic.doors.reading() as db:
        kept = db.get_one(SessionTemplate, one.id)
        assert (kept.first_day, kept.last_day, kept.ended_from) == (day(7), LAST, day(1))


@pytest.mark.parametrize(("since", "code"), [(day(-1), "too_long_ago"), (day(28), "over_by_then")])
def test_a_plan_does_not_end_on_a_day_that_cannot_be(clinic, since, code):
    opened(clinic, "Mo 08:00-09:00")
    one = begin(clinic)
    with pytest.raises(BadInput) as refused:
        end(clinic, one, since)
    assert refused.value.fields == {"since": code}
    assert len(make(clinic, one)) == 4


def test_nobody_ends_a_plan_of_a_site_out_of_reach(clinic):
    one = begin(clinic)
    with pytest.raises(NotFound):
        end(clinic, one, TODAY, site_id=new_id())
    one.id = new_id()
    with pytest.raises(NotFound):
        end(clinic, one, TODAY)


@pytest.mark.parametrize("begun_first", [False, True])
def test_another_plan_takes_the_days_of_one_that_ended(clinic, begun_first):
    opened(clinic, "Mo 08:00-09:00")
    one = begin(clinic)
    two = begin(clinic, minutes=20) if begun_first else None
    make(clinic, one)
    end(clinic, one, day(14))
    two = two or begin(clinic, minutes=20)
    assert make(clinic, two) == [day(14), day(21)]
    assert make(clinic, one) == make(clinic, two) == []
    assert [len(slots(clinic, on)) for on in (day(7), day(14))] == [2, 3]
    with clinic.doors.reading() as db:
        rows = planning.listed(
            db, site_ids=[clinic.site.id], first=day(14), part=Part((), 9), limit=0
        )
        assert [(row[0].day, row[0].state) for row in rows] == [
            (on, state) for on in (day(14), day(21)) for state in ("cancelled", "published")
        ]
        [_first, second, *_more] = [
            (row[0].site_id, row[0].day, row[0].product_id, row[0].id) for row in rows
        ]
        rest = planning.listed(
            db, site_ids=[clinic.site.id], first=day(14), part=Part(second, 9), limit=0
        )
        assert [row[0].id for row in rest] == [row[0].id for row in rows[2:]]


def test_a_session_that_was_cancelled_for_itself_is_made_by_no_plan_that_stood(clinic):
    opened(clinic, "Mo 08:00-09:00")
    one, two = begin(clinic), begin(clinic)
    make(clinic, one)
    cancel(clinic, day(7))
    assert make(clinic, one) == make(clinic, two) == []
    later = NOW + timedelta(minutes=1)
    with clinic.doors.transaction() as db:
        new = sessions.begin(db, template(clinic), staff=clinic.nurse, now=later)
    assert make(clinic, new) == [day(7)]
    cancel(clinic, day(7), now=later)
    assert make(clinic, new) == []


def test_a_plan_that_ends_while_the_worker_makes_it_leaves_no_session_behind(clinic):
    opened(clinic, "Mo-Su 08:00-12:00")
    for turn in range(5):
        one = begin(
            clinic, weekdays=0b1111111, first_day=day(30 * turn), last_day=day(30 * turn + 20)
        )
        since = day(30 * turn + 5)
        at_once(2, lambda who: make(clinic, one, day(200)) if who else end(clinic, one, since))  # noqa: B023 - at once
        make(clinic, one, day(200))
        with clinic.doors.reading() as db:
            its = select(ClinicSession).filter_by(template_id=one.id)
            late = db.scalars(its.where(ClinicSession.day >= since)).all()
            assert {each.state for each in late} <= {"cancelled"}
            early = db.scalars(its.where(ClinicSession.day < since)).all()
            assert [each.state for each in early] == ["published"] * 5


def test_a_plan_that_two_end_at_once_ends_once(clinic):
    opened(clinic, "Mo-Su 08:00-12:00")
    one = begin(clinic, weekdays=0b1111111)
    ended = at_once(3, lambda _turn: end(clinic, one, day(5)))
    assert sorted(map(type, ended), key=str) == [type(None), WrongState, WrongState]


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
    some = (
        {"phone": 4},
        {"phone": -1},
        {"walk_in": 2},
        {"waiting": 2},
        {"nobody": 1},
        {"phone": 2**70},
    )
    for wrong in some:
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
