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
from collections.abc import Callable, Mapping
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
from uuid import UUID

from sqlalchemy import Connection, Row, Table, select, text
from sqlalchemy.orm import Session

from bench._turns import microseconds, row
from healthcert.config import Settings
from healthcert.db import migrate
from healthcert.gateways.vault import Vault
from healthcert.jobs.certificates import sign_pending
from healthcert.models import Appointment, Base, Dose, Person
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
_AT_ONCE = 50_000  # people copied in one statement

# Tables of a person's record, with the columns whose values must differ from copy to copy.
_DIGEST = "sha256({0} || int4send(n))"
_COPIED: Mapping[str, Mapping[str, str]] = {
    "person": {
        "birth_year": "1930 + n % 80", "sealed": "(SELECT sealed FROM crowd WHERE number = n)",
    },
    "identity": {"blind": _DIGEST},
    "person_token": {
        "blind": "CASE kind WHEN 'name' THEN substring(int4send(1930 + n % 80) FROM 3)"
        " || substring(sha256({0} || int4send(n)) FOR 2) ELSE sha256({0} || int4send(n)) END"
    },
    "eligibility_decision": {},
    "appointment": {"reference": "'HC-Z' || lpad(to_hex(n), 8, '0')"},
    "message": {},
    "dose": {},
    "dose_judgement": {},
    "dose_standing": {},
    "certificate": {
        "uvci": "{0} || n", "uvci_hash": _DIGEST, "country_uvci_hash": _DIGEST,
        "signature_hash": _DIGEST,
    },
}  # fmt: skip
_OWN = frozenset(
    {"id", "person_id", "appointment_id", "dose_id", "judgement_id", "decision_id", "subject_id"}
)
_COPY = "overlay({0}::text placing lpad(to_hex(n), 8, '0') from 29)::uuid"


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
        began = perf_counter()
        with parts.doors.engine.connect() as connection:
            _grow(connection, parts.vault, size)
        print(f"{size} people copied in {perf_counter() - began:.0f} s", flush=True)
        return cls(parts, clinic, met)


def _grow(connection: Connection, vault: Vault, size: int) -> None:
    """Copy the known people until there are so many; the audit gets what each of them left."""
    tables = [Base.metadata.tables[name] for name in _COPIED]
    who = connection.execute(select(Person.__table__).order_by(Person.id).limit(1)).one()
    _seal_crowd(connection, vault, who, size)
    # No triggers: they have judged whom we copy, and the copies are no deeds.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    copies = max(0, size - _KNOWN)
    for first in range(0, copies, _AT_ONCE):
        which = {"first": first + 1, "last": min(copies, first + _AT_ONCE), "who": who.id}
        for table in tables:
            connection.execute(text(_copying(table)), which)
        connection.execute(text(_AUDIT), which)
    connection.commit()
    connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.execute(text("VACUUM ANALYZE"))  # as the server does by itself


def _seal_crowd(connection: Connection, vault: Vault, who: Row[Any], size: int) -> None:
    """Keep what each copy told of themselves, sealed for its own row, beside its number."""
    told, chance = asdict(details()), Random(size)  # noqa: S311 - the same crowd each time
    connection.execute(text("CREATE TEMP TABLE crowd (number int PRIMARY KEY, sealed bytea)"))
    raw = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy("COPY crowd FROM STDIN") as copy:
        for number in range(1, size):
            row_id = UUID(int=who.id.int >> 32 << 32 | number)
            for name in ("family", "given", "family_latin", "given_latin"):
                told[name] = "".join(chance.choices("abdefgiklmnorstuyz", k=7)).title()
            told["birth_date"] = f"{1930 + number % 80}-07-09"
            copy.write_row((number, vault.seal(who.wrapped_key, row_id, told)))


def _copying(table: Table) -> str:
    """Return the statement that copies one person's rows of a table."""
    special = _COPIED[table.name]
    names = [column.name for column in table.columns if column.computed is None]
    told = [
        special[name].format(name)
        if name in special
        else _COPY.format(name)
        if name in _OWN
        else name
        for name in names
    ]
    whose = "id" if table.name == "person" else "person_id"
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) "  # noqa: S608 - names of our own tables
        f"SELECT {', '.join(told)} FROM {table.name},"
        f" generate_series(CAST(:first AS int), CAST(:last AS int)) AS n WHERE {whose} = :who"
        " ON CONFLICT DO NOTHING"  # two sounds of one person may share a token
    )


_AUDIT = """
    INSERT INTO audit_event (id, recorded_at, actor_kind, actor_id, act, subject_kind, subject_id,
                             details)
    SELECT overlay(e.id::text placing lpad(to_hex(n), 8, '0') from 29)::uuid, recorded_at,
           actor_kind, actor_id, act, subject_kind,
           overlay(subject_id::text placing lpad(to_hex(n), 8, '0') from 29)::uuid, details
      FROM audit_event AS e, generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
     WHERE subject_id = :who
        OR subject_id IN (SELECT id FROM appointment WHERE person_id = :who)
        OR subject_id IN (SELECT id FROM dose WHERE person_id = :who)
        OR subject_id IN (SELECT id FROM certificate WHERE person_id = :who)
"""


def _together(country: _Country, slot_id: UUID) -> bool:
    """Book for two at once, by holding and confirming; return whether both are booked."""
    doors, vault = country.parts.doors, country.parts.vault

    def hold(db: Session) -> parties.Party:
        persons = [enrolment.enrol(db, vault=vault, details=details(), now=NOW) for _ in range(2)]
        wishes = [parties.Wish(person, slot_id, 1) for person in persons]
        actor = audit.Actor("citizen", persons[0].id)
        return parties.hold(db, vault=vault, wishes=wishes, source="web", actor=actor, now=NOW)

    held = doors.run(hold)
    actor = audit.Actor("citizen", held.appointments[0].person_id)
    confirm = partial(parties.confirm, vault=vault, party_id=held.id, actor=actor, now=NOW)
    return [one.state for one in doors.run(confirm)] == ["booked"] * 2


def _deeds(country: _Country) -> dict[str, Callable[[], bool]]:
    """Return what is measured by name; each says whether it found what it was asked for."""
    clinic, doors, vault = country.clinic, country.parts.doors, country.parts.vault
    slot = clinic.slot(day(1), capacity=10_000)
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
        "book": book, "hold and confirm two": partial(_together, country, slot.id),
        "record a dose": record, "find by reference": by_reference,
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
