"""Fridges, readings and templates: what the database refuses, whoever writes to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.orm import Session

from healthcert import migrations
from healthcert.db import make_engine, migrate
from healthcert.models import Base, ColdReading, Fridge, SessionTemplate, Site, Stock, Vial
from healthcert.models.broken import FOREIGN_KEY
from tests import factories as make
from tests.factories import NOW, TODAY, day
from tests.models.refusals import refused
from tests.threads import one_behind_the_other


def make_fridge(db: Session, site: Site | None = None, **values: Any) -> Fridge:
    site = site or make.make_site(db)
    defaults = {"site_id": site.id, "name": "A", "kind": "fridge", "recorded_at": NOW}
    return make.add(db, Fridge(**defaults | values))


def make_reading(db: Session, fridge: Fridge | None = None, **values: Any) -> ColdReading:
    fridge = fridge or make_fridge(db)
    defaults = {
        "fridge_id": fridge.id, "site_id": fridge.site_id, "celsius": 5.0, "taken_at": NOW,
        "recorded_at": NOW, "read_by": make.make_staff(db, site_id=fridge.site_id).id,
    }  # fmt: skip
    return make.add(db, ColdReading(**defaults | values))


def make_vial(db: Session, shelf: Stock | None = None, **values: Any) -> Vial:
    shelf = shelf or make.make_shelf(db)
    defaults = {
        "site_id": shelf.site_id, "lot_id": shelf.lot_id, "doses": 6, "recorded_at": NOW,
        "opened_by": make.make_staff(db, site_id=shelf.site_id).id, "use_until": NOW,
    }  # fmt: skip
    return make.add(db, Vial(**defaults | values))


@pytest.fixture
def shelf(db: Session) -> Stock:
    """Ten doses of a released lot at a site."""
    shelf = make.make_shelf(db)
    make.make_move(db, shelf, "received", 10)
    return shelf


def test_a_fridge_is_a_fridge_or_a_freezer_and_has_its_own_name(db):
    site = make.make_site(db)
    make_fridge(db, site)
    with refused(db, "one_fridge_of_a_name"):
        make_fridge(db, site)
    with refused(db, "ck_fridge_kind"):
        make_fridge(db, kind="cupboard")
    with refused(db, "never_deleted"):
        db.execute(text("DELETE FROM fridge"))


def gone(db: Session, fridge: Fridge, at: datetime | None = NOW) -> None:
    db.execute(update(Fridge).where(Fridge.id == fridge.id).values(gone_at=at))


def test_a_fridge_that_is_gone_stays_gone_and_its_name_is_free_again(db):
    fridge = make_fridge(db)
    with refused(db, "ck_fridge_gone_after_added"):
        gone(db, fridge, NOW - timedelta(seconds=1))
    gone(db, fridge)
    for at in (None, NOW + timedelta(seconds=1)):
        with refused(db, "fridge_gone"):
            gone(db, fridge, at)
    make_fridge(db, db.get_one(Site, fridge.site_id))


def test_a_fridge_that_is_gone_is_read_no_more_and_nothing_is_put_there(db, shelf):
    fridge = make_fridge(db, db.get_one(Site, shelf.site_id))
    make_reading(db, fridge)
    gone(db, fridge)
    with refused(db, "fridge_gone"):
        make_reading(db, fridge)
    with refused(db, "fridge_gone"):
        db.execute(update(Stock).values(fridge_id=fridge.id))
    told = {"site_id": shelf.site_id, "lot_id": make.make_lot(db).id, "fridge_id": fridge.id}
    with refused(db, "fridge_gone"):
        db.execute(insert(Base.metadata.tables["stock"]).values(told))


def test_a_fridge_does_not_go_while_a_shelf_lies_in_it(db, shelf):
    fridge = make_fridge(db, db.get_one(Site, shelf.site_id))
    db.execute(update(Stock).values(fridge_id=fridge.id))
    with refused(db, "fridge_gone"):
        gone(db, fridge)
    db.execute(update(Stock).values(fridge_id=None))
    gone(db, fridge)


def test_a_fridge_whose_name_another_has_now_is_kept_when_a_step_is_taken_back(doors, database_url):
    with doors.transaction() as db:
        fridge = make_fridge(db)
        gone(db, fridge)
        make_fridge(db, db.get_one(Site, fridge.site_id))
    back = make_engine(database_url, foreign_keys=False)
    with back.begin() as connection:
        migrations.move(connection, "0027")
        names = connection.execute(text("SELECT name FROM fridge ORDER BY name")).scalars().all()
    back.dispose()
    assert names == ["A", f"A {fridge.id.hex}"]
    migrate(database_url)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_what_is_put_into_a_fridge_or_read_there_waits_for_who_takes_it_away(doors):
    with doors.transaction() as db:
        shelf = make.make_shelf(db)
        fridge = make_fridge(db, db.get_one(Site, shelf.site_id))

    def take_away(db: Session) -> None:
        gone(db, fridge)

    def put(db: Session) -> None:
        db.execute(update(Stock).values(fridge_id=fridge.id))

    def look(db: Session) -> None:
        make_reading(db, fridge)

    assert one_behind_the_other(doors, put, take_away) == ["fridge_gone"]
    with doors.transaction() as db:
        db.execute(update(Stock).values(fridge_id=None))
    assert one_behind_the_other(doors, take_away, put) == ["fridge_gone"]
    with doors.transaction() as db:
        fridge = make_fridge(db, db.get_one(Site, shelf.site_id))
    assert one_behind_the_other(doors, take_away, look) == ["fridge_gone"]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"celsius": 61.0}, "celsius"),
        ({"celsius": -101.0}, "celsius"),
        ({"taken_at": NOW + timedelta(seconds=1)}, "taken_before_recorded"),
    ],
)
def test_a_reading_that_nobody_can_have_made_is_refused(db, values, rule):
    with refused(db, f"ck_cold_reading_{rule}"):
        make_reading(db, **values)


def test_a_reading_is_of_a_fridge_of_its_site_and_never_changes(db):
    fridge, elsewhere = make_fridge(db), make.make_site(db)
    with refused(db, FOREIGN_KEY):
        make_reading(db, fridge, site_id=elsewhere.id)
    reading = make_reading(db, fridge)
    with refused(db, "append_only"):
        db.execute(update(ColdReading).values(celsius=4.0))
    with refused(db, "append_only"):
        db.execute(delete(ColdReading).where(ColdReading.id == reading.id))


@pytest.mark.parametrize("stage", [0, 5])
def test_a_monitor_has_four_stages(db, stage):
    lot, seen = make.make_lot(db).id, {"celsius": None, "fridge_id": None}
    fridge = make_fridge(db)
    make_reading(db, fridge, lot_id=lot, vvm_stage=4, **seen)
    with refused(db, "ck_cold_reading_vvm_stage"):
        make_reading(db, fridge, lot_id=lot, vvm_stage=stage, **seen)


@pytest.mark.parametrize(
    "told", ["", "fridge", "celsius", "lot", "stage", "fridge celsius lot stage", "fridge stage",
             "celsius lot"],
)  # fmt: skip
def test_a_reading_is_of_a_fridge_or_of_a_monitor_and_never_of_both(db, told):
    fridge, lot = make_fridge(db), make.make_lot(db)
    values = {
        "fridge_id": fridge.id if "fridge" in told else None,
        "celsius": 5.0 if "celsius" in told else None,
        "lot_id": lot.id if "lot" in told else None,
        "vvm_stage": 2 if "stage" in told else None,
    }
    with refused(db, "ck_cold_reading_of_one"):
        make_reading(db, fridge, **values)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"doses": 0}, "doses"),
        ({"doses": 101}, "doses"),
        ({"state": "lost", "ended_at": NOW}, "state"),
        ({"state": "discarded"}, "ended"),
        ({"ended_at": NOW}, "ended"),
        ({"state": "finished", "ended_at": NOW - timedelta(seconds=1)}, "ended_after_opened"),
    ],
)
def test_a_vial_says_what_can_be(db, shelf, values, rule):
    with refused(db, f"ck_vial_{rule}"):
        make_vial(db, shelf, **values)


def test_a_vial_is_of_a_shelf_of_its_site_and_never_goes(db, shelf):
    with refused(db, FOREIGN_KEY):
        make_vial(db, shelf, site_id=make.make_site(db).id)
    make_vial(db, shelf)
    with refused(db, "never_deleted"):
        db.execute(delete(Vial))


def test_a_shelf_is_set_aside_for_a_reading_of_its_own_site(db, shelf):
    site = db.get_one(Site, shelf.site_id)
    with refused(db, FOREIGN_KEY):
        shelf.set_aside = make_reading(db).id
        db.flush()
    db.refresh(shelf)
    with refused(db, FOREIGN_KEY):
        shelf.fridge_id = make_fridge(db).id
        db.flush()
    db.refresh(shelf)
    fridge = make_fridge(db, site)
    shelf.fridge_id, shelf.set_aside = fridge.id, make_reading(db, fridge).id
    db.flush()
    assert shelf.remaining == 10


def test_what_is_set_aside_goes_to_no_other_site_and_may_be_given_and_wasted(db, shelf):
    dose = make.make_dose(db, lot=db.get_one(make.Lot, shelf.lot_id), site_id=shelf.site_id)
    fridge = make_fridge(db, db.get_one(Site, shelf.site_id))
    shelf.set_aside = make_reading(db, fridge).id
    db.flush()
    with refused(db, "stock_frozen"):
        make.make_move(db, shelf, "transferred_out", 1)
    make.make_move(db, shelf, "given", dose_id=dose.id)
    make.make_move(db, shelf, "wasted", 1, reason="cold_chain")
    shelf.set_aside = None
    db.flush()
    make.make_move(db, shelf, "transferred_out", 1)
    assert shelf.remaining == 7


def test_who_says_where_a_shelf_lies_says_nothing_of_how_much_there_is(db, shelf):
    fridge = make_fridge(db, db.get_one(Site, shelf.site_id))
    with refused(db, "stock_balance"):
        db.execute(update(Stock).values(fridge_id=fridge.id, received=11))
    with refused(db, "stock_balance"):
        db.execute(update(Stock).values(moves=2))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"weekdays": 0}, "weekdays"),
        ({"weekdays": 128}, "weekdays"),
        ({"last_day": day(-1)}, "days"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 61}, "minutes"),
        ({"capacity": 0}, "fits"),
        ({"kept_phone": 2, "kept_walk_in": 2, "kept_second_dose": 1}, "fits"),
        ({"kept_phone": -1}, "kept_phone"),
        ({"kept_walk_in": -1}, "kept_walk_in"),
        ({"kept_second_dose": -1}, "kept_second_dose"),
    ],
)
def test_a_template_says_what_can_be(db, values, rule):
    with refused(db, f"ck_session_template_{rule}"):
        make_template(db, **values)


def make_template(db: Session, **values: Any) -> SessionTemplate:
    defaults = {
        "site_id": make.make_site(db).id, "programme_id": make.make_programme(db).id,
        "product_id": make.make_product(db).id, "weekdays": 1, "first_day": TODAY,
        "last_day": TODAY, "minutes": 5, "capacity": 4, "recorded_at": NOW,
    }  # fmt: skip
    return make.add(db, SessionTemplate(**defaults | values))


def test_a_session_names_the_template_that_made_it(db):
    template = make_template(db)
    made = make.make_session(db, template_id=template.id)
    with refused(db, FOREIGN_KEY):
        db.execute(text("DELETE FROM session_template"))
    assert made.template_id == template.id
