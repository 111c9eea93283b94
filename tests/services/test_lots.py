"""Lots: what an order means for what is given from then on, and for those who had a dose."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import func, select

from healthcert import migrations
from healthcert.errors import BadInput, NotAllowed, NotFound, WrongState
from healthcert.models import DoseJudgement, Lot, LotValidity, Message, Staff, new_id
from healthcert.services import facts, judging_again, lots
from healthcert.services.reconciling import differences
from tests.factories import NOW, day, make_admin
from tests.services.clinic import COMIRNATY, JCOVDEN, Clinic, details
from tests.statements import sent
from tests.threads import at_once


def order(clinic: Clinic, lot_id: UUID, state: str, since: date | None, **how: object) -> None:
    with clinic.doors.transaction() as db:
        wanted = {"staff": make_admin(db), "reason": "batch_letter", "now": NOW} | how
        wanted.setdefault("country", clinic.country)
        lots.order(db, lot_id=lot_id, state=state, since=since, **wanted)


def judge_again(clinic: Clinic, lot_id: UUID, *, limit: int = 100) -> list[UUID]:
    """Judge until nobody is left; return the last person of each part."""
    parts: list[UUID] = []
    while True:
        with clinic.doors.transaction() as db:
            last = judging_again.judge_again(
                db, vault=clinic.vault, lot_id=lot_id, country=clinic.country, limit=limit,
                after=parts[-1] if parts else None, now=NOW,
            )  # fmt: skip
        if last is None:
            return parts
        parts.append(last)


def entered(clinic: Clinic, staff: Staff | None = None) -> Lot:
    with clinic.doors.transaction() as db:
        return lots.enter(
            db, product_id=clinic.products[COMIRNATY].id, number="NEW", expires_on=day(90),
            since=day(-9), staff=staff or clinic.nurse, now=NOW,
        )  # fmt: skip


def offered(clinic: Clinic) -> list[str]:
    with clinic.doors.reading() as db:
        return facts.lots_on(
            db, product_id=clinic.products[COMIRNATY].id, site_id=clinic.site.id, day=day(0)
        )


def told(clinic: Clinic, template: str) -> list[UUID]:
    with clinic.doors.reading() as db:
        return list(db.scalars(select(Message.person_id).filter_by(template=template)))


def validities(clinic: Clinic) -> int:
    with clinic.doors.reading() as db:
        return db.scalars(select(func.count()).select_from(LotValidity)).one()


def test_a_lot_comes_into_quarantine_and_counts_once_another_releases_it(clinic):
    lot = entered(clinic)
    assert (lot.state, offered(clinic)) == ("quarantined", [])
    dose = clinic.vaccinated(day(0), details(), lot="NEW")
    assert clinic.counts(dose)[0] == "unknown"
    with pytest.raises(NotAllowed):
        order(clinic, lot.id, "released", day(-2), staff=clinic.nurse)
    order(clinic, lot.id, "released", day(-2))
    assert offered(clinic) == ["NEW"]
    assert judge_again(clinic, lot.id) == [dose.person_id]
    assert clinic.counts(dose) == ("valid", 1)
    assert [each.state for each in clinic.certificates(dose)] == ["intended"]


def test_entering_a_lot_twice_is_entering_it_once(clinic):
    assert entered(clinic).id == entered(clinic).id
    assert validities(clinic) == 1


def test_a_lot_that_came_in_after_its_last_day_is_entered_too(clinic):
    with clinic.doors.transaction() as db:
        lot = lots.enter(
            db, product_id=clinic.products[COMIRNATY].id, number="OLD", expires_on=day(-50),
            since=day(-9), staff=clinic.nurse, now=NOW,
        )  # fmt: skip
    order(clinic, lot.id, "released", day(-9))
    dose = clinic.vaccinated(day(0), details(), lot="OLD")
    assert clinic.counts(dose)[0] == "expired_lot"


def test_a_recall_finds_those_who_had_a_dose_and_tells_them_once(clinic, signers):
    lot, other = clinic.lot(), clinic.lot("OTHER")
    doses = [clinic.vaccinated(day(-30 + n), details()) for n in range(3)]
    safe = clinic.vaccinated(day(-9), details(), lot="OTHER")
    clinic.issue(signers)
    order(clinic, lot.id, "recalled", None)
    assert len(judge_again(clinic, lot.id, limit=2)) == 2
    assert {clinic.counts(dose)[0] for dose in doses} == {"recalled_lot"}
    assert {c.state for dose in doses for c in clinic.certificates(dose)} == {"revoked"}
    assert clinic.counts(safe)[0] == "valid"
    assert sorted(told(clinic, "lot_recalled")) == sorted(dose.person_id for dose in doses)
    before = validities(clinic)
    order(clinic, lot.id, "recalled", None)
    assert (judge_again(clinic, lot.id), validities(clinic)) == ([], before)
    assert len(told(clinic, "lot_recalled")) == len(doses)
    assert judge_again(clinic, other.id) == []
    with pytest.raises(WrongState):
        order(clinic, lot.id, "released", day(0))


def reached(clinic: Clinic, lot_id: UUID) -> list[tuple[UUID | None, int]]:
    """Return by site, None elsewhere, how many people a recall reaches."""
    with clinic.doors.reading() as db:
        return [
            (each.Site and each.Site.id, each.people) for each in lots.reached(db, lot_id=lot_id)
        ]


def test_a_recall_finds_those_whose_dose_was_written_down_before_its_lot_was_known(clinic):
    early = clinic.vaccinated(day(-8), details(), lot=" n e w")
    lot = entered(clinic)
    late = clinic.vaccinated(day(-7), details(), lot="NEW")
    wrong = clinic.vaccinated(day(-6), details(), lot="NEWER")
    assert [dose.lot_id for dose in (early, late, wrong)] == [None, lot.id, None]
    assert reached(clinic, lot.id) == [(clinic.site.id, 2)]
    order(clinic, lot.id, "recalled", None)
    assert len(judge_again(clinic, lot.id, limit=1)) == 2
    counts = [clinic.counts(dose)[0] for dose in (early, late, wrong)]
    assert counts == ["recalled_lot", "recalled_lot", "unknown"]
    assert sorted(told(clinic, "lot_recalled")) == sorted([early.person_id, late.person_id])
    assert judge_again(clinic, lot.id) == []
    with clinic.doors.reading() as db:
        assert differences(db) == []


def test_a_recall_finds_doses_of_elsewhere_written_down_before_its_lot_was_known_or_after(
    clinic, signers
):
    slot = clinic.slot(capacity=3)
    people = [clinic.book(slot).person_id for _ in range(3)]
    doses = [clinic.elsewhere(people[0], str(day(-8)), lot="new")]
    lot = entered(clinic)
    doses.append(clinic.elsewhere(people[1], str(day(-7)), lot="NEW"))
    safe = clinic.elsewhere(people[2], str(day(-7)))
    clinic.issue(signers)
    assert [clinic.counts(dose)[0] for dose in (*doses, safe)] == ["valid"] * 3
    order(clinic, lot.id, "quarantined", None)
    assert judge_again(clinic, lot.id) == []  # whether we may give it says nothing of elsewhere
    order(clinic, lot.id, "recalled", None)
    assert reached(clinic, lot.id) == [(None, 2)]
    assert judge_again(clinic, lot.id) == sorted(people[:2])[1:]
    assert [clinic.counts(dose)[0] for dose in (*doses, safe)] == ["recalled_lot"] * 2 + ["valid"]
    ended = [each.state for dose in doses for each in clinic.certificates(dose)]
    assert ended == ["revoked", "revoked"]
    assert sorted(told(clinic, "lot_recalled")) == sorted(people[:2])


def test_a_recall_leaves_the_same_number_of_another_product_and_doses_in_error(clinic):
    other = clinic.vaccinated(day(-8), details(), lot="NEW", product=JCOVDEN)
    wrong = clinic.vaccinated(day(-6), details(), lot="NEW")
    clinic.mark_in_error(wrong)
    before = clinic.vaccinated(day(-8), details(), lot="NEW")
    lot = entered(clinic)
    order(clinic, lot.id, "recalled", day(-7))
    assert judge_again(clinic, lot.id) == []
    order(clinic, lot.id, "recalled", day(-8))
    assert judge_again(clinic, lot.id) == [before.person_id]
    assert clinic.counts(other)[0] == "unknown"
    assert clinic.counts(wrong)[0] == "entered_in_error"


def test_a_release_makes_no_dose_count_that_was_written_down_before_its_lot_was_known(clinic):
    dose = clinic.vaccinated(day(-8), details(), lot="NEW")
    lot = entered(clinic)
    order(clinic, lot.id, "released", day(-9))
    with clinic.doors.reading() as db:
        assert judging_again.left(db, lot_id=lot.id) == 0
    assert judge_again(clinic, lot.id) == []
    assert clinic.counts(dose) == ("unknown", None)  # until somebody corrects the entry


def test_recalls_of_before_are_looked_through_once_more_after_the_update(clinic):
    dose = clinic.vaccinated(day(-8), details(), lot="NEW")
    lot = entered(clinic)
    order(clinic, lot.id, "recalled", None)
    with clinic.doors.transaction() as db:
        db.get_one(Lot, lot.id).judged_up_to = 2  # as it was, with nobody found
    with clinic.doors.engine.begin() as connection:
        migrations.move(connection, "0032")
        migrations.move(connection, "head")
    with clinic.doors.reading() as db:
        assert judging_again.unsettled(db) == [lot.id]
    assert judge_again(clinic, lot.id) == [dose.person_id]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_recall_reads_no_doses_from_end_to_end(clinic):
    with clinic.doors.reading() as db:
        with sent(db.get_bind()) as asked:
            lots.reached(db, lot_id=new_id())
            judging_again.left(db, lot_id=new_id())
        queries = [sql for sql in asked if "FROM dose" in sql]
        assert len(queries) == 2
        for sql in queries:
            plan = db.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {sql}", ("",) * sql.count("?")
            )
            read = [step for *_ids, step in plan if " dose " in f"{step} "]
            assert {step.partition("(")[0] for step in read} == {
                "SEARCH dose USING INDEX ix_dose_lot_id_person_id ",
                "SEARCH dose USING INDEX ix_dose_without_lot ",
            }


def test_a_recall_from_a_day_on_leaves_what_was_given_before(clinic):
    lot = clinic.lot()
    before, after = (clinic.vaccinated(day(n), details()) for n in (-30, -10))
    order(clinic, lot.id, "recalled", day(-20))
    judge_again(clinic, lot.id)
    assert (clinic.counts(before)[0], clinic.counts(after)[0]) == ("valid", "recalled_lot")
    order(clinic, lot.id, "recalled", day(-40))
    judge_again(clinic, lot.id)
    assert clinic.counts(before)[0] == "recalled_lot"


def test_a_recall_frees_the_number_of_the_dose_for_the_next_one(clinic):
    lot, who = clinic.lot(), details()
    clinic.lot("OTHER")
    first = clinic.vaccinated(day(-60), who)
    second = clinic.vaccinated(day(-30), who, lot="OTHER", dose_number=2)
    order(clinic, lot.id, "recalled", None)
    judge_again(clinic, lot.id)
    assert [clinic.counts(dose) for dose in (first, second)] == [
        ("recalled_lot", None),
        ("valid", 1),
    ]


def test_a_dose_in_error_stays_one_and_nobody_is_told(clinic):
    lot = clinic.lot()
    dose = clinic.vaccinated(day(-30), details())
    clinic.mark_in_error(dose)
    order(clinic, lot.id, "recalled", None)
    assert judge_again(clinic, lot.id) == []
    assert clinic.counts(dose)[0] == "entered_in_error"


def test_a_warm_fridge_sets_doses_aside_until_they_are_judged_good(clinic):
    lot = clinic.lot()
    before, after = (clinic.vaccinated(day(n), details()) for n in (-30, -10))
    order(clinic, lot.id, "quarantined", day(-20), reason="warm_fridge")
    assert offered(clinic) == []
    judge_again(clinic, lot.id)
    assert (clinic.counts(before)[0], clinic.counts(after)[0]) == ("valid", "unknown")
    order(clinic, lot.id, "released", day(-20), reason="stability_data")
    judge_again(clinic, lot.id)
    assert clinic.counts(after)[0] == "valid"
    assert offered(clinic) == ["GOOD"]
    assert told(clinic, "lot_recalled") == []


def test_an_extension_counts_from_its_day_on(clinic):
    lot = clinic.lot(expires_on=day(-15))
    before, after = (clinic.vaccinated(day(n), details()) for n in (-12, -2))
    assert {clinic.counts(dose)[0] for dose in (before, after)} == {"expired_lot"}
    order(clinic, lot.id, "released", day(-5), expires_on=day(90))
    judge_again(clinic, lot.id)
    assert (clinic.counts(before)[0], clinic.counts(after)[0]) == ("expired_lot", "valid")
    assert offered(clinic) == ["GOOD"]


def test_a_new_last_day_is_over_or_not_by_the_clock_of_the_country(clinic):
    lot, late = clinic.lot(), NOW.replace(hour=22, minute=30)  # tomorrow in Beirut
    with pytest.raises(BadInput) as refusal:
        order(clinic, lot.id, "released", None, expires_on=day(0), now=late)
    assert refusal.value.fields == {"expires_on": "too_long_ago"}
    order(clinic, lot.id, "released", None, expires_on=day(1), now=late)


def test_a_lot_that_does_not_exist_is_not_found(clinic):
    with pytest.raises(NotFound):
        order(clinic, new_id(), "recalled", None)


def test_two_recalls_and_two_who_judge_again_at_once_do_the_work_once(clinic):
    lot = clinic.lot()
    doses = [clinic.vaccinated(day(-30 + n), details()) for n in range(4)]
    results = at_once(2, lambda _: order(clinic, lot.id, "recalled", None))
    assert results == [None, None]
    parts = at_once(2, lambda _: judge_again(clinic, lot.id, limit=1))
    assert [each for each in parts if isinstance(each, Exception)] == []
    assert sorted(told(clinic, "lot_recalled")) == sorted(dose.person_id for dose in doses)
    with clinic.doors.reading() as db:
        judged = db.scalars(select(func.count()).select_from(DoseJudgement)).one()
    assert (judged, validities(clinic)) == (2 * len(doses), 2)


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [("released", "recalled", "recalled_lot"), ("quarantined", "released", "valid")],
)
def test_no_dose_recorded_beside_an_order_is_left_out(clinic, before, after, counts):
    lot = clinic.lot(state=before)
    slot = clinic.slot(day(0), capacity=6)
    waiting = [clinic.book(slot, details()) for _ in range(6)]

    def work(turn: int) -> object:
        if turn == 6:
            order(clinic, lot.id, after, None)
            return judge_again(clinic, lot.id)
        return clinic.record(waiting[turn])

    doses = at_once(7, work)[:6]
    assert {clinic.counts(dose)[0] for dose in doses} == {counts}
    with clinic.doors.reading() as db:
        assert differences(db) == []


def test_a_dose_left_as_it_was_is_told_once_its_lot_is_settled(clinic):
    lot = clinic.lot()
    clinic.vaccinated(day(-9), details())
    order(clinic, lot.id, "recalled", None)
    with clinic.doors.transaction() as db:
        assert differences(db) == []  # somebody may still be judging
        db.get_one(Lot, lot.id).judged_up_to = 2
    with clinic.doors.reading() as db:
        check = "doses of settled lots stand as the lots say"
        assert [(each.check, each.rows) for each in differences(db)] == [(check, 1)]


def test_lots_are_unsettled_until_nobody_is_left(clinic):
    lot = clinic.lot()

    def unsettled() -> list[UUID]:
        with clinic.doors.reading() as db:
            return judging_again.unsettled(db)

    assert unsettled() == [lot.id]
    judge_again(clinic, lot.id)
    assert unsettled() == []
    clinic.vaccinated(day(-9), details())
    order(clinic, lot.id, "recalled", None)
    for left in (1, 0):
        assert unsettled() == [lot.id]
        assert len(judge_again(clinic, lot.id)) == left
    assert unsettled() == []
