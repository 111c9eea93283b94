"""A fridge that fails: what does not bear it waits, is not offered, and somebody decides."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import Alarm, AuditEvent, ColdReading, Dose, Fridge, Stock
from healthcert.services import clinic as days
from healthcert.services import cold_chain, stock
from healthcert.services.reconciling import differences
from healthcert.services.stock import Shelf
from tests.factories import NOW, TODAY, day, make_site, make_staff
from tests.services.clinic import COMIRNATY, JCOVDEN, Clinic, details
from tests.threads import at_once


@pytest.fixture
def fridge(clinic: Clinic) -> Fridge:
    return make_fridge(clinic, "A")


def make_fridge(clinic: Clinic, name: str, kind: str = "fridge") -> Fridge:
    with clinic.doors.transaction() as db:
        fridge = Fridge(site_id=clinic.site.id, name=name, kind=kind, recorded_at=NOW)
        db.add(fridge)
        return fridge


def shelf(clinic: Clinic, number: str, fridge: Fridge | None = None, **lot: object) -> Shelf:
    """Ten doses of a lot, in a fridge or nobody says where."""
    here = Shelf(clinic.site.id, clinic.lot(number, **lot).id)
    where = fridge.id if fridge else None
    clinic.doors.run(
        lambda db: stock.move(
            db, here, "received", 10, staff=clinic.nurse, now=NOW, fridge_id=where
        )
    )
    return here


def read(clinic: Clinic, fridge: Fridge, celsius: float, **how: object) -> set:
    wanted = {"taken_at": NOW, "staff": clinic.nurse, "now": NOW} | how
    return set(
        clinic.doors.run(
            lambda db: cold_chain.read(db, fridge_id=fridge.id, celsius=celsius, **wanted)
        )
    )


def waits(clinic: Clinic, here: Shelf) -> bool:
    with clinic.doors.reading() as db:
        return db.get_one(Stock, (here.site_id, here.lot_id)).set_aside is not None


def settle(clinic: Clinic, here: Shelf, *, usable: bool) -> None:
    clinic.doors.run(
        lambda db: cold_chain.settle(db, here, usable=usable, staff=clinic.nurse, now=NOW)
    )


def raised(clinic: Clinic) -> list[str]:
    with clinic.doors.reading() as db:
        return list(db.scalars(select(Alarm.kind).order_by(Alarm.id)))


@pytest.mark.parametrize("celsius", [2.0, 5.0, 8.0])
def test_what_a_vaccine_bears_sets_nothing_aside(clinic, fridge, celsius):
    here = shelf(clinic, "GOOD", fridge)
    assert read(clinic, fridge, celsius) == set()
    assert not waits(clinic, here)
    assert raised(clinic) == []


@pytest.mark.parametrize("celsius", [1.9, 8.1, -20.0, 40.0])
def test_what_it_does_not_bear_sets_its_shelf_aside_and_raises_an_alarm(clinic, fridge, celsius):
    here = shelf(clinic, "GOOD", fridge)
    assert read(clinic, fridge, celsius) == {here.lot_id}
    assert waits(clinic, here)
    assert raised(clinic) == ["cold_chain"]
    assert read(clinic, fridge, celsius) == set()  # it waits already


def test_only_what_lies_in_that_fridge_or_nobody_knows_where_is_set_aside(clinic, fridge):
    other = make_fridge(clinic, "B")
    here, unknown = shelf(clinic, "HERE", fridge), shelf(clinic, "UNKNOWN")
    there = shelf(clinic, "THERE", other)
    assert read(clinic, fridge, 12.0) == {here.lot_id, unknown.lot_id}
    assert not waits(clinic, there)


def lies(clinic: Clinic, here: Shelf) -> UUID | None:
    with clinic.doors.reading() as db:
        return db.get_one(Stock, (here.site_id, here.lot_id)).fridge_id


@pytest.mark.parametrize("told", [True, False])
def test_what_comes_beside_doses_that_lie_elsewhere_lies_in_several_fridges(clinic, fridge, told):
    other, here = make_fridge(clinic, "B"), shelf(clinic, "GOOD", fridge)

    def came(into: UUID | None) -> UUID | None:
        how = {"staff": clinic.nurse, "now": NOW, "fridge_id": into}
        clinic.doors.run(lambda db: stock.move(db, here, "received", 5, **how))
        return lies(clinic, here)

    assert came(fridge.id) == fridge.id
    assert came(other.id if told else None) is None
    assert read(clinic, fridge, 12.0) == {here.lot_id}


def test_what_another_site_sends_lies_nobody_knows_where_until_somebody_says(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    with clinic.doors.transaction() as db:
        site = make_site(db)
        sender = make_staff(db, site_id=site.id)
        there = Shelf(site.id, here.lot_id)
        stock.move(db, there, "received", 9, staff=sender, now=NOW)
        stock.transfer(db, there, 5, to=clinic.site.id, staff=sender, now=NOW)
    assert lies(clinic, here) is None


def test_a_lot_that_was_thawed_is_said_to_lie_in_the_fridge(clinic, fridge):
    freezer = make_fridge(clinic, "Deep", "freezer")
    here = shelf(clinic, "GOOD", freezer)
    with clinic.doors.transaction() as db:
        away = Fridge(site_id=make_site(db).id, name="A", kind="fridge", recorded_at=NOW)
        db.add(away)

    def lay(where: UUID | None) -> None:
        how = {"fridge_id": where, "staff": clinic.nurse, "now": NOW}
        clinic.doors.run(lambda db: stock.lay(db, here, **how))

    assert read(clinic, fridge, 12.0) == set()
    with pytest.raises(NotFound):
        lay(away.id)
    for where in (None, fridge.id):
        lay(where)
        assert lies(clinic, here) == where
    assert read(clinic, fridge, 12.0) == {here.lot_id}


def test_a_freezer_is_judged_by_what_each_product_bears_frozen(clinic):
    freezer = make_fridge(clinic, "F", "freezer")
    deep = shelf(clinic, "DEEP", freezer)
    cold = shelf(clinic, "COLD", freezer, product=JCOVDEN)
    assert read(clinic, freezer, -70.0) == {cold.lot_id}
    assert read(clinic, freezer, -20.0) == {deep.lot_id}


def test_another_sites_shelf_of_the_same_lot_is_untouched(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    with clinic.doors.transaction() as db:
        there = Shelf(make_site(db).id, here.lot_id)
        keeper = make_staff(db, site_id=there.site_id)
    clinic.doors.run(lambda db: stock.move(db, there, "received", 1, staff=keeper, now=NOW))
    read(clinic, fridge, 12.0)
    assert not waits(clinic, there)
    with pytest.raises(NotFound):
        read(clinic, fridge, 12.0, staff=keeper)


def test_what_is_set_aside_is_not_offered_and_not_sent_on(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    clinic.slot(TODAY)
    read(clinic, fridge, 12.0)

    def offered() -> list[str]:
        with clinic.doors.reading() as db:
            found = days.supply(
                db, programme_id=clinic.programme.id, site_id=clinic.site.id, day=TODAY
            )
        return [lot for _product, lots in found for lot in lots]

    assert offered() == []
    with clinic.doors.transaction() as db:
        to = make_site(db).id
    with pytest.raises(BadInput):
        clinic.doors.run(lambda db: stock.transfer(db, here, 1, to=to, staff=clinic.nurse, now=NOW))
    settle(clinic, here, usable=True)
    assert offered() == ["GOOD"]
    clinic.doors.run(lambda db: stock.transfer(db, here, 1, to=to, staff=clinic.nurse, now=NOW))


def test_a_dose_of_it_that_was_given_all_the_same_is_recorded_and_alarms(clinic, fridge):
    shelf(clinic, "GOOD", fridge)
    read(clinic, fridge, 12.0)
    dose = clinic.vaccinated(day(0), details())
    assert clinic.counts(dose)[0] == "valid"
    assert raised(clinic) == ["cold_chain", "dose_set_aside"]
    with clinic.doors.reading() as db:
        about = db.scalars(select(Alarm.subject_id).filter_by(kind="dose_set_aside")).one()
        assert db.get_one(Dose, about).id == dose.id


def test_what_is_no_good_any_more_is_wasted_with_its_reason(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    read(clinic, fridge, 12.0)
    settle(clinic, here, usable=False)
    with clinic.doors.reading() as db:
        left = db.get_one(Stock, (here.site_id, here.lot_id))
        assert (left.remaining, left.wasted) == (0, 10)
        assert differences(db) == []
        assert "stock_settled" in set(db.scalars(select(AuditEvent.act)))
    with pytest.raises(WrongState):
        settle(clinic, here, usable=True)


def test_what_cannot_have_been_read_is_refused(clinic, fridge):
    for wrong, field in (
        ({"celsius": 61.0}, "celsius"),
        ({"celsius": float("nan")}, "celsius"),
        ({"celsius": 5.0, "taken_at": NOW + timedelta(hours=1)}, "taken_at"),
    ):
        with pytest.raises(BadInput) as refused:
            read(clinic, fridge, **wrong)
        assert set(refused.value.fields) == {field}


@pytest.mark.parametrize(
    ("name", "wrong"), [(" ", "missing"), ("x" * 101, "too_long"), (" A ", "taken")]
)
@pytest.mark.usefixtures("fridge")
def test_a_fridge_needs_a_name_of_its_own_that_a_page_can_show(clinic, name, wrong):
    how = {"kind": "fridge", "staff": clinic.nurse, "now": NOW}
    with pytest.raises(BadInput) as refused:
        clinic.doors.run(lambda db: cold_chain.add(db, name=name, **how))
    assert refused.value.fields == {"name": wrong}
    clinic.doors.run(lambda db: cold_chain.add(db, name=f" {'x' * 100} ", **how))


def test_a_page_shows_each_fridge_with_its_newest_reading_and_each_shelf_once(clinic, fridge):
    make_fridge(clinic, "B", "freezer")
    here = shelf(clinic, "GOOD", fridge)
    for minutes, celsius in ((5, 4.0), (0, 6.0), (9, 5.0)):
        read(clinic, fridge, celsius, taken_at=NOW - timedelta(minutes=minutes))
    with clinic.doors.reading() as db:
        found = cold_chain.fridges(db, site_id=clinic.site.id)
        assert [(each.name, last and last.celsius) for each, last in found] == [
            ("A", 6.0), ("B", None)
        ]  # fmt: skip
        shown = cold_chain.shelves(db, site_id=clinic.site.id)
        assert [(row[0].lot_id, row[2].code) for row in shown] == [(here.lot_id, COMIRNATY)]
        assert len(db.scalars(select(ColdReading)).all()) == 3


def retire(clinic: Clinic, fridge: Fridge, into: Fridge | None = None, **how: object) -> None:
    wanted = {"into": into and into.id, "staff": clinic.nurse, "now": NOW} | how
    clinic.doors.run(lambda db: cold_chain.retire(db, fridge_id=fridge.id, **wanted))


def lies_in(clinic: Clinic, here: Shelf) -> UUID | None:
    with clinic.doors.reading() as db:
        return db.get_one(Stock, (here.site_id, here.lot_id)).fridge_id


def test_a_fridge_goes_once_nothing_lies_in_it_and_is_neither_shown_nor_used_again(clinic, fridge):
    here = shelf(clinic, "GOOD", fridge)
    with pytest.raises(BadInput) as refused:
        retire(clinic, fridge)
    assert refused.value.fields == {"into": "holds_stock"}
    assert lies_in(clinic, here) == fridge.id
    gone = {"staff": clinic.nurse, "now": NOW}
    clinic.doors.run(lambda db: stock.move(db, here, "wasted", 10, reason="broken", **gone))
    retire(clinic, fridge)
    assert lies_in(clinic, here) is None  # what comes next lies where it is told to
    with clinic.doors.reading() as db:
        assert cold_chain.fridges(db, site_id=clinic.site.id) == []
        assert list(db.scalars(select(AuditEvent.act)))[-1] == "fridge_gone"
    for again in (
        lambda: retire(clinic, fridge),
        lambda: read(clinic, fridge, 5.0),
        lambda: shelf(clinic, "NEXT", fridge),
    ):
        with pytest.raises(WrongState):
            again()
    clinic.doors.run(lambda db: cold_chain.add(db, name="A", kind="fridge", **gone))


def test_what_lies_in_a_fridge_that_goes_moves_into_another_of_the_site(clinic, fridge):
    other = make_fridge(clinic, "B")
    here, there = shelf(clinic, "HERE", fridge), shelf(clinic, "THERE", other)
    with pytest.raises(BadInput):
        retire(clinic, fridge, fridge)
    retire(clinic, fridge, other)
    assert lies_in(clinic, here) == lies_in(clinic, there) == other.id
    with pytest.raises(WrongState):
        retire(clinic, other, fridge)


def test_nobody_takes_away_or_fills_another_sites_fridge(clinic, fridge):
    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    ours = make_fridge(clinic, "B")
    with clinic.doors.transaction() as db:
        theirs = Fridge(site_id=stranger.site_id, name="C", kind="fridge", recorded_at=NOW)
        db.add(theirs)
    for wrong in (
        lambda: retire(clinic, fridge, staff=stranger),
        lambda: retire(clinic, ours, theirs),
        lambda: shelf(clinic, "GOOD", theirs),
    ):
        with pytest.raises(NotFound):
            wrong()


def test_a_delivery_into_a_fridge_and_its_end_do_not_both_happen(clinic):
    held = [make_fridge(clinic, str(turn)) for turn in range(4)]
    here = shelf(clinic, "GOOD")

    def work(turn: int) -> None:
        fridge = held[turn // 2]
        if turn % 2:
            return retire(clinic, fridge)
        told = {"staff": clinic.nurse, "now": NOW, "fridge_id": fridge.id}
        return clinic.doors.run(lambda db: stock.move(db, here, "received", 1, **told))

    results = at_once(8, work)
    raised = {type(each) for each in results if isinstance(each, Exception)}
    assert raised <= {WrongState, BadInput}
    with clinic.doors.reading() as db:
        left = db.get_one(Stock, (here.site_id, here.lot_id))
        shown = {each.id for each, _last in cold_chain.fridges(db, site_id=clinic.site.id)}
    assert left.fridge_id is None or left.fridge_id in shown
    assert left.received == 10 + results[::2].count(None)
