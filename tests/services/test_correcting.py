"""What was written down wrong of a shelf is set right by another, and every sum comes out."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, NeedsAnother, NotAllowed, NotFound, WrongState
from healthcert.models import AuditEvent, Lot, Staff, Stock, StockMove, new_id
from healthcert.services import closing, cold_chain, correcting, entries, lots, stock
from healthcert.services.correcting import TooFewLeft
from healthcert.services.part import Part
from healthcert.services.reconciling import differences
from healthcert.services.stock import Shelf
from tests import factories as make
from tests.factories import NOW, day
from tests.services.clinic import Clinic, details
from tests.services.test_stock import acts, balance, move, sums_come_out, transfer
from tests.threads import at_once

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def shelf(clinic: Clinic) -> Shelf:
    """A hundred doses of a released lot at the clinic, where ten came."""
    here = Shelf(clinic.site.id, clinic.lot().id)
    move(clinic, here, "received", 100)
    return here


@pytest.fixture
def lead(clinic: Clinic) -> Staff:
    with clinic.doors.transaction() as db:
        return make.make_staff(db, role="lead", name="Lea Lead", site_id=clinic.site.id)


def newest(clinic: Clinic, shelf: Shelf) -> StockMove:
    return told(clinic, shelf)[0].StockMove


def told(clinic: Clinic, shelf: Shelf, after: tuple[int, ...] = (), most: int = 50):
    part = Part(after, most, newest=True)
    with clinic.doors.reading() as db:
        return entries.listed(db, site_id=shelf.site_id, lot_id=shelf.lot_id, part=part)


def correct(clinic: Clinic, entry: StockMove, quantity: int, staff: Staff, why="wrong_number"):
    deed = {"move_id": entry.id, "quantity": quantity, "why": why, "staff": staff, "now": LATER}
    clinic.doors.run(lambda db: correcting.correct(db, **deed))


def state(clinic: Clinic, shelf: Shelf) -> str:
    with clinic.doors.reading() as db:
        return db.get_one(Lot, shelf.lot_id).state


def close(clinic: Clinic, shelf: Shelf) -> None:
    with clinic.doors.transaction() as db:
        lots.exhaust(db, lot_id=shelf.lot_id, staff=make.make_admin(db), now=NOW)


def test_a_delivery_of_a_hundred_becomes_one_of_ten_and_both_stay_on_record(clinic, shelf, lead):
    correct(clinic, newest(clinic, shelf), 10, lead)
    found = balance(clinic, shelf)
    assert (found.received, found.remaining, found.unexplained, found.moves) == (10, 10, 0, 3)
    lines = [
        (each.StockMove.kind, each.StockMove.quantity, each.by, each.StockMove.reason,
         each.takes_back, each.in_place_of, each.taken_back_by, each.right_one)
        for each in told(clinic, shelf)
    ]  # fmt: skip
    assert lines == [
        ("received_back", 100, "Lea Lead", "wrong_number", 1, None, None, None),
        ("received", 10, "Lea Lead", None, None, 1, None, None),
        ("received", 100, "Nina Nurse", None, None, None, 3, 2),
    ]
    assert sums_come_out(clinic)
    with clinic.doors.reading() as db:
        said = db.scalars(select(AuditEvent).filter_by(act="stock_corrected")).one()
        assert said.actor_id == lead.id
        assert said.details | {"move": "", "site": ""} == {
            "site": "", "move": "", "kind": "received", "was": 100, "quantity": 10,
            "reason": "wrong_number",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("received", None), ("overfill", None), ("wasted", "broken"), ("returned", None)],
)
@pytest.mark.parametrize("right", [0, 3, 60])
def test_each_entry_by_hand_becomes_what_it_was_with_its_reason(
    clinic, shelf, lead, kind, reason, right
):
    move(clinic, shelf, kind, 40, reason=reason)
    before, entry = balance(clinic, shelf), newest(clinic, shelf)
    correct(clinic, entry, right, lead, "not_so")
    after = balance(clinic, shelf)
    assert getattr(after, kind) == getattr(before, kind) - 40 + right
    grew = (right - 40) * (1 if kind in ("received", "overfill") else -1)
    assert after.remaining == before.remaining + grew
    made = [each.StockMove for each in told(clinic, shelf)]
    assert [one.reason for one in made if one.replaces == entry.id] == [reason] * bool(right)
    assert sums_come_out(clinic)


def test_what_wholly_left_by_mistake_comes_back_and_what_is_right_leaves(clinic, shelf, lead):
    move(clinic, shelf, "wasted", 100, reason="broken")
    correct(clinic, newest(clinic, shelf), 10, lead)
    assert balance(clinic, shelf).remaining == 90
    kinds = [each.StockMove.kind for each in told(clinic, shelf)]
    assert kinds == ["wasted", "wasted_back", "wasted", "received"]


def test_both_halves_of_a_transfer_are_set_right_where_it_was_sent_from(clinic, shelf, lead):
    with clinic.doors.transaction() as db:
        other = make.make_site(db)
        theirs = make.make_staff(db, role="lead", site_id=other.id)
    there = Shelf(other.id, shelf.lot_id)
    transfer(clinic, shelf, 50, other.id, clinic.nurse)
    out, arrived = newest(clinic, shelf), newest(clinic, there)
    assert told(clinic, shelf)[0].other_site == told(clinic, there)[0].other_site | other.names
    with pytest.raises(BadInput) as refused:
        correct(clinic, arrived, 5, theirs)
    assert refused.value.fields == {"move": "of_sender"}
    with pytest.raises(NotFound):
        correct(clinic, out, 5, theirs)
    correct(clinic, out, 5, lead)
    assert (balance(clinic, shelf).remaining, balance(clinic, there).remaining) == (95, 5)
    assert (balance(clinic, shelf).transferred_out, balance(clinic, there).transferred_in) == (5, 5)
    again = told(clinic, shelf)[0].StockMove
    assert (again.kind, again.replaces) == ("transferred_out", out.id)
    with clinic.doors.transaction() as db:
        second = make.make_staff(db, role="lead", site_id=clinic.site.id)
    correct(clinic, again, 0, second, "not_so")
    assert (balance(clinic, shelf).remaining, balance(clinic, there).remaining) == (100, 0)
    assert sums_come_out(clinic)


def test_what_has_left_since_is_not_taken_back_and_how_much_is_left_is_told(clinic, shelf, lead):
    came = newest(clinic, shelf)
    move(clinic, shelf, "wasted", 80, reason="broken")
    went = newest(clinic, shelf)
    for entry, quantity, wrong in ((came, 79, "gone_already"), (went, 101, "not_so_many")):
        with pytest.raises(TooFewLeft) as refused:
            correct(clinic, entry, quantity, lead)
        assert (refused.value.fields, refused.value.left) == ({"quantity": wrong}, 20)
    correct(clinic, came, 80, lead)
    assert balance(clinic, shelf).remaining == 0
    with clinic.doors.transaction() as db:
        other, admin = make.make_site(db), make.make_admin(db)
    move(clinic, shelf, "received", 10)
    there = Shelf(other.id, shelf.lot_id)
    transfer(clinic, shelf, 10, other.id, clinic.nurse)
    move(clinic, there, "wasted", 7, reason="broken", staff=admin)
    with pytest.raises(TooFewLeft) as refused:
        correct(clinic, newest(clinic, shelf), 6, lead)
    assert refused.value.left == 3
    assert sums_come_out(clinic)


def test_what_cannot_be_corrected_is_named(clinic, shelf, lead):
    entry = newest(clinic, shelf)
    for quantity, why, wrong in (
        (100, "twice", {"quantity": "same"}),
        (-1, "", {"quantity": "not_a_number", "why": "missing"}),
        (10**6, "broken", {"quantity": "not_a_number", "why": "not_a_choice"}),
    ):
        with pytest.raises(BadInput) as refused:
            correct(clinic, entry, quantity, lead, why)
        assert refused.value.fields == wrong
    with pytest.raises(NeedsAnother):
        correct(clinic, entry, 10, clinic.nurse)
    correct(clinic, entry, 10, lead)
    with pytest.raises(WrongState):
        correct(clinic, entry, 10, lead)
    with clinic.doors.transaction() as db:
        stranger = make.make_staff(db, role="lead", site_id=make.make_site(db).id)
        stock.count_again(
            db, shelf, 10, staff=lead, confirmed_by=db.merge(clinic.nurse), now=LATER
        )  # fmt: skip
    clinic.vaccinated(day(0), details())
    for entry in (each.StockMove for each in told(clinic, shelf)):
        if entry.kind in ("given", "counted", "received_back"):
            with pytest.raises(BadInput) as refused:
                correct(clinic, entry, 0, clinic.nurse)
            assert refused.value.fields == {"move": "not_by_hand"}
        with pytest.raises(NotFound):
            correct(clinic, entry, 0, stranger)
    with pytest.raises(NotFound), clinic.doors.transaction() as db:
        correcting.correct(db, move_id=new_id(), why="twice", staff=lead, now=NOW)


def test_the_right_entry_may_be_wrong_too_and_is_for_a_third_or_the_first(clinic, shelf, lead):
    correct(clinic, newest(clinic, shelf), 1, lead)
    right = next(each.StockMove for each in told(clinic, shelf) if each.in_place_of)
    with pytest.raises(NeedsAnother):
        correct(clinic, right, 10, lead)
    correct(clinic, right, 10, clinic.nurse)
    assert balance(clinic, shelf).received == 10
    assert sums_come_out(clinic)


def test_of_two_who_correct_at_once_one_does(clinic, shelf):
    with clinic.doors.transaction() as db:
        leads = [make.make_staff(db, role="lead", site_id=clinic.site.id) for _ in range(4)]
    entry = newest(clinic, shelf)
    results = at_once(4, lambda turn: correct(clinic, entry, 10 + turn, leads[turn]))
    assert Counter(type(each) for each in results) == {type(None): 1, WrongState: 3}
    assert balance(clinic, shelf).remaining in range(10, 14)
    assert sums_come_out(clinic)


def test_two_sites_that_correct_what_they_sent_each_other_never_wait_crosswise(clinic, shelf):
    with clinic.doors.transaction() as db:
        other, admin, second = make.make_site(db), make.make_admin(db), make.make_admin(db)
    there = Shelf(other.id, shelf.lot_id)
    move(clinic, there, "received", 50, staff=admin)
    sent = []
    for here, to in ((shelf, there), (there, shelf)) * 3:
        transfer(clinic, here, 5, to.site_id, admin)
        sent.append(newest(clinic, here))

    def work(turn: int) -> None:
        with clinic.doors.transaction() as db:  # once: nothing is tried again
            deed = {"quantity": 4, "why": "wrong_number", "staff": second, "now": LATER}
            correcting.correct(db, move_id=sent[turn].id, **deed)

    assert at_once(6, work) == [None] * 6
    assert [balance(clinic, each).remaining for each in (shelf, there)] == [100, 50]
    assert sums_come_out(clinic)


def test_a_lot_is_closed_again_that_never_came_and_opened_of_which_there_is_some(
    clinic, shelf, lead
):
    move(clinic, shelf, "wasted", 100, reason="broken")
    wasted = newest(clinic, shelf)
    close(clinic, shelf)
    correct(clinic, wasted, 10, lead)
    assert (balance(clinic, shelf).remaining, state(clinic, shelf)) == (90, "released")
    move(clinic, shelf, "returned", 90)
    close(clinic, shelf)
    move(clinic, shelf, "received", 5)
    assert state(clinic, shelf) == "released"
    correct(clinic, newest(clinic, shelf), 0, lead, "wrong_lot")
    assert (balance(clinic, shelf).remaining, state(clinic, shelf)) == (0, "exhausted")
    assert acts(clinic).count("lot_exhausted") == 3
    move(clinic, shelf, "received", 5)
    correct(clinic, newest(clinic, shelf), 6, lead)
    assert state(clinic, shelf) == "released"


def test_a_lot_of_which_another_site_has_some_or_that_is_not_released_is_not_closed(
    clinic, shelf, lead
):
    with clinic.doors.transaction() as db:
        other, admin = make.make_site(db), make.make_admin(db)
    transfer(clinic, shelf, 40, other.id, clinic.nurse)
    move(clinic, shelf, "wasted", 60, reason="broken")
    move(clinic, shelf, "received", 5)
    correct(clinic, newest(clinic, shelf), 0, lead, "twice")
    assert state(clinic, shelf) == "released"
    move(clinic, Shelf(other.id, shelf.lot_id), "wasted", 40, reason="broken", staff=admin)
    move(clinic, shelf, "received", 5)
    order(clinic, shelf, "recalled")
    correct(clinic, newest(clinic, shelf), 0, lead, "twice")
    assert state(clinic, shelf) == "recalled"


def order(clinic: Clinic, shelf: Shelf, to: str, staff: Staff | None = None) -> None:
    with clinic.doors.transaction() as db:
        by = staff or make.make_admin(db)
        deed = {"state": to, "since": day(0), "reason": "regulator", "staff": by, "now": NOW}
        lots.order(db, lot_id=shelf.lot_id, country=clinic.country, **deed)


@pytest.mark.parametrize("frozen", ["quarantined", "recalled", "aside"])
def test_what_is_frozen_or_set_aside_is_still_written_right(clinic, shelf, lead, frozen):
    with clinic.doors.transaction() as db:
        other = make.make_site(db)
        cold_chain.add(db, name="A", kind="fridge", staff=lead, now=NOW)
    wrong = []
    for kind, reason in (("received", None), ("wasted", "broken"), ("overfill", None)):
        move(clinic, shelf, kind, 20, reason=reason)
        wrong.append(newest(clinic, shelf))
    transfer(clinic, shelf, 20, other.id, clinic.nurse)
    wrong.append(newest(clinic, shelf))
    if frozen == "aside":
        with clinic.doors.transaction() as db:
            fridge_id = cold_chain.fridges(db, site_id=clinic.site.id)[0][0].id
            deed = {"celsius": 20.0, "taken_at": NOW, "staff": lead, "now": NOW}
            assert cold_chain.read(db, fridge_id=fridge_id, **deed)
    else:
        order(clinic, shelf, frozen)
    with pytest.raises(BadInput):
        transfer(clinic, shelf, 1, other.id, clinic.nurse)
    for entry in wrong:
        correct(clinic, entry, 19, lead)
    found = balance(clinic, shelf)
    assert (found.remaining, found.transferred_out, found.wasted) == (100, 19, 19)
    assert (found.set_aside is not None) == (frozen == "aside")
    assert sums_come_out(clinic)


def test_who_entered_a_lot_does_not_release_it_though_its_delivery_never_was(clinic, lead):
    with clinic.doors.transaction() as db:
        lot = make.make_lot(db, state="quarantined", received_by=clinic.nurse.id)
        make.make_validity(db, lot=lot, state="quarantined", reason="received")
    here = Shelf(clinic.site.id, lot.id)
    move(clinic, here, "received", 10)
    correct(clinic, newest(clinic, here), 0, lead, "wrong_lot")
    assert state(clinic, here) == "quarantined"
    with pytest.raises(NotAllowed):
        order(clinic, here, "released", clinic.nurse)
    order(clinic, here, "released", lead)  # said how many came, and brought no lot in


def test_the_end_of_the_day_counts_what_was_right(clinic, shelf, lead):
    correct(clinic, newest(clinic, shelf), 10, lead)
    move(clinic, shelf, "wasted", 9, reason="broken")
    correct(clinic, newest(clinic, shelf), 2, lead)
    with clinic.doors.reading() as db:
        [line], _sessions = closing.sums(db, site=clinic.site, day=day(0), now=NOW)
    assert (line.began, line.today["received"], line.today["wasted"], line.remaining) == (
        0, 10, 2, 8,
    )  # fmt: skip


def test_a_long_list_goes_on_below_the_last_that_was_seen(clinic, shelf):
    for _ in range(4):
        move(clinic, shelf, "overfill", 1)
    seen = [each.StockMove.ordinal for each in told(clinic, shelf, most=3)]
    assert seen == [5, 4, 3]
    assert [each.StockMove.ordinal for each in told(clinic, shelf, (3,))] == [2, 1]
    with pytest.raises(NotFound):
        told(clinic, Shelf(shelf.site_id, new_id()))


def test_what_was_corrected_by_half_is_told(clinic, shelf):
    with clinic.doors.transaction() as db:
        here = db.get_one(Stock, (shelf.site_id, shelf.lot_id))
        wrong = db.scalars(select(StockMove)).one()
        make.make_move(db, here, "received", 1, replaces=wrong.id)
        there = make.make_shelf(db, lot=db.get_one(Lot, shelf.lot_id))
        out = make.make_move(db, here, "transferred_out", 4)
        make.make_move(db, there, "transferred_in", 4, answers=out.id)
        make.make_move(db, here, "transferred_out_back", 4, answers=out.id, reason="twice")
        found = [(each.check, each.rows) for each in differences(db)]
    assert found == [("what was entered wrong is taken back", 2)]
