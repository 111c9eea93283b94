"""Stock: a balance is what its moves say, whoever writes to it and however."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.db import Doors
from healthcert.models import Dose, Lot, Site, Stock, StockMove, new_id
from healthcert.models.stock import TOTALS
from tests import factories as make
from tests.models.refusals import refused
from tests.threads import at_once

COLUMNS = sorted(TOTALS)


@pytest.fixture
def shelf(db: Session) -> Stock:
    """Ten doses of a released lot at a site."""
    shelf = make.make_shelf(db)
    make.make_move(db, shelf, "received", 10)
    return shelf


def given(db: Session, shelf: Stock) -> Dose:
    """Return a dose given at the shelf's site from its lot."""
    lot = db.get_one(Lot, shelf.lot_id)
    return make.make_dose(db, lot=lot, site_id=shelf.site_id)


def adds_up(shelf: Stock) -> bool:
    came = shelf.received + shelf.overfill + shelf.unexplained + shelf.transferred_in
    went = shelf.given + shelf.wasted + shelf.transferred_out + shelf.returned
    return came == went + shelf.remaining


def test_every_kind_of_move_moves_its_column_and_the_sum_comes_out(db, shelf):
    dose, more = given(db, shelf), given(db, shelf)
    make.make_move(db, shelf, "overfill", 2)
    make.make_move(db, shelf, "unexplained", dose_id=dose.id)
    took = make.make_move(db, shelf, "given", dose_id=dose.id)
    make.make_move(db, shelf, "given", dose_id=more.id)
    make.make_move(db, shelf, "given_back", dose_id=dose.id, answers=took.id)
    make.make_move(db, shelf, "wasted", 3, reason="broken")
    make.make_move(db, shelf, "returned", 1)
    make.make_move(db, shelf, "counted", -2)
    out = make.make_move(db, shelf, "transferred_out", 4)
    there = make.make_shelf(db, lot=db.get_one(Lot, shelf.lot_id))
    make.make_move(db, there, "transferred_in", 4, answers=out.id)
    found = {column: getattr(shelf, column) for column in COLUMNS}
    assert found == {
        "received": 10, "overfill": 2, "unexplained": -1, "transferred_in": 0, "given": 1,
        "wasted": 3, "transferred_out": 4, "returned": 1,
    }  # fmt: skip
    assert (shelf.remaining, there.remaining, shelf.moves) == (2, 4, 10)
    assert adds_up(shelf)
    assert adds_up(there)


@pytest.mark.parametrize("kind", ["wasted", "returned", "transferred_out"])
def test_no_more_leaves_than_there_is(db, shelf, kind):
    reason = "expired" if kind == "wasted" else None
    with refused(db, "ck_stock_remaining"):
        make.make_move(db, shelf, kind, 11, reason=reason)
    make.make_move(db, shelf, kind, 10, reason=reason)
    assert shelf.remaining == 0


def test_a_count_finds_no_fewer_than_none(db, shelf):
    with refused(db, "ck_stock_remaining"):
        make.make_move(db, shelf, "counted", -11)


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("column", [*COLUMNS, "moves"])
def test_a_balance_is_moved_by_nobody_but_its_moves(db, column):
    with refused(db, "stock_balance"):
        db.execute(update(Stock).values({column: getattr(Stock, column) + 1}))
    with refused(db, "stock_balance"):
        db.execute(update(Stock).values(moves=Stock.moves + 1, received=Stock.received + 5))


@pytest.mark.usefixtures("shelf")
def test_a_balance_does_not_change_its_place(db):
    with refused(db, "stock_balance"):
        db.execute(update(Stock).values(site_id=make.make_site(db).id))


@pytest.mark.parametrize("column", [*COLUMNS, "moves"])
def test_a_balance_begins_at_nothing(db, column):
    row = {"site_id": make.make_site(db).id, "lot_id": make.make_lot(db).id, column: 3}
    with refused(db, "stock_balance"):
        db.execute(insert(Stock.__table__).values(row))


