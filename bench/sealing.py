"""What sealing costs beside writing the events, on PostgreSQL: `python -m bench.sealing`.

Raw INSERT is one event a transaction on one connection, by the driver alone, into a database in
memory: the quickest writer there is. Counted is processor time, of this program and of its server
process. `HEALTHCERT_EVENTS` says how many events (30,000).
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time
from uuid import uuid4

from sqlalchemy import Engine, func, select

from bench._turns import row
from healthcert.db import Doors, make_engine, migrate
from healthcert.gateways.note_keys import NoteSigner, make_note_key
from healthcert.models import new_id
from healthcert.services import auditing, sealing
from healthcert.transparency.notes import LOG
from tests.postgres import NoPostgres, running_server

_EVENTS = int(os.environ.get("HEALTHCERT_EVENTS", "30000"))
_ROUND = 5_000  # events of one seal: what that writer writes in a second
_WANTED = 0.10
_INSERT = (
    "INSERT INTO audit_event (id, recorded_at, actor_kind, actor_id, act, subject_kind,"
    " subject_id, details) VALUES (%s, %s, 'staff', %s, 'dose_recorded', 'dose', %s, %s)"
)
_DETAILS = '{"site": "5b2a1d54-57a2-4d8e-9c5f-1d0f5f6d8e21", "number": 1}'


def main() -> int:
    """Print the rows; return 1 if a seal is wrong or costs more than is wanted."""
    try:
        with running_server() as server, server.database() as name, TemporaryDirectory() as folder:
            migrate(server.url(name))
            engine = make_engine(server.url(name))
            try:
                return _measure(engine, Path(folder))
            finally:
                engine.dispose()
    except NoPostgres as error:
        print(f"sealing: SKIPPED, {error}")
        return 0


def _measure(engine: Engine, folder: Path) -> int:
    log = make_note_key(folder / "key.pem", "bench", LOG, passphrase=b"words")
    signer = NoteSigner.open(folder / "key.pem", log, passphrase=b"words")
    doors = Doors(engine)
    with doors.reading() as db:
        server = db.scalars(select(func.pg_backend_pid())).one()
    written, sealed = [], []
    for _ in range(_EVENTS // _ROUND):
        now = datetime.now(UTC)  # noqa: TID251 - a program is an edge
        begin = _spent(server)
        _write(engine, now)
        between = _spent(server)
        with doors.transaction() as db:
            sealing.seal(db, signer=signer, now=now, back=timedelta(seconds=1))
        written.append((between - begin) / _ROUND)
        sealed.append((_spent(server) - between) / _ROUND)
    ratios = [ours / raw for ours, raw in zip(sealed, written, strict=True)]
    figures = (f"{median(sealed) * 1e6:.1f} us", "raw INSERT", f"{median(written) * 1e6:.1f} us")
    row("seal one event", *figures, median(ratios), f"at most {_WANTED:.2f}")
    now, begin = datetime.now(UTC), perf_counter()  # noqa: TID251
    with doors.reading() as db:
        found = auditing.verify(db, log=log, sources=[], now=now)
        size = getattr(sealing.newest(db), "size", 0)
    million = (perf_counter() - begin) / _EVENTS * 1e6
    print(f"sealing: a million events are verified in {million:.0f} s")
    if found or size != len(written) * _ROUND:
        print(f"sealing: {size} sealed, found {found[:3]}")
        return 1
    return int(median(ratios) > _WANTED)


def _write(engine: Engine, now: datetime) -> None:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        for _ in range(_ROUND):
            cursor.execute(_INSERT, (new_id(), now, uuid4(), uuid4(), _DETAILS))
            raw.commit()
    finally:
        raw.close()


def _spent(server: int) -> float:
    """Return the seconds of processor time that we and our server process have had.

    Where the server does not run here, the time by the clock.
    """
    try:
        told = Path(f"/proc/{server}/schedstat").read_text("ascii")
    except OSError:
        return perf_counter()
    return thread_time() + int(told.split()[0]) / 1e9


if __name__ == "__main__":
    sys.exit(main())
