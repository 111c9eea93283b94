"""The outbox: written with the deed, claimed by one, sent at least once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.models import Message, Person
from healthcert.services import findings, messages, wording
from healthcert.services.wording import TEMPLATES, words
from tests.factories import NOW
from tests.services.clinic import details
from tests.threads import at_once


def claim(clinic, now=NOW, channels=("sms", "mail"), limit=10) -> list[messages.Outgoing]:
    return clinic.doors.run(
        lambda db: messages.claim(db, vault=clinic.vault, channels=channels, now=now, limit=limit)
    )


def test_a_booking_is_told_in_the_persons_language_on_the_clinics_clock(clinic):
    appointment = clinic.book(clinic.slot(), details(language="en"))
    [message] = claim(clinic)
    assert message.channel == "sms"
    assert appointment.reference in message.text
    assert "12:00" in message.text  # ten o'clock UTC, in Beirut


def test_a_message_is_claimed_by_one_of_many_workers(clinic):
    slot = clinic.slot(capacity=20)
    for _ in range(12):
        clinic.book(slot)
    claimed = at_once(6, lambda _: claim(clinic, limit=5))
    ids = [message.id for each in claimed for message in each]
    assert len(ids) == len(set(ids)) == 12


def test_what_is_settled_is_not_claimed_again_and_the_rest_is_later(clinic):
    slot = clinic.slot(capacity=5)
    clinic.book(slot)
    clinic.book(slot)
    [one, other] = claim(clinic)
    clinic.doors.run(lambda db: messages.settle(db, sent=[one.id], now=NOW))
    assert claim(clinic) == []
    assert [each.id for each in claim(clinic, NOW + timedelta(minutes=1))] == [other.id]


def test_a_message_nobody_takes_has_failed_after_eight_attempts(clinic):
    clinic.book(clinic.slot())
    now = NOW
    for _ in range(messages.MOST_ATTEMPTS):
        assert len(claim(clinic, now)) == 1
        now += timedelta(days=1)
    assert claim(clinic, now) == []
    with clinic.doors.reading() as db:
        assert db.scalars(select(Message.state)).all() == ["failed"]


def test_a_channel_that_is_missing_keeps_its_messages_queued(clinic):
    slot = clinic.slot()
    clinic.book(slot)
    clinic.book(slot, details(phone=""))
    assert [each.channel for each in claim(clinic, channels=("mail",))] == ["mail"]
    assert [each.channel for each in claim(clinic)] == ["sms"]


def test_at_night_leaves_only_what_does_not_wait_and_the_rest_in_the_morning(clinic):
    person_id = clinic.book(clinic.slot()).person_id
    night = NOW + timedelta(hours=12)
    morning = night + timedelta(hours=9)

    def queue(template, at):
        def work(db):
            messages.queue(
                db, vault=clinic.vault, person=db.get_one(Person, person_id), template=template,
                fields={"programme": {"en": "Measles"}}, time_zone="UTC", due_at=at, now=at,
            )  # fmt: skip

        clinic.doors.run(work)

    def told(at, until=None):
        of = {"channels": ["sms"], "now": at, "limit": 9, "morning": until}
        found = clinic.doors.run(lambda db: messages.claim(db, vault=clinic.vault, **of))
        clinic.doors.run(lambda db: messages.settle(db, sent=[one.id for one in found], now=at))
        return [each.template for each in found]

    assert told(NOW) == ["booked"]
    queue("offer_gone", night - timedelta(hours=6))  # a long day left it, or a relay refused it
    queue("dose_corrected", night)
    queue("waiting_left", night)
    assert told(night, morning) == ["waiting_left"]
    assert told(morning - timedelta(seconds=1), morning) == []
    assert sorted(told(morning)) == ["dose_corrected", "offer_gone"]


@pytest.mark.parametrize(("others", "ready"), [(0, []), (1, ["certificate_ready"] * 2)])
def test_that_a_certificate_is_ready_is_not_told_once_none_since_then_is_in_force(
    clinic, signers, others, ready
):
    person_id = clinic.book(clinic.slot()).person_id
    clinic.tested(person_id)
    clinic.issue(signers)
    told = [each.id for each in claim(clinic)]  # of one that stands
    clinic.doors.run(lambda db: messages.settle(db, sent=told, now=NOW))
    night = NOW + timedelta(hours=12, microseconds=7)
    tests = [clinic.tested(person_id, now=night) for _ in range(1 + others)]
    clinic.issue(signers, night)
    deed = clinic.deed(night) | {"finding_id": tests[0].id, "reason": "wrong_person"}
    clinic.doors.run(lambda db: findings.mark_in_error(db, **deed))
    left = [each.template for each in claim(clinic, night + timedelta(hours=9))]
    assert sorted(left) == [*ready, "certificate_revoked", "finding_corrected"]


def test_what_waits_for_the_morning_has_no_hour_to_come():
    for name in wording.BY_DAY - {"missed"}:
        assert not re.search(r"%\((when|until|code)\)s", TEMPLATES[name]["text"]), name


def test_who_left_no_address_is_not_written_to(clinic):
    clinic.book(clinic.slot(), details(phone="", mail=""))
    assert claim(clinic) == []


def test_every_template_reads_well_in_every_language():
    fields = {
        "when": NOW, "place": {"en": "Clinic", "ar": "عيادة"}, "reference": "HC-1",
        "code": "123456", "product": "Comirnaty", "proxy": "Samir", "name": "Alia",
        "programme": {"en": "Measles", "ar": "الحصبة"}, "until": NOW, "link": "https://x.example",
        "day": NOW.date(),
    }  # fmt: skip
    for template in TEMPLATES:
        for language in ("en", "fr", "ar"):
            subject, text = words(template, language, fields, "Asia/Beirut")
            assert subject
            assert "%(" not in text
            assert set("\u202f\u00a0\u2019").isdisjoint(text), "it halves a message"
    assert "عيادة" in words("booked", "ar", fields, "Asia/Beirut")[1]
    assert "Clinic" in words("booked", "fr", fields, "Asia/Beirut")[1]


def test_address_and_text_lie_sealed(clinic):
    appointment = clinic.book(clinic.slot())
    with clinic.doors.reading() as db:
        [row] = db.scalars(select(Message)).all()
        person = db.get_one(Person, appointment.person_id)
        assert appointment.reference.encode() not in row.sealed
        assert person.id == row.person_id