@pytest.mark.usefixtures("shelf")
def test_a_balance_does_not_go(db):
    with refused(db, "never_deleted"):
        db.execute(delete(Stock))


@pytest.mark.parametrize("ordinal", [1, 3, 7])
def test_a_move_follows_the_newest_one(db, shelf, ordinal):
    with refused(db, "stock_moves", "uq_stock_move_site_id_lot_id_ordinal"):
        make.make_move(db, shelf, "received", 5, ordinal=ordinal)
    assert db.scalars(select(Stock.remaining)).one() == 10


def test_a_move_without_a_balance_is_refused(db, shelf):
    with refused(db, "stock_moves"):
        make.make_move(db, shelf, "received", 5, ordinal=1, site_id=make.make_site(db).id)


@pytest.mark.parametrize(
    ("kind", "values", "rule"),
    [
        ("received", {"quantity": 0}, "quantity"),
        ("received", {"quantity": -1}, "quantity"),
        ("given", {}, "dose"),
        ("unexplained", {}, "dose"),
        ("wasted", {}, "reason"),
        ("wasted", {"reason": "lost"}, "waste_reason"),
        ("received", {"reason": "broken"}, "reason"),
        ("transferred_in", {}, "answers"),
        ("vanished", {}, "kind"),
    ],
)
def test_a_move_says_what_its_kind_needs(db, shelf, kind, values, rule):
    with refused(db, f"ck_stock_move_{rule}"):
        make.make_move(db, shelf, kind, **values)


def test_a_count_is_by_two_people(db, shelf):
    one = make.make_admin(db).id
    with refused(db, "count_confirmed"):
        make.make_move(db, shelf, "counted", -1, moved_by=one, confirmed_by=None)
    with refused(db, "ck_stock_move_two_count"):
        make.make_move(db, shelf, "counted", -1, moved_by=one, confirmed_by=one)
    with refused(db, "ck_stock_move_confirmed"):
        make.make_move(db, shelf, "received", 1, confirmed_by=one)
    make.make_move(db, shelf, "counted", 0, moved_by=one)
    assert (shelf.remaining, shelf.moves) == (10, 2)


def test_a_dose_moves_one_dose_once_from_its_own_lot_and_site(db, shelf):
    dose, elsewhere = given(db, shelf), make.make_dose(db, lot=make.make_good_lot(db))
    with refused(db, "ck_stock_move_one_dose"):
        make.make_move(db, shelf, "given", 2, dose_id=dose.id)
    with refused(db, "ck_stock_move_dose"):
        make.make_move(db, shelf, "received", dose_id=dose.id)
    with refused(db, "foreign_key"):
        make.make_move(db, shelf, "given", dose_id=elsewhere.id)
    make.make_move(db, shelf, "given", dose_id=dose.id)
    with refused(db, "one_move_a_dose"):
        make.make_move(db, shelf, "given", dose_id=dose.id)


def test_what_is_given_back_was_taken_by_the_same_dose(db, shelf):
    dose, other = given(db, shelf), given(db, shelf)
    came = db.scalars(select(StockMove).filter_by(kind="received")).one()
    took = make.make_move(db, shelf, "given", dose_id=dose.id)
    for wrong in ({"answers": took.id, "dose_id": other.id}, {"answers": came.id}):
        with refused(db, "foreign_key"):
            make.make_move(db, shelf, "given_back", **{"dose_id": dose.id} | wrong)
    with refused(db, "ck_stock_move_answers"):
        make.make_move(db, shelf, "given_back", dose_id=dose.id)
    with refused(db, "ck_stock_move_answers"):
        make.make_move(db, shelf, "received", answers=took.id)


