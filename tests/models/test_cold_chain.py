"""Fridges, readings and templates: what the database refuses, whoever writes to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from healthcert.models import ColdReading, Fridge, SessionTemplate, Site, Stock
from healthcert.models.broken import FOREIGN_KEY
from tests import factories as make
from tests.factories import NOW, TODAY, day
from tests.models.refusals import refused


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


@pytest.fixture
def shelf(db: Session) -> Stock:
    """Ten doses of a released lot at a site."""
    shelf = make.make_shelf(db)
    make.make_move(db, shelf, "received", 10)
    return shelf


def test_a_fridge_is_a_fridge_or_a_freezer_and_has_its_own_name(db):
    site = make.make_site(db)
    make_fridge(db, site)
    with refused(db, "uq_fridge_site_id_name"):
        make_fridge(db, site)
    with refused(db, "ck_fridge_kind"):
        make_fridge(db, kind="cupboard")


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
