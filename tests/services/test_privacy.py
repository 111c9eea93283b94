"""A canary goes through every deed; nothing of her is found in the clear."""

from __future__ import annotations

import io
import logging

import pytest
from sqlalchemy import select

from healthcert import logs
from healthcert.models import Base
from healthcert.services import access, audit, booking, messages
from healthcert.services import clinic as clinics
from healthcert.services.people import IdentityDetails
from tests.factories import NOW, day
from tests.services.clinic import PEPPER, details

CANARY = details(
    family="Kanarienvogel",
    given="Zwitscherine",
    family_latin="Kanarienvogel",
    given_latin="Zwitscherine",
    birth_date="1971-12-23",
    phone="+447700900321",
    mail="zwitscher@kanarien.example",
    identity=IdentityDetails("passport", "XX", "KANARIE987"),
)
TRACES = ("kanarien", "zwitscher", "1971-12-23", "447700900321", "kanarie987")


def everything(clinic) -> str:
    """Return every value of every row, sealed bytes as they lie there."""
    found = []
    with clinic.doors.reading() as db:
        for table in Base.metadata.sorted_tables:
            for row in db.execute(select(table)):
                found += [
                    value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    for value in row
                ]
    return "\n".join(found).lower()


def test_no_row_and_no_log_shows_who_went_through_every_deed(clinic, signers):
    stream = io.StringIO()
    logs.start("DEBUG", stream)
    try:
        clinic.lot()
        first = clinic.vaccinated(day(-60), CANARY)
        clinic.vaccinated(day(-30), CANARY, dose_number=2)
        clinic.issue(signers)
        clinic.mark_in_error(first)
        later = clinic.book(clinic.slot(day(3)), CANARY, dose_number=2)
        _let_in(clinic, later.reference)
        with clinic.doors.transaction() as db:
            clinics.patient(
                db, vault=clinic.vault, appointment_id=later.id, staff=clinic.nurse,
                reason="care", now=NOW,
            )  # fmt: skip
            messages.claim(db, vault=clinic.vault, channels=["sms"], now=NOW, limit=50)
            booking.cancel(
                db, vault=clinic.vault, appointment_id=later.id, person_id=later.person_id, now=NOW
            )
    finally:
        logging.getLogger().handlers[:] = []
        logging.getLogger().setLevel(logging.WARNING)
    rows, written = everything(clinic), stream.getvalue().lower()
    assert "comirnaty" in rows
    assert not [trace for trace in TRACES if trace in rows]
    assert not [trace for trace in TRACES if trace in written]


def test_a_sentence_is_no_audit_detail(db):
    with pytest.raises(ValueError, match="no code"):
        audit.note(
            db, actor=audit.SYSTEM, act="tested", subject=audit.Subject("person"),
            details={"note": "Mrs Kanarienvogel called"}, now=NOW,
        )  # fmt: skip


def _let_in(clinic, reference) -> None:
    clinic.doors.run(
        lambda db: access.request_code(
            db, vault=clinic.vault, pepper=PEPPER, reference=reference,
            birth_date=CANARY.birth_date, now=NOW,
        )
    )  # fmt: skip
    clinic.doors.run(
        lambda db: access.redeem(
            db, vault=clinic.vault, pepper=PEPPER, reference=reference,
            birth_date=CANARY.birth_date, code="000000", now=NOW,
        )
    )  # fmt: skip
