"""Judgements of one person's doses, and of one lot, at the same moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from healthcert.db import Doors
from healthcert.models import Base, DoseJudgement, DoseStanding, LotValidity
from tests import factories as make
from tests.factories import day
from tests.models.refusals import take_lock_away
from tests.threads import at_once, one_behind_the_other

EIGHT = 8


@pytest.fixture
def judge(doors: Doors) -> Callable[[Session, int], None]:
    """Eight doses of one person, a day apart: judge one valid, as its number of the series."""
    with doors.transaction() as db:
        person, lot = make.make_person(db), make.make_good_lot(db)
        doses = [
            make.make_dose(db, person=person, lot=lot, given_on=day(turn)) for turn in range(EIGHT)
        ]
        same = {"validity": make.in_force(db, doses[0]), "knowledge": make.make_knowledge(db)}
    return lambda db, turn: make.make_judgement(db, dose=doses[turn], number=turn + 1, **same)


def how_many(doors: Doors, model: type[Base]) -> int:
    with doors.reading() as db:
        return db.scalars(select(func.count()).select_from(model)).one()


def test_eight_doses_too_near_each_other_leave_one_that_counts(doors: Doors, judge):
    def work(turn: int) -> bool:
        with doors.transaction() as db:
            judge(db, turn)
        return True

    assert at_once(EIGHT, work).count(True) == 1
    assert how_many(doors, DoseStanding) == how_many(doors, DoseJudgement) == 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_without_the_lock_on_the_person_two_would_count(doors: Doors, judge):
    with doors.transaction() as db:
        take_lock_away(db, "dose_interval")
    with doors.transaction() as one, doors.transaction() as two:
        for turn, db in enumerate((one, two)):
            judge(db, turn)
    assert how_many(doors, DoseStanding) == 2


def test_two_new_findings_at_once_leave_one(doors: Doors):
    with doors.transaction() as db:
        dose, knowledge = make.make_counted_dose(db), make.make_knowledge(db)

    def judge(turn: int) -> bool:
        with doors.transaction() as db:
            counts = ("duplicate", "unknown")[turn]
            make.make_judgement(db, dose=dose, knowledge=knowledge, ordinal=2, counts=counts)
        return True

    assert at_once(2, judge).count(True) == 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("rule", ["dose_interval", "lot_in_force"])
def test_the_rules_refuse_to_judge_on_an_old_snapshot(doors: Doors, rule):
    with doors.transaction() as db:
        here = rule == "lot_in_force"
        lot = make.make_good_lot(db)
        dose = make.make_dose(db, lot=lot, source="point_of_care" if here else "historic")
        validity, knowledge = make.in_force(db, dose), make.make_knowledge(db)
    old = doors.engine.execution_options(isolation_level="REPEATABLE READ")
    with pytest.raises(DBAPIError, match=f"{rule}: judges only"), Session(old) as db:
        make.make_judgement(db, dose=dose, validity=validity, knowledge=knowledge)


def test_whoever_recalls_a_lot_sees_the_doses_judged_before(doors: Doors):
    with doors.transaction() as db:
        lot, knowledge = make.make_good_lot(db), make.make_knowledge(db)
        dose = make.make_dose(db, lot=lot)
        validity = make.in_force(db, dose)
    seen: list[int] = []

    def judge(db: Session) -> None:
        make.make_judgement(db, dose=dose, validity=validity, knowledge=knowledge)

    def recall(db: Session) -> None:
        make.make_validity(db, lot=lot, since=day(-1), state="recalled")
        judged = select(func.count()).select_from(DoseJudgement)
        seen.append(db.scalars(judged.where(DoseJudgement.lot_id == lot.id)).one())

    assert one_behind_the_other(doors, judge, recall) == []
    assert seen == [1]
    with doors.reading() as db:
        assert db.scalars(select(LotValidity.state).order_by(LotValidity.since)).all() == [
            "released",
            "recalled",
        ]
