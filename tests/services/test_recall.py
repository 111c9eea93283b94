"""A recall reaches everybody who had a dose: whenever it was given, whatever it was worth."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from healthcert import migrations
from healthcert.errors import WrongState
from healthcert.models import Alarm, Lot, LotValidity, Message
from healthcert.services import judging_again, lots, vaccination
from healthcert.services.elsewhere import Elsewhere, Evidence
from healthcert.services.reconciling import differences
from tests.factories import NOW, day, make_admin, make_knowledge, make_programme
from tests.services.clinic import COMIRNATY, Clinic, details, elsewhere_of
from tests.services.test_lots import judge_again, order, reached, told
from tests.threads import one_behind_the_other


def enter(clinic: Clinic, number: str = "NEW") -> Lot:
    """Enter a lot today, as a delivery does."""
    with clinic.doors.transaction() as db:
        return lots.enter(
            db, product_id=clinic.products[COMIRNATY].id, number=number, expires_on=day(90),
            since=day(0), staff=clinic.nurse, now=NOW,
        )  # fmt: skip


def judged_by_hand(clinic: Clinic, dose, found: str, reason: str) -> None:
    told = clinic.deed() | {"dose_id": dose.id, "found": found, "reason": reason}
    clinic.doors.run(lambda db: vaccination.judge_by_hand(db, **told))


def person(clinic: Clinic, on: int = 1):
    return clinic.book(clinic.slot(day(on)), details()).person_id


def test_a_recall_reaches_what_was_given_before_its_lot_came_into_our_books(clinic):
    early = clinic.vaccinated(day(-8), details(), lot="NEW")
    abroad = clinic.elsewhere(person(clinic), str(day(-40)), lot="NEW")
    lot = enter(clinic)
    order(clinic, lot.id, "recalled", None)
    assert judge_again(clinic, lot.id) == sorted([early.person_id, abroad.person_id])[1:]
    assert {clinic.counts(dose)[0] for dose in (early, abroad)} == {"recalled_lot"}
    assert sorted(told(clinic, "lot_recalled")) == sorted([early.person_id, abroad.person_id])


def test_who_is_reached_is_told_whatever_the_dose_was_worth_and_an_error_reaches_nobody(clinic):
    lot = clinic.lot()
    with clinic.doors.transaction() as db:
        file = make_knowledge(db, kind="programme", content={"products": []})
        other = make_programme(db, knowledge_id=file.id)
    weak, wrong, error = (clinic.vaccinated(day(-n), details()) for n in (9, 8, 7))
    judged_by_hand(clinic, weak, "subpotent", "frozen")
    not_given = clinic.doors.run(
        lambda db: vaccination.record_unbooked(
            db, vault=clinic.vault, person_id=wrong.person_id, programme_id=other.id,
            product_id=clinic.products[COMIRNATY].id, told=vaccination.Told("GOOD", "LA", NOW),
            staff=clinic.nurse, country=clinic.country, now=NOW,
        )
    )  # fmt: skip
    clinic.mark_in_error(error)
    assert clinic.counts(not_given)[0] == "wrong_product"
    assert reached(clinic, lot.id) == [(clinic.site.id, 2)]
    order(clinic, lot.id, "recalled", None)
    judge_again(clinic, lot.id)
    assert sorted(told(clinic, "lot_recalled")) == sorted([weak.person_id, wrong.person_id])
    counts = [clinic.counts(dose)[0] for dose in (weak, not_given, error)]
    assert counts == ["recalled_lot", "recalled_lot", "entered_in_error"]
    with pytest.raises(WrongState):  # that it lost its strength changes nothing
        judged_by_hand(clinic, weak, "subpotent", "frozen")
    judged_by_hand(clinic, weak, "entered_in_error", "not_given")
    assert clinic.counts(weak)[0] == "entered_in_error"
    with clinic.doors.reading() as db:
        assert differences(db) == []


def test_who_left_no_way_to_be_told_is_counted_beside_the_others(clinic):
    lot = clinic.lot()
    for n, ways in enumerate(({}, {"phone": ""}, {"mail": ""}, {"phone": "", "mail": ""})):
        clinic.vaccinated(day(-9 + n), details(**ways))
    with clinic.doors.reading() as db:
        [row] = lots.reached(db, lot_id=lot.id)
    assert (row.people, row.untold) == (4, 1)
    order(clinic, lot.id, "recalled", None)
    judge_again(clinic, lot.id)
    with clinic.doors.reading() as db:
        ways = db.scalars(select(Message.channel).filter_by(template="lot_recalled"))
        assert sorted(ways) == ["call", "mail", "sms", "sms"]


def test_what_a_person_found_stands_while_a_lot_only_waits(clinic):
    lot = clinic.lot()
    weak = clinic.vaccinated(day(-9), details())
    judged_by_hand(clinic, weak, "subpotent", "frozen")
    order(clinic, lot.id, "quarantined", None)
    with clinic.doors.reading() as db:
        assert judging_again.left(db, lot_id=lot.id) == 0
    assert judge_again(clinic, lot.id) == []
    assert clinic.counts(weak)[0] == "subpotent"


def test_whose_dose_is_written_down_after_the_recall_is_told_and_one_given_here_alarms(clinic):
    lot = clinic.lot()
    order(clinic, lot.id, "recalled", None)
    here = clinic.vaccinated(day(0), details())
    abroad = clinic.elsewhere(person(clinic), str(day(-40)), lot="GOOD")
    who = person(clinic, 2)
    mended = clinic.elsewhere(who, str(day(-30)), lot="GOOT")
    told_of = Elsewhere(str(day(-30)), Evidence("seen", "FR"), lot="GOOD")
    clinic.doors.run(
        lambda db: vaccination.correct(
            db, dose_id=mended.id, product_id=mended.product_id, told=told_of,
            reason="wrong_lot", **clinic.deed(),
        )
    )  # fmt: skip
    everybody = sorted([here.person_id, abroad.person_id, who])
    assert sorted(told(clinic, "lot_recalled")) == everybody
    assert judge_again(clinic, lot.id) == []
    with clinic.doors.reading() as db:
        alarms = db.execute(select(Alarm.kind, Alarm.subject_id)).all()
    assert alarms == [("dose_recalled", here.id)]


def test_recalls_of_before_reach_all_that_was_ever_given_after_the_update(clinic):
    early = clinic.vaccinated(day(-8), details(), lot="NEW")
    lot, later = enter(clinic), enter(clinic, "LATER")
    order(clinic, lot.id, "recalled", day(0))  # as it was written for all
    order(clinic, later.id, "recalled", day(3))
    for each in (lot, later):
        assert judge_again(clinic, each.id) == []
    with clinic.doors.engine.begin() as connection:
        migrations.move(connection, "0033")
        migrations.move(connection, "head")
    with clinic.doors.reading() as db:
        days = select(LotValidity.since).order_by(LotValidity.lot_id, LotValidity.ordinal)
        assert db.scalars(days).all() == [day(0), day(0), date.min, day(0), day(3)]
        assert judging_again.unsettled(db) == [lot.id, later.id]
    assert judge_again(clinic, lot.id) == [early.person_id]
    assert told(clinic, "lot_recalled") == [early.person_id]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("known", [True, False])
def test_no_dose_of_elsewhere_falls_between_its_recall_and_what_settles_it(clinic, known):
    who = person(clinic)
    if known:
        clinic.lot("NEW")
    wanted = {
        "country": clinic.country, "person_id": who, "programme_id": clinic.programme.id,
        "product_id": clinic.products[COMIRNATY].id, "staff": clinic.nurse, "vault": clinic.vault,
        "told": Elsewhere(str(day(-40)), Evidence("seen", "FR"), lot="NEW"), "now": NOW,
    }  # fmt: skip

    def recall(db) -> None:
        lot = lots.enter(
            db, product_id=wanted["product_id"], number="NEW", expires_on=day(90), since=day(0),
            staff=clinic.nurse, now=NOW,
        )  # fmt: skip
        lots.order(
            db, lot_id=lot.id, state="recalled", since=None, reason="producer",
            staff=make_admin(db), country=clinic.country, now=NOW,
        )  # fmt: skip

    assert one_behind_the_other(clinic.doors, lambda db: elsewhere_of(db, **wanted), recall) == []
    with clinic.doors.reading() as db:
        lot_id = db.scalars(select(Lot.id).filter_by(number="NEW")).one()
    assert judge_again(clinic, lot_id) == [who]
    assert told(clinic, "lot_recalled") == [who]
