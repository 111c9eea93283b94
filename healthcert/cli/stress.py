"""Try under load what must never happen: a place given away twice.

Clients are threads of as many processes as serve, let in a few at once as there. Everything lies in
a database made for the run and dropped after it; the control, which lets in all, books as one
should not, and shows that the count can see it.
"""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import UUID

import click
from sqlalchemy import create_engine, func, insert, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from healthcert.config import Settings
from healthcert.db import Doors, make_engine, migrate
from healthcert.errors import NotReady, Refusal, SlotFull
from healthcert.gateways.vault import KEY_BYTES, Vault
from healthcert.models import Appointment, Base, Product, Programme, Slot, new_id
from healthcert.models.place import OPEN
from healthcert.pool import Turns
from healthcert.services import audit, booking, knowledge, places, scenes
from healthcert.services.people import Details, IdentityDetails

PROCESSES = 2  # as many as `healthcert serve` has
_SLOTS_A_DAY, _START = 40, 1.0
_TEST = Details(
    "Stress", "Test", "1980-01-01", "en", IdentityDetails("none"), phone="+447700900000"
)

Deed = Callable[[Doors, Vault, UUID, UUID], object]
Came = tuple[float, float, bool]  # when a booking began and ended, and whether there was a place


class Task(NamedTuple):
    """What a process does: its clients, each a list of who wants which slot, and from when."""

    url: str
    keys: tuple[bytes, bytes]
    deed: Deed
    at_once: int
    clients: Sequence[Sequence[tuple[UUID, UUID]]]
    begins: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Found:
    """What a run showed; times in milliseconds, `overbooked` beyond the places of slots."""

    what: str
    booked: int
    full: int
    each_second: float
    median_ms: float
    p99_ms: float
    overbooked: int
    processor_us: float  # of the clients' processes, a try


def book(doors: Doors, vault: Vault, person_id: UUID, slot_id: UUID) -> None:
    """Book as the service does: judged, decided, told and written down."""

    def take(db: Session) -> None:
        booking.take(
            db, vault=vault, person_id=person_id, slot_id=slot_id, dose_number=1, source="web",
            actor=audit.Actor("citizen", person_id), now=datetime.now(UTC),
        )  # fmt: skip

    doors.run(take)


def book_naively(doors: Doors, _vault: Vault, person_id: UUID, slot_id: UUID) -> None:
    """Book as one should not: count first, and write afterwards what was free then."""
    with doors.transaction() as db:
        place = scenes.place_of(db, slot_id)
        count = select(func.count()).where(Appointment.slot_id == slot_id)
        if db.scalars(count).one() >= place.slot.capacity:
            raise SlotFull
        places.hold_place(
            db, person_id=person_id, slot=place.slot, pool=OPEN, dose_number=1, source="web",
            programme_id=place.programme.id, now=datetime.now(UTC),
        )  # fmt: skip


class Arena:
    """A database for the run, and the processes that come to it."""

    def __init__(self, url: str, pool: ProcessPoolExecutor) -> None:
        """Take the address of an empty database."""
        migrate(url)
        self._url, self._pool, self._days = url, pool, 0
        self._keys = (secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))
        self._doors, self._vault = Doors(make_engine(url)), Vault(*self._keys)
        with self._doors.transaction() as db:
            knowledge.load(db, now=datetime.now(UTC))
            [self._site] = _write(
                db, "site", [{}], code="stress", names={"en": "Test"}, address={}, region="",
                latitude=0.0, longitude=0.0, time_zone="UTC",
            )  # fmt: skip

    def close(self) -> None:
        """Give back the connections."""
        self._doors.engine.dispose()

    def run(
        self, what: str, deed: Deed, *, clients: int, each: int, slots: int, places: int,
        at_once: int = 0,
    ) -> Found:  # fmt: skip
        """Return what comes of so many clients who book each so often, in slots made for it.

        A process lets in so many `at_once`, as one that serves does; of 0 all.
        """
        with self._doors.transaction() as db:
            people = _people(db, self._vault, clients * each)
            chosen = self._slots(db, slots, places)
        wishes = [(who, chosen[turn % slots]) for turn, who in enumerate(people)]
        shares = [wishes[turn::clients] for turn in range(clients)]
        task = partial(
            Task, self._url, self._keys, deed, at_once or clients, begins=time.time() + _START
        )
        tasks = [task(clients=shares[turn::PROCESSES]) for turn in range(PROCESSES)]
        parts = list(self._pool.map(work, tasks))
        came = [one for part, _ in parts for one in part]
        each_us = sum(seconds for _, seconds in parts) / len(came) * 1_000_000
        cuts = quantiles((1000 * (end - begin) for begin, end, _ in came), n=100)
        seconds = max(end for _, end, _ in came) - min(begin for begin, _, _ in came)
        booked = sum(done for _, _, done in came)
        with self._doors.reading() as db:
            over = _overbooked(db, chosen)
        return Found(
            what, booked, len(came) - booked, booked / seconds, cuts[49], cuts[98], over, each_us
        )

    def _slots(self, db: Session, number: int, places: int) -> list[UUID]:
        product = db.scalars(select(Product.id).where(Product.code == "EU/1/20/1528")).one()
        programme, ids = db.scalars(select(Programme.id)).one(), list[UUID]()
        while len(ids) < number:
            self._days += 1
            day = datetime.now(UTC).replace(hour=8) + timedelta(days=self._days)
            [session] = _write(
                db, "clinic_session", [{}], site_id=self._site, day=day.date(), state="published",
                programme_id=programme, product_id=product,
            )  # fmt: skip
            starts = [day + n * timedelta(minutes=10) for n in range(_SLOTS_A_DAY)]
            rows = [{"starts_at": one, "ends_at": one + timedelta(minutes=10)} for one in starts]
            wanted = rows[: number - len(ids)]
            ids += _write(db, "slot", wanted, session_id=session, capacity=places)
        return ids


