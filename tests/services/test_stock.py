"""What a clinic has of a lot, through a day: received, given, wasted, sent on, counted again."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from healthcert.errors import BadInput, NotAllowed, NotFound, WrongState
from healthcert.models import AuditEvent, Dose, Lot, Staff, Stock, StockMove, new_id, triggers
from healthcert.services import facts, lots, stock
from healthcert.services.reconciling import differences
from healthcert.services.stock import Shelf
from tests.factories import (
    NOW,
    day,
    make_admin,
    make_counted_dose,
    make_dose,
    make_judgement,
    make_knowledge,
    make_site,
    make_staff,
)
from tests.services.clinic import Clinic, details
from tests.threads import at_once


@pytest.fixture
def shelf(clinic: Clinic) -> Shelf:
    """Five doses of a released lot at the clinic."""
    here = Shelf(clinic.site.id, clinic.lot().id)
    move(clinic, here, "received", 5)
    return here


def move(clinic: Clinic, shelf: Shelf, kind: str, quantity: int, **how: object) -> None:
    wanted: dict[str, object] = {"staff": clinic.nurse, "now": NOW}
    clinic.doors.run(lambda db: stock.move(db, shelf, kind, quantity, **wanted | how))


def balance(clinic: Clinic, shelf: Shelf) -> Stock:
    with clinic.doors.reading() as db:
        return db.get_one(Stock, (shelf.site_id, shelf.lot_id))


def kinds(clinic: Clinic) -> list[str]:
    with clinic.doors.reading() as db:
        return list(db.scalars(select(StockMove.kind).order_by(StockMove.ordinal)))


def acts(clinic: Clinic) -> list[str]:
    with clinic.doors.reading() as db:
        return list(db.scalars(select(AuditEvent.act).order_by(AuditEvent.id)))


def sums_come_out(clinic: Clinic) -> bool:
    with clinic.doors.reading() as db:
        return differences(db) == []


def test_a_dose_takes_one_from_the_stock_of_its_site(clinic, shelf):
    clinic.vaccinated(day(0), details())
    found = balance(clinic, shelf)
    assert (found.given, found.remaining, found.unexplained) == (1, 4, 0)
    assert "stock_unexplained" not in acts(clinic)
    assert sums_come_out(clinic)


@pytest.mark.parametrize("received", [0, 1])
def test_a_dose_beyond_the_balance_is_recorded_and_told_to_oversight(clinic, received):
    here = Shelf(clinic.site.id, clinic.lot().id)
    if received:
        move(clinic, here, "received", received)
    doses = [clinic.vaccinated(day(0) if n else day(-60), details()) for n in range(received + 1)]
    assert [clinic.counts(dose)[0] for dose in doses] == ["valid"] * len(doses)
    found = balance(clinic, here)
    assert (found.given, found.unexplained, found.remaining) == (received + 1, 1, 0)
    assert acts(clinic).count("stock_unexplained") == 1
    assert sums_come_out(clinic)


def test_a_dose_that_does_not_count_takes_its_stock_all_the_same(clinic, shelf):
    who = details()
    clinic.vaccinated(day(-3), who)
    early = clinic.vaccinated(day(0), who, dose_number=3)
    assert clinic.counts(early)[0] == "too_early"
    assert balance(clinic, shelf).given == 2


def test_a_lot_that_nobody_knows_has_no_stock(clinic):
    clinic.vaccinated(day(0), details(), lot="NOBODY-KNOWS")
    assert kinds(clinic) == []
    assert sums_come_out(clinic)


def test_a_dose_in_error_gives_back_what_it_took(clinic, shelf):
    dose = clinic.vaccinated(day(0), details())
    clinic.mark_in_error(dose, "not_given")
    found = balance(clinic, shelf)
    assert (found.given, found.remaining) == (0, 5)
    assert kinds(clinic) == ["received", "given", "given_back"]
    assert sums_come_out(clinic)


def test_what_an_error_brought_in_unexplained_goes_with_it(clinic):
    here = Shelf(clinic.site.id, clinic.lot().id)
    dose = clinic.vaccinated(day(0), details())
    clinic.mark_in_error(dose, "wrong_lot")
    found = balance(clinic, here)
    assert (found.given, found.unexplained, found.remaining) == (0, 0, 0)
    assert kinds(clinic) == ["unexplained", "given", "given_back", "explained"]
    assert sums_come_out(clinic)


def test_ten_nurses_and_a_late_delivery_lose_no_dose_and_no_count(clinic):
    here = Shelf(clinic.site.id, clinic.lot().id)
    slot = clinic.slot(day(0), capacity=9)
    waiting = [clinic.book(slot, details()) for _ in range(9)]

    def work(turn: int) -> Dose | None:
        if turn == 9:
            return move(clinic, here, "received", 4)
        return clinic.record(waiting[turn])

    results = at_once(10, work)
    assert [each for each in results if isinstance(each, Exception)] == []
    found = balance(clinic, here)
    assert (found.given, found.received) == (9, 4)
    assert found.remaining == found.received + found.unexplained - 9 >= 0
    assert acts(clinic).count("stock_unexplained") == found.unexplained
    assert sums_come_out(clinic)


@pytest.mark.parametrize("kind", ["wasted", "returned"])
def test_no_more_leaves_than_there_is(clinic, shelf, kind):
    reason = "broken" if kind == "wasted" else None
    with pytest.raises(BadInput):
        move(clinic, shelf, kind, 6, reason=reason)
    move(clinic, shelf, kind, 5, reason=reason)
    assert balance(clinic, shelf).remaining == 0


def test_what_cannot_be_written_down_is_named(clinic, shelf):
    for kind, quantity, reason, field in (
        ("received", 0, None, "quantity"),
        ("received", 1, "broken", "reason"),
        ("wasted", 1, None, "reason"),
        ("wasted", 1, "lost", "reason"),
        ("given", 1, None, "kind"),
        ("counted", 1, None, "kind"),
    ):
        with pytest.raises(BadInput) as refused:
            move(clinic, shelf, kind, quantity, reason=reason)
        assert set(refused.value.fields) == {field}


def test_a_nurse_moves_the_stock_of_her_own_site_alone(clinic, shelf):
    with clinic.doors.transaction() as db:
        elsewhere, admin = Shelf(make_site(db).id, shelf.lot_id), make_admin(db)
    with pytest.raises(NotFound):
        move(clinic, elsewhere, "received", 1)
    move(clinic, elsewhere, "received", 1, staff=admin)
    with pytest.raises(NotFound):
        move(clinic, Shelf(shelf.site_id, new_id()), "received", 1)


def transfer(clinic: Clinic, shelf: Shelf, quantity: int, to: object, staff: Staff) -> None:
    clinic.doors.run(lambda db: stock.transfer(db, shelf, quantity, to=to, staff=staff, now=NOW))


def test_what_is_sent_to_another_site_arrives_there(clinic, shelf):
    with clinic.doors.transaction() as db:
        other = make_site(db)
    transfer(clinic, shelf, 2, other.id, clinic.nurse)
    there = balance(clinic, Shelf(other.id, shelf.lot_id))
    assert (balance(clinic, shelf).remaining, there.remaining, there.transferred_in) == (3, 2, 2)
    for wrong, to in ((4, other.id), (0, other.id), (1, shelf.site_id)):
        with pytest.raises(BadInput):
            transfer(clinic, shelf, wrong, to, clinic.nurse)
    assert sums_come_out(clinic)


def test_two_sites_that_send_to_each_other_at_once_never_wait_crosswise(clinic, shelf):
    with clinic.doors.transaction() as db:
        other, admin = make_site(db), make_admin(db)
    shelves = [shelf, Shelf(other.id, shelf.lot_id)]
    move(clinic, shelves[1], "received", 5, staff=admin)

    def work(turn: int) -> None:
        with clinic.doors.transaction() as db:  # once: nothing is tried again
            to = shelves[1 - turn % 2].site_id
            stock.transfer(db, shelves[turn % 2], 1, to=to, staff=admin, now=NOW)

    assert at_once(8, work) == [None] * 8
    assert [balance(clinic, each).remaining for each in shelves] == [5, 5]


def test_what_is_set_aside_is_not_sent_on(clinic, shelf):
    with clinic.doors.transaction() as db:
        other, admin = make_site(db), make_admin(db)
        lots.order(
            db, lot_id=shelf.lot_id, state="quarantined", since=day(0), reason="warm_fridge",
            staff=admin, country=clinic.country, now=NOW,
        )  # fmt: skip
    with pytest.raises(BadInput):
        transfer(clinic, shelf, 1, other.id, clinic.nurse)
    move(clinic, shelf, "wasted", 1, reason="cold_chain")


def test_a_count_is_what_there_is(clinic, shelf):
    def count(found: int) -> int:
        with clinic.doors.transaction() as db:
            return stock.count_again(
                db, shelf, found, staff=clinic.nurse, confirmed_by=second, now=NOW
            )

    second = colleague(clinic)

    assert [count(found) for found in (9, 9, 3, 0)] == [4, 0, -6, -3]
    after = balance(clinic, shelf)
    assert (after.remaining, after.unexplained) == (0, -5)
    assert kinds(clinic).count("counted") == 4
    assert sums_come_out(clinic)
    with pytest.raises(BadInput):
        count(-1)


def test_who_counts_does_not_confirm_and_who_confirms_works_there(clinic, shelf):
    def count(second: Staff) -> int:
        with clinic.doors.transaction() as db:
            return stock.count_again(db, shelf, 5, staff=clinic.nurse, confirmed_by=second, now=NOW)

    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    with pytest.raises(NotAllowed):
        count(clinic.nurse)
    with pytest.raises(NotFound):
        count(stranger)
    assert count(colleague(clinic)) == 0


def colleague(clinic: Clinic) -> Staff:
    with clinic.doors.transaction() as db:
        return make_staff(db, site_id=clinic.site.id)


def test_an_empty_lot_is_closed_and_opened_by_what_comes(clinic, shelf):
    def close() -> None:
        with clinic.doors.transaction() as db:
            lots.exhaust(db, lot_id=shelf.lot_id, staff=make_admin(db), now=NOW)

    def state() -> str:
        with clinic.doors.reading() as db:
            return db.get_one(Lot, shelf.lot_id).state

    def offered() -> int:
        with clinic.doors.reading() as db:
            product_id = db.get_one(Lot, shelf.lot_id).product_id
            return len(facts.lots_on(db, product_id=product_id, site_id=clinic.site.id, day=day(0)))

    assert offered() == 1
    with pytest.raises(WrongState):
        close()
    move(clinic, shelf, "wasted", 5, reason="expired")
    close()
    assert (state(), offered()) == ("exhausted", 0)
    move(clinic, shelf, "received", 3)
    assert (state(), offered()) == ("released", 1)


def test_doses_that_took_nothing_and_errors_that_took_something_are_told(clinic, shelf):
    with clinic.doors.transaction() as db:
        lot = db.get_one(Lot, shelf.lot_id)
        make_counted_dose(db, lot=lot, site_id=shelf.site_id, knowledge=make_knowledge(db))
        took = make_dose(db, lot=lot, site_id=shelf.site_id)
        stock.take(db, dose=took, now=NOW)
        make_judgement(db, dose=took, counts="entered_in_error", reason="not_given", number=None)
        found = {each.check: each.rows for each in differences(db)}
        assert found["doses from known lots took their stock"] == 2
        stock.give_back(db, dose=took, by=took.recorded_by, now=NOW)
        found = {each.check: each.rows for each in differences(db)}
        assert found["doses from known lots took their stock"] == 1


@pytest.mark.usefixtures("shelf")
def test_a_balance_that_is_not_its_moves_is_told(clinic):
    with clinic.doors.transaction() as db:
        triggers.drop(db.connection())
        db.execute(update(Stock).values(given=Stock.given + 1, overfill=Stock.overfill + 1))
    with clinic.doors.reading() as db:
        assert [(each.check, each.rows) for each in differences(db)] == [
            ("balances are their moves", 1)
        ]
