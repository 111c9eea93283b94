"""What storing a certificate adds to signing it, in a real PostgreSQL: `python -m bench.stored`.

Signed only is fact to text, checked by its signer. Signed and stored is what the night shift does
with an intent: read, open, sign, check, seal, store, queue the word to its holder, write it down,
commit. Both by the clock, since part of the work is the server's.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import func, select

from bench._certificate import DCC
from bench._turns import microseconds, ratio, row
from healthcert.config import Settings
from healthcert.db import migrate
from healthcert.gateways.signer import issue_text
from healthcert.jobs.certificates import AT_ONCE, sign_pending
from healthcert.models import AuditEvent, Certificate, Message
from healthcert.parts import Parts, open_parts
from healthcert.services.development_keys import make_development_keys
from tests.factories import NOW, day, make_staff
from tests.postgres import NoPostgres, running_server
from tests.services.clinic import Clinic, details

_ROUNDS, _WANTED, _AN_HOUR = 4, 3.0, 50
_FROM = int(NOW.timestamp())
_LIFE = {"issued_at": _FROM, "expires_at": _FROM + 86_400}


def main() -> int:
    """Return 1 if a certificate is not stored once and whole, or storing takes too long."""
    try:
        with running_server() as server, server.database() as name, TemporaryDirectory() as folder:
            migrate(server.url(name))
            parts = _parts(server.url(name), Path(folder))
            try:
                return _measured(parts)
            finally:
                parts.close()
    except NoPostgres as error:
        print(f"stored: SKIPPED, {error}")
        return 0


def _parts(url: str, folder: Path) -> Parts:
    make_development_keys(folder, country="XX", now=NOW)
    named = {"KEYS_DIR": str(folder), "DATA_DIR": str(folder), "DATABASE_URL": url}
    return open_parts(Settings.from_env({f"HEALTHCERT_{key}": told for key, told in named.items()}))


def _measured(parts: Parts) -> int:
    clinic = Clinic.opened(parts.doors, parts.vault, parts.country, parts.signers.values())
    signer = next(each for each in parts.signers.values() if each.purpose == "v")
    clinic.lot()
    slot = clinic.slot(day(-1), capacity=(1 + _ROUNDS) * AT_ONCE)
    before = slot.starts_at - timedelta(hours=1)
    signed: list[float] = []
    stored: list[float] = []
    for turn in range(1 + _ROUNDS):
        for number in range(AT_ONCE):
            if number % _AN_HOUR == 0:  # more of one nurse would be held
                with parts.doors.transaction() as db:
                    nurse = make_staff(db, site_id=clinic.nurse.site_id)
            clinic.record(clinic.book(slot, details(), now=before), staff=nurse)
        begin = perf_counter()
        for _ in range(AT_ONCE):
            issue_text(dcc=DCC, issuer="XX", signer=signer, **_LIFE)
        middle = perf_counter()
        sign_pending(parts, NOW + timedelta(seconds=turn))
        for times, took in ((signed, middle - begin), (stored, perf_counter() - middle)):
            times.append(took / AT_ONCE * 1e6)
    if not _whole(parts):
        print("stored: not every certificate is stored once, told of and written down")
        return 1
    found = ratio(stored[1:], signed[1:])
    figures = (microseconds(stored), "signed only", microseconds(signed))
    row("signed and stored, PostgreSQL", *figures, found, f"at most {_WANTED:.2f}")
    return int(found > _WANTED)


def _whole(parts: Parts) -> bool:
    """Whether every certificate is stored once, told of and written down."""
    done = (
        (Certificate, Certificate.state == "issued"),
        (Message, Message.template == "certificate_ready"),
        (AuditEvent, AuditEvent.act == "certificate_issued"),
    )
    with parts.doors.reading() as db:
        counts = {db.scalar(select(func.count()).select_from(row).where(so)) for row, so in done}
    return counts == {(1 + _ROUNDS) * AT_ONCE}


if __name__ == "__main__":
    sys.exit(main())
