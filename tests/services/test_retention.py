"""What its time is over for goes, in batches that may stop anywhere, and is counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from healthcert.data.retention import retention
from healthcert.errors import BadSettings
from healthcert.models import AccessCode, Appointment, AuditEvent, Message, Person
from healthcert.services import audit, booking, erasure, messages
from healthcert.services import retention as keeping
from tests.factories import NOW, day
from tests.services.clinic import details

YEARS = timedelta(days=3653)


def all_of(clinic, kind, now, limit=500) -> list[int]:
    """Let go of a kind to its end; return the sizes of the batches."""
    found = []
    while count := clinic.doors.run(lambda db: keeping.apply(db, kind, now=now, limit=limit)):
        found.append(count)
    return found


def test_every_rule_of_the_file_is_carried_out_or_keeps():
    carried_out = set(keeping.kinds())
    assert carried_out == {kind for kind, rule in retention().items() if rule.then != "kept"}


def test_a_dry_run_counts_what_then_goes_and_changes_nothing(clinic):
    slot = clinic.slot(capacity=3)
    for _ in range(3):
        clinic.book(slot)
    later = NOW + timedelta(days=800)
    with clinic.doors.transaction() as db:
        for message in messages.claim(db, vault=clinic.vault, channels=["sms"], now=NOW, limit=9):
            messages.settle(db, sent=[message.id], now=NOW)
    with clinic.doors.reading() as db:
        told = keeping.due(db, now=later)
    assert (told["message_text"], told["message"], told["appointment_missed"]) == (3, 3, 0)
    went = {kind: sum(all_of(clinic, kind, later)) for kind in ("message_text", "message")}
    assert went == {"message_text": 3, "message": 3}
    with clinic.doors.reading() as db:
        assert not any(keeping.due(db, now=later).values())


def test_a_text_goes_first_and_its_message_long_after(clinic):
    clinic.book(clinic.slot())
    with clinic.doors.transaction() as db:
        [message] = messages.claim(db, vault=clinic.vault, channels=["sms"], now=NOW, limit=9)
        messages.settle(db, sent=[message.id], now=NOW)
    due = message.due_at + timedelta(minutes=1)
    assert all_of(clinic, "message_text", due + timedelta(days=30) - timedelta(minutes=2)) == []
    assert all_of(clinic, "message_text", due + timedelta(days=30)) == [1]
    with clinic.doors.reading() as db:
        row = db.scalars(select(Message)).one()
        assert (row.sealed, row.state) == (None, "sent")
        assert messages.outbox(db, vault=clinic.vault, limit=9) == []


def test_what_is_not_sent_yet_stays_however_old(clinic):
    clinic.book(clinic.slot())
    for kind in ("message_text", "message"):
        assert all_of(clinic, kind, NOW + YEARS) == []


def test_batches_may_stop_anywhere_and_the_report_counts_them_all(clinic):
    slot = clinic.slot(capacity=5)
    for _ in range(5):
        booked = clinic.book(slot)
        with clinic.doors.transaction() as db:
            booking.cancel(
                db, vault=clinic.vault, appointment_id=booked.id,
                person_id=booked.person_id, now=NOW,
            )  # fmt: skip
    later = NOW + timedelta(days=60)
    kind = "appointment_given_up"
    assert clinic.doors.run(lambda db: keeping.apply(db, kind, now=later, limit=2)) == 2
    assert all_of(clinic, kind, later, limit=2) == [2, 1]
    told = clinic.doors.run(lambda db: keeping.report(db, now=later))
    assert told == dict.fromkeys(told, 0) | {kind: 5}
    again = clinic.doors.run(lambda db: keeping.report(db, now=later + timedelta(days=1)))
    assert not any(again.values())
    with clinic.doors.reading() as db:
        assert db.scalar(select(func.count(Appointment.id))) == 0
        done = select(AuditEvent.details).where(AuditEvent.act == "retention_done")
        assert db.scalars(done.order_by(AuditEvent.id)).first()[kind] == 5


def test_a_certificates_text_goes_after_its_end_and_its_hashes_stay(clinic, signers):
    clinic.lot()
    dose = clinic.vaccinated(day(-30), details())
    [issued] = clinic.issue(signers)
    assert all_of(clinic, "certificate_text", issued.expires_at + timedelta(days=89)) == []
    over = issued.expires_at + timedelta(days=90)
    assert all_of(clinic, "certificate_text", over) == [1]
    [certificate] = clinic.certificates(dose)
    assert (certificate.sealed, certificate.blanked_at, certificate.state) == (None, over, "issued")
    assert certificate.uvci_hash == issued.uvci_hash


def test_the_key_goes_when_the_laws_time_is_over_and_not_a_day_before(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(-30), details())
    with clinic.doors.transaction() as db:
        erasure.erase(
            db, vault=clinic.vault, person_id=dose.person_id, actor=audit.SYSTEM,
            reason="asked", now=NOW,
        )  # fmt: skip
    end = NOW - timedelta(days=30) + YEARS
    assert all_of(clinic, "dose", end - timedelta(days=1)) == []
    assert all_of(clinic, "dose", end) == [1]
    with clinic.doors.reading() as db:
        person = db.get_one(Person, dose.person_id)
        assert (person.wrapped_key, person.sealed) == (None, None)
        assert person.key_gone_on == end.date() == person.kept_until
        assert db.scalar(select(func.count(AccessCode.id))) == 0


GOOD = '[visit]\ndays = 1\nafter = "a"\nthen = "deleted"\nwhy = "w"\nsource = "s"\n'


def test_a_file_of_rules_is_read():
    assert retention(GOOD)["visit"].time == timedelta(days=1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("[visit", "cannot be read"),
        ("visit = 1", "visit: This is 1. It must be: a table"),
        (GOOD.replace('why = "w"\n', ""), r"visit\.why: This field is missing"),
        (GOOD + "more = 1\n", r"visit\.more: This field is not known"),
        (GOOD.replace("days = 1", "days = -1"), r"visit\.days: .* from 0 to 36525"),
        (GOOD.replace("days = 1", "days = true"), r"visit\.days: .* from 0 to 36525"),
        (GOOD.replace("days = 1", "days = 40000"), r"visit\.days: .* from 0 to 36525"),
        (GOOD.replace('"s"', '" "'), r"visit\.source: .* not empty"),
        (GOOD.replace('"deleted"', '"burnt"'), r"visit\.then: .*such as deleted"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_reason(wrong, told):
    with pytest.raises(BadSettings, match=told):
        retention(wrong)