def test_what_arrives_is_what_was_sent_and_once(db, shelf):
    lot = db.get_one(Lot, shelf.lot_id)
    there, other = make.make_shelf(db, lot=lot), make.make_shelf(db)
    out = make.make_move(db, shelf, "transferred_out", 4)
    with refused(db, "foreign_key"):
        make.make_move(db, there, "transferred_in", 5, answers=out.id)
    with refused(db, "foreign_key"):
        make.make_move(db, other, "transferred_in", 4, answers=out.id)
    make.make_move(db, there, "transferred_in", 4, answers=out.id)
    with refused(db, "uq_stock_move_answers_kind"):
        make.make_move(db, there, "transferred_in", 4, answers=out.id)


@pytest.mark.parametrize("state", ["quarantined", "recalled"])
def test_what_is_not_released_goes_to_no_other_site(db, shelf, state):
    make.make_validity(db, lot=db.get_one(Lot, shelf.lot_id), state=state)
    with refused(db, "stock_frozen"):
        make.make_move(db, shelf, "transferred_out", 1)
    make.make_move(db, shelf, "returned", 4)
    make.make_move(db, shelf, "wasted", 5, reason="recalled")
    make.make_move(db, shelf, "given", dose_id=given(db, shelf).id)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["OR IGNORE", "OR REPLACE"])
def test_no_conflict_clause_parts_a_move_from_its_balance(db, shelf, way):
    row = {
        "id": new_id(), "recorded_at": make.NOW, "site_id": shelf.site_id, "lot_id": shelf.lot_id,
        "ordinal": 2, "kind": "returned", "quantity": 11, "moved_by": make.make_admin(db).id,
    }  # fmt: skip
    with refused(db, "stock_moves", "ck_stock_remaining"):
        db.execute(sqlite_insert(StockMove.__table__).prefix_with(way).values(row))
    with refused(db, "append_only"):
        again = sqlite_insert(StockMove.__table__).prefix_with("OR REPLACE")
        db.execute(again.values(row | {"ordinal": 1, "quantity": 99}))
    empty = {"site_id": shelf.site_id, "lot_id": shelf.lot_id}
    with refused(db, "never_deleted"):
        db.execute(sqlite_insert(Stock.__table__).prefix_with("OR REPLACE").values(empty))


def test_many_moves_at_the_same_moment_leave_a_balance_that_is_their_sum(doors: Doors):
    with doors.transaction() as db:
        shelf, staff = make.make_shelf(db), make.make_admin(db).id
        key = (shelf.site_id, shelf.lot_id)

    def work(_turn: int) -> None:
        for _ in range(5):
            with doors.transaction() as db:
                query = select(Stock).filter_by(site_id=key[0], lot_id=key[1])
                mine = db.scalars(query.with_for_update(key_share=True)).one()
                make.make_move(db, mine, "received", 2, moved_by=staff)

    assert at_once(6, work) == [None] * 6
    with doors.reading() as db:
        found = db.get_one(Stock, key)
        moves = db.scalars(select(func.count()).select_from(StockMove)).one()
        assert (found.remaining, found.moves, moves) == (60, 30, 30)


def test_without_a_lock_one_of_two_moves_is_refused_and_none_is_lost(doors: Doors):
    with doors.transaction() as db:
        shelf, staff = make.make_shelf(db), make.make_admin(db).id

    def work(_turn: int) -> None:
        with doors.transaction() as db:
            move = StockMove(
                recorded_at=make.NOW, site_id=shelf.site_id, lot_id=shelf.lot_id, ordinal=1,
                kind="received", quantity=7, moved_by=staff,
            )  # fmt: skip
            db.add(move)

    results = at_once(2, work)
    assert sum(isinstance(each, IntegrityError) for each in results) == 1
    with doors.reading() as db:
        assert db.scalars(select(Stock.remaining)).one() == 7


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_balance_is_not_truncated(db, shelf):
    # CASCADE, or the keys on it refuse; by name, for the tables it goes on to refuse too.
    with pytest.raises(IntegrityError, match=r"(?m)never_deleted: stock$"), db.begin_nested():
        db.execute(text("TRUNCATE stock CASCADE"))
    assert db.get_one(Site, shelf.site_id)
