"""Booking by 64 clients in PostgreSQL, beside one plain INSERT and commit of the same row.

The service does all it does for a citizen: locks the person, judges product, dose and phase, keeps
the decision, takes the place, writes appointment, message and audit. The plain INSERT goes through
the driver alone, into a table without a rule. They take turns, in the same processes with the same
clients; beside the clock, which hears of all that the machine does meanwhile, stands the processor
time of clients and backends together. What each booking was is counted afterwards: none too many,
and the control, which counts first and writes then, must give places away twice, or the count sees
nothing.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from queue import Queue
from statistics import median
from threading import Lock
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from sqlalchemy import URL, create_engine
from sqlalchemy import Connection as Looking

from bench._turns import row
from healthcert.cli.stress import PROCESSES, Arena, Found, book, book_naively
from healthcert.config import Settings
from healthcert.db import Doors
from healthcert.gateways.vault import Vault
from healthcert.models import new_id
from healthcert.services.places import new_reference
from tests.factories import NOW
from tests.postgres import NoPostgres, running_server

_CLIENTS, _EACH, _ROUNDS, _HOT_MS, _WANTED = 64, 8, 5, 60.0, 0.7
_PLAIN = """
    INSERT INTO plain_row (id, recorded_at, reference, person_id, slot_id, state, source, pool)
    VALUES (%s, %s, %s, %s, %s, 'booked', 'web', 'online')
"""
_CROWD = Settings.from_env({}).crowd
_OPEN, _LOCK = 9, Lock()  # connections of a process


def plain(doors: Doors, _vault: Vault, person_id: UUID, slot_id: UUID) -> None:
    """Write one row and commit it, by the driver alone."""
    with _LOCK:
        own = _connections(doors.engine.url)
    connection = own.get()
    connection.execute(_PLAIN, (new_id(), NOW, new_reference(), person_id, slot_id))
    connection.commit()
    own.put(connection)


@cache
def _connections(url: URL) -> Queue[Connection[TupleRow]]:
    """Return connections that stay open, as the service's do, and fit beside those."""
    own = Queue[Connection[TupleRow]]()
    for _ in range(_OPEN):
        own.put(
            psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        )
    return own


def main() -> int:
    """Return 1 if a place is given twice, the control sees nothing, or it is slower than wanted."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except NoPostgres as error:
            print(f"booking: SKIPPED, {error}")
            return 0
        url = server.url(stack.enter_context(server.database()))
        pool = stack.enter_context(ProcessPoolExecutor(PROCESSES, get_context("spawn")))
        arena = stack.enter_context(closing(Arena(url, pool)))
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        stack.callback(engine.dispose)
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE plain_row (LIKE appointment)")
            names = ["starts_at", "ends_at", "programme_id", "dose_number", "reminded"]
            drops = ", ".join(f"ALTER {name} DROP NOT NULL" for name in names)
            connection.exec_driver_sql(f"ALTER TABLE plain_row {drops}")
            return _measured(arena, connection)


def _spent(connection: Looking) -> float:
    """Return the microseconds of processor time that the backends have had."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    rows = connection.exec_driver_sql(query)
    told = [Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii") for (pid,) in rows]
    return sum(int(one.split()[0]) for one in told) / 1000


def _measured(arena: Arena, connection: Looking) -> int:
    many = _CLIENTS * _EACH
    run = partial(arena.run, clients=_CLIENTS, each=_EACH)
    found: dict[str, list[Found]] = {"plain": [], "spread": [], "hot": []}
    spent: dict[str, list[float]] = {"plain": [], "spread": [], "hot": []}
    for turn in range(-1, _ROUNDS):
        for what, deed, slots, places, at_once in (
            ("plain", plain, 64, 1, 0), ("spread", book, 64, 20, _CROWD),
            ("hot", book, 1, 200, _CROWD),
        ):  # fmt: skip
            before = _spent(connection)
            one = run(what, deed, slots=slots, places=places, at_once=at_once)
            if turn >= 0:
                found[what].append(one)
                spent[what].append(one.processor_us + (_spent(connection) - before) / many)
    control = run("control", book_naively, slots=2, places=many // 4)
    spread, plain_, hot = found["spread"], found["plain"], found["hot"]
    ratio = median(a.each_second / b.each_second for a, b in zip(spread, plain_, strict=True))
    both, alone = (median(spent[what]) for what in ("spread", "plain"))
    row(
        "the same by processor time, clients and backends", f"{both:.0f} us",
        "one plain INSERT and commit", f"{alone:.0f} us",
        median(b / a for a, b in zip(spent["spread"], spent["plain"], strict=True)), "beside it",
    )  # fmt: skip
    slow, quick = (median(one.p99_ms for one in runs) for runs in (hot, plain_))
    row(
        f"booking service, {_CLIENTS} clients, PostgreSQL, spread", _rate(spread),
        "one plain INSERT and commit", _rate(plain_), ratio, f"at least {_WANTED:.2f}",
    )  # fmt: skip
    row(
        f"one slot for all: p99 (of the plain INSERT {quick:.0f} ms)", f"{slow:.0f} ms", "limit",
        f"{_HOT_MS:.0f} ms", slow / _HOT_MS, "at most 1.00",
    )  # fmt: skip
    over = sum(one.overbooked for one in (*spread, *hot))
    row(
        "places given twice", str(over), "counted first, then written", str(control.overbooked),
        over, "0, the other not",
    )  # fmt: skip
    wrong = over or not control.overbooked or any(one.full for one in spread)
    return int(bool(wrong) or ratio < _WANTED or slow > _HOT_MS)


def _rate(found: list[Found]) -> str:
    return f"{median(one.each_second for one in found):.0f}/s"


if __name__ == "__main__":
    sys.exit(main())
