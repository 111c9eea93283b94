"""The end of the day as deeds: sums, counts by two, who is watched, which case comes first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, NeedsAnother, NotFound, WrongState
from healthcert.models import (
    Appointment,
    ClinicSession,
    Site,
    SiteClosure,
    Staff,
    StockCount,
    new_id,
)
from healthcert.services import cancelling, closing, finishing, observing, reactions
from tests import factories as make
from tests.factories import NOW, TODAY
from tests.statements import sent
from tests.threads import one_behind_the_other


@pytest.fixture
def shelf(db):
    """Ten doses in the morning of yesterday, two given and one wasted today."""
    site = make.make_site(db)
    shelf = make.make_shelf(db, site=site)
    make.make_move(db, shelf, quantity=10, recorded_at=NOW - timedelta(days=1))
    lot = db.get_one(make.Lot, shelf.lot_id)
    for _ in range(2):
        dose = make.make_dose(db, lot=lot, site_id=site.id)
        make.make_judgement(db, dose=dose, counts="unknown")
        make.make_move(db, shelf, "given", dose_id=dose.id)
    make.make_move(db, shelf, "wasted", reason="broken")
    return shelf


def people(db, shelf, *roles):
    return [make.make_staff(db, role=role, site_id=shelf.site_id) for role in roles]


def test_the_sums_of_a_day_reconcile(db, shelf):
    site = db.get_one(Site, shelf.site_id)
    [lot], sessions = closing.sums(db, site=site, day=TODAY, now=NOW)
    assert (lot.began, lot.remaining, lot.recorded, sessions) == (10, 7, 2, [])
    assert {name: lot.today[name] for name in ("given", "wasted", "received")} == {
        "given": 2, "wasted": 1, "received": 0,
    }  # fmt: skip


def test_a_count_waits_for_somebody_else_who_finds_as_much(db, shelf):
    nurse, lead = people(db, shelf, "nurse", "lead")
    how = {"lot_id": shelf.lot_id, "now": NOW}
    with pytest.raises(BadInput):
        closing.count(db, found=-1, staff=nurse, **how)
    with pytest.raises(NotFound):
        closing.count(db, found=6, staff=make.make_staff(db), **how)
    assert closing.count(db, found=6, staff=nurse, **how) == "open"
    with pytest.raises(NeedsAnother):
        closing.count(db, found=6, staff=nurse, **how)
    assert closing.count(db, found=7, staff=lead, **how) == "dropped"
    assert closing.count(db, found=6, staff=nurse, **how) == "open"
    assert closing.count(db, found=6, staff=lead, **how) == "confirmed"
    db.refresh(shelf)
    assert (shelf.remaining, shelf.unexplained) == (6, -1)
    [lot], _sessions = closing.sums(db, site=db.get_one(Site, shelf.site_id), day=TODAY, now=NOW)
    assert (lot.began, lot.today["counts"], lot.today["beyond"], lot.waits) == (10, 1, -1, None)
    assert lot.counted
    make.make_move(db, shelf, "wasted", reason="broken")
    [lot], _sessions = closing.sums(db, site=db.get_one(Site, shelf.site_id), day=TODAY, now=NOW)
    assert (lot.began, lot.counted) == (10, False)  # what there is now nobody has counted


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_two_who_count_at_the_same_moment_count_one_after_the_other(doors):
    with doors.transaction() as db:
        shelf = make.make_shelf(db)
        make.make_move(db, shelf, quantity=10)
        both = [each.id for each in people(db, shelf, "nurse", "lead")]

    def count(turn):
        return lambda db: closing.count(
            db, lot_id=shelf.lot_id, found=10, staff=db.get_one(Staff, both[turn]), now=NOW
        )

    assert one_behind_the_other(doors, count(0), count(1)) == []
    with doors.reading() as db:
        assert db.scalars(select(StockCount.state)).all() == ["confirmed"]


def test_a_session_is_closed_once_and_by_its_own_site(db, shelf):
    [nurse] = people(db, shelf, "nurse")
    site = db.get_one(Site, shelf.site_id)
    slot = make.make_slot(db, session=make.make_session(db, site=site), booked=1)
    late = slot.ends_at
    missing = make.make_appointment(db, slot=slot)
    how = {"session_id": slot.session_id, "staff": nurse}
    make.make_appointment(db, slot=slot, state="arrived")
    make.make_appointment(db, slot=slot, state="vaccinated")
    with pytest.raises(finishing.StillHere) as refused:
        finishing.close(db, **how, now=late - timedelta(minutes=1))
    assert refused.value.states == {"arrived": 1, "booked": 1}
    with pytest.raises(finishing.StillHere) as refused:
        finishing.close(db, **how, now=late)
    assert refused.value.states == {"arrived": 1}  # who has not come holds nobody up any more
    here = db.scalars(select(Appointment).filter_by(state="arrived")).one()
    here.state, here.why_not = "not_vaccinated", "left"
    db.flush()
    with pytest.raises(NotFound):
        finishing.close(db, session_id=slot.session_id, staff=make.make_staff(db), now=late)
    finishing.close(db, **how, now=late)
    assert db.get_one(Appointment, missing.id).state == "no_show"
    assert db.get_one(ClinicSession, slot.session_id).state == "closed"
    _lots, [only] = closing.sums(db, site=site, day=TODAY, now=late)
    assert (only.states, only.to_come) == (
        {"no_show": 1, "not_vaccinated": 1, "vaccinated": 1}, 0
    )  # fmt: skip
    with pytest.raises(WrongState):
        finishing.close(db, **how, now=late)


def test_a_session_that_was_closed_too_early_is_opened_again(db, shelf):
    [nurse] = people(db, shelf, "nurse")
    site = db.get_one(Site, shelf.site_id)
    slot = make.make_slot(db, session=make.make_session(db, site=site))
    how = {"session_id": slot.session_id, "staff": nurse}
    last = slot.ends_at - timedelta(minutes=1)
    with pytest.raises(WrongState):
        finishing.open_again(db, **how, now=last)  # it is open
    finishing.close(db, **how, now=NOW)
    with pytest.raises(NotFound):
        finishing.open_again(db, session_id=slot.session_id, staff=make.make_staff(db), now=last)
    with pytest.raises(WrongState):
        finishing.open_again(db, **how, now=slot.ends_at)
    closure = make.add(db, SiteClosure(recorded_at=NOW, site_id=site.id, day=TODAY))
    with pytest.raises(WrongState):
        finishing.open_again(db, **how, now=last)
    db.delete(closure)
    _lots, [only] = closing.sums(db, site=site, day=TODAY, now=last)
    assert only.to_come == 1
    finishing.open_again(db, **how, now=last)
    assert db.get_one(ClinicSession, slot.session_id).state == "published"


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_session_is_not_opened_again_on_a_day_that_closes_at_this_moment(doors):
    with doors.transaction() as db:
        nurse = make.make_staff(db, site_id=make.make_site(db).id)
        site = db.get_one(Site, nurse.site_id)
        slot = make.make_slot(db, session=make.make_session(db, site=site))
        finishing.close(db, session_id=slot.session_id, staff=nurse, now=NOW)

    def open_again(db):
        told = {"session_id": slot.session_id, "staff": db.get_one(Staff, nurse.id), "now": NOW}
        with pytest.raises(WrongState):
            finishing.open_again(db, **told)

    def shut(db):
        cancelling.close_day(db, site_id=site.id, day=TODAY, staff=nurse, now=NOW)

    assert one_behind_the_other(doors, shut, open_again) == []


def test_who_is_watched_is_let_go_by_their_own_site(db):
    row = make.make_observation(db)
    nurse = make.make_staff(db, site_id=row.site_id)
    for staff, which in ((make.make_staff(db), row.id), (nurse, new_id())):
        with pytest.raises(NotFound):
            observing.leave(db, observation_id=which, staff=staff, now=NOW)
    observing.leave(db, observation_id=row.id, staff=nurse, now=row.until)
    assert row.state == "left"


def test_the_case_whose_clock_runs_out_first_stands_first(db):
    calm, closed = (make.make_adverse_event(db) for _ in range(2))
    closed.state = "closed"
    soon, later = (
        make.make_adverse_event(
            db, seriousness="death", outcome="died", due_at=NOW + timedelta(hours=hours)
        )
        for hours in (1, 2)
    )
    db.flush()
    inspector = make.make_staff(db, role="inspector", site_id=None)
    found = [each.event.id for each in reactions.cases(db, staff=inspector)]
    assert found == [soon.id, later.id, calm.id, closed.id]
    assert reactions.cases(db, staff=make.make_staff(db)) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_sums_of_a_day_read_no_doses_moves_or_standings_from_end_to_end(db, shelf):
    with sent(db.get_bind()) as asked:
        closing.sums(db, site=db.get_one(Site, shelf.site_id), day=TODAY, now=NOW)
    [sums] = [sql for sql in asked if "UNION ALL" in sql]
    plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sums}", ("",) * sums.count("?"))
    read = [step for *_ids, step in plan if step.startswith(("SCAN", "SEARCH"))]
    assert len(read) == 3
    assert all(step.startswith("SEARCH") for step in read)
