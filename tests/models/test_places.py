"""Sites and slots: no pool is overdrawn, and hours are hours, whoever writes them."""

from __future__ import annotations

from datetime import time

import pytest
from sqlalchemy import insert, select, text, update

from healthcert import migrations
from healthcert.db import Doors, make_engine, migrate
from healthcert.models import Appointment, Site, SiteClosure, SiteHours, Slot, StockMove, new_id
from healthcert.models.place import KEPT
from tests import factories as make
from tests.models.refusals import refused


@pytest.fixture
def slot(db) -> Slot:
    """Seven places, one of them kept for each pool; two are taken, one of them by phone."""
    kept = {f"kept_{pool}": 1 for pool in KEPT}
    return make.make_slot(db, capacity=7, booked=2, booked_phone=1, **kept)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("booked_phone = 2", "phone_fits"),
        ("booked_phone = -1", "phone_fits"),
        ("booked_walk_in = 2, booked = 4", "walk_in_fits"),
        ("booked_second_dose = 2, booked = 4", "second_dose_fits"),
        ("booked_waiting = 2, booked = 4", "waiting_fits"),
        ("booked_waiting = -1", "waiting_fits"),
        ("kept_phone = 0", "phone_fits"),
        ("booked = 5", "open_fits"),  # the last two are kept for others
        ("kept_walk_in = 4", "open_fits"),
        ("capacity = 3", "open_fits"),
        ("booked = 0", "open_fits"),
        ("kept_waiting = 4", "open_fits"),
        ("kept_phone = NULL", "not_null"),
        ("kept_waiting = NULL", "not_null"),
    ],
)
def test_no_pool_of_a_slot_is_overdrawn(db, slot, values, rule):
    wanted = rule if rule == "not_null" else f"ck_slot_{rule}"
    with refused(db, wanted):
        db.execute(text(f"UPDATE slot SET {values}"))  # one slot lies there
    assert slot.places() == 2


def test_every_place_of_a_slot_is_free_for_somebody(db, slot):
    db.execute(update(Slot).values(booked=4))
    db.refresh(slot)
    assert (slot.places(), slot.places(["walk_in"]), slot.places(KEPT)) == (0, 1, 3)
    found = db.scalars(select(Slot.places(["walk_in"]))).one()
    assert found == 1


def test_an_appointment_names_a_pool_there_is(db):
    appointment = make.make_appointment(db)
    with refused(db, "ck_appointment_pool"):
        db.execute(update(Appointment).values(pool="friends"))
    assert appointment.pool == "online"


def at_site(db, **values):
    row = {"id": new_id(), "recorded_at": make.NOW, "site_id": make.make_site(db).id}
    return row | values


@pytest.mark.parametrize(
    ("weekday", "opens", "closes", "rule"),
    [(0, 8, 9, "weekday"), (8, 8, 9, "weekday"), (1, 9, 9, "times"), (1, 10, 9, "times")],
)
def test_hours_are_of_a_weekday_and_end_after_they_begin(db, weekday, opens, closes, rule):
    row = at_site(db, weekday=weekday, opens=time(opens), closes=time(closes))
    with refused(db, f"ck_site_hours_{rule}"):
        db.execute(insert(SiteHours).values(row))


def test_a_site_opens_once_at_a_time_and_is_closed_once_a_day(db):
    row = at_site(db, weekday=1, opens=time(8), closes=time(9))
    db.execute(insert(SiteHours).values(row))
    with refused(db, "uq_site_hours_site_id_weekday_opens"):
        db.execute(insert(SiteHours).values(row | {"id": new_id()}))
    row = at_site(db, day=make.TODAY)
    db.execute(insert(SiteClosure).values(row))
    with refused(db, "uq_site_closure_site_id_day"):
        db.execute(insert(SiteClosure).values(row | {"id": new_id()}))


def test_what_was_booked_and_counted_before_stays(doors: Doors, database_url):
    with doors.transaction() as db:
        make.make_appointment(db, slot=make.make_slot(db, capacity=3, booked=1))
        shelf = make.make_shelf(db)
        make.make_move(db, shelf, "counted", 4)
    engine = make_engine(database_url, foreign_keys=False)
    with engine.begin() as connection:
        migrations.move(connection, "0010")
    engine.dispose()
    migrate(database_url)
    with doors.reading() as db:
        slot = db.scalars(select(Slot)).one()
        assert (slot.booked, slot.places()) == (1, 2)
        assert db.scalars(select(Appointment.pool)).one() == "online"
        assert db.scalars(select(Site.languages)).all() == [[], []]
        assert db.execute(select(StockMove.quantity, StockMove.confirmed_by)).one() == (4, None)
