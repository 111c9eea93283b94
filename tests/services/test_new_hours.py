"""Other hours from a day on: what lies within is untouched, what does not is booked no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from healthcert.errors import BadInput
from healthcert.models import Appointment, AuditEvent, ClinicSession, SessionTemplate, Site, Slot
from healthcert.services import cancelling, hours, new_hours, planning, rebooking, sessions
from tests.factories import NOW, TODAY, day, make_appointment, make_site
from tests.services.clinic import COMIRNATY, JCOVDEN, Clinic
from tests.threads import at_once

BEIRUT = ZoneInfo("Asia/Beirut")
LAST = day(13)  # up to which plans are made here
ALL_DAY = "Mo-Su 08:00-12:00"


def opened(clinic: Clinic, text: str = ALL_DAY, *closed: date, site_id: object = None) -> None:
    with clinic.doors.transaction() as db:
        here = site_id or clinic.site.id
        hours.begin(db, site_id=here, spans=hours.read(text), closed=closed, now=NOW)


def planned(clinic: Clinic, **values: object) -> SessionTemplate:
    """Return a plan of every day whose sessions are made."""
    told = {
        "site_id": clinic.site.id, "programme_id": clinic.programme.id, "weekdays": 127,
        "product_id": clinic.products[COMIRNATY].id, "first_day": TODAY, "last_day": day(27),
        "minutes": 30, "capacity": 4, "kept_phone": 1,
    }  # fmt: skip
    with clinic.doors.transaction() as db:
        plan = SessionTemplate(**told | values)
        plan = sessions.begin(db, plan, staff=clinic.nurse, now=NOW)
        how = {"country": clinic.country, "until": LAST, "now": NOW}
        sessions.make(db, template_id=plan.id, **how)
        return plan


def change(clinic: Clinic, text: str, since: date, now: datetime = NOW, site_id: object = None):
    """Foresee other hours, let them begin, and return what was foreseen."""
    told = {"site_id": site_id or clinic.site.id, "hours": text, "since": since, "now": now}
    told |= {"country": clinic.country}
    with clinic.doors.reading() as db:
        seen = new_hours.foreseen(db, **told)
    done = clinic.doors.run(lambda db: new_hours.begin(db, staff=clinic.nurse, **told))
    assert counted(done) == counted(seen)
    return seen


def counted(found: new_hours.Foreseen) -> tuple[int, ...]:
    return (
        found.changed, found.cancelled, found.made, found.gone, found.come, found.booked,
    )  # fmt: skip


def times(clinic: Clinic, on: date, product: str = COMIRNATY) -> list[str]:
    """Return when slots that can be booked begin on a day, by the site's clock."""
    of = {"site_id": clinic.site.id, "product_id": clinic.products[product].id, "day": on}
    with clinic.doors.reading() as db:
        found = planning.slots_of(db, **of)
    return [f"{slot.starts_at.astimezone(BEIRUT):%H:%M}" for slot in found]


def states(clinic: Clinic, on: date) -> list[str]:
    with clinic.doors.reading() as db:
        return sorted(db.scalars(select(ClinicSession.state).filter_by(day=on)))


def slot_at(clinic: Clinic, on: date, at: str) -> Slot:
    of = {"site_id": clinic.site.id, "product_id": clinic.products[COMIRNATY].id, "day": on}
    with clinic.doors.reading() as db:
        found = planning.slots_of(db, **of)
        [one] = [s for s in found if f"{s.starts_at.astimezone(BEIRUT):%H:%M}" == at]
        return one


def test_from_a_day_on_there_are_the_places_of_the_new_hours_and_before_it_those_of_the_old(clinic):
    opened(clinic)
    planned(clinic)
    found = change(clinic, "Mo-Su 09:00-12:00,13:00-14:00", day(3))
    assert counted(found) == (11, 0, 0, 11 * 2 * 4, 11 * 2 * 4, 0)
    assert times(clinic, day(2))[::4] == ["08:00", "10:00"]
    assert times(clinic, day(3)) == [
        "09:00", "09:30", "10:00", "10:30", "11:00", "11:30", "13:00", "13:30",
    ]  # fmt: skip
    assert states(clinic, day(2)) == ["published"]
    assert states(clinic, day(3)) == ["cancelled", "published"]
    with clinic.doors.reading() as db:
        new = slot_at(clinic, day(3), "13:30")
        assert (new.capacity, new.kept_phone, new.booked) == (4, 1, 0)
        assert hours.written(hours.of(db, clinic.site.id, day(2))) == ALL_DAY
        assert hours.of(db, clinic.site.id, day(3))[1].closes.hour == 14
        told = [one.since for one in hours.versions(db, site_id=clinic.site.id)]
        assert told == [hours.ALWAYS, day(3)]


