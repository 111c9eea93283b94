"""What sealing costs beside writing the events, on PostgreSQL: `python -m bench.sealing`.

Raw INSERT is one event a transaction on one connection, by the driver alone, into a database in
memory: the quickest writer there is. `HEALTHCERT_EVENTS` says how many events (20,000).
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from sqlalchemy import Engine

from bench._turns import row
from healthcert.db import Doors, make_engine, migrate
from healthcert.gateways.note_keys import NoteSigner, make_note_key
from healthcert.models import new_id
from healthcert.services import auditing, sealing
from healthcert.transparency.notes import LOG
from tests.postgres import NoPostgres, running_server

_EVENTS = int(os.environ.get("HEALTHCERT_EVENTS", "20000"))
_ROUND = 1_000  # events of one seal: a busy second
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
    doors, now = Doors(engine), datetime.now(UTC)  # noqa: TID251 - a program is an edge
    written, sealed = [], []
    for _ in range(_EVENTS // _ROUND):
        written.append(_write(engine, now) / _ROUND)
        begin = perf_counter()
        with doors.transaction() as db:
            sealing.seal(db, signer=signer, now=now)
        sealed.append((perf_counter() - begin) / _ROUND)
    ratios = [ours / raw for ours, raw in zip(sealed, written, strict=True)]
    figures = (f"{median(sealed) * 1e6:.1f} us", "raw INSERT", f"{median(written) * 1e6:.1f} us")
    row("seal one event", *figures, median(ratios), f"at most {_WANTED:.2f}")
    begin = perf_counter()
    with doors.reading() as db:
        found = auditing.verify(db, log=log, sources=[], now=now)
        size = getattr(sealing.newest(db), "size", 0)
    million = (perf_counter() - begin) / _EVENTS * 1e6
    print(f"sealing: a million events are verified in {million:.0f} s")
    if found or size != len(written) * _ROUND:
        print(f"sealing: {size} sealed, found {found[:3]}")
        return 1
    return int(median(ratios) > _WANTED)


def _write(engine: Engine, now: datetime) -> float:
    raw = engine.raw_connection()
    try:
        cursor, begin = raw.cursor(), perf_counter()
        for _ in range(_ROUND):
            cursor.execute(_INSERT, (new_id(), now, uuid4(), uuid4(), _DETAILS))
            raw.commit()
        return perf_counter() - begin
    finally:
        raw.close()


if __name__ == "__main__":
    sys.exit(main())