def _people(db: Session, vault: Vault, number: int) -> list[UUID]:
    key, told = vault.new_key(), asdict(_TEST)
    ids = [new_id() for _ in range(number)]
    return _write(
        db, "person", [{"id": one, "sealed": vault.seal(key, one, told)} for one in ids],
        wrapped_key=key, wrapped_by=vault.master_name, birth_year=1980, sex="unknown",
        language="en",
    )  # fmt: skip


def _write(db: Session, table: str, rows: Sequence[dict[str, Any]], **same: object) -> list[UUID]:
    now = datetime.now(UTC)
    whole: list[dict[str, Any]] = [
        {"id": new_id(), "recorded_at": now} | row | same for row in rows
    ]
    db.execute(insert(Base.metadata.tables[table]), whole)
    return [row["id"] for row in whole]


def _overbooked(db: Session, slots: Sequence[UUID]) -> int:
    rows = func.count(Appointment.id)
    query = select(Slot.capacity, rows).join(Appointment, Appointment.slot_id == Slot.id)
    query = query.where(Slot.id.in_(slots)).group_by(Slot.id, Slot.capacity)
    return sum(max(0, count - capacity) for capacity, count in db.execute(query))


def work(task: Task) -> tuple[list[Came], float]:
    """Return what came of each booking of a process, and its seconds of processor time."""
    doors, vault = _opened(task.url, task.keys)
    turns = Turns(task.at_once, -1)  # whoever waits does so for as long as it takes
    spent = time.process_time()

    def client(wishes: Sequence[tuple[UUID, UUID]]) -> list[Came]:
        came = []
        time.sleep(max(0.0, task.begins - time.time()))
        for wish in wishes:
            begin, done = time.time(), True
            turns.enter()
            try:
                task.deed(doors, vault, *wish)
            except Refusal:
                done = False
            finally:
                turns.leave()
            came.append((begin, time.time(), done))
        return came

    with ThreadPoolExecutor(len(task.clients)) as pool:
        came = [one for part in pool.map(client, task.clients) for one in part]
    return came, time.process_time() - spent


@cache
def _opened(url: str, keys: tuple[bytes, bytes]) -> tuple[Doors, Vault]:
    return Doors(make_engine(url)), Vault(*keys)


@contextmanager
def _scratch(url: str) -> Iterator[str]:
    """Make a database beside another, a file on SQLite, and drop it; `NotReady` if none can be."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        with TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'stress.db'}"
        return
    engine = create_engine(where, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE healthcert_stress")
            try:
                yield where.set(database="healthcert_stress").render_as_string(hide_password=False)
            finally:
                connection.exec_driver_sql("DROP DATABASE healthcert_stress WITH (FORCE)")
    except DBAPIError as error:
        raise NotReady(f"no database can be made there: {error.orig}") from None
    finally:
        engine.dispose()


@click.group()
def stress() -> None:
    """Try the service under load."""


@stress.command("booking")
@click.option("--clients", type=click.IntRange(PROCESSES, 512), default=64, show_default=True)
@click.option("--each", type=click.IntRange(2, 1000), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One line a run, for a program.")
def booking_(*, clients: int, each: int, as_json: bool) -> None:
    """Let many clients book at once, and count whether a place was given away twice.

    The database healthcert_stress is made on the server of HEALTHCERT_DATABASE_URL and dropped in
    the end: no row of yours is read or written, and its people are invented. The user needs the
    right to make it; on SQLite it is a file. Exit code 1 when the service overbooks. The control
    must overbook on PostgreSQL; SQLite has one writer at a time, so it cannot there.

    \b
    Example:
      healthcert stress booking --clients 64 --each 10
    """
    settings, many = Settings.from_env(os.environ), clients * each
    with (
        _scratch(settings.database_url) as own,
        ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool,
        closing(Arena(own, pool)) as arena,
    ):
        run = partial(arena.run, clients=clients, each=each)
        served = partial(run, deed=book, at_once=settings.crowd)
        found = [
            served("spread over many slots", slots=max(1, many // 20), places=20),
            served("one slot for all", slots=1, places=many // 2),
            run("control: count, then write", book_naively, slots=2, places=many // 4),
        ]
    for one in found:
        click.echo(json.dumps(asdict(one)) if as_json else _line(one))
    if any(one.overbooked for one in found[:2]):
        raise click.exceptions.Exit(1)


def _line(one: Found) -> str:
    return (
        f"{one.what:27} {one.booked:6} booked {one.full:6} full {one.each_second:7.0f}/s"
        f"  median {one.median_ms:.1f} ms  p99 {one.p99_ms:.1f} ms  overbooked {one.overbooked}"
    )