def test_who_is_booked_within_keeps_all_and_who_is_not_is_left_to_the_worker(clinic):
    opened(clinic)
    planned(clinic)
    stays = clinic.book(slot_at(clinic, day(4), "10:00"))
    goes = clinic.book(slot_at(clinic, day(4), "08:30"))
    before = clinic.book(slot_at(clinic, day(1), "08:30"))
    assert change(clinic, "Mo-Su 09:00-12:00", day(4)).booked == 1
    with clinic.doors.reading() as db:
        assert [row[1] for row in rebooking.left(db, now=NOW, limit=9)] == [goes.id]
        for each in (stays, before):
            session = db.get_one(ClinicSession, db.get_one(Slot, each.slot_id).session_id)
            assert session.state == "published"


def test_a_day_that_is_no_longer_open_is_cancelled_and_one_that_is_open_now_has_sessions(clinic):
    opened(clinic, "Mo-Fr 08:00-10:00")
    planned(clinic)
    found = change(clinic, "Tu-Sa 08:00-10:00", day(1))
    assert (found.changed, found.cancelled, found.made) == (0, 1, 2)  # of two weeks
    assert states(clinic, day(7)) == ["cancelled"]
    assert times(clinic, day(5)) == times(clinic, day(12)) == ["08:00", "08:30", "09:00", "09:30"]
    assert states(clinic, day(6)) == []
    again = change(clinic, "Mo-Fr 08:00-10:00", day(1))
    assert (again.changed, again.cancelled, again.made) == (0, 2, 1)
    assert states(clinic, day(7)) == ["cancelled", "published"]


def test_no_hours_mean_closed_from_that_day_on_and_later_sessions_are_not_made_either(clinic):
    opened(clinic)
    plan = planned(clinic)
    assert change(clinic, "", day(5)).cancelled == 9
    with clinic.doors.transaction() as db:
        how = {"country": clinic.country, "until": day(20), "now": NOW}
        assert sessions.make(db, template_id=plan.id, **how) == []
        assert hours.of(db, clinic.site.id, day(5)) == ()
        assert hours.of(db, clinic.site.id, day(4)) != ()


def test_later_sessions_follow_the_hours_of_their_day(clinic):
    opened(clinic)
    plan = planned(clinic)
    assert counted(change(clinic, "Mo-Su 08:00-09:00", day(20))) == (0,) * 6
    with clinic.doors.transaction() as db:
        sessions.make(db, template_id=plan.id, country=clinic.country, until=day(21), now=NOW)
    assert [len(times(clinic, day(n))) for n in (19, 20)] == [8, 2]


def test_hours_that_have_not_begun_are_replaced_and_newer_ones_go_on_to_hold(clinic):
    opened(clinic)
    planned(clinic)
    change(clinic, "Mo-Su 10:00-12:00", day(5))
    change(clinic, "Mo-Su 09:00-12:00", day(5))
    change(clinic, "Mo-Su 08:00-09:00", day(3))
    assert [len(times(clinic, day(n))) for n in (2, 3, 4, 5)] == [8, 2, 2, 6]
    with clinic.doors.reading() as db:
        told = [(one.since, one.hours) for one in hours.versions(db, site_id=clinic.site.id)]
    assert told == [
        (hours.ALWAYS, ALL_DAY), (day(3), "Mo-Su 08:00-09:00"), (day(5), "Mo-Su 09:00-12:00"),
    ]  # fmt: skip


def test_a_day_that_has_begun_keeps_the_times_that_are_past(clinic):
    opened(clinic)
    planned(clinic)  # it is eleven there
    found = change(clinic, "Mo-Su 10:00-11:30,14:00-15:00", TODAY)
    assert times(clinic, TODAY) == [
        "08:00", "08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "14:00", "14:30",
    ]  # fmt: skip
    assert found.changed == 14
    change(clinic, "Mo-Su 06:00-12:00", TODAY)
    assert times(clinic, TODAY)[::7] == ["08:00", "11:30"]
    assert change(clinic, "", TODAY).cancelled == 13
    assert times(clinic, TODAY)[-1] == "11:00"


def test_today_has_no_new_time_that_is_past(clinic):
    opened(clinic, "Tu 08:00-09:00")
    planned(clinic)
    assert change(clinic, "Mo 08:00-11:15; Tu 08:00-09:00", TODAY).made == 1  # next week's
    assert states(clinic, TODAY) == []
    assert change(clinic, ALL_DAY, TODAY).come == 4 * (1 + 2 + 2 * 6 + 10 * 8)
    assert times(clinic, TODAY) == ["11:30"]


