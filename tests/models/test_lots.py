"""Lots: received into quarantine, released by another, moved by their validities alone."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from healthcert import migrations
from healthcert.db import Doors, make_engine
from healthcert.models import Lot, LotValidity, Stock, StockMove, new_id
from healthcert.models.supply import LOT_STATES, LOT_TRANSITIONS
from healthcert.services.reconciling import CHECKS, differences
from tests import factories as make
from tests.factories import day
from tests.models.refusals import refused

PATHS = {
    "quarantined": ("quarantined",),
    "released": ("released",),
    "recalled": ("released", "recalled"),
}


def make_in(db: Session, state: str) -> Lot:
    """Return a lot brought to a state the way lots go."""
    lot = make.make_lot(db)
    for step in PATHS.get(state, ("released",)):
        make.make_validity(db, lot=lot, state=step)
    if state == "exhausted":
        db.execute(update(Lot).where(Lot.id == lot.id).values(state=state))
    db.refresh(lot)
    assert lot.state == state
    return lot


@pytest.mark.parametrize("state", LOT_STATES[1:])
def test_a_lot_begins_in_quarantine(db, state):
    with refused(db, "lot_begins"):
        make.make_lot(db, state=state)


def test_it_is_known_who_received_a_lot(db):
    product = make.make_product(db)
    with refused(db, "lot_begins"):
        make.add(db, Lot(product_id=product.id, number="A", recorded_at=make.NOW))


def test_who_received_a_lot_does_not_release_it(db):
    lot = make.make_lot(db)
    with refused(db, "lot_release"):
        make.make_validity(db, lot=lot, ordered_by=lot.received_by)
    make.make_validity(db, lot=lot, state="quarantined", ordered_by=lot.received_by)
    make.make_validity(db, lot=lot)
    with refused(db, "lot_release"):
        make.make_validity(db, lot=lot, expires_on=day(400), ordered_by=lot.received_by)
    make.make_validity(db, lot=lot, state="recalled", ordered_by=lot.received_by)


def test_nobody_does_not_release_a_lot(db):
    lot = make.make_lot(db)
    nobody = LotValidity(
        lot_id=lot.id, product_id=lot.product_id, ordinal=1, since=day(0), state="released",
        released_on=day(0), expires_on=day(1), recorded_at=make.NOW,
    )  # fmt: skip
    with refused(db, "lot_release"):
        make.add(db, nobody)


@pytest.mark.parametrize("old", LOT_STATES)
@pytest.mark.parametrize("new", ["quarantined", "released", "recalled"])
def test_a_validity_moves_its_lot_along_the_listed_transitions(db, old, new):
    lot = make_in(db, old)
    if new != old and new not in LOT_TRANSITIONS.get(old, ()):
        with refused(db, "lot_transition"):
            make.make_validity(db, lot=lot, state=new)
        return
    make.make_validity(db, lot=lot, state=new)
    db.refresh(lot)
    assert lot.state == ("exhausted" if (old, new) == ("exhausted", "released") else new)


@pytest.mark.parametrize("old", LOT_STATES)
@pytest.mark.parametrize("new", LOT_STATES)
def test_a_lot_is_not_in_a_state_that_its_validity_does_not_say(db, old, new):
    lot = make_in(db, old)
    state = update(Lot).where(Lot.id == lot.id).values(state=new)
    if new == old or (old, new) in {("released", "exhausted"), ("exhausted", "released")}:
        db.execute(state)
        return
    with refused(db, "lot_state", "lot_transition"):
        db.execute(state)


def test_a_lot_is_not_exhausted_while_a_site_has_some(db):
    lot = make_in(db, "released")
    shelf = make.make_shelf(db, lot=lot)
    make.make_move(db, shelf, "received", 1)
    with refused(db, "lot_state"):
        db.execute(update(Lot).where(Lot.id == lot.id).values(state="exhausted"))


@pytest.mark.parametrize("column", ["id", "number", "product_id", "received_by", "recorded_at"])
def test_a_lot_stays_the_lot_it_is(db, column):
    lot, other = make_in(db, "released"), make.make_lot(db)
    value = new_id() if column == "id" else getattr(other, column)
    if column == "recorded_at":
        value = make.NOW.replace(year=2025)
    with refused(db, "lot_state"):
        db.execute(update(Lot).where(Lot.id == lot.id).values({column: value}))
    with refused(db, "never_deleted"):
        db.execute(delete(Lot).where(Lot.id == other.id))
    db.execute(update(Lot).where(Lot.id == lot.id).values(judged_up_to=1))


@pytest.mark.parametrize("ordinal", [1, 3])
def test_a_validity_follows_the_newest_one(db, ordinal):
    lot = make_in(db, "released")
    with refused(db, "lot_state", "uq_lot_validity_lot_id_ordinal"):
        make.make_validity(db, lot=lot, ordinal=ordinal)


def test_a_recall_of_long_ago_comes_after_an_extension_of_yesterday(db):
    lot = make_in(db, "released")
    make.make_validity(db, lot=lot, since=day(-1), expires_on=day(400))
    recall = make.make_validity(db, lot=lot, since=day(-90), state="recalled")
    for given_on in (day(-90), day(0)):
        dose = make.make_dose(db, lot=lot, given_on=given_on)
        assert make.in_force(db, dose) == recall
        for stale in db.scalars(select(LotValidity).filter_by(lot_id=lot.id, state="released")):
            with refused(db, "lot_in_force"):
                make.make_judgement(db, dose=dose, validity=stale)


def test_what_was_given_before_there_was_stock_is_brought_in_unexplained(empty_url, engine_name):
    engine = make_engine(empty_url, foreign_keys=False)
    with engine.begin() as connection:
        migrations.move(connection, "0001")
        for statement in _before(engine_name):
            connection.execute(text(statement))
    with engine.begin() as connection:
        migrations.move(connection, "head")
    doors = Doors(engine)
    with doors.reading() as db:
        lot = db.scalars(select(Lot)).one()
        assert (lot.state, lot.received_by) == ("recalled", None)
        orders = select(LotValidity.ordinal, LotValidity.state).order_by(LotValidity.since)
        assert db.execute(orders).all() == [(1, "released"), (2, "recalled")]
        moves = select(StockMove.ordinal, StockMove.kind).order_by(StockMove.ordinal)
        assert [kind for _, kind in db.execute(moves)] == ["unexplained", "given"] * 2
        shelf = db.scalars(select(Stock)).one()
        assert (shelf.moves, shelf.unexplained, shelf.given, shelf.remaining) == (4, 2, 2, 0)
        wrong = {each.check for each in differences(db)}
        assert wrong.isdisjoint(each for each in CHECKS if "moves" in each or "stock" in each)
    engine.dispose()


def _before(engine_name: str) -> list[str]:
    """Return rows of a database of the first tables: a lot, recalled, and two doses of it."""
    one, at = "00000000000070008000000000000001", "2026-01-02 09:00:00.000000"
    if engine_name == "postgresql":
        at += "+00"
    validity = "INSERT INTO lot_validity VALUES ('{0}', '{at}', '{one}', '{one}', '{since}',"
    validity += " '2026-01-01', '2026-12-01', '{state}', '')"
    dose = "INSERT INTO dose (id, recorded_at, person_id, programme_id, product_id, site_id,"
    dose += " given_at, given_on, recorded_on, lot_text, lot_id, lot_product_id, body_site,"
    dose += " source, recorded_by) VALUES ('{0}', '{at}', '{one}', '{one}', '{one}', '{one}',"
    dose += " '{at}', '2026-01-02', '2026-01-02', 'A', '{one}', '{one}', 'LA',"
    dose += " 'point_of_care', '{one}')"
    ids = [one[:-1] + digit for digit in "123"]
    one_at, no = f"'{one}', '{at}'", "0" if engine_name == "sqlite" else "false"
    blob = "X'00'" if engine_name == "sqlite" else "'\\x00'"
    rows = [
        f"INSERT INTO person VALUES ({one_at}, {blob}, {blob}, 1980, 'male', 'unknown', NULL, 'x')",
        f"INSERT INTO knowledge VALUES ('{one}', '{at}', 'vaccine', 'a', 'a', '{{}}')",
        f"INSERT INTO programme VALUES ('{one}', '{at}', 'a', 'a', '{{}}', '{one}')",
        f"INSERT INTO product VALUES ('{one}', '{at}', 'a', 'a', 'a', 'a', 2, 1, 1, 1, '{one}')",
        f"INSERT INTO site VALUES ({one_at}, 'a', '{{}}', '{{}}', 'a', 1.0, 1.0, 'UTC', {no})",
        f"INSERT INTO staff VALUES ({one_at}, 'a', 'admin', NULL, {no})",
        f"INSERT INTO lot VALUES ('{one}', '{at}', '{one}', 'A', 'released')",
    ]
    rows += [
        validity.format(ids[0], one=one, at=at, since="2026-01-01", state="released"),
        validity.format(ids[1], one=one, at=at, since="2026-02-01", state="recalled"),
    ]
    return rows + [dose.format(each, one=one, at=at) for each in ids[:2]]
