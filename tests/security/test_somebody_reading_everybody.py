"""A member of staff who reads everybody is stopped, and each look before that is on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from healthcert.data.limits import limits as told
from healthcert.errors import BadInput, TooMany, TooManyLooks, WrongState
from healthcert.models import AuditEvent
from healthcert.services import alarms, finding, limits
from healthcert.services import clinic as desk
from healthcert.services.looks import seen
from tests.factories import NOW, make_person, make_staff

HOUR, DAY = told()["view_hour"]["identity"], told()["view_day"]["identity"]


@pytest.fixture
def nurse(db):
    return make_staff(db)


def read(db, nurse, person_id, now=NOW, reason="care"):
    """Read as a page does: all or nothing."""
    with db.begin_nested():
        seen(db, staff=nurse, person_id=person_id, reason=reason, now=now)


def bot(db, nurse, count, now=NOW) -> int:
    """Read so many people; return how many were shclinic."""
    shown = 0
    for _ in range(count):
        try:
            read(db, nurse, make_person(db).id, now)
        except TooManyLooks:
            continue
        shown += 1
    return shown


def looks(db, nurse) -> int:
    query = select(func.count()).where(AuditEvent.actor_id == nurse.id)
    return db.scalars(query.where(AuditEvent.act == "record_seen")).one()


def test_a_bot_reads_the_budget_of_an_hour_and_each_read_has_one_row(db, nurse, say):
    assert bot(db, nurse, HOUR.most + 20) == HOUR.most
    assert looks(db, nurse) == HOUR.most
    [alarm] = alarms.still_open(db)
    assert (alarm.kind, alarm.subject_id) == ("view_hour.identity", nurse.id)
    assert alarms.open_count(db) == 1
    say(f"a bot asked for {HOUR.most + 20} people in an hour: {HOUR.most} shown, alarm raised")


def test_the_alarm_comes_before_the_refusal(db, nurse):
    bot(db, nurse, HOUR.alarm - 1)
    assert alarms.still_open(db) == []
    bot(db, nurse, 1)
    assert len(alarms.still_open(db)) == 1


def test_slow_reading_is_stopped_by_the_day(db, nurse):
    for _ in range(DAY.most - 3):
        limits.spend(db, name="view_day", identity=nurse.id.hex, now=NOW)
    assert sum(bot(db, nurse, 2, NOW + timedelta(hours=n)) for n in range(4)) == 3
    with pytest.raises(TooManyLooks) as caught:
        read(db, nurse, make_person(db).id, NOW + timedelta(hours=9))
    assert caught.value.until == NOW + timedelta(days=1)


def test_another_member_of_staff_goes_on_and_after_the_hour_the_same(db, nurse):
    bot(db, nurse, HOUR.most + 1)
    assert bot(db, make_staff(db), 1) == 1
    assert bot(db, nurse, 1, NOW + timedelta(hours=1)) == 1


def test_one_person_looked_at_again_is_one_person(db, nurse):
    person = make_person(db)
    for _ in range(HOUR.most + 5):
        read(db, nurse, person.id)
    assert looks(db, nurse) == HOUR.most + 5
    assert bot(db, nurse, HOUR.most) == HOUR.most - 1


def test_a_reason_that_is_none_costs_nothing_and_shows_nothing(db, nurse):
    for _ in range(3):
        with pytest.raises(BadInput, match="reason"):
            read(db, nurse, make_person(db).id, reason="curiosity")
    assert looks(db, nurse) == 0


def test_who_is_expected_today_is_always_shown_to_the_own_site(clinic):
    slot = clinic.slot(NOW.date(), capacity=3)
    mine = clinic.book(slot, now=NOW - timedelta(hours=1))
    with clinic.doors.transaction() as db:
        other = make_staff(db)
        for staff in (clinic.nurse, other):
            bot(db, staff, HOUR.most)
        shown = desk.patient(
            db,
            vault=clinic.vault,
            appointment_id=mine.id,
            staff=clinic.nurse,
            reason="care",
            now=NOW,
        )
        assert shown.expected.person_id == mine.person_id
        with pytest.raises(TooManyLooks):
            read(db, other, mine.person_id)


def test_searching_like_a_machine_ends_though_nothing_was_found(db, nurse, vault):
    limit = told()["staff_search"]["identity"]
    asked = {"vault": vault, "staff": nurse, "reason": "care", "now": NOW, "born": "1901"}
    for number in range(limit.most):
        assert finding.find(db, text=f"Nobody {number}", **asked) == []
    with pytest.raises(TooMany):
        finding.find(db, text="Nobody else", **asked)
    assert [alarm.kind for alarm in alarms.still_open(db)] == ["staff_search.identity"]


def test_an_alarm_is_seen_and_closed_with_a_reason_and_may_come_again(db, nurse):
    bot(db, nurse, HOUR.most)
    chief = make_staff(db)
    [alarm] = alarms.still_open(db)
    assert alarms.settle(db, alarm_id=alarm.id, reason="", staff=chief, now=NOW).state == "seen"
    alarms.settle(db, alarm_id=alarm.id, reason="explained", staff=chief, now=NOW)
    assert alarms.open_count(db) == 0
    with pytest.raises(WrongState):
        alarms.settle(db, alarm_id=alarm.id, reason="explained", staff=chief, now=NOW)
    bot(db, nurse, HOUR.most, NOW + timedelta(hours=1))
    assert alarms.open_count(db) == 1