def test_new_times_follow_those_that_stay_and_never_overlap_them(clinic):
    opened(clinic)
    planned(clinic)
    change(clinic, "Mo-Su 07:50-13:50", day(1))
    assert times(clinic, day(1))[:2] == ["08:00", "08:30"]
    assert times(clinic, day(1))[-4:] == ["11:30", "12:00", "12:30", "13:00"]
    change(clinic, "Mo-Su 07:20-10:00,10:00-13:00", day(1))
    assert times(clinic, day(1))[:2] == ["07:20", "08:00"]
    assert times(clinic, day(1))[-1] == "12:30"


def test_a_time_over_hours_that_touch_lies_within_them(clinic):
    slot = clinic.slot(day(1), minutes=30)  # noon there
    found = change(clinic, "Mo-Su 08:00-12:15,12:15-13:00", day(1))
    assert (found.changed, found.cancelled) == (0, 0)
    assert change(clinic, "Mo-Su 08:00-12:15,12:20-13:00", day(1)).cancelled == 1
    with clinic.doors.reading() as db:
        assert db.get_one(Slot, slot.id).session_id == slot.session_id


def test_times_that_come_are_as_large_as_those_that_stay(clinic):
    opened(clinic)
    planned(clinic)
    session_id = slot_at(clinic, day(1), "08:00").session_id
    how = {"site_ids": [clinic.site.id], "staff": clinic.nurse, "now": NOW, "kept": {"phone": 2}}
    clinic.doors.run(lambda db: planning.resize(db, session_id=session_id, capacity=9, **how))
    change(clinic, "Mo-Su 08:00-13:00", day(1))
    new, other = slot_at(clinic, day(1), "12:30"), slot_at(clinic, day(2), "12:30")
    assert [(s.capacity, s.kept_phone) for s in (new, other)] == [(9, 2), (4, 1)]


def test_what_was_given_up_or_closed_stays_so_and_a_closed_day_opens_with_the_new_hours(clinic):
    opened(clinic)
    planned(clinic)
    given_up = slot_at(clinic, day(2), "08:00").session_id
    how = {"staff": clinic.nurse, "now": NOW}
    with clinic.doors.transaction() as db:
        cancelling.cancel(db, session_id=given_up, site_ids=[clinic.site.id], **how)
        cancelling.close_day(db, site_id=clinic.site.id, day=day(3), **how)
    change(clinic, "Mo-Su 08:00-13:00", day(1))
    assert states(clinic, day(2)) == states(clinic, day(3)) == ["cancelled"]
    with clinic.doors.transaction() as db:
        at = {"site_id": clinic.site.id, "day": day(3), "country": clinic.country}
        cancelling.open_day(db, **at, **how)
    assert len(times(clinic, day(3))) == 10


def test_a_holiday_that_was_told_late_keeps_its_sessions_and_has_no_new_times(clinic):
    opened(clinic)
    planned(clinic)
    holidays = {**clinic.country.holidays, day(3): {"en": "Rest"}}
    late = replace(clinic, country=replace(clinic.country, holidays=holidays))
    change(late, "Mo-Su 09:00-13:00", day(3))
    assert [(times(clinic, day(n))[0], len(times(clinic, day(n)))) for n in (3, 4)] == [
        ("09:00", 6), ("09:00", 8),
    ]  # fmt: skip


def test_two_plans_of_a_product_make_a_day_once_and_those_of_two_products_each(clinic):
    opened(clinic, "Mo-Fr 08:00-10:00")
    for _ in range(2):
        planned(clinic)
    planned(clinic, product_id=clinic.products[JCOVDEN].id)
    assert change(clinic, "Mo-Sa 08:00-10:00", day(1)).made == 4
    assert states(clinic, day(5)) == ["published"] * 2


def test_a_day_that_is_over_and_hours_that_are_none_are_refused(clinic):
    for text, since, wrong in (
        (ALL_DAY, day(-1), {"since": "too_long_ago"}),
        ("always", day(1), {"hours": "not_hours"}),
    ):
        with pytest.raises(BadInput) as caught:
            change(clinic, text, since)
        assert caught.value.fields == wrong
    late = NOW.replace(hour=22, minute=30)  # it is tomorrow there
    with pytest.raises(BadInput):
        change(clinic, ALL_DAY, TODAY, now=late)


