"""Doses that come back to an empty shelf were in its fridge: what was read meanwhile holds."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.errors import WrongState
from healthcert.models import Fridge, Lot, StockMove
from healthcert.services import cold_chain, correcting, stock
from healthcert.services.facts import lots_on
from healthcert.services.stock import Shelf
from tests import factories as make
from tests.factories import NOW, TODAY, day
from tests.services.clinic import Clinic, details
from tests.services.test_cold_chain import make_fridge, raised, read, settle, shelf, waits
from tests.services.test_stock import balance, move, transfer


@pytest.fixture
def fridge(clinic: Clinic) -> Fridge:
    return make_fridge(clinic, "A")


def shown(clinic: Clinic) -> list:
    with clinic.doors.reading() as db:
        return [row[0].lot_id for row in cold_chain.shelves(db, site_id=clinic.site.id)]


def offered(clinic: Clinic, here: Shelf) -> list[str]:
    with clinic.doors.reading() as db:
        product = db.get_one(Lot, here.lot_id).product_id
        return lots_on(db, product_id=product, site_id=here.site_id, day=TODAY)


def correct(clinic: Clinic, kind: str, quantity: int = 0) -> None:
    """Have another set the newest move of a kind right."""
    with clinic.doors.transaction() as db:
        query = select(StockMove.id).filter_by(kind=kind, site_id=clinic.site.id)
        newest = db.scalars(query.order_by(StockMove.ordinal.desc())).first()
        lead = make.make_staff(db, role="lead", site_id=clinic.site.id)
        deed = {"move_id": newest, "quantity": quantity, "why": "not_so", "staff": lead}
        correcting.correct(db, **deed, now=NOW)


def count(clinic: Clinic, here: Shelf, found: int) -> None:
    with clinic.doors.transaction() as db:
        second = make.make_staff(db, site_id=here.site_id)
        deed = {"staff": clinic.nurse, "confirmed_by": second, "now": NOW}
        stock.count_again(db, here, found, **deed)


def empty(clinic: Clinic, here: Shelf) -> None:
    """Have ten doses leave as somebody wrote down."""
    move(clinic, here, "wasted", 10, reason="broken")


@pytest.mark.parametrize("known", [True, False])
def test_a_harmful_reading_holds_for_an_empty_shelf_and_nobody_is_alarmed(clinic, fridge, known):
    here = shelf(clinic, "GOOD", fridge if known else None)
    empty(clinic, here)
    assert read(clinic, fridge, 12.0) == set()
    assert (shown(clinic), raised(clinic), offered(clinic, here)) == ([], [], ["GOOD"])
    with pytest.raises(WrongState):
        settle(clinic, here, usable=True)
    correct(clinic, "wasted", 8)
    assert waits(clinic, here)
    assert (shown(clinic), offered(clinic, here)) == ([here.lot_id], [])
    settle(clinic, here, usable=True)
    assert not waits(clinic, here)


def test_what_the_fridge_bears_or_another_fridge_does_not_holds_for_no_empty_shelf(clinic, fridge):
    other = make_fridge(clinic, "B")
    here = shelf(clinic, "GOOD", fridge)
    empty(clinic, here)
    read(clinic, fridge, 5.0)
    read(clinic, other, 12.0)
    correct(clinic, "wasted")
    assert not waits(clinic, here)


def test_what_a_count_finds_on_an_empty_shelf_is_set_aside(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    empty(clinic, here)
    read(clinic, fridge, 12.0)
    count(clinic, here, 3)
    assert waits(clinic, here)
    assert shown(clinic) == [here.lot_id]


def test_what_an_entry_in_error_gives_back_is_set_aside(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    move(clinic, here, "wasted", 9, reason="broken")
    dose = clinic.vaccinated(day(0), details())
    read(clinic, fridge, 12.0)
    with clinic.doors.transaction() as db:
        stock.give_back(db, dose=dose, by=clinic.nurse.id, now=NOW)
    assert balance(clinic, here).remaining == 1
    assert waits(clinic, here)


def test_what_had_not_left_for_another_site_is_set_aside_and_so_is_a_delivery_set_right(
    clinic, fridge
):
    here = shelf(clinic, "GOOD", fridge)
    with clinic.doors.transaction() as db:
        to = make.make_site(db).id
    transfer(clinic, here, 10, to, clinic.nurse)
    read(clinic, fridge, 12.0)
    correct(clinic, "received", 14)
    assert balance(clinic, here).remaining == 4
    assert waits(clinic, here)
    correct(clinic, "transferred_out", 2)
    assert balance(clinic, here).remaining == 12
    assert waits(clinic, here)
    assert not waits(clinic, Shelf(to, here.lot_id))


def test_what_newly_arrives_at_an_empty_shelf_was_not_there(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    empty(clinic, here)
    read(clinic, fridge, 12.0)
    move(clinic, here, "received", 5)
    assert not waits(clinic, here)


def test_what_another_site_sends_to_an_empty_shelf_was_not_there(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    empty(clinic, here)
    read(clinic, fridge, 12.0)
    with clinic.doors.transaction() as db:
        there = Shelf(make.make_site(db).id, here.lot_id)
        admin = make.make_admin(db)
    move(clinic, there, "received", 5, staff=admin)
    transfer(clinic, there, 5, here.site_id, admin)
    assert not waits(clinic, here)


def test_what_newly_arrives_beside_doses_set_aside_waits_with_them(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    read(clinic, fridge, 12.0)
    move(clinic, here, "received", 5)
    assert waits(clinic, here)


@pytest.mark.parametrize("right", [0, 8])
def test_what_was_wasted_for_it_and_was_not_is_set_aside_again(clinic, fridge, right):
    here = shelf(clinic, "GOOD", fridge)
    read(clinic, fridge, 12.0)
    settle(clinic, here, usable=False)
    assert shown(clinic) == []
    correct(clinic, "wasted", right)
    assert waits(clinic, here)


def test_a_dose_beyond_an_empty_shelf_set_aside_alarms(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    empty(clinic, here)
    read(clinic, fridge, 12.0)
    clinic.vaccinated(day(0), details())
    assert raised(clinic) == ["dose_set_aside"]
