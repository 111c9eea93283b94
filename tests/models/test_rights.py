"""What retention and erasure may take away, and what neither may; tried around Python."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.models import (
    AccessCode,
    Appointment,
    Certificate,
    Identity,
    Message,
    Person,
    PersonToken,
)
from healthcert.models.appointment import STATES
from healthcert.models.broken import broken_rule
from tests import factories as make
from tests.factories import NOW, TODAY, day
from tests.models.refusals import refused

KEPT = {"erased_at": NOW, "kept_until": day(100)}
GONE = {"erased_at": NOW, "key_gone_on": TODAY, "wrapped_key": None, "sealed": None}
GOES = ("cancelled", "rescheduled", "expired", "no_show", "not_vaccinated")


def change(db: Session, person: Person, **values: object) -> None:
    db.execute(update(Person).where(Person.id == person.id).values(**values))


def finders(person: Person) -> list[object]:
    """Return rows that find a person, let them in or tell them."""
    ids = {"person_id": person.id}
    return [
        insert(Identity).values(kind="none", country="XX", level="low", recorded_at=NOW, **ids),
        insert(PersonToken).values(kind="mail", blind=b"blind", **ids),
        insert(AccessCode).values(
            digest=b"", recorded_at=NOW, expires_at=NOW + timedelta(minutes=9), **ids
        ),
        insert(Message).values(
            channel="sms", template="booked", language="en", sealed=b"", due_at=NOW,
            recorded_at=NOW, **ids,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"wrapped_key": None}, "ck_person_key_with_seal"),
        ({"sealed": None}, "ck_person_key_with_seal"),
        (GONE | {"sealed": b"left"}, "ck_person_key_with_seal"),
        (GONE | {"wrapped_key": b"left"}, "ck_person_key_with_seal"),
        ({**GONE, "erased_at": None}, "ck_person_erased_first"),
        ({"kept_until": TODAY}, "ck_person_erased_first"),
        (GONE | {"kept_until": day(1)}, "ck_person_kept_its_time"),
        (KEPT | {"region": "North"}, "ck_person_erased_is_bare"),
        (GONE | {"nationality_group": "refugee"}, "ck_person_erased_is_bare"),
    ],
)
def test_an_erased_person_has_neither_key_nor_seal_nor_more_than_counting_needs(db, values, rule):
    person = make.make_person(db)
    with refused(db, rule):
        change(db, person, **values)


def test_nobody_is_erased_while_something_finds_or_tells_them(db):
    for finder in finders(make.make_person(db)):
        person = make.make_person(db)
        db.execute(finder.values(person_id=person.id))
        for state in (KEPT, GONE):
            with refused(db, "erased_for_good"):
                change(db, person, **state)


@pytest.mark.parametrize("state", STATES)
def test_nobody_is_erased_while_a_place_is_theirs(db, state):
    person = make.make_person(db)
    held = NOW if state == "held" else None
    make.make_appointment(db, person=person, state=state, held_until=held)
    if state in ("held", "booked", "arrived"):
        with refused(db, "erased_for_good"):
            change(db, person, **KEPT)
    else:
        change(db, person, **KEPT)


def test_nothing_that_finds_or_tells_an_erased_person_is_written_again(db):
    person = make.make_person(db)
    change(db, person, **KEPT)
    for finder in finders(person):
        with refused(db, "erased_for_good"):
            db.execute(finder)
    with refused(db, "erased_for_good"):
        make.make_appointment(db, person=person)


def test_nothing_that_finds_somebody_is_turned_to_an_erased_person(db):
    erased, other = make.make_person(db), make.make_person(db)
    change(db, erased, **KEPT)
    lapsed = make.make_appointment(db, person=erased, state="no_show")
    with refused(db, "erased_for_good"):
        db.execute(update(Appointment).filter_by(id=lapsed.id).values(state="arrived"))
    for finder in finders(other):
        db.execute(finder)
    for table in (Identity, PersonToken, AccessCode, Message):
        with refused(db, "erased_for_good"):
            db.execute(update(table).values(person_id=erased.id))


def test_nobody_begins_erased(db):
    with refused(db, "erased_for_good"):
        make.make_person(db, **KEPT)


@pytest.mark.parametrize(
    "values",
    [
        {"erased_at": None, "kept_until": None},
        {"erased_at": NOW + timedelta(days=1)},
        {"kept_until": day(99)},
        {"kept_until": None},
        {"sealed": b"everything again"},
    ],
)
def test_an_erasure_is_not_undone_or_shortened(db, values):
    person = make.make_person(db)
    change(db, person, **KEPT)
    with refused(db, "erased_for_good"):
        change(db, person, **values)


def test_the_laws_time_may_grow_and_a_key_be_wrapped_anew_until_it_goes(db):
    person = make.make_person(db)
    change(db, person, **KEPT)
    change(db, person, kept_until=day(200), wrapped_key=b"wrapped by another master key")
    change(db, person, key_gone_on=day(200), wrapped_key=None, sealed=None)
    for back in (
        {"wrapped_key": b"k", "sealed": b"s", "key_gone_on": None},
        {"key_gone_on": day(201)},
    ):
        with refused(db, "erased_for_good", "ck_person_key_with_seal"):
            change(db, person, **back)


def test_the_law_keeps_whom_a_dose_is_on_record_of(db):
    person = make.make_dose(db).person_id
    person = db.get_one(Person, person)
    with refused(db, "law_keeps"):
        change(db, person, **GONE)
    change(db, person, **KEPT)
    change(db, make.make_person(db), **GONE)


@pytest.mark.parametrize("state", STATES)
def test_appointments_go_only_when_they_hold_no_place_and_led_to_no_dose(db, state):
    held = NOW if state == "held" else None
    one = make.make_appointment(db, state=state, held_until=held)
    go = delete(Appointment).where(Appointment.id == one.id)
    if state not in GOES:
        with refused(db, "never_deleted"):
            db.execute(go)
        return
    make.make_dose(db, appointment_id=one.id)
    with refused(db, "foreign_key"):
        db.execute(go)
    db.execute(
        delete(Appointment).where(Appointment.id == make.make_appointment(db, state=state).id)
    )


def test_a_message_goes_only_once_it_is_settled(db):
    person = make.make_person(db)
    db.execute(finders(person)[-1])
    with refused(db, "never_deleted"):
        db.execute(delete(Message))
    with refused(db, "ck_message_queued_is_whole"):
        db.execute(update(Message).values(sealed=None))
    db.execute(update(Message).values(state="failed"))
    db.execute(update(Message).values(sealed=None))
    with refused(db, "message_transition"):
        db.execute(update(Message).values(state="queued"))
    db.execute(delete(Message))


def test_a_call_says_whose_it_is_and_until_when(db):
    person = make.make_person(db)
    db.execute(finders(person)[-1])
    whose = {"site_id": make.make_site(db).id, "until": NOW}
    for known in ({}, *({name: value} for name, value in whose.items())):
        with refused(db, "ck_message_call_is_whose"):
            db.execute(update(Message).values(channel="call", **known))
    db.execute(update(Message).values(channel="call", **whose))


def test_a_certificates_text_goes_after_its_end_and_does_not_come_back(db):
    end = NOW + timedelta(days=270)
    make.make_certificate(db, dose=make.make_counted_dose(db), **make.issued())
    for early in (NOW, end - timedelta(microseconds=1)):
        with refused(db, "ck_certificate_blanked_after_its_end"):
            db.execute(update(Certificate).values(sealed=None, blanked_at=early))
    with refused(db, "ck_certificate_blanked_after_its_end"):
        db.execute(update(Certificate).values(blanked_at=end))
    db.execute(update(Certificate).values(sealed=None, blanked_at=end))
    for back in ({"blanked_at": end + timedelta(days=1)}, {"blanked_at": None, "sealed": b"HC1:"}):
        with refused(db, "certificate_fixed"):
            db.execute(update(Certificate).values(**back))


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_an_identity_does_not_slip_in_beside_an_erasure(doors):
    with doors.transaction() as db:
        person = make.make_person(db)
    told: list[str] = []

    def write() -> None:
        try:
            with doors.transaction() as db:
                db.execute(finders(person)[0])
        except IntegrityError as error:
            told.append(broken_rule(error))

    with doors.transaction() as db:
        change(db, person, **KEPT)
        beside = threading.Thread(target=write)
        beside.start()
        beside.join(0.3)
        assert beside.is_alive()
    beside.join(10)
    assert told == ["erased_for_good"]
