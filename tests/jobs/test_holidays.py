"""A holiday closes many sites: the worker goes from one to the next, and opens them again."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.jobs import sessions as jobs
from healthcert.models import (
    Appointment,
    AuditEvent,
    ClinicSession,
    Holiday,
    Organisation,
    Site,
    SiteClosure,
    Staff,
)
from healthcert.services import cancelling, holidays, keeping, sessions
from healthcert.services.part import Part
from tests import factories as make
from tests.factories import NOW, day
from tests.jobs.test_rebooking import close, open_again, planned, told, where
from tests.services.clinic import Clinic
from tests.statements import sent
from tests.threads import at_once

THAT = day(3)


class Country:
    """A ministry over a region over a town, which has the clinic; an admin of each."""

    def __init__(self, clinic: Clinic) -> None:
        """Put the clinic's site into the tree."""
        self.clinic = clinic
        with clinic.doors.transaction() as db:
            self.ministry = make.make_organisation(db)
            self.region = make.make_organisation(db, self.ministry)
            self.town = make.make_organisation(db, self.region)
            self.other = make.make_organisation(db)
            db.get_one(Site, clinic.site.id).organisation_id = self.town.id
            db.get_one(Site, clinic.site.id).region = "coast"
            self.admins = {
                body.id: make.make_staff(db, role="admin", site_id=None, organisation_id=body.id)
                for body in (self.ministry, self.region, self.town, self.other)
            }

    def site(self, body: Organisation, **values: object) -> Site:
        with self.clinic.doors.transaction() as db:
            here = db.get_one(Site, self.clinic.site.id)
            at = {"latitude": here.latitude + 0.1, "longitude": here.longitude}
            told = {"time_zone": "Asia/Beirut", "region": "north"} | at | values
            return make.make_site(db, organisation_id=body.id, **told)

    def declare(self, body: Organisation, by: Organisation | None = None, **values: object):
        told = {"organisation_id": body.id, "day": THAT, "names": {"en": "Mourning"}}
        staff = self.admins[(by or body).id]
        return self.clinic.doors.run(
            lambda db: holidays.declare(
                db, Holiday(**told | values), country=self.clinic.country, staff=staff, now=NOW
            )
        )

    def withdraw(self, holiday: Holiday, by: Organisation | None = None) -> None:
        staff = self.admins[by.id if by else holiday.organisation_id]
        told = {"holiday_id": holiday.id, "staff": staff, "now": NOW}
        self.clinic.doors.run(lambda db: holidays.withdraw(db, **told))

    def closed(self) -> dict[object, object]:
        """Return which holiday, or no one, closed which site."""
        with self.clinic.doors.reading() as db:
            rows = db.execute(select(SiteClosure.site_id, SiteClosure.holiday_id))
            return dict(rows.all())

    def days(self, site: Site | None = None) -> dict[date, object]:
        """Return which holiday, or no one, closed the clinic's site, or another, on which day."""
        query = select(SiteClosure.day, SiteClosure.holiday_id)
        with self.clinic.doors.reading() as db:
            rows = db.execute(query.filter_by(site_id=(site or self.clinic.site).id))
            return dict(rows.all())

    def move(self, site: Site, region: str) -> None:
        with self.clinic.doors.transaction() as db:
            db.get_one(Site, site.id).region = region

    def acts(self) -> Counter:
        with self.clinic.doors.reading() as db:
            return Counter(db.scalars(select(AuditEvent.act)))


@pytest.fixture
def tree(clinic: Clinic) -> Country:
    return Country(clinic)


def seen_by(db: Session, staff: Staff) -> dict[str, object]:
    """Return what the lists of somebody are asked with."""
    return {"staff": staff, "first": day(0), "reach": holidays.reach(db, staff=staff, now=NOW)}


def states(clinic: Clinic, site: Site, on: date = THAT) -> list[str]:
    with clinic.doors.reading() as db:
        return sorted(db.scalars(select(ClinicSession.state).filter_by(site_id=site.id, day=on)))


def test_all_sites_below_are_closed_and_everybody_is_booked_anew(parts, clinic, tree):
    here, there, elsewhere = clinic.site, tree.site(tree.region), tree.site(tree.other)
    for site in (here, there, elsewhere):
        clinic.book(clinic.slot(THAT, site=site, capacity=1))
    free = clinic.slot(day(4), capacity=9)
    declared = tree.declare(tree.ministry)
    assert tree.closed() == {}  # the deed itself writes one row
    assert jobs.keep_holidays(parts, NOW) == 2
    assert tree.closed() == {here.id: declared.id, there.id: declared.id}
    assert jobs.rebook(parts, NOW) == 2
    assert where(clinic)[free.id] == 2
    assert told(clinic)["rebooked"] == 2
    assert states(clinic, elsewhere) == ["published"]
    assert (jobs.keep_holidays(parts, NOW), jobs.rebook(parts, NOW)) == (0, 0)
    assert (tree.acts()["holiday_declared"], tree.acts()["day_closed"]) == (1, 2)