def test_the_deed_tells_who_changed_what_from_when_and_what_it_was(clinic):
    opened(clinic, "Mo 08:00-12:00,13:00-14:00; Tu 09:00-10:00")
    planned(clinic)
    clinic.book(slot_at(clinic, day(7), "13:00"))
    change(clinic, "Mo 08:00-12:00", day(7))
    with clinic.doors.reading() as db:
        [one] = db.scalars(select(AuditEvent).filter_by(act="hours_begun"))
        assert (one.actor_id, one.subject_id) == (clinic.nurse.id, clinic.site.id)
        assert one.details == {
            "since": "2026-03-09", "hours_0": "Mo/08:00-12:00/13:00-14:00",
            "hours_1": "Tu/09:00-10:00", "gone": 4 * (2 + 2), "come": 0, "booked": 1,
        }  # fmt: skip
        [cut] = db.scalars(select(AuditEvent).filter_by(act="session_narrowed"))
        beside = db.scalars(select(ClinicSession).filter_by(day=day(7), state="cancelled")).one()
        assert cut.details == {"into": str(beside.id)}
        [gone] = db.scalars(select(AuditEvent).filter_by(act="session_cancelled"))
        assert db.get_one(ClinicSession, gone.subject_id).day == day(8)


def test_another_site_is_untouched(clinic):
    opened(clinic)
    planned(clinic)
    with clinic.doors.transaction() as db:
        other = make_site(db, time_zone="Asia/Beirut").id
    opened(clinic, site_id=other)
    planned(clinic, site_id=other)
    change(clinic, "", day(1), site_id=other)
    assert len(times(clinic, day(1))) == 8
    with clinic.doors.reading() as db:
        left = select(func.count()).select_from(ClinicSession).filter_by(state="cancelled")
        assert set(db.scalars(left.group_by(ClinicSession.site_id))) == {13}


@pytest.mark.parametrize("turn", range(3))
def test_who_books_while_hours_change_stays_within_them_or_is_booked_anew(clinic, turn):
    opened(clinic)
    plan = planned(clinic)
    slot = slot_at(clinic, day(4), "08:30")
    texts = ["Mo-Su 09:00-12:00", "Mo-Su 08:00-08:30"]

    def work(who: int) -> object:
        if who < 2:
            return change_only(clinic, texts[who], day(1 + turn))
        if who == 2:
            how = {"country": clinic.country, "until": day(20), "now": NOW}
            return clinic.doors.run(lambda db: sessions.make(db, template_id=plan.id, **how))
        return clinic.book(slot)

    results = at_once(5, work)
    broken = [each for each in results[:3] if isinstance(each, Exception)]
    assert not broken, results
    booked = [each for each in results[3:] if isinstance(each, Appointment)]
    with clinic.doors.reading() as db:
        [_first, last] = hours.versions(db, site_id=clinic.site.id)
        assert (last.since, last.hours in texts) == (day(1 + turn), True)
        late = [row for row in open_slots(db, clinic) if row.day >= last.since]
        assert all(inside(last.hours, row.day, row.starts_at, row.ends_at) for row in late)
        left = {row[1] for row in rebooking.left(db, now=NOW, limit=9)}
        assert left <= {each.id for each in booked}
        for each in booked:
            holds = inside(last.hours, day(4), each.starts_at, each.ends_at)
            assert (each.id in left) != holds


def change_only(clinic: Clinic, text: str, since: date) -> object:
    told = {"site_id": clinic.site.id, "hours": text, "since": since, "now": NOW}
    told |= {"country": clinic.country, "staff": clinic.nurse}
    return clinic.doors.run(lambda db: new_hours.begin(db, **told))


def open_slots(db, clinic: Clinic, site_id: object = None):
    query = select(ClinicSession.day, ClinicSession.product_id, *Slot.__table__.columns)
    query = query.join(Slot, Slot.session_id == ClinicSession.id)
    query = query.where(ClinicSession.state != "cancelled")
    here = ClinicSession.site_id == (site_id or clinic.site.id)
    order = ClinicSession.day, ClinicSession.product_id, Slot.starts_at
    return db.execute(query.where(here).order_by(*order)).all()


def inside(text: str, on: date, starts_at: datetime, ends_at: datetime) -> bool:
    """Say whether a time lies within hours, reckoned in minutes of the site's clock."""
    begins, ends = (at.astimezone(BEIRUT) for at in (starts_at, ends_at))
    minutes = set(range(begins.hour * 60 + begins.minute, ends.hour * 60 + ends.minute))
    for span in hours.read(text):
        if span.weekday == on.isoweekday():
            opens, closes = (60 * at.hour + at.minute for at in (span.opens, span.closes))
            minutes -= set(range(opens, closes))
    return not minutes


