"""Try under load what must never happen: a place given away twice.

Clients are threads of several processes, as in the service. Everything lies in a database made
for the run and dropped after it; the control books as one should not, and shows that the count at
the end can see it.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import UUID

import click
from sqlalchemy import create_engine, func, insert, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from healthcert.config import Settings
from healthcert.db import Doors, make_engine, migrate
from healthcert.errors import NotReady, Refusal
from healthcert.gateways.vault import KEY_BYTES, Vault
from healthcert.models import Appointment, Base, Person, Product, Programme, Slot, new_id
from healthcert.services import audit, booking, knowledge
from healthcert.services.people import Details, IdentityDetails
from healthcert.services.places import new_reference

_PROCESSES, _SLOTS_A_DAY, _START = 2, 40, 1.0
_TEST = Details(
    "Stress", "Test", "1980-01-01", "en", IdentityDetails("none"), phone="+447700900000"
)
Key = tuple[bytes, bytes]


class Task(NamedTuple):
    """What a process does: with which clients, each a list of who wants which slot."""

    url: str
    key: Key
    deed: Callable[[Doors, Vault, UUID, UUID], object]
    clients: Sequence[Sequence[tuple[UUID, UUID]]]
    begins: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Found:
    """What a run showed; times in milliseconds."""

    what: str
    booked: int
    full: int
    each_second: float
    median_ms: float
    p99_ms: float
    overbooked: int  # appointments beyond the places of their slot


def book(doors: Doors, vault: Vault, person_id: UUID, slot_id: UUID) -> None:
    """Book as the service does: judged, decided, told and written down."""
    actor, now = audit.Actor("citizen", person_id), datetime.now(UTC)

    def take(db: Session) -> None:
        booking.take(
            db, vault=vault, person=db.get_one(Person, person_id), slot_id=slot_id,
            dose_number=1, source="web", actor=actor, now=now,
        )  # fmt: skip

    doors.run(take)


def book_naively(doors: Doors, _vault: Vault, person_id: UUID, slot_id: UUID) -> None:
    """Book as one should not: count first, and write afterwards what was free then."""
    with doors.transaction() as db:
        slot = db.get_one(Slot, slot_id)
        count = select(func.count()).where(Appointment.slot_id == slot_id)
        if db.scalars(count).one() >= slot.capacity:
            raise Refusal
        programme_id = db.scalars(select(Programme.id).limit(1)).one()
        db.add(
            Appointment(
                recorded_at=datetime.now(UTC), reference=new_reference(), person_id=person_id,
                slot_id=slot_id, starts_at=slot.starts_at, ends_at=slot.ends_at, state="booked",
                programme_id=programme_id, dose_number=1,
            )
        )  # fmt: skip


class Arena:
    """A database for the run, and the processes that come to it."""

    def __init__(self, url: str, pool: ProcessPoolExecutor) -> None:
        """Take the address of an empty database."""
        migrate(url)
        self.url, self.pool = url, pool
        self.key = (secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))
        self._days = 0
        with closing_doors(url) as doors, doors.transaction() as db:
            knowledge.load(db, now=datetime.now(UTC))
            site = {
                "id": new_id(), "recorded_at": datetime.now(UTC), "code": "stress",
                "names": {"en": "Stress"}, "address": {}, "region": "", "latitude": 0.0,
                "longitude": 0.0, "time_zone": "UTC",
            }  # fmt: skip
            db.execute(insert(Base.metadata.tables["site"]), site)
            self._site = site["id"]

    def run(
        self, what: str, deed: Callable[[Doors, Vault, UUID, UUID], object], *, clients: int,
        each: int, slots: int, places: int,
    ) -> Found:  # fmt: skip
        """Return what comes of so many clients who book each so often, in slots made for it."""
        with closing_doors(self.url) as doors, doors.transaction() as db:
            people, chosen = self._people(db, clients * each), self._slots(db, slots, places)
        wishes = [(who, chosen[turn % slots]) for turn, who in enumerate(people)]
        shares = [wishes[turn::clients] for turn in range(clients)]
        begins = time.time() + _START
        tasks = [
            Task(self.url, self.key, deed, shares[process::_PROCESSES], begins)
            for process in range(_PROCESSES)
        ]
        came = [one for part in self.pool.map(work, tasks) for one in part]
        took = [1000 * (end - begin) for begin, end, _ in came]
        seconds = max(end for _, end, _ in came) - min(begin for begin, _, _ in came)
        cuts, booked = quantiles(took, n=100), sum(done for _, _, done in came)
        with closing_doors(self.url) as doors, doors.reading() as db:
            over = _overbooked(db, chosen)
        return Found(what, booked, len(came) - booked, booked / seconds, cuts[49], cuts[98], over)

    def _people(self, db: Session, number: int) -> list[UUID]:
        vault, now = Vault(*self.key), datetime.now(UTC)
        key, told, ids = vault.new_key(), asdict(_TEST), [new_id() for _ in range(number)]
        rows = [
            {
                "id": row_id, "recorded_at": now, "wrapped_key": key, "birth_year": 1980,
                "wrapped_by": vault.master_name, "sealed": vault.seal(key, row_id, told),
                "sex": "unknown", "language": "en",
            }
            for row_id in ids
        ]  # fmt: skip
        db.execute(insert(Base.metadata.tables["person"]), rows)
        return ids

    def _slots(self, db: Session, number: int, places: int) -> list[UUID]:
        product = db.scalars(select(Product.id).where(Product.code == "EU/1/20/1528")).one()
        programme, now = db.scalars(select(Programme.id).limit(1)).one(), datetime.now(UTC)
        ids: list[UUID] = []
        while len(ids) < number:
            self._days += 1
            session, day = new_id(), now.date() + timedelta(days=self._days)
            row = {
                "id": session, "recorded_at": now, "site_id": self._site, "day": day,
                "programme_id": programme, "product_id": product, "state": "published",
            }  # fmt: skip
            db.execute(insert(Base.metadata.tables["clinic_session"]), row)
            here = [new_id() for _ in range(min(_SLOTS_A_DAY, number - len(ids)))]
            rows = [_slot(one, session, day, turn, places, now) for turn, one in enumerate(here)]
            db.execute(insert(Base.metadata.tables["slot"]), rows)
            ids += here
        return ids


def _slot(
    row_id: UUID, session: UUID, day: date, turn: int, places: int, now: datetime
) -> dict[str, object]:
    starts = datetime(day.year, day.month, day.day, 8, tzinfo=UTC) + timedelta(minutes=10 * turn)
    return {
        "id": row_id, "recorded_at": now, "session_id": session, "starts_at": starts,
        "ends_at": starts + timedelta(minutes=10), "capacity": places,
    }  # fmt: skip


def _overbooked(db: Session, slots: Sequence[UUID]) -> int:
    rows = func.count(Appointment.id)
    query = select(Slot.capacity, rows).join(Appointment, Appointment.slot_id == Slot.id)
    query = query.where(Slot.id.in_(slots)).group_by(Slot.id, Slot.capacity)
    return sum(max(0, count - capacity) for capacity, count in db.execute(query))


def work(task: Task) -> list[tuple[float, float, bool]]:
    """Return when each booking of a process began and ended, and whether there was a place."""
    doors, vault = _opened(task.url, task.key)

    def client(wishes: Sequence[tuple[UUID, UUID]]) -> list[tuple[float, float, bool]]:
        came = []
        time.sleep(max(0.0, task.begins - time.time()))
        for person_id, slot_id in wishes:
            begin = time.time()
            try:
                task.deed(doors, vault, person_id, slot_id)
                done = True
            except Refusal:
                done = False
            came.append((begin, time.time(), done))
        return came

    with ThreadPoolExecutor(len(task.clients)) as pool:
        return [one for part in pool.map(client, task.clients) for one in part]


@cache
def _opened(url: str, key: Key) -> tuple[Doors, Vault]:
    return Doors(make_engine(url)), Vault(*key)


@contextmanager
def closing_doors(url: str) -> Iterator[Doors]:
    """Open the doors of a database for a moment."""
    engine = make_engine(url)
    try:
        yield Doors(engine)
    finally:
        engine.dispose()


@contextmanager
def scratch(url: str) -> Iterator[str]:
    """Make a database beside another, on the same server, and drop it.

    Raises:
        NotReady: This user may make none there.
    """
    where, name = make_url(url), f"healthcert_stress_{os.getpid()}"
    if where.get_backend_name() == "sqlite":
        with TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'stress.db'}"
        return
    engine = create_engine(where, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            try:
                yield where.set(database=name).render_as_string(hide_password=False)
            finally:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    except DBAPIError as error:
        raise NotReady(f"no database can be made there: {error.orig}") from None
    finally:
        engine.dispose()


@contextmanager
def arena(url: str) -> Iterator[Arena]:
    """Open processes and a database of their own beside another."""
    with scratch(url) as own, ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
        yield Arena(own, pool)


@click.group()
def stress() -> None:
    """Try the service under load."""


@stress.command("booking")
@click.option("--clients", type=click.IntRange(2, 512), default=64, show_default=True)
@click.option("--each", type=click.IntRange(2, 1000), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One line a run, for a program.")
def booking_(*, clients: int, each: int, as_json: bool) -> None:
    r"""Let many clients book at once, and count whether a place was given away twice.

    A database is made beside the one in HEALTHCERT_DATABASE_URL, on the same server, and dropped
    in the end: no row of yours is read or written. The user needs the right to make one. People
    and slots are made for the test. Exit code 1 when one place is overbooked.

    \b
    Example:
      healthcert stress booking --clients 64 --each 10
    """
    url, many = Settings.from_env(os.environ).database_url, clients * each
    with arena(url) as place:
        run = partial(place.run, clients=clients, each=each)
        found = [
            run("spread over many slots", book, slots=max(1, many // 20), places=20),
            run("one slot for all", book, slots=1, places=many // 2),
            run("control: count, then write", book_naively, slots=max(1, many // 20), places=10),
        ]
    for one in found:
        click.echo(json.dumps(asdict(one)) if as_json else _line(one))
    if any(one.overbooked for one in found[:2]):
        raise click.exceptions.Exit(1)


def _line(found: Found) -> str:
    return (
        f"{found.what:28} {found.booked:6} booked {found.full:6} full"
        f" {found.each_second:8.0f}/s  median {found.median_ms:.1f} ms  p99 {found.p99_ms:.1f} ms"
        f"  overbooked {found.overbooked}"
    )