def test_a_region_alone_is_closed_where_one_is_named(parts, tree):
    north = tree.site(tree.region)
    declared = tree.declare(tree.ministry, region="north")
    jobs.keep_holidays(parts, NOW)
    assert tree.closed() == {north.id: declared.id}


def test_what_was_withdrawn_is_open_again_with_what_was_planned(parts, clinic, tree):
    planned(clinic)
    by_hand, twice = tree.site(tree.region), tree.site(tree.region, region="valley")
    clinic.doors.run(lambda db: cancelling.close_day(
        db, site_id=by_hand.id, day=THAT, staff=clinic.nurse, now=NOW))  # fmt: skip
    first, second = tree.declare(tree.ministry), tree.declare(tree.region, region="valley")
    jobs.keep_holidays(parts, NOW)
    assert tree.closed() == {clinic.site.id: first.id, by_hand.id: None, twice.id: first.id}
    assert states(clinic, clinic.site) == ["cancelled"]
    tree.withdraw(first)
    assert jobs.keep_holidays(parts, NOW) == 2
    assert tree.closed() == {by_hand.id: None, twice.id: second.id}
    assert states(clinic, clinic.site) == ["cancelled", "published"]
    assert jobs.keep_holidays(parts, NOW) == 0
    tree.withdraw(second)
    assert jobs.keep_holidays(parts, NOW) == 1
    assert tree.closed() == {by_hand.id: None}
    assert tree.acts()["day_opened"] == 2
    with pytest.raises(WrongState):
        tree.withdraw(second)


def test_a_site_that_changes_its_region_keeps_the_holidays_of_the_new_one(parts, clinic, tree):
    planned(clinic)
    by_hand = tree.site(tree.town, region="coast")
    clinic.doors.run(lambda db: cancelling.close_day(
        db, site_id=by_hand.id, day=THAT, staff=clinic.nurse, now=NOW))  # fmt: skip
    old, both = tree.declare(tree.ministry, region="coast"), day(4)
    here = tree.declare(tree.ministry, region="coast", day=both)
    everywhere = tree.declare(tree.ministry, day=day(9))
    jobs.keep_holidays(parts, NOW)
    assert tree.days() == {THAT: old.id, both: here.id, day(9): everywhere.id}
    tree.move(clinic.site, "valley")
    tree.move(by_hand, "valley")
    same_day = tree.declare(tree.ministry, region="valley", day=both)
    other_day = tree.declare(tree.town, region="valley", day=day(5))
    assert jobs.keep_holidays(parts, NOW) == 5  # three days of one site, two of the other
    assert tree.days() == {both: same_day.id, day(5): other_day.id, day(9): everywhere.id}
    assert states(clinic, clinic.site) == ["cancelled", "published"]
    assert states(clinic, clinic.site, both) == ["cancelled"]
    assert tree.days(by_hand)[THAT] is None
    assert jobs.keep_holidays(parts, NOW) == 0


def test_what_somebody_closed_by_hand_too_stays_closed(parts, clinic, tree):
    declared = tree.declare(tree.town)
    jobs.keep_holidays(parts, NOW)
    with pytest.raises(BadInput) as caught:
        open_again(clinic)
    assert caught.value.fields == {"day": "holiday"}
    close(clinic)
    tree.withdraw(declared)
    assert jobs.keep_holidays(parts, NOW) == 0
    assert tree.closed() == {clinic.site.id: None}
    open_again(clinic)
    assert tree.closed() == {}


def test_a_worker_that_ends_between_two_sites_goes_on_with_the_next(parts, tree, monkeypatch):
    for _ in range(3):
        tree.site(tree.town)
    real, done = keeping.keep, []

    def killed(*given, **more):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(real(*given, **more))
        return done[-1]

    def killed_and_begun_again(half: int, whole: int) -> None:
        done.clear()
        with monkeypatch.context() as patch:
            patch.setattr(keeping, "keep", killed)
            with pytest.raises(KeyboardInterrupt):
                jobs.keep_holidays(parts, NOW)
        assert len(tree.closed()) == half
        assert jobs.keep_holidays(parts, NOW) == 2
        assert len(tree.closed()) == whole

    declared = tree.declare(tree.ministry)
    killed_and_begun_again(2, 4)
    tree.withdraw(declared)
    killed_and_begun_again(2, 0)
    assert [tree.acts()[act] for act in ("day_closed", "day_opened")] == [4, 4]