QUARTERS = [f"{7 + n // 4:02}:{n % 4 * 15:02}" for n in range(33)]
SPANS = st.lists(st.sampled_from(QUARTERS), max_size=4, unique=True).map(sorted)
DAYS_OF_WEEK = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@st.composite
def weeks(draw) -> str:
    """Return hours of a week: by weekday none, one stretch or two."""
    told = []
    for name in DAYS_OF_WEEK:
        found = draw(SPANS)
        spans = [f"{a}-{b}" for a, b in zip(found[::2], found[1::2], strict=False)]
        told += [f"{name} {','.join(spans)}"] if spans else []
    return "; ".join(told)


CHANGES = st.lists(st.tuples(weeks(), st.integers(0, 16)), min_size=1, max_size=3)


@pytest.mark.walk
def test_after_any_changes_nothing_free_lies_outside_and_nobody_within_was_touched(clinic):
    @settings(
        max_examples=12, deadline=None, derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    @given(weeks(), CHANGES, st.sampled_from([15, 20, 30]), st.randoms(use_true_random=False))
    def hold(first, changes, minutes, chance):
        with clinic.doors.transaction() as db:
            site_id = make_site(db, time_zone="Asia/Beirut").id
        opened(clinic, first, day(9), site_id=site_id)
        for product in (COMIRNATY, JCOVDEN):
            about = {"site_id": site_id, "minutes": minutes}
            planned(clinic, product_id=clinic.products[product].id, **about)
        known = {date.min: first}
        for text, ahead in changes:
            people(clinic, site_id, chance)
            known[day(ahead)] = text
            judged(clinic, site_id, known, text, day(ahead))
        full(clinic, site_id, minutes)

    hold()


def people(clinic: Clinic, site_id: object, chance) -> None:
    """Book some people at random."""
    with clinic.doors.transaction() as db:
        free = [row.id for row in open_slots(db, clinic, site_id) if row.booked < 3]
        for slot_id in chance.sample(free, min(3, len(free))):
            slot = db.get_one(Slot, slot_id)
            slot.booked += 1
            make_appointment(db, slot=slot, programme=clinic.programme)


def judged(clinic: Clinic, site_id: object, known: dict[date, str], text: str, since: date) -> None:
    def holds(row) -> bool:
        week = known[max(each for each in known if each <= row.day)]
        begun = row.starts_at <= NOW or row.day < since
        return begun or inside(week, row.day, row.starts_at, row.ends_at)

    with clinic.doors.reading() as db:
        before = open_slots(db, clinic, site_id)
        mine = everybody(db, site_id)
        waits = {row[1] for row in rebooking.left(db, now=NOW, limit=999)}
    found = change(clinic, text, since, site_id=site_id)
    with clinic.doors.reading() as db:
        after = open_slots(db, clinic, site_id)
        assert all(map(holds, after))
        assert {row for row in before if holds(row)} <= set(after)
        assert everybody(db, site_id) == mine
        gone = {row.id for row in before} - {row.id for row in after}
        assert gone == {row.id for row in before if not holds(row)}
        left = {row[1] for row in rebooking.left(db, now=NOW, limit=999)} - waits
        assert left == {each for each, slot, *_ in mine if slot in gone}
        assert found.booked == len(left)
    was, now = Counter(), Counter()
    for rows, count in ((before, was), (after, now)):
        count.update({row.id: row.capacity for row in rows})
    assert (found.gone, found.come) == ((was - now).total(), (now - was).total())


def everybody(db, site_id: object) -> list:
    query = select(Appointment.id, Appointment.slot_id, Appointment.state, Appointment.starts_at)
    query = query.join(Slot, Slot.id == Appointment.slot_id)
    query = query.join(ClinicSession, ClinicSession.id == Slot.session_id)
    rows = db.execute(query.where(ClinicSession.site_id == site_id).order_by(Appointment.id)).all()
    return [tuple(row) for row in rows]


def full(clinic: Clinic, site_id: object, minutes: int) -> None:
    """Judge that no times overlap, and that each is as long as the plan says."""
    with clinic.doors.reading() as db:
        zone = db.get_one(Site, site_id).time_zone
        rows = open_slots(db, clinic, site_id)
    assert zone == BEIRUT.key
    assert {row.ends_at - row.starts_at for row in rows} <= {timedelta(minutes=minutes)}
    for one, other in pairwise(rows):
        if (one.day, one.product_id) == (other.day, other.product_id):
            assert one.ends_at <= other.starts_at
