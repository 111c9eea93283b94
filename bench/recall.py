"""How long a recall takes among many doses, in a real PostgreSQL.

`HEALTHCERT_RECALL=1000000 python -m bench.recall`

Of so many doses (10 000 where nothing is said) one in a hundred is of the lot that is recalled;
a tenth of these was written down before our books knew it, and names it by its number. They are
copied by the server, as in `growth`. By the clock: from the order until the stock is frozen and
whom it reaches is known; then the rate at which the worker judges them again, tells their holders
and withdraws certificates. Each recipient must be told once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import UUID

from sqlalchemy import Connection, func, select

from bench._copies import copies, copy, row_id
from bench._turns import row
from healthcert.config import Settings
from healthcert.db import migrate
from healthcert.errors import BadInput
from healthcert.jobs.certificates import sign_pending
from healthcert.jobs.lots import judge_lot
from healthcert.models import Certificate, DoseStanding, Lot, Message, Person
from healthcert.parts import Parts, open_parts
from healthcert.services import judging_again, lots, stock
from healthcert.services.development_keys import make_development_keys
from healthcert.services.people import details_of
from healthcert.services.stock import Shelf
from tests.factories import NOW, day, make_admin, make_site
from tests.postgres import NoPostgres, running_server
from tests.services.clinic import Clinic, details

_DOSES = int(os.environ.get("HEALTHCERT_RECALL", "10000"))
_REACHED = max(10, _DOSES // 100)
_EARLY = _REACHED // 10
_WANTED = 2.0  # seconds until frozen and known


def main() -> int:
    """Return 1 if somebody is not found or not told once, or the first answer takes too long."""
    try:
        with ExitStack() as stack:
            server = stack.enter_context(running_server())
            url = server.url(stack.enter_context(server.database()))
            folder = Path(stack.enter_context(TemporaryDirectory()))
            migrate(url)
            make_development_keys(folder, country="XX", now=NOW)
            named = {"KEYS_DIR": str(folder), "DATA_DIR": str(folder), "DATABASE_URL": url}
            told = {f"HEALTHCERT_{key}": value for key, value in named.items()}
            parts = open_parts(Settings.from_env(told))
            stack.callback(parts.close)
            return _measured(parts)
    except NoPostgres as error:
        print(f"recall: SKIPPED, {error}")
        return 0


def _measured(parts: Parts) -> int:
    clinic = Clinic.opened(parts.doors, parts.vault, parts.country, parts.signers.values())
    slot, people = clinic.slot(day(-1), capacity=3), []
    for number, known in (("GOOD", True), ("BAD", False), ("BAD", True)):
        if known:
            clinic.lot(number)
        booked = clinic.book(slot, details(), now=slot.starts_at - timedelta(hours=1))
        clinic.record(booked, lot=number)
        people.append(booked.person_id)
    sign_pending(parts, NOW)
    with parts.doors.engine.connect() as connection:
        _grow(connection, parts, *people)
    with parts.doors.transaction() as db:
        bad, admin = db.scalars(select(Lot.id).filter_by(number="BAD")).one(), make_admin(db)
        stock.move(db, Shelf(clinic.site.id, bad), "received", 10, staff=admin, now=NOW)
        other = make_site(db).id
    begun = perf_counter()
    order = partial(
        lots.order, lot_id=bad, state="recalled", since=None, reason="regulator", staff=admin,
        country=parts.country, now=NOW,
    )  # fmt: skip
    parts.doors.run(order)
    with parts.doors.reading() as db:
        found = sum(each.people for each in lots.reached(db, lot_id=bad))
    known = perf_counter() - begun
    frozen = _is_frozen(parts, Shelf(clinic.site.id, bad), other, admin)
    begun = perf_counter()
    judge_lot(parts, bad, NOW)
    rate = _REACHED / (perf_counter() - begun)
    row(
        f"recall of {_REACHED} among {_DOSES} doses: frozen, everybody found",
        f"{known * 1000:.0f} ms", "judged again, told, withdrawn", f"{rate:.0f} a second",
        known / _WANTED, "at most 1",
    )  # fmt: skip
    right = frozen and found == _REACHED and _all_told(parts, bad)
    if not right:
        print(f"recall: frozen {frozen}, {found} found of {_REACHED}, or somebody not told once")
    return int(not right or known > _WANTED)


def _is_frozen(parts: Parts, shelf: Shelf, other: UUID, admin: object) -> bool:
    try:
        parts.doors.run(lambda db: stock.transfer(db, shelf, 1, to=other, staff=admin, now=NOW))
    except BadInput:
        return True
    return False


def _all_told(parts: Parts, lot_id: UUID) -> bool:
    """Say whether each recipient was told once, no dose counts and no certificate holds."""
    with parts.doors.reading() as db:
        told = select(func.count(), func.count(Message.person_id.distinct()))
        told = db.execute(told.where(Message.template == "lot_recalled")).one()
        ended = select(func.count()).where(DoseStanding.counts == "recalled_lot")
        revoked = select(func.count()).where(Certificate.state == "revoked")
        ends = [db.scalar(ended), db.scalar(revoked), judging_again.left(db, lot_id=lot_id)]
    return [*told, *ends] == [_REACHED] * 3 + [_REACHED - _EARLY, 0]  # who counted had one


def _grow(connection: Connection, parts: Parts, good: UUID, early: UUID, bad: UUID) -> None:
    """Copy one person of each kind until there are as many doses of each as is wanted."""
    print(f"{_DOSES} doses: ", end="", flush=True)
    few, late = _DOSES - _REACHED, _DOSES - _REACHED + _EARLY
    reached = {early: range(few + 1, late), bad: range(late + 1, _DOSES)}
    with copies(connection, _sealed(parts, few, reached)):
        copy(connection, good, 1, few - 1)
        for who, numbers in reached.items():
            copy(connection, who, numbers.start, numbers.stop - 1)


def _sealed(parts: Parts, few: int, reached: Mapping[UUID, range]) -> Iterator[tuple[int, bytes]]:
    """Give what each copy told; of those who have the other lot nobody ever asks."""
    for number in range(1, few):
        yield number, b"x"
    for who, numbers in reached.items():
        with parts.doors.reading() as db:
            person = db.get_one(Person, who)
            told, key = asdict(details_of(parts.vault, person)), person.wrapped_key
        for number in numbers:
            yield number, parts.vault.seal(key, row_id(who, number), told)


if __name__ == "__main__":
    sys.exit(main())
