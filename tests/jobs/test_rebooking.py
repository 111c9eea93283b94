"""A place closes: everybody is booked anew, new place first, and who cannot be is told."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.jobs import sessions as jobs
from healthcert.models import (
    Appointment,
    AuditEvent,
    ClinicSession,
    Message,
    SessionTemplate,
    Site,
    SiteClosure,
    Slot,
    WaitEntry,
)
from healthcert.services import cancelling, hours, moving, planning, rebooking, sessions
from tests.factories import NOW, day, make_site
from tests.models.test_workflow import make_entry
from tests.services.clinic import COMIRNATY, JCOVDEN, Clinic, details
from tests.threads import at_once

CLOSED = day(3)


def close(clinic: Clinic, on=CLOSED) -> int:
    return clinic.doors.run(
        lambda db: cancelling.close_day(
            db, site_id=clinic.site.id, day=on, staff=clinic.nurse, now=NOW
        )
    )


def other_site(clinic: Clinic, *, north: float) -> Site:
    with clinic.doors.transaction() as db:
        place = db.get_one(Site, clinic.site.id)
        return make_site(db, latitude=place.latitude + north, time_zone="Asia/Beirut")


def where(clinic: Clinic) -> Counter:
    """Return how many are booked, by slot."""
    with clinic.doors.reading() as db:
        booked = select(Appointment.slot_id).where(Appointment.state == "booked")
        return Counter(db.scalars(booked))


def told(clinic: Clinic) -> Counter:
    with clinic.doors.reading() as db:
        return Counter(db.scalars(select(Message.template)))


def counters_are_true(clinic: Clinic) -> bool:
    with clinic.doors.reading() as db:
        active = Appointment.state.in_(("held", "booked", "arrived"))
        counted = dict(
            db.execute(
                select(Appointment.slot_id, func.count())
                .where(active)
                .group_by(Appointment.slot_id)
            ).all()
        )
        return all(slot.booked == counted.get(slot.id, 0) for slot in db.scalars(select(Slot)))


def test_everybody_goes_to_the_same_site_within_the_week_and_then_to_the_nearest(parts, clinic):
    shut = clinic.slot(CLOSED, capacity=6)
    for _ in range(5):
        clinic.book(shut)
    near, far = other_site(clinic, north=0.1), other_site(clinic, north=1.0)
    clinic.slot(day(2), capacity=9)  # before the day they chose
    clinic.slot(day(5), product=JCOVDEN, capacity=9)  # another product
    at_far = clinic.slot(day(4), capacity=9, site=far)
    at_near = clinic.slot(day(6), capacity=2, site=near)
    later = clinic.slot(day(9), capacity=1)
    next_week = clinic.slot(day(12), capacity=9)
    assert close(clinic) == 1
    assert jobs.rebook(parts, NOW) == 5
    assert where(clinic) == {later.id: 1, at_near.id: 2, at_far.id: 2}
    assert next_week.id not in where(clinic)
    assert told(clinic)["rebooked"] == 5
    assert counters_are_true(clinic)
    assert jobs.rebook(parts, NOW) == 0


def test_who_cannot_be_placed_is_told_and_listed(parts, clinic):
    shut = clinic.slot(CLOSED, capacity=3)
    mine = [clinic.book(shut) for _ in range(3)]
    other = clinic.slot(day(5), capacity=1)
    close(clinic)
    assert jobs.rebook(parts, NOW) == 1
    assert where(clinic) == {other.id: 1}
    assert told(clinic)["unplaced"] == told(clinic)["waiting"] == 2
    with clinic.doors.reading() as db:
        waits = db.scalars(select(WaitEntry)).all()
        assert {(each.site_id, each.within_km, each.state) for each in waits} == {
            (clinic.site.id, rebooking.NEAR, "waiting")
        }
        rows = planning.listed(db, site_ids=[clinic.site.id], first=NOW.date(), limit=9)
        lost = [db.get_one(Appointment, each.id) for each in mine]
        lost = [each for each in lost if each.reference in (rows[0].lost or "")]
        assert [each.state for each in lost] == ["cancelled"] * 2
        assert {each.person_id for each in lost} == {each.person_id for each in waits}
    assert counters_are_true(clinic)


def test_who_waits_already_loses_a_place_and_does_not_wait_twice(parts, clinic):
    mine = clinic.book(clinic.slot(CLOSED))
    with clinic.doors.transaction() as db:
        make_entry(db, person_id=mine.person_id, programme_id=clinic.programme.id)
    close(clinic)
    assert jobs.rebook(parts, NOW) == 0
    assert (told(clinic)["unplaced"], told(clinic)["waiting"]) == (1, 0)
    with clinic.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(WaitEntry)) == 1


def test_a_closed_day_has_no_sessions_any_more_and_may_be_closed_again(clinic):
    slot = clinic.slot(CLOSED)
    assert [close(clinic), close(clinic)] == [1, 0]
    with clinic.doors.reading() as db:
        assert db.get_one(ClinicSession, slot.session_id).state == "cancelled"
        assert db.scalar(select(func.count()).select_from(SiteClosure)) == 1
    with pytest.raises(BadInput):
        close(clinic, day(-1))


def test_one_session_is_cancelled_alone_and_once(parts, clinic):
    shut, other = clinic.slot(CLOSED), clinic.slot(CLOSED, product=JCOVDEN)
    clinic.book(shut)
    beyond = clinic.slot(day(4))

    def cancel(site_id: object, now: object = NOW) -> None:
        how = {"session_id": shut.session_id, "staff": clinic.nurse, "site_ids": [site_id]}
        clinic.doors.run(lambda db: cancelling.cancel(db, now=now, **how))

    with pytest.raises(NotFound):
        cancel(other_site(clinic, north=1).id)
    with pytest.raises(NotFound):
        cancel(clinic.site.id, NOW + timedelta(days=5))
    cancel(clinic.site.id)
    with pytest.raises(WrongState):
        cancel(clinic.site.id)
    jobs.rebook(parts, NOW)
    assert where(clinic) == {beyond.id: 1}
    with clinic.doors.reading() as db:
        assert db.get_one(ClinicSession, other.session_id).state == "published"


def test_what_ends_halfway_goes_on_where_it_was(parts, clinic, monkeypatch):
    shut = clinic.slot(CLOSED, capacity=4)
    for _ in range(4):
        clinic.book(shut)
    clinic.slot(day(4), capacity=9)
    close(clinic)
    real, done = moving.move, []

    def killed(*given, **more):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(real(*given, **more))
        return done[-1]

    monkeypatch.setattr(moving, "move", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.rebook(parts, NOW)
    monkeypatch.undo()
    assert where(clinic)[shut.id] == 2
    assert jobs.rebook(parts, NOW) == 2
    assert where(clinic)[shut.id] == 0
    assert told(clinic)["rebooked"] == 4
    assert counters_are_true(clinic)


def test_two_workers_and_a_citizen_leave_nobody_with_two_places_or_none(parts, clinic):
    shut = clinic.slot(CLOSED, capacity=8)
    booked = [clinic.book(shut) for _ in range(8)]
    clinic.slot(day(4), capacity=4)
    mine = clinic.slot(day(5), capacity=9)
    close(clinic)

    def work(turn: int) -> object:
        if turn == 2:
            return clinic.doors.run(
                lambda db: moving.move(
                    db, vault=clinic.vault, appointment_id=booked[7].id,
                    person_id=booked[7].person_id, slot_id=mine.id, now=NOW,
                )
            )  # fmt: skip
        return jobs.rebook(parts, NOW)

    results = at_once(3, work)
    assert not [
        each for each in results if isinstance(each, Exception) and not isinstance(each, WrongState)
    ], results
    jobs.rebook(parts, NOW)
    assert sum(where(clinic).values()) == 8
    assert where(clinic)[shut.id] == 0
    assert counters_are_true(clinic)


def test_a_second_dose_moves_on_when_the_first_comes_too_near_to_it(parts, clinic):
    who = details()
    shut, second = clinic.slot(CLOSED), clinic.slot(CLOSED + timedelta(days=21))
    clinic.book(shut, who)
    clinic.book(second, who, dose_number=2)
    first = clinic.slot(CLOSED + timedelta(days=4))
    too_near = clinic.slot(CLOSED + timedelta(days=24))
    right = clinic.slot(CLOSED + timedelta(days=25))
    close(clinic)
    jobs.rebook(parts, NOW)
    assert where(clinic) == {first.id: 1, right.id: 1}
    assert too_near.id not in where(clinic)


def test_nobody_is_sent_to_a_place_that_opens_within_two_hours(parts, clinic):
    shut = clinic.slot(day(0))
    clinic.book(shut)
    soon, tomorrow = clinic.slot(day(0), site=other_site(clinic, north=0.1)), clinic.slot(day(1))
    close(clinic, day(0))
    jobs.rebook(parts, soon.starts_at - timedelta(minutes=90))
    assert where(clinic) == {tomorrow.id: 1}


def test_who_has_arrived_stays_with_the_nurse(parts, clinic):
    shut = clinic.slot(day(0))
    appointment = clinic.book(shut)
    with clinic.doors.transaction() as db:
        db.get_one(Appointment, appointment.id).state = "arrived"
    clinic.slot(day(1))
    close(clinic, day(0))
    assert jobs.rebook(parts, NOW) == 0
    with clinic.doors.reading() as db:
        assert db.get_one(Appointment, appointment.id).slot_id == shut.id


def planned(clinic: Clinic, **changes: object) -> SessionTemplate:
    """Return a plan of every day for a week, and make its sessions."""
    told = {
        "site_id": clinic.site.id, "programme_id": clinic.programme.id, "weekdays": 0b1111111,
        "product_id": clinic.products[COMIRNATY].id, "first_day": day(1), "last_day": day(7),
        "minutes": 30, "capacity": 2,
    }  # fmt: skip
    with clinic.doors.transaction() as db:
        if not hours.of(db, clinic.site.id, NOW.date()):
            spans = hours.read("Mo-Su 08:00-09:00")
            hours.begin(db, site_id=clinic.site.id, spans=spans, closed=(), now=NOW)
        plan = SessionTemplate(**told | changes)
        plan = sessions.begin(db, plan, staff=clinic.nurse, now=NOW)
        told = {"template_id": plan.id, "country": clinic.country, "until": day(9), "now": NOW}
        sessions.make(db, **told)
        return plan


def open_again(clinic: Clinic, on=CLOSED) -> None:
    clinic.doors.run(
        lambda db: cancelling.open_day(
            db, site_id=clinic.site.id, day=on, country=clinic.country, staff=clinic.nurse, now=NOW
        )
    )


def on_the_day(clinic: Clinic, on=CLOSED) -> list[str]:
    with clinic.doors.reading() as db:
        found = select(ClinicSession.state).filter_by(day=on)
        return sorted(db.scalars(found))


def first_slot(clinic: Clinic, on=CLOSED) -> Slot:
    with clinic.doors.reading() as db:
        at = {"site_id": clinic.site.id, "product_id": clinic.products[COMIRNATY].id}
        return planning.slots_of(db, day=on, **at)[0]


def test_a_day_that_was_closed_by_mistake_has_what_was_planned_again(parts, clinic):
    planned(clinic)
    shut = first_slot(clinic)
    mine = clinic.book(shut)
    close(clinic)
    jobs.rebook(parts, NOW)
    [moved] = where(clinic)
    open_again(clinic)
    assert on_the_day(clinic) == ["cancelled", "published"]
    assert first_slot(clinic).starts_at == shut.starts_at
    assert first_slot(clinic).id != shut.id
    assert jobs.rebook(parts, NOW) == 0
    assert where(clinic) == {moved: 1}  # who was booked anew keeps that
    with clinic.doors.reading() as db:
        assert hours.closed_days(db, clinic.site.id) == []
        acts = db.scalars(select(AuditEvent.act).where(AuditEvent.subject_kind == "site_closure"))
        assert list(acts) == ["day_closed", "day_opened"]
        assert db.get_one(Appointment, mine.id).state != "booked"
    assert close(clinic) == 1  # and may be closed again
    open_again(clinic)
    assert on_the_day(clinic) == ["cancelled", "cancelled", "published"]
    assert counters_are_true(clinic)


def test_who_was_not_placed_yet_has_their_time_back_when_the_day_opens_again(parts, clinic):
    planned(clinic)
    shut = first_slot(clinic)
    for _ in range(2):
        clinic.book(shut)
    close(clinic)
    open_again(clinic)
    assert jobs.rebook(parts, NOW) == 2
    assert where(clinic) == {first_slot(clinic).id: 2}
    assert told(clinic)["moved"] == 2
    assert counters_are_true(clinic)


@pytest.mark.parametrize(("before", "is_theirs"), [(90, True), (1, True), (0, False)])
def test_ones_own_time_comes_back_as_long_as_it_has_not_begun(parts, clinic, before, is_theirs):
    planned(clinic)
    shut = first_slot(clinic)
    clinic.book(shut)
    close(clinic)
    open_again(clinic)
    jobs.rebook(parts, shut.starts_at - timedelta(minutes=before))
    assert (where(clinic) == {first_slot(clinic).id: 1}) is is_theirs
    assert told(clinic)["moved" if is_theirs else "rebooked"] == 1


def test_only_what_the_closing_cancelled_is_made_again(clinic):
    planned(clinic)
    ended = planned(clinic, product_id=clinic.products[JCOVDEN].id)
    with clinic.doors.transaction() as db:
        given_up = select(ClinicSession.id).filter_by(
            day=CLOSED, product_id=clinic.products[COMIRNATY].id
        )
        how = {"site_ids": [clinic.site.id], "staff": clinic.nurse, "now": NOW}
        cancelling.cancel(db, session_id=db.scalars(given_up).one(), **how)
    assert close(clinic) == 1
    open_again(clinic)
    assert on_the_day(clinic) == ["cancelled", "cancelled", "published"]
    close(clinic)
    with clinic.doors.transaction() as db:
        cancelling.end(db, template_id=ended.id, since=CLOSED, **how)
    open_again(clinic)
    assert set(on_the_day(clinic)) == {"cancelled"}


def test_a_day_that_was_closed_before_its_sessions_were_made_has_them_when_it_opens(clinic):
    close(clinic)
    planned(clinic)
    assert on_the_day(clinic) == []
    open_again(clinic)
    assert on_the_day(clinic) == ["published"]


def test_a_day_that_is_open_or_over_is_not_opened(clinic):
    with pytest.raises(WrongState):
        open_again(clinic)
    with pytest.raises(BadInput):
        open_again(clinic, day(-1))


def test_a_day_that_two_open_at_once_is_opened_once(clinic):
    planned(clinic)
    close(clinic)
    opened = at_once(3, lambda _turn: open_again(clinic))
    assert sorted(map(type, opened), key=str) == [type(None), WrongState, WrongState]
    assert on_the_day(clinic) == ["cancelled", "published"]


@pytest.mark.parametrize("turn", range(4))
def test_a_day_that_closes_while_the_worker_makes_it_has_no_session(clinic, turn):
    plan = planned(clinic, first_day=day(10), last_day=day(90 + turn))
    told = {"template_id": plan.id, "country": clinic.country, "until": day(90), "now": NOW}

    def work(who: int) -> object:
        if who:
            return clinic.doors.run(lambda db: sessions.make(db, **told))
        return close(clinic, day(15))

    assert not [each for each in at_once(2, work) if isinstance(each, Exception)]
    assert "published" not in on_the_day(clinic, day(15))
    assert on_the_day(clinic, day(14)) == ["published"]


def test_whom_a_plan_leaves_that_ends_the_plan_in_its_place_takes(parts, clinic):
    old = planned(clinic)
    clinic.book(first_slot(clinic))
    with clinic.doors.transaction() as db:
        how = {"site_ids": [clinic.site.id], "staff": clinic.nurse, "now": NOW}
        cancelling.end(db, template_id=old.id, since=day(2), **how)
    planned(clinic, capacity=1)
    assert jobs.rebook(parts, NOW) == 1
    assert where(clinic) == {first_slot(clinic).id: 1}
    assert counters_are_true(clinic)
