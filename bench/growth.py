"""Whether deeds stay as quick while the country grows, in a real PostgreSQL.

`HEALTHCERT_GROWTH=300000 python -m bench.growth`

Two databases hold the same clinic; in one are 10 000 people with what a month leaves of each, in
the other 1 000 000 (HEALTHCERT_GROWTH says otherwise). The crowd is copied by the server from the
rows of people whom the services wrote down, so each has its identifiers, tokens and times. Then
the same deeds take turns in both, by the clock, since much of the work is the server's. What
counts is how much longer the slowest of a hundred takes where there are more people; and every
deed must find what it was asked for, or fast is wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from itertools import count, cycle
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import Session

from bench._copies import copies, copy, row_id
from bench._turns import microseconds, row
from healthcert.config import Settings
from healthcert.db import migrate
from healthcert.gateways.vault import Vault
from healthcert.jobs.certificates import sign_pending
from healthcert.models import Appointment, Dose, Person, Slot
from healthcert.parts import Parts, open_parts
from healthcert.services import audit, enrolment, finding, parties, sweeping
from healthcert.services.development_keys import make_development_keys
from healthcert.services.people import Details, details_of
from tests.factories import NOW, day
from tests.postgres import NoPostgres, running_server
from tests.services.clinic import Clinic, details

_FEW, _MANY = 10_000, int(os.environ.get("HEALTHCERT_GROWTH", "1000000"))
_KNOWN, _ROUNDS, _WARM_UP, _WANTED = 100, 200, 20, 1.15
_OFTEN = 5  # times a turn that something is looked for: of what takes 2 ms, chance makes the p99
_SECOND = 28  # days after the first dose


def main() -> int:
    """Return 1 if a deed finds the wrong thing, or one takes much longer among many people."""
    try:
        with ExitStack() as stack:
            server = stack.enter_context(running_server())
            countries = []
            for size in (_FEW, _MANY):
                url = server.url(stack.enter_context(server.database()))
                folder = Path(stack.enter_context(TemporaryDirectory()))
                countries.append(_Country.of(url, folder, size))
                stack.callback(countries[-1].parts.close)
            return _measured(*countries)
    except NoPostgres as error:
        print(f"growth: SKIPPED, {error}")
        return 0


@dataclass
class _Country:
    """A clinic in a country of some size, and the people of it who come."""

    parts: Parts
    clinic: Clinic
    met: list[tuple[Appointment, Details]]

    @classmethod
    def of(cls, url: str, folder: Path, size: int) -> _Country:
        """Return a country of so many people, a few of whom are known."""
        migrate(url)
        make_development_keys(folder, country="XX", now=NOW)
        named = {"KEYS_DIR": str(folder), "DATA_DIR": str(folder), "DATABASE_URL": url}
        settings = Settings.from_env({f"HEALTHCERT_{key}": told for key, told in named.items()})
        parts = open_parts(settings)
        clinic = Clinic.opened(parts.doors, parts.vault, parts.country, parts.signers.values())
        clinic.lot()
        slot, met = clinic.slot(day(-1), capacity=_KNOWN), []
        before = slot.starts_at - timedelta(hours=1)
        for number in range(_KNOWN):
            who = details(birth_date=f"{1930 + number % 80}-03-01")
            met.append((clinic.book(slot, who, now=before), who))
            clinic.record(met[-1][0])
        sign_pending(parts, NOW)
        print(f"{size} people: ", end="", flush=True)
        with parts.doors.engine.connect() as connection:
            _grow(connection, parts.vault, size)
        return cls(parts, clinic, met)


def _grow(connection: Connection, vault: Vault, size: int) -> None:
    """Copy the known people until there are so many."""
    who = connection.execute(select(Person.__table__).order_by(Person.id).limit(1)).one()
    with copies(connection, _sealed(vault, who, size)):
        copy(connection, who.id, 1, max(0, size - _KNOWN))


def _sealed(vault: Vault, who: Row[Any], size: int) -> Iterator[tuple[int, bytes]]:
    """Give what each copy told of themselves, sealed for its own row, beside its number."""
    told, chance = asdict(details()), Random(size)  # noqa: S311 - the same crowd each time
    for number in range(1, size):
        for name in ("family", "given", "family_latin", "given_latin"):
            told[name] = "".join(chance.choices("abdefgiklmnorstuyz", k=7)).title()
        told["birth_date"] = f"{1930 + number % 80}-07-09"
        yield number, vault.seal(who.wrapped_key, row_id(who.id, number), told)


def _together(country: _Country, slots: Sequence[Slot]) -> bool:
    """Book two doses each for four at once, by holding and confirming; say whether all are."""
    doors, vault = country.parts.doors, country.parts.vault

    def hold(db: Session) -> parties.Party:
        persons = [enrolment.enrol(db, vault=vault, details=details(), now=NOW) for _ in range(4)]
        wishes = [
            parties.Wish(person, slot.id, dose)
            for person in persons
            for dose, slot in enumerate(slots, 1)
        ]
        actor = audit.Actor("citizen", persons[0].id)
        return parties.hold(db, vault=vault, wishes=wishes, source="web", actor=actor, now=NOW)

    held = doors.run(hold)
    actor = audit.Actor("citizen", held.appointments[0].person_id)
    confirm = partial(parties.confirm, vault=vault, party_id=held.id, actor=actor, now=NOW)
    return [one.state for one in doors.run(confirm)] == ["booked"] * 8


def _deeds(country: _Country) -> dict[str, Callable[[], bool]]:
    """Return what is measured by name; each says whether it found what it was asked for."""
    clinic, doors, vault = country.clinic, country.parts.doors, country.parts.vault
    slot, later = (clinic.slot(day(on), capacity=10_000) for on in (1, 1 + _SECOND))
    booked: list[Appointment] = []
    hours = count()
    turns = {name: cycle(country.met) for name in ("reference", "identity", "name")}

    def book() -> bool:
        booked.append(clinic.book(slot, details()))
        return booked[-1].state == "booked"

    def record() -> bool:
        return isinstance(clinic.record(booked.pop()), Dose)

    def by_reference() -> bool:
        one, who = next(turns["reference"])
        query = select(Person).join(Appointment, Appointment.person_id == Person.id)
        with doors.reading() as db:
            found = db.scalar(query.where(Appointment.reference == one.reference))
            return found is not None and details_of(vault, found).birth_date == who.birth_date

    def by_identity() -> bool:
        one, who = next(turns["identity"])
        with doors.reading() as db:
            found = enrolment.known(db, vault=vault, details=who)
            return found is not None and found.id == one.person_id

    def sweep() -> bool:
        return doors.run(partial(sweeping.sweep, now=NOW)) == 0

    def by_name() -> bool:
        one, who = next(turns["name"])
        search = partial(
            finding.find, vault=vault, staff=clinic.nurse, reason="registration",
            now=NOW + timedelta(hours=next(hours)),  # one looks so often in many hours
            text=f"{who.given} {who.family}", born=who.birth_date,
        )  # fmt: skip
        return one.person_id in {each.person_id for each in doors.run(search)}

    return {
        "book": book, "record a dose": record, "find by reference": by_reference,
        "hold and confirm four, two doses each": partial(_together, country, (slot, later)),
        "find by document": by_identity, "find by name": by_name, "sweep, nothing to do": sweep,
    }  # fmt: skip


def _measured(few: _Country, many: _Country) -> int:
    deeds = [_deeds(few), _deeds(many)]
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in deeds[0]}
    right = True
    for turn in range(-_WARM_UP, _ROUNDS):
        for name, both in times.items():
            often = _OFTEN if name.startswith("find") else 1
            for which in (turn % 2, 1 - turn % 2) * often:
                begin = perf_counter()
                right &= deeds[which][name]()
                if turn >= 0:
                    both[which].append((perf_counter() - begin) * 1e6)
    slow = [not _told(name, *both) for name, both in times.items()]
    if not right:
        print("growth: somebody or something was not found")
    return int(any(slow) or not right)


def _told(name: str, few: list[float], many: list[float]) -> bool:
    """Print the row of a deed; return whether it stays as quick as is wanted."""
    one, two = (quantiles(times, n=100)[98] for times in (many, few))
    row(
        f"{name}, {_MANY} people, p99 (median {microseconds(many)})",
        microseconds([one]), f"{_FEW} people (median {microseconds(few)})", microseconds([two]),
        one / two, f"at most {_WANTED:.2f}",
    )  # fmt: skip
    return one / two <= _WANTED


if __name__ == "__main__":
    sys.exit(main())
