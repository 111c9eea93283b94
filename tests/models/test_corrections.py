"""Entries that were wrong: taken back once, by another, by their like; the right one beside."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from healthcert import migrations
from healthcert.db import Doors, make_engine
from healthcert.models import Lot, Stock, StockMove, new_id
from healthcert.models.stock import BY_HAND, MOVES, TAKES_BACK, TOTALS
from healthcert.services.reconciling import differences
from tests import factories as make
from tests.models.refusals import refused

WHY = {"reason": "wrong_number"}


@pytest.fixture
def shelf(db: Session) -> Stock:
    """Fifty doses of a released lot at a site."""
    shelf = make.make_shelf(db)
    make.make_move(db, shelf, "received", 50)
    return shelf


def wrong(db: Session, shelf: Stock, kind: str, quantity: int = 9) -> StockMove:
    """Return an entry of a kind on a shelf; of what arrived, as it was sent from elsewhere."""
    more: dict[str, object] = {"reason": "broken"} if kind == "wasted" else {}
    if kind == "transferred_in":
        there = make.make_shelf(db, lot=db.get_one(Lot, shelf.lot_id))
        make.make_move(db, there, "received", quantity)
        more = {"answers": make.make_move(db, there, "transferred_out", quantity).id}
    return make.make_move(db, shelf, kind, quantity, **more)


def totals(shelf: Stock) -> list[int]:
    return [getattr(shelf, total) for total in TOTALS] + [shelf.remaining]


@pytest.mark.parametrize("kind", BY_HAND)
def test_what_was_taken_back_is_as_if_it_never_was_and_both_stay(db, shelf, kind):
    before = totals(shelf)
    entry = wrong(db, shelf, kind)
    assert totals(shelf) != before
    back = make.make_move(db, shelf, f"{kind}_back", 9, answers=entry.id, **WHY)
    assert totals(shelf) == before
    assert (back.total, back.change, back.answers_kind) == (kind, -9, kind)
    assert db.scalar(select(func.count()).where(StockMove.lot_id == shelf.lot_id)) >= 3


def test_the_total_and_the_change_of_every_kind_are_what_the_table_says(db, shelf):
    for kind in BY_HAND:
        entry = wrong(db, shelf, kind, 2)
        make.make_move(db, shelf, f"{kind}_back", 2, answers=entry.id, **WHY)
    make.make_move(db, shelf, "counted", -3)
    found = db.execute(select(StockMove.kind, StockMove.total, StockMove.change,
                              StockMove.quantity, StockMove.answers_kind))  # fmt: skip
    for kind, total, change, quantity, answers_kind in found:
        assert (total, change, answers_kind) == (
            MOVES[kind].total, MOVES[kind].sign * quantity, MOVES[kind].answers,
        )  # fmt: skip


@pytest.mark.parametrize("kind", BY_HAND)
def test_an_entry_is_taken_back_once(db, shelf, kind):
    entry = wrong(db, shelf, kind)
    make.make_move(db, shelf, f"{kind}_back", 9, answers=entry.id, **WHY)
    with refused(db, "uq_stock_move_answers_kind"):
        make.make_move(db, shelf, f"{kind}_back", 9, answers=entry.id, **WHY)


@pytest.mark.parametrize("kind", BY_HAND)
def test_who_wrote_an_entry_neither_takes_it_back_nor_writes_the_right_one(db, shelf, kind):
    entry = wrong(db, shelf, kind)
    mine = {"moved_by": entry.moved_by}
    same = {"reason": entry.reason, "answers": entry.answers}
    with refused(db, "stock_corrected"):
        make.make_move(db, shelf, f"{kind}_back", 9, answers=entry.id, **WHY, **mine)
    with refused(db, "stock_corrected"):
        make.make_move(db, shelf, kind, 3, replaces=entry.id, **same, **mine)


def test_what_takes_back_is_of_the_same_site_lot_kind_and_size(db, shelf):
    lot = db.get_one(Lot, shelf.lot_id)
    wrong(db, shelf, "overfill", 20)  # so that no sum is in the way
    entry = wrong(db, shelf, "received")
    for other in (make.make_shelf(db, lot=lot), make.make_shelf(db)):
        make.make_move(db, other, "received", 9)
        with refused(db, "stock_corrected", "foreign_key"):
            make.make_move(db, other, "received_back", 9, answers=entry.id, **WHY)
    with refused(db, "foreign_key"):
        make.make_move(db, shelf, "received_back", 8, answers=entry.id, **WHY)
    with refused(db, "foreign_key"):
        make.make_move(db, shelf, "overfill_back", 9, answers=entry.id, **WHY)
    with refused(db, "ck_stock_move_answers"):
        make.make_move(db, shelf, "received", 9, answers=entry.id)
    with refused(db, "stock_corrected", "ck_stock_move_answers"):
        make.make_move(db, shelf, "received_back", 9, **WHY)


def test_what_takes_back_says_why_and_a_delivery_does_not(db, shelf):
    entry = wrong(db, shelf, "received")
    back = {"kind": "received_back", "quantity": 9, "answers": entry.id}
    with refused(db, "ck_stock_move_reason"):
        make.make_move(db, shelf, **back)
    for reason in ("broken", "boredom"):
        with refused(db, "ck_stock_move_wrong_because"):
            make.make_move(db, shelf, **back, reason=reason)
    with refused(db, "ck_stock_move_waste_reason"):
        make.make_move(db, shelf, "wasted", 1, **WHY)
    with refused(db, "ck_stock_move_reason"):
        make.make_move(db, shelf, "received", 1, **WHY)


def test_no_dose_no_count_and_no_correction_is_taken_back_so(db, shelf):
    dose = make.make_dose(db, lot=db.get_one(Lot, shelf.lot_id), site_id=shelf.site_id)
    took = make.make_move(db, shelf, "given", dose_id=dose.id)
    counted = make.make_move(db, shelf, "counted", 1)
    for kind in BY_HAND:  # so that no sum is in the way
        wrong(db, shelf, kind)
    entry = wrong(db, shelf, "received", 1)
    back = make.make_move(db, shelf, "received_back", 1, answers=entry.id, **WHY)
    for one in (took, counted, back):
        for kind in TAKES_BACK:
            with refused(db, "foreign_key"):
                make.make_move(db, shelf, kind, 1, answers=one.id, **WHY)
        with refused(db, "stock_corrected"):
            make.make_move(db, shelf, "received", 1, replaces=one.id)
    for kind in ("counted_back", "received_back_back"):
        with refused(db, "ck_stock_move_kind"):
            make.make_move(db, shelf, kind, 1, **WHY)
    with refused(db, "ck_stock_move_replaces"):
        make.make_move(db, shelf, "counted", 1, replaces=counted.id)


def test_the_right_entry_is_of_the_same_kind_site_and_lot_and_is_one(db, shelf):
    entry = wrong(db, shelf, "received")
    with refused(db, "stock_corrected"):
        make.make_move(db, shelf, "overfill", 3, replaces=entry.id)
    for other in (make.make_shelf(db, lot=db.get_one(Lot, shelf.lot_id)), make.make_shelf(db)):
        with refused(db, "stock_corrected"):
            make.make_move(db, other, "received", 3, replaces=entry.id)
    right = make.make_move(db, shelf, "received", 3, replaces=entry.id)
    with refused(db, "one_right_move"):
        make.make_move(db, shelf, "received", 4, replaces=entry.id)
    make.make_move(db, shelf, "received", 4, replaces=right.id)


@pytest.mark.parametrize("kind", ["received", "overfill"])
def test_no_more_is_taken_back_than_is_there(db, shelf, kind):
    entry = wrong(db, shelf, kind)
    make.make_move(db, shelf, "returned", 55)
    with refused(db, "ck_stock_remaining"):
        make.make_move(db, shelf, f"{kind}_back", 9, answers=entry.id, **WHY)


@pytest.mark.parametrize("state", ["quarantined", "recalled"])
def test_what_went_is_written_right_though_nothing_goes_any_more(db, shelf, state):
    entry = wrong(db, shelf, "transferred_out")
    make.make_validity(db, lot=db.get_one(Lot, shelf.lot_id), state=state)
    with refused(db, "stock_frozen"):
        make.make_move(db, shelf, "transferred_out", 1)
    make.make_move(db, shelf, "transferred_out_back", 9, answers=entry.id, **WHY)
    make.make_move(db, shelf, "transferred_out", 1, replaces=entry.id)
    assert (shelf.remaining, shelf.transferred_out) == (49, 1)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["OR IGNORE", "OR REPLACE"])
def test_no_conflict_clause_lets_somebody_take_back_their_own(db, shelf, way):
    entry = wrong(db, shelf, "received")
    row = {
        "id": new_id(), "recorded_at": make.NOW, "site_id": shelf.site_id, "lot_id": shelf.lot_id,
        "ordinal": 3, "kind": "received_back", "quantity": 9, "moved_by": entry.moved_by,
        "answers": entry.id, "reason": "twice",
    }  # fmt: skip
    with refused(db, "stock_corrected"):
        db.execute(sqlite_insert(StockMove.__table__).prefix_with(way).values(row))


def test_a_step_back_and_forth_leaves_each_shelf_what_it_has_and_its_sums(empty_url):
    engine = make_engine(empty_url, foreign_keys=False)
    with engine.begin() as connection:
        migrations.move(connection, "head")
    doors = Doors(engine)
    with doors.transaction() as db:
        shelf = make.make_shelf(db)
        make.make_move(db, shelf, "received", 50)
        for kind in BY_HAND:
            entry = wrong(db, shelf, kind, 3)
            more = {"reason": entry.reason, "answers": entry.answers}
            if kind not in ("transferred_in", "transferred_out"):
                make.make_move(db, shelf, kind, 1, replaces=entry.id, **more)
            make.make_move(db, shelf, f"{kind}_back", 3, answers=entry.id, **WHY)
        key, left = (shelf.site_id, shelf.lot_id), shelf.remaining
    for step in ("0028", "head"):
        with engine.begin() as connection:
            migrations.move(connection, step)
    with doors.reading() as db:
        found = db.get_one(Stock, key)
        assert (found.remaining, found.unexplained, found.received) == (left, 0, 54)
        kinds = select(func.count()).where(StockMove.kind == "counted")
        assert db.scalar(kinds) == len(BY_HAND)
        assert [each for each in differences(db) if "moves" in each.check] == []
    engine.dispose()