def test_two_workers_close_and_open_every_site_once(parts, clinic, tree):
    planned(clinic)
    for _ in range(3):
        tree.site(tree.town)
    declared = tree.declare(tree.ministry)
    for act in ("day_closed", "day_opened"):
        both = at_once(2, lambda _turn: jobs.keep_holidays(parts, NOW))
        assert sum(both) == 4
        assert tree.acts()[act] == 4
        if act == "day_closed":
            tree.withdraw(declared)
    assert states(clinic, clinic.site) == ["cancelled", "published"]


def test_nobody_is_moved_to_a_site_that_the_same_holiday_is_about_to_close(parts, clinic, tree):
    mine = clinic.slot(THAT)
    clinic.book(mine)
    soon_shut = clinic.slot(THAT, site=tree.site(tree.town), starts_at=mine.starts_at)
    beyond = clinic.slot(day(4), site=tree.site(tree.other, latitude=60.0), capacity=9)
    tree.declare(tree.ministry)
    with clinic.doors.transaction() as db:  # one site is closed, the worker has yet to go on
        keeping.keep(db, site_id=clinic.site.id, country=clinic.country, now=NOW)
    assert jobs.rebook(parts, NOW) == 1
    assert where(clinic) == {beyond.id: 1}
    assert soon_shut.id not in where(clinic)


def test_of_sites_that_close_at_once_none_is_placed_before_another(parts, clinic, tree):
    late = clinic.slot(THAT)
    sooner = late.starts_at - timedelta(hours=1)
    early = clinic.slot(THAT, site=tree.site(tree.town), starts_at=sooner)
    booked = {slot.id: [clinic.book(slot) for _ in range(2)] for slot in (late, early)}
    clinic.slot(day(4), site=tree.site(tree.other), capacity=2)
    tree.declare(tree.ministry)
    jobs.keep_holidays(parts, NOW)
    assert jobs.rebook(parts, NOW) == 2
    with clinic.doors.reading() as db:
        has = select(Appointment.person_id).where(Appointment.state == "booked")
        assert set(db.scalars(has)) == {one.person_id for one in booked[early.id]}


def test_plans_leave_a_holiday_out_also_of_sites_that_are_made_later(parts, clinic, tree):
    tree.declare(tree.ministry)
    planned(clinic)
    assert states(clinic, clinic.site) == []
    assert states(clinic, clinic.site, day(4)) == ["published"]
    later = tree.site(tree.town)
    assert jobs.keep_holidays(parts, NOW) == 2
    assert later.id in tree.closed()


def test_what_is_planned_and_withdrawn_before_the_worker_looks_is_made_in_the_end(
    parts, clinic, tree
):
    declared = tree.declare(tree.ministry)
    planned(clinic)
    tree.withdraw(declared)
    assert jobs.keep_holidays(parts, NOW) == 0
    assert states(clinic, clinic.site) == []
    jobs.make(parts, NOW)
    assert states(clinic, clinic.site) == ["published"]
    with clinic.doors.reading() as db:
        until = sessions.horizon(parts.country, NOW.date())
        assert sessions.behind(db, until=until) == []


def test_a_holiday_of_today_closes_where_it_is_still_that_day(parts, clinic, tree):
    at = {"now": datetime(2026, 3, 2, 11, 30, tzinfo=timezone(timedelta(0)))}
    west, east = (
        tree.site(tree.town, time_zone=zone) for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati")
    )
    staff = tree.admins[tree.ministry.id]

    def declare(on: date) -> Holiday:
        wanted = Holiday(organisation_id=tree.ministry.id, day=on, names={"en": "Storm"})
        told = {"country": clinic.country, "staff": staff}
        return clinic.doors.run(lambda db: holidays.declare(db, wanted, **told, **at))

    first = declare(day(0))
    jobs.keep_holidays(parts, at["now"])
    assert tree.closed() == {west.id: first.id, clinic.site.id: first.id}
    second = declare(day(1))
    jobs.keep_holidays(parts, at["now"])
    with clinic.doors.reading() as db:
        query = select(SiteClosure.site_id).filter_by(holiday_id=second.id)
        assert set(db.scalars(query)) == {west.id, east.id, clinic.site.id}
    with pytest.raises(BadInput) as caught:
        declare(day(-2))
    assert caught.value.fields == {"day": "too_long_ago"}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"day": day(-1)}, {"day": "too_long_ago"}),
        ({"day": day(732)}, {"day": "too_far"}),
        ({"names": {"fr": "Deuil"}}, {"name_en": "missing"}),
        ({"names": {"en": "M" * 101}}, {"name_en": "too_long"}),
        ({"names": {"en": "M", "xx": "M"}}, {"name_xx": "not_a_choice"}),
        ({"names": {"en": "M", "fr": " "}}, {"name_fr": "missing"}),
        ({"names": {"en": "M\0"}}, {"name_en": "not_valid"}),
        ({"region": "nowhere"}, {"region": "not_a_choice"}),
    ],
)
def test_what_cannot_be_a_holiday_is_refused(tree, values, wrong):
    with pytest.raises(BadInput) as caught:
        tree.declare(tree.ministry, **values)
    assert caught.value.fields == wrong


