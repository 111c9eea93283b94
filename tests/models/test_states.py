"""Every noun that has states moves along its listed transitions alone, whoever writes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import CheckConstraint, update

from healthcert.models import (
    AdverseEvent,
    Alarm,
    Appointment,
    Base,
    Case,
    Certificate,
    ClinicSession,
    Draw,
    ImportBatch,
    Lot,
    Message,
    Observation,
    Offer,
    Request,
    SigningKey,
    StockCount,
    WaitEntry,
)
from tests import factories as make
from tests.factories import NOW, make_organisation
from tests.models.refusals import refused
from tests.models.test_workflow import make_draw, make_entry, make_offer

LATER = NOW + timedelta(days=1)
ELSEWHERE = {
    AdverseEvent,
    Alarm,
    Appointment,
    Certificate,
    ImportBatch,
    Lot,
    Request,
    SigningKey,
}  # tested beside them


def a_case(db, **values):
    told = {
        "reference": f"HC-{make.new_id().hex[-9:]}", "passphrase_hash": bytes(32),
        "kind": "warning", "due_at": LATER, "recorded_at": NOW,
        "organisation_id": make_organisation(db).id,
    }  # fmt: skip
    return make.add(db, Case(**told | values))


def a_message(db, **values):
    told = {
        "person_id": make.make_person(db).id, "channel": "sms", "template": "booked",
        "language": "en", "sealed": b"words", "due_at": NOW, "recorded_at": NOW,
    }  # fmt: skip
    return make.add(db, Message(**told | values))


def an_offer(db, **values):
    return make_offer(db, make_entry(db), **values)


MAKERS = {
    Case: a_case, ClinicSession: make.make_session, Draw: make_draw, Message: a_message,
    Observation: make.make_observation, Offer: an_offer, StockCount: make.make_count,
    WaitEntry: make_entry,
}  # fmt: skip


def needed(db, row_type, state, row=None):
    """Return what else a row of a state tells."""
    if row_type is Draw:
        closed = {"list_root": bytes(32), "entries": 2} if state != "announced" else {}
        drawn = {"seed": bytes(32), "public_value": "7"} if state in ("drawn", "published") else {}
        return closed | drawn
    if row_type is Message:
        return {"sent_at": NOW} if state == "sent" else {}
    if row_type is Observation and state != "observed":
        early = timedelta(minutes=5 if state == "left_early" else 15)
        return {"left_at": NOW + early, "noted_by": make.make_staff(db).id}
    if row_type is StockCount and state == "confirmed":
        return {"confirmed_by": make.make_staff(db).id}
    if row_type is Offer and row is not None and state == "accepted":
        person = db.get(make.Person, row.person_id)
        return {"appointment_id": make.make_appointment(db, person=person).id}
    return {}


def states_of(row_type):
    """Return the states that a table's CHECK lists."""
    checks = [c for c in row_type.__table__.constraints if isinstance(c, CheckConstraint)]
    [check] = [c for c in checks if str(c.name).endswith("_state")]
    return [word.strip(" ')") for word in str(check.sqltext).partition("(")[2].split(",")]


CASES = [
    (row_type, before)
    for row_type in MAKERS
    for before in states_of(row_type)
    if (row_type, before) != (Offer, "accepted")  # it is tried on the way
]


@pytest.mark.parametrize(
    ("row_type", "before"), CASES, ids=[f"{each.__tablename__}-{state}" for each, state in CASES]
)
def test_a_noun_moves_along_its_listed_transitions_alone(db, row_type, before):
    table = row_type.__table__
    row = MAKERS[row_type](db, state=before, **needed(db, row_type, before))
    mine = update(row_type).where(row_type.id == row.id)
    for after in states_of(row_type):
        told = mine.values(state=after, **needed(db, row_type, after, row))
        if after == before or after in table.info["transitions"].get(before, ()):
            with db.begin_nested() as savepoint:
                db.execute(told)
                savepoint.rollback()
        else:
            with refused(db, f"{table.name}_transition"):
                db.execute(told)


def test_no_noun_with_states_is_left_out():
    tables = {
        mapper.class_
        for mapper in Base.registry.mappers
        if "state" in mapper.local_table.columns and not mapper.local_table.info.get("append_only")
    }
    assert tables == {*MAKERS, *ELSEWHERE}
    assert all(each.__table__.info["transitions"] for each in tables)
