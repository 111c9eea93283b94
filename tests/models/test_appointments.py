"""Places, and what one person may hold at a time."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from healthcert.db import Doors
from healthcert.models import Appointment, Slot, new_id
from healthcert.models.appointment import ACTIVE, STATES, TRANSITIONS
from tests import factories as make
from tests.factories import NOW
from tests.models.refusals import refused, take_lock_away
from tests.threads import at_once


def held_until(state: str) -> object:
    return NOW + timedelta(minutes=10) if state == "held" else None


def make_in(db: Session, state: str, **values: object) -> Appointment:
    return make.make_appointment(db, state=state, held_until=held_until(state), **values)


def test_a_slot_never_holds_more_than_its_places(db):
    slot = make.make_slot(db, capacity=2, booked=2)
    for statement in (
        update(Slot).values(booked=3),
        update(Slot).values(booked=-1),
        update(Slot).values(capacity=1),
    ):
        with refused(db, "ck_slot_booked_fits"):
            db.execute(statement.where(Slot.id == slot.id))
    db.execute(update(Slot).values(capacity=3, booked=3))


def test_the_times_of_a_slot_with_appointments_stay(db):
    slot = make.make_slot(db)
    later = slot.starts_at - timedelta(minutes=1)
    db.execute(update(Slot).values(starts_at=later))
    db.refresh(slot)
    make.make_appointment(db, slot=slot)
    with refused(db, "foreign_key"):
        db.execute(update(Slot).values(starts_at=slot.starts_at - timedelta(minutes=1)))


def test_an_appointment_has_the_times_of_its_slot(db):
    slot = make.make_slot(db)
    with refused(db, "foreign_key"):
        make.make_appointment(db, slot=slot, ends_at=slot.ends_at + timedelta(hours=1))


@pytest.mark.parametrize("state", ACTIVE)
def test_one_appointment_is_active_per_person_programme_and_dose(db, state):
    first = make_in(db, state)
    person = db.get_one(make.Person, first.person_id)
    programme = db.get_one(make.Programme, first.programme_id)
    elsewhen = make.make_slot(db, starts_at=first.starts_at + timedelta(days=3))
    with refused(db, "one_active_appointment"):
        make.make_appointment(db, slot=elsewhen, person=person, programme=programme)
    make.make_appointment(db, slot=elsewhen, person=person, programme=programme, state="cancelled")
    make.make_appointment(db, slot=elsewhen, person=person, programme=programme, dose_number=2)


@pytest.mark.parametrize("state", ACTIVE)
@pytest.mark.parametrize(("minutes", "fits"), [(0, False), (9, False), (-9, False), (10, True)])
def test_the_times_of_one_person_do_not_overlap(db, state, minutes, fits):
    first = make_in(db, state)
    person = db.get_one(make.Person, first.person_id)
    slot = make.make_slot(db, starts_at=first.starts_at + timedelta(minutes=minutes))
    if fits:
        make.make_appointment(db, slot=slot, person=person)
        return
    with refused(db, "appointment_overlap"):
        make.make_appointment(db, slot=slot, person=person)
    make.make_appointment(db, slot=slot)
    make.make_appointment(db, slot=slot, person=person, state="cancelled")


def test_an_appointment_does_not_become_active_over_another(db):
    away = make_in(db, "no_show")
    person = db.get_one(make.Person, away.person_id)
    slot = db.get_one(Slot, away.slot_id)
    make.make_appointment(db, slot=slot, person=person)
    with refused(db, "appointment_overlap"):
        db.execute(update(Appointment).where(Appointment.id == away.id).values(state="arrived"))


@pytest.mark.parametrize("state", ACTIVE)
def test_an_appointment_does_not_move_over_another(db, state):
    first = make.make_appointment(db)
    person = db.get_one(make.Person, first.person_id)
    slot = make.make_slot(db, starts_at=first.starts_at + timedelta(hours=1))
    other = make_in(db, state, slot=slot, person=person)
    times = {"slot_id": first.slot_id, "starts_at": first.starts_at, "ends_at": first.ends_at}
    with refused(db, "appointment_overlap"):
        db.execute(update(Appointment).where(Appointment.id == other.id).values(times))
    stranger = make_in(db, state, slot=db.get_one(Slot, first.slot_id))
    theirs = update(Appointment).where(Appointment.id == stranger.id)
    with refused(db, "appointment_overlap"):
        db.execute(theirs.values(person_id=first.person_id))


@pytest.mark.parametrize("before", STATES)
def test_an_appointment_moves_along_the_listed_transitions_alone(db, before):
    row = make_in(db, before)
    change = update(Appointment).where(Appointment.id == row.id)
    for after in STATES:
        step = change.values(state=after, held_until=held_until(after))
        if after == before or after in TRANSITIONS.get(before, ()):
            with db.begin_nested() as savepoint:
                db.execute(step)
                savepoint.rollback()
        else:
            with refused(db, "appointment_transition"):
                db.execute(step)


def test_a_hold_has_an_end_and_nothing_else_has(db):
    for state, until in (("held", None), ("booked", NOW)):
        with refused(db, "ck_appointment_held_has_end"):
            make.make_appointment(db, state=state, held_until=until)


def test_an_appointment_is_not_deleted(db):
    make.make_appointment(db)
    with refused(db, "never_deleted"):
        db.execute(delete(Appointment))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_appointment_is_not_replaced(db):
    row = make_in(db, "cancelled")
    values = {c.name: getattr(row, c.name) for c in Appointment.__table__.columns}
    again = sqlite_insert(Appointment.__table__).prefix_with("OR REPLACE")
    with refused(db, "never_deleted"):
        db.execute(again.values(values | {"state": "booked"}))
    with refused(db, "uq_appointment_reference"):
        db.execute(again.values(values | {"id": new_id()}))


@pytest.mark.parametrize("guarded", [True, False])
def test_thirty_two_race_for_five_places(doors: Doors, engine_name, guarded):
    with doors.transaction() as db:
        slot_id = make.make_slot(db, capacity=5).id
    mine = Slot.id == slot_id

    def take_free_place(db: Session) -> bool:
        free = update(Slot).where(mine, Slot.booked < Slot.capacity)
        taken = free.values(booked=Slot.booked + 1).returning(Slot.booked)
        return db.scalar(taken) is not None

    looked, six_have_looked = count(1), threading.Event()

    def look_then_take(db: Session) -> bool:
        booked = db.scalars(select(Slot.booked).where(mine)).one()
        if next(looked) == 6:
            six_have_looked.set()
        if engine_name == "postgresql":  # SQLite has one writer at a time: they would never meet
            six_have_looked.wait(10)
        if booked < 5:
            db.execute(update(Slot).where(mine).values(booked=booked + 1))
        return booked < 5

    def book(_turn: int) -> bool:
        with doors.transaction() as db:
            return take_free_place(db) if guarded else look_then_take(db)

    won = at_once(32, book).count(True)
    if guarded or engine_name == "sqlite":
        assert won == 5
    else:
        assert won > 5  # the control: looking first gives places away twice


@pytest.fixture
def hour(doors: Doors) -> dict[str, object]:
    """One person and one slot with room for many."""
    with doors.transaction() as db:
        return {"person": make.make_person(db), "slot": make.make_slot(db, capacity=9)}


def test_eight_at_once_for_one_person_and_hour_leave_one(doors: Doors, hour):
    def book(_turn: int) -> bool:
        with doors.transaction() as db:
            make.make_appointment(db, **hour)
        return True

    assert at_once(8, book).count(True) == 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_without_the_lock_on_the_person_two_get_in(doors: Doors, hour):
    with doors.transaction() as db:
        take_lock_away(db, "appointment_overlap")
    with doors.transaction() as one, doors.transaction() as two:
        for db in (one, two):
            make.make_appointment(db, **hour)
    with doors.reading() as db:
        assert len(db.scalars(select(Appointment)).all()) == 2


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_the_rules_refuse_to_judge_on_an_old_snapshot(doors: Doors):
    with doors.transaction() as db:
        person, slot, programme = make.make_person(db), make.make_slot(db), make.make_programme(db)
    old = doors.engine.execution_options(isolation_level="REPEATABLE READ")
    with (
        pytest.raises(DBAPIError, match="appointment_overlap: judges only in read committed"),
        Session(old) as db,
    ):
        make.make_appointment(db, slot=slot, person=person, programme=programme)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_temporary_table_does_not_blind_a_rule(db):
    first = make.make_appointment(db)
    db.execute(text("CREATE TEMP TABLE appointment (LIKE public.appointment)"))
    values = {
        c.name: getattr(first, c.name) for c in Appointment.__table__.columns if c.name != "id"
    } | {"reference": "HC-OTHER", "dose_number": 2}
    names = ", ".join(values)
    with refused(db, "appointment_overlap"):
        db.execute(
            text(
                f"INSERT INTO public.appointment (id, {names})"
                f" VALUES (:id, {', '.join(f':{name}' for name in values)})"
            ),
            values | {"id": new_id()},
        )


@pytest.mark.parametrize("reminded", [-1, 4])
def test_somebody_is_reminded_twice_and_told_once_that_they_were_missed(db, reminded):
    make.make_appointment(db, reminded=3)
    with refused(db, "ck_appointment_reminded"):
        db.execute(update(Appointment).values(reminded=reminded))


@pytest.mark.parametrize("reason", ["", "friend"])
def test_an_exception_is_for_one_of_the_reasons_or_there_is_none(db, reason):
    make.make_appointment(db)
    make.make_appointment(db, exception_reason="carer")
    with refused(db, "ck_appointment_exception_reason"):
        db.execute(update(Appointment).values(exception_reason=reason))