def test_the_same_holiday_is_declared_once(tree):
    tree.declare(tree.ministry)
    tree.declare(tree.ministry, region="coast")
    for region in (None, "coast"):
        with pytest.raises(BadInput) as caught:
            tree.declare(tree.ministry, region=region)
        assert caught.value.fields == {"day": "declared_already"}
    assert tree.acts()["holiday_declared"] == 2


def test_nobody_declares_or_withdraws_above_or_beside_their_organisation(tree):
    for body in (tree.ministry, tree.other):
        with pytest.raises(NotFound):
            tree.declare(body, by=tree.region)
    declared = tree.declare(tree.town, by=tree.ministry)
    with pytest.raises(NotFound):
        tree.withdraw(declared, by=tree.other)
    tree.withdraw(declared, by=tree.region)


def test_one_sees_what_is_for_ones_sites_and_how_far_it_is(parts, clinic, tree):
    clinic.book(clinic.slot(THAT))
    tree.site(tree.region)
    wanted = Holiday(organisation_id=tree.ministry.id, day=THAT, names={"en": "Mourning"})
    staff = tree.admins[tree.ministry.id]
    with clinic.doors.reading() as db:
        told = {"country": clinic.country, "staff": staff, "now": NOW}
        assert holidays.effect(db, wanted, **told) == (2, 1, 1)
    declared = tree.declare(tree.ministry)

    def seen(body: Organisation) -> list[tuple[object, ...]]:
        with clinic.doors.reading() as db:
            found = keeping.listed(db, **seen_by(db, tree.admins[body.id]), part=Part((), 9))
            return [(row[0].id, *row[2:]) for row in found]

    assert seen(tree.ministry) == [(declared.id, 2, 0, 0)]
    with clinic.doors.transaction() as db:
        keeping.keep(db, site_id=clinic.site.id, country=clinic.country, now=NOW)
    assert seen(tree.ministry) == [(declared.id, 2, 1, 1)]
    assert seen(tree.town) == [(declared.id, 1, 1, 1)]
    assert seen(tree.other) == []
    clinic.slot(day(4))
    jobs.keep_holidays(parts, NOW)
    jobs.rebook(parts, NOW)
    assert seen(tree.region) == [(declared.id, 2, 2, 0)]
    with clinic.doors.reading() as db:
        assert holidays.effect(db, wanted, **told) == (0, 0, 0)


def test_sessions_on_a_holiday_of_the_country_are_told_and_closed_by_declaring_it(
    parts, clinic, tree
):
    christmas = date(2026, 12, 25)
    with clinic.doors.transaction() as db:
        at = {"site": clinic.site, "programme": clinic.programme}
        make.make_session(db, day=christmas, **at)

    def counted(body: Organisation) -> dict[date, int]:
        with clinic.doors.reading() as db:
            theirs = seen_by(db, tree.admins[body.id])
            found = keeping.of_country(db, country=clinic.country, **theirs)
            return {each.day: each.sessions for each in found}

    assert counted(tree.ministry) == {christmas: 1, date(2027, 1, 1): 0}
    assert set(counted(tree.other).values()) == {0}
    tree.declare(tree.ministry, day=christmas)
    jobs.keep_holidays(parts, NOW)
    assert set(counted(tree.ministry).values()) == {0}


def test_all_is_looked_at_once_a_minute_and_at_once_after_a_change(parts, clinic, tree):
    def kept(**later: int) -> int:
        return jobs.keep_holidays(parts, NOW + timedelta(**later))

    quiet = {"hours": 1, "seconds": 30}
    with sent(clinic.doors.engine) as asked:
        assert kept(**quiet) == 0
    assert not [text for text in asked if " site" in text]
    declared = tree.declare(tree.ministry)
    assert (kept(seconds=30), kept(seconds=31)) == (1, 0)
    later = tree.site(tree.town)
    assert (kept(**quiet), later.id in tree.closed()) == (0, False)
    assert (kept(hours=1), later.id in tree.closed()) == (1, True)
    tree.withdraw(declared)
    assert (kept(**quiet), kept(seconds=30)) == (0, 2)
