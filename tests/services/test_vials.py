"""Open vials: a clock of their own, what is left by the doses given, the rest wasted in one act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.data import knowledge as files
from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import (
    Alarm,
    AuditEvent,
    ColdReading,
    Fridge,
    Product,
    Slot,
    Stock,
    StockMove,
    Vial,
)
from healthcert.services import cold_chain, correcting, knowledge, lots, stock, vials
from healthcert.services.deliveries import Delivery, receive, scanned
from healthcert.services.reconciling import differences
from healthcert.services.stock import Shelf
from tests.factories import (
    NOW,
    TODAY,
    day,
    make_admin,
    make_knowledge,
    make_lot,
    make_product,
    make_staff,
    make_validity,
)
from tests.services.clinic import JCOVDEN, Clinic, details
from tests.services.test_yellow_fever import FOLDER
from tests.threads import at_once

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SERIES = {"doses": 1, "min_interval_days": 0, "target_interval_days": 0, "grace_days": 0,
          "booster_total": "series"}  # fmt: skip


def shelf(clinic: Clinic, number: str = "GOOD", quantity: int = 20, **lot: object) -> Shelf:
    here = Shelf(clinic.site.id, clinic.lot(number, **lot).id)
    clinic.doors.run(
        lambda db: stock.move(db, here, "received", quantity, staff=clinic.nurse, now=NOW)
    )
    return here


def begin(clinic: Clinic, here: Shelf, now=NOW, **told: object) -> Vial:
    how = {"staff": clinic.nurse, "now": now} | told
    return clinic.doors.run(lambda db: vials.begin(db, here, **how))


def left(clinic: Clinic) -> list[int]:
    with clinic.doors.reading() as db:
        return [each.left for each in vials.opened(db, site_id=clinic.site.id)]


def discard(clinic: Clinic, vial: Vial, now=NOW + HOUR, staff=None) -> int:
    staff = staff or clinic.nurse
    return clinic.doors.run(lambda db: vials.discard(db, vial_id=vial.id, staff=staff, now=now))


def give(clinic: Clinic, minutes: int, **how: object):
    with clinic.doors.reading() as db:
        slot = db.scalar(select(Slot).limit(1))
    slot = slot or clinic.slot(TODAY, capacity=9)
    at = NOW + timedelta(minutes=minutes)
    return clinic.record(clinic.book(slot, details()), given_at=at, now=at, **how)


def test_a_vial_holds_and_lasts_as_its_file_says(clinic):
    six = begin(clinic, shelf(clinic))
    five = begin(clinic, shelf(clinic, "COLD", product=JCOVDEN))
    assert [(v.doses, v.use_until - NOW) for v in (six, five)] == [(6, 6 * HOUR), (5, 3 * HOUR)]
    with clinic.doors.reading() as db:
        found = vials.opened(db, site_id=clinic.site.id)
    assert [each.lot.number for each in found] == ["COLD", "GOOD"]  # whose time is over first
    minutes = [found[0].minutes(NOW + timedelta(minutes=n)) for n in (0, 60.5, 180, 999)]
    assert minutes == [180, 119, 0, 0]


@pytest.mark.parametrize(
    ("thawed", "lasts"), [(None, 6 * HOUR), (day(0), 6 * HOUR), (day(-40), None)]
)
def test_what_was_thawed_too_long_ago_is_past_its_time_when_it_is_opened(clinic, thawed, lasts):
    vial = begin(clinic, shelf(clinic), thawed_on=thawed)
    until = vial.use_until - NOW
    assert until == lasts if lasts else until < timedelta(0)
    assert vial.state == "open"  # the page warns; nothing refuses


def test_a_vial_may_not_be_used_after_the_last_day_of_its_lot(clinic):
    here = shelf(clinic, expires_on=TODAY)
    late = NOW.replace(hour=20)  # 22 o'clock in Beirut
    assert begin(clinic, here, now=late).use_until - late == 2 * HOUR


def test_doses_leave_the_vial_that_was_opened_first_and_come_back_with_an_entry_in_error(clinic):
    here = shelf(clinic)
    begin(clinic, here)
    begin(clinic, here, now=NOW + timedelta(minutes=5))
    begin(clinic, shelf(clinic, "OTHER"), now=NOW + timedelta(minutes=5))
    dose = give(clinic, 0, lot="GOOD")
    assert left(clinic) == [5, 6, 6]
    for minute in range(10, 16):
        give(clinic, minute)
    assert left(clinic) == [0, 5, 6]
    clinic.mark_in_error(dose)
    assert left(clinic) == [0, 6, 6]  # the later ones are the first vial's


def test_an_empty_vial_is_finished_by_the_next_and_takes_no_later_dose(clinic):
    here = shelf(clinic)
    first = begin(clinic, here)
    for _dose in range(6):
        give(clinic, 1)
    begin(clinic, here, now=NOW + timedelta(minutes=9))
    with clinic.doors.reading() as db:
        assert db.get_one(Vial, first.id).state == "finished"
    assert left(clinic) == [6]
    give(clinic, 12)
    assert left(clinic) == [5]


def test_what_is_left_is_wasted_with_its_reason_and_stock_reconciles(clinic):
    here = shelf(clinic)
    vial = begin(clinic, here)
    give(clinic, 1)
    assert discard(clinic, vial) == 5
    with clinic.doors.reading() as db:
        [waste] = db.scalars(select(StockMove).filter_by(kind="wasted"))
        assert (waste.quantity, waste.reason) == (5, "opened_vial")
        found = db.get_one(Stock, (here.site_id, here.lot_id))
        assert (found.remaining, found.given, found.wasted) == (14, 1, 5)
        assert db.get_one(Vial, vial.id).state == "discarded"
        assert differences(db) == []
        assert {"vial_opened", "vial_discarded"} <= set(db.scalars(select(AuditEvent.act)))
    assert left(clinic) == []
    with pytest.raises(WrongState):
        discard(clinic, vial)


def waste(clinic: Clinic, here: Shelf, quantity: int, minutes: int, reason="opened_vial", **more):
    told = {"staff": clinic.nurse, "now": NOW + minutes * MINUTE, "reason": reason} | more
    clinic.doors.run(lambda db: stock.move(db, here, "wasted", quantity, **told))
    with clinic.doors.reading() as db:
        query = select(StockMove).filter_by(kind="wasted").order_by(StockMove.id.desc())
        return db.scalars(query.limit(1)).one()


def set_right(clinic: Clinic, wrong: StockMove, quantity: int, minutes: int):
    with clinic.doors.transaction() as db:
        head, now = make_staff(db, site_id=clinic.site.id, role="lead"), NOW + minutes * MINUTE
        told = {"quantity": quantity, "why": "wrong_number", "staff": head, "now": now}
        correcting.correct(db, move_id=wrong.id, **told)
        return db.scalars(select(StockMove).filter_by(replaces=wrong.id)).one_or_none()


def test_what_was_wasted_by_hand_out_of_an_open_vial_is_not_wasted_again_with_its_rest(clinic):
    here = shelf(clinic)
    waste(clinic, here, 3, -9)  # of a vial that nobody wrote down
    vial = begin(clinic, here)
    clinic.mark_in_error(give(clinic, 1))
    waste(clinic, here, 1, 5, "drawn_up")
    waste(clinic, here, 2, 6)
    waste(clinic, here, 4, 7, "broken")  # vials that were closed
    assert left(clinic) == [3]
    assert discard(clinic, vial) == 3
    with clinic.doors.reading() as db:
        assert db.get_one(Stock, (here.site_id, here.lot_id)).wasted == 3 + 6 + 4
        assert differences(db) == []
    empty = begin(clinic, here, NOW + 2 * HOUR)
    waste(clinic, here, 6, 130, besides=True)
    assert discard(clinic, empty, NOW + 3 * HOUR) == 0


def test_what_was_wasted_with_the_rest_of_a_vial_is_not_wasted_again_by_hand(clinic):
    here, other = shelf(clinic), shelf(clinic, "OTHER")
    vial = begin(clinic, here)
    waste(clinic, here, 1, 5)
    assert discard(clinic, vial) == 5
    with pytest.raises(BadInput) as refused:
        waste(clinic, here, 5, 61)
    assert refused.value.fields == {"besides": "wasted_already"}
    waste(clinic, here, 2, 62, besides=True)  # of a vial that nobody wrote down
    waste(clinic, here, 1, 63, "broken")
    waste(clinic, other, 1, 64)
    waste(clinic, here, 1, 60 + 24 * 60)  # a day later
    with clinic.doors.reading() as db:
        assert db.get_one(Stock, (here.site_id, here.lot_id)).wasted == 6 + 4
        assert differences(db) == []


def test_waste_that_is_set_right_is_of_the_vial_that_was_open_then(clinic):
    here = shelf(clinic)
    begin(clinic, here)
    wrong = waste(clinic, here, 5, 5)
    begin(clinic, here, NOW + 10 * MINUTE)
    assert left(clinic) == [1, 6]
    right = set_right(clinic, set_right(clinic, wrong, 6, 20), 2, 30)
    assert left(clinic) == [4, 6]
    assert set_right(clinic, right, 0, 40) is None
    assert left(clinic) == [6, 6]


def test_the_rest_of_one_vial_is_taken_out_of_no_other(clinic):
    here = shelf(clinic)
    begin(clinic, here)
    vial = begin(clinic, here, NOW + MINUTE)
    assert discard(clinic, vial, NOW + 2 * MINUTE) == 6
    assert left(clinic) == [6]
    with clinic.doors.reading() as db:
        rest = db.scalars(select(StockMove).filter_by(kind="wasted")).one()
    set_right(clinic, rest, 4, 30)
    assert left(clinic) == [6]


def test_no_more_is_wasted_than_the_books_have(clinic):
    vial = begin(clinic, shelf(clinic, quantity=4))
    assert discard(clinic, vial) == 4
    empty = begin(clinic, shelf(clinic, "B", quantity=6))
    for _dose in range(6):
        give(clinic, 1, lot="B")
    assert discard(clinic, empty) == 0
    with clinic.doors.reading() as db:
        assert db.get_one(Vial, empty.id).state == "finished"


def test_two_who_discard_one_vial_at_once_waste_it_once(clinic):
    here = shelf(clinic)
    begin(clinic, here)  # so that the other is looked at after it ended too
    vial = begin(clinic, here)

    def once(_number: int) -> str:
        try:
            return str(discard(clinic, vial))
        except WrongState:
            return "over"

    assert sorted(at_once(2, once)) == ["6", "over"]
    with clinic.doors.reading() as db:
        assert db.get_one(Stock, (here.site_id, here.lot_id)).wasted == 6


def warm(clinic: Clinic) -> None:
    """Set aside all that lies at the site: a fridge was too warm."""

    def read(db) -> None:
        cold_chain.add(db, name="Fridge", kind="fridge", staff=clinic.nurse, now=NOW)
        fridge = db.scalars(select(Fridge)).one()
        cold_chain.read(
            db, fridge_id=fridge.id, celsius=20, taken_at=NOW, staff=clinic.nurse, now=NOW
        )

    clinic.doors.run(read)


def barred(clinic: Clinic) -> dict[str, bool]:
    with clinic.doors.reading() as db:
        return {one.lot.number: one.barred for one in vials.opened(db, site_id=clinic.site.id)}


def test_of_a_lot_that_is_recalled_or_set_aside_no_open_vial_may_be_used(clinic):
    here, fine = shelf(clinic), shelf(clinic, "FINE")
    begin(clinic, here)
    begin(clinic, fine)
    assert barred(clinic) == {"GOOD": False, "FINE": False}
    with clinic.doors.transaction() as db:
        lots.order(
            db, lot_id=here.lot_id, state="recalled", since=None, reason="producer",
            staff=make_admin(db), country=clinic.country, now=NOW,
        )  # fmt: skip
    assert barred(clinic) == {"GOOD": True, "FINE": False}
    warm(clinic)
    assert barred(clinic) == {"GOOD": True, "FINE": True}


@pytest.mark.parametrize("usable", [True, False])
def test_what_is_open_of_a_shelf_that_is_wasted_is_thrown_away_with_it(clinic, usable):
    here = shelf(clinic)
    vial = begin(clinic, here)
    warm(clinic)
    clinic.doors.run(
        lambda db: cold_chain.settle(db, here, usable=usable, staff=clinic.nurse, now=NOW)
    )
    assert barred(clinic) == ({"GOOD": False} if usable else {})
    with clinic.doors.reading() as db:
        assert db.get_one(Vial, vial.id).state == ("open" if usable else "discarded")
        assert differences(db) == []


def test_what_cannot_be_opened_or_discarded_is_refused(clinic):
    here = shelf(clinic)
    with pytest.raises(BadInput) as refused:
        begin(clinic, here, thawed_on=day(1))
    assert refused.value.fields == {"thawed_on": "in_the_future"}
    with clinic.doors.transaction() as db:
        stranger = make_staff(db)
    with pytest.raises(NotFound):
        begin(clinic, here, staff=stranger)
    vial = begin(clinic, here)
    with pytest.raises(NotFound):
        discard(clinic, vial, staff=stranger)
    with clinic.doors.transaction() as db:
        told = {"code": "X", "series": SERIES, "targets": ["840539006"]}
        alone = make_product(db, knowledge_id=make_knowledge(db, content=told).id)
        single = make_lot(db, product=alone)
        make_validity(db, lot=single)
    with pytest.raises(BadInput) as refused:
        begin(clinic, Shelf(clinic.site.id, single.id))
    assert refused.value.fields == {"lot": "no_vial"}


@pytest.fixture
def monitored(clinic: Clinic) -> Shelf:
    """Ten doses of a vaccine whose vials have a monitor."""
    with clinic.doors.transaction() as db:
        knowledge.load(db, now=NOW, more=files.sources_in(FOLDER, "vaccine"))
        product = db.scalars(select(Product).filter_by(code="J07BL01")).one()
    clinic.products[product.code] = product
    return shelf(clinic, "FEVER", 10, product=product.code)


@pytest.mark.parametrize(("stage", "waits"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_monitor_that_turned_sets_its_lot_aside_and_raises_an_alarm(
    clinic, monitored, stage, waits
):
    other = shelf(clinic)
    look(clinic, monitored, stage)
    with clinic.doors.reading() as db:
        found = db.get_one(Stock, (monitored.site_id, monitored.lot_id))
        assert (found.set_aside is not None) == waits
        assert db.get_one(Stock, (other.site_id, other.lot_id)).set_aside is None
        assert list(db.scalars(select(Alarm.kind))) == ["cold_chain"] * waits
        [reading] = db.scalars(select(ColdReading))
        assert (reading.vvm_stage, reading.celsius, reading.fridge_id) == (stage, None, None)
    if waits:
        look(clinic, monitored, 4)  # it waits already
        clinic.doors.run(
            lambda db: cold_chain.settle(db, monitored, usable=False, staff=clinic.nurse, now=NOW)
        )


def look(clinic: Clinic, here: Shelf, stage: int) -> None:
    clinic.doors.run(lambda db: cold_chain.look(db, here, stage, staff=clinic.nurse, now=NOW))


def test_a_stage_that_is_none_and_vials_without_a_monitor_are_refused(clinic, monitored):
    for here, stage in ((monitored, 0), (monitored, 5), (shelf(clinic), 1)):
        with pytest.raises(BadInput) as refused:
            look(clinic, here, stage)
        assert refused.value.fields == {"vvm_stage": "not_a_choice"}


@pytest.mark.usefixtures("monitored")
def test_what_came_with_a_turned_monitor_is_set_aside_as_it_comes(clinic):
    product = clinic.products["J07BL01"].id
    told = Delivery(10, product_id=product, number="NEW", expires_on=day(90), vvm_stage=3)
    lot = clinic.doors.run(
        lambda db: receive(
            db, told, site_id=clinic.site.id, today=TODAY, staff=clinic.nurse, now=NOW
        )
    )
    with clinic.doors.reading() as db:
        assert db.get_one(Stock, (clinic.site.id, lot.id)).set_aside is not None


@pytest.mark.parametrize(
    ("scan", "code"),
    [
        ("(01)00359267100023(10)GOOD", None),
        ("(01)00359267100023(10)WAITS", "not_usable"),
        ("(01)00359267100023(10)ASIDE", "not_usable"),
        ("(01)00359267100023(10)OVER", "not_usable"),
        ("(01)00359267100023(10)ELSEWHERE", "not_usable"),
        ("(01)00359676580157(10)GOOD", "not_usable"),
        ("(10)GOOD", "unknown_carton"),
        ("GOOD", "not_a_carton"),
        ("", "not_a_carton"),
    ],
)
def test_a_carton_tells_the_lot_of_today_where_it_may_be_given(clinic, scan, code):
    good, aside = clinic.lot(), shelf(clinic, "ASIDE")
    warm(clinic)
    clinic.lot("OVER", expires_on=day(-1))
    assert aside.lot_id != good.id
    clinic.lot("WAITS", state="quarantined")
    with clinic.doors.reading() as db:
        if code is None:
            assert scanned(db, scan, site_id=clinic.site.id, today=TODAY).id == good.id
        else:
            with pytest.raises(BadInput) as refused:
                scanned(db, scan, site_id=clinic.site.id, today=TODAY)
            assert refused.value.fields == {"scan": code}
