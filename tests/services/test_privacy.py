"""Canaries go through every deed; nothing of them lies in the database in the clear."""

from __future__ import annotations

import pytest
from sqlalchemy import MetaData, Table, inspect, select, text

from healthcert.services import access, audit, booking, finding, messages, rotation
from healthcert.services import clinic as clinics
from tests.canaries import ARABIC, ENGLISH, FRENCH, traces_in
from tests.factories import NOW, day, make_site
from tests.services.clinic import PEPPER

BORN = tuple(who.birth_date for who in (ARABIC, FRENCH, ENGLISH))


def dump(db) -> bytes:
    """Return every value of every table there is, as the database itself tells them."""
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode()
        for name in inspect(db.connection()).get_table_names()
        for row in db.execute(select(text("*")).select_from(Table(name, MetaData())))
        for value in row
    )


@pytest.mark.parametrize("who", [ARABIC, FRENCH, ENGLISH], ids=["ar", "fr", "en"])
def test_no_table_shows_who_went_through_every_deed(clinic, signers, who):
    clinic.lot()
    first = clinic.vaccinated(day(-60), who)
    if who.identity.value:
        clinic.vaccinated(day(-30), who, dose_number=2)
    clinic.issue(signers)
    clinic.mark_in_error(first)
    later = clinic.book(clinic.slot(day(3)), who, dose_number=2)
    _let_in(clinic, later.reference, who)
    with clinic.doors.transaction() as db:
        asked = {"vault": clinic.vault, "staff": clinic.nurse, "now": NOW}
        clinics.patient(db, appointment_id=later.id, reason="care", **asked)
        name = f"{who.given} {who.family}"
        assert finding.find(db, text=name, born=who.birth_date, reason="registration", **asked)
        messages.claim(db, vault=clinic.vault, channels=["sms"], now=NOW, limit=50)
        booking.cancel(
            db, vault=clinic.vault, appointment_id=later.id, person_id=later.person_id, now=NOW
        )
        db.execute(text("UPDATE person SET indexed_by = ''"))
        assert rotation.renew(db, vault=clinic.vault, work="indexed", limit=10)
    with clinic.doors.reading() as db:
        written = dump(db)
    assert b"Comirnaty" in written
    assert traces_in(written) == []
    assert not [born for born in BORN if born.encode() in written]


def test_the_dump_would_show_a_name_in_any_column(db):
    for who in (ARABIC, FRENCH, ENGLISH):
        attempt = db.begin_nested()
        make_site(db, names={"en": f"where {who.family} went"})
        assert traces_in(dump(db))
        attempt.rollback()
        assert traces_in(dump(db)) == []


def test_a_sentence_is_no_audit_detail(db):
    with pytest.raises(ValueError, match="no code"):
        audit.note(
            db, actor=audit.SYSTEM, act="tested", subject=audit.Subject("person"),
            details={"note": "Mrs Kanaridge called"}, now=NOW,
        )  # fmt: skip


def _let_in(clinic, reference, who) -> None:
    clinic.doors.run(
        lambda db: access.request_code(
            db, vault=clinic.vault, pepper=PEPPER,
            claim=access.Claim(reference, who.birth_date), now=NOW,
        )
    )  # fmt: skip
    clinic.doors.run(
        lambda db: access.redeem(
            db, vault=clinic.vault, pepper=PEPPER,
            claim=access.Claim(reference, who.birth_date), code="000000", now=NOW,
        )
    )  # fmt: skip
