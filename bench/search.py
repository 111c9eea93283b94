"""Whether the nearest free slots are found quickly among a million, while others book.

`HEALTHCERT_SLOTS=200000 python -m bench.search`

The peer looks at every free slot, reckons how far each site is (haversine) and sorts, in the same
database and snapshot; both must give the same slots. Beside them another process books 500 times a
second. By the clock, since most of the work is the server's. In the worst case every site for 40
kilometres around is full.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import ExitStack
from itertools import count, cycle
from random import Random
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import func, make_url, select, text
from sqlalchemy.orm import Session, aliased

from bench._turns import microseconds, row
from healthcert.db import Doors, make_engine, migrate
from healthcert.models import ClinicSession, Programme, Site, Slot
from healthcert.services import free_slots, knowledge, near, search
from healthcert.services.free_slots import Wanted
from tests.factories import NOW, make_person
from tests.postgres import NoPostgres, running_server

_SLOTS = int(os.environ.get("HEALTHCERT_SLOTS", "1000000"))
_SITES = _SLOTS // 500  # 25 days of 20 slots
_LIMIT, _RATE, _WRITERS, _PEOPLE = 15, 500, 4, 300_000
_ROUNDS, _OFTEN, _WARM_UP = 25, 8, 2
_FASTER = 10
_ALL_FULL = (33.45, 35.45)  # the middle of where every site is full

_FILL = """
SET LOCAL session_replication_role = replica;
SELECT setseed(0.4);
INSERT INTO site (id, recorded_at, code, names, address, region, latitude, longitude, time_zone,
                  step_free, facilities, languages, female_vaccinator)
SELECT gen_random_uuid(), now(), 'X' || n, '{"en": "A"}', '{"en": "B"}', 'North',
       33.1 + random() * 1.5, 35.1 + random() * 1.5, 'Asia/Beirut', random() < 0.7, '["lift"]',
       '["fr", "ar"]', random() < 0.5
  FROM generate_series(1, %(sites)s) AS n;
INSERT INTO clinic_session (id, recorded_at, site_id, programme_id, product_id, day, state)
SELECT gen_random_uuid(), now(), site.id, programme.id, product.id, DATE '2026-03-02' + d,
       'published'
  FROM site, programme, product, generate_series(1, 25) AS d WHERE product.code = 'EU/1/20/1528';
INSERT INTO slot (id, recorded_at, session_id, starts_at, ends_at, capacity, booked, kept_phone,
                  kept_walk_in, kept_second_dose, kept_waiting, booked_phone, booked_walk_in,
                  booked_second_dose, booked_waiting)
SELECT gen_random_uuid(), now(), s.id, s.day + TIME '07:00' + n * INTERVAL '20 min',
       s.day + TIME '07:20' + n * INTERVAL '20 min', 20,
       CASE WHEN random() < 0.8 OR sqrt((latitude - %(north)s) ^ 2 + (longitude - %(east)s) ^ 2)
            < 0.36 THEN 20 ELSE 5 END, 0, 0, 0, 0, 0, 0, 0, 0
  FROM clinic_session AS s JOIN site ON site.id = s.site_id, generate_series(0, 19) AS n;
INSERT INTO person SELECT (json_populate_record(person, json_build_object('id',
       overlay(id::text placing lpad(to_hex(n), 8, '0') from 29)))).*
  FROM person, generate_series(1, %(people)s) AS n;
"""
_BOOK = """
WITH taken AS (
  UPDATE slot SET booked = booked + 1 WHERE id = %s AND booked < capacity
  RETURNING id, starts_at, ends_at)
INSERT INTO appointment (id, recorded_at, reference, person_id, slot_id, starts_at, ends_at,
                         programme_id, dose_number, state, source, pool, reminded)
SELECT gen_random_uuid(), now(), %s, %s, id, starts_at, ends_at, %s, 1, 'booked', 'web', 'online', 0
  FROM taken
"""


class _Deed(NamedTuple):
    """A search, and the points it is tried at."""

    name: str
    points: list[near.Point]
    places: int = 1


def main() -> int:
    """Return 1 if a slot differs, or a search is not ten times as fast as the scan."""
    try:
        with ExitStack() as stack:
            server = stack.enter_context(running_server())
            url = server.url(stack.enter_context(server.database()))
            migrate(url)
            engine = make_engine(url)
            stack.callback(engine.dispose)
            return _measured(Doors(engine), url)
    except NoPostgres as error:
        print(f"search: SKIPPED, {error}")
        return 0


def _filled(doors: Doors) -> UUID:
    """Fill the country; return its programme."""
    with doors.transaction() as db:
        knowledge.load(db, now=NOW)
        make_person(db)
    told = {"sites": _SITES, "people": _PEOPLE, "north": _ALL_FULL[0], "east": _ALL_FULL[1]}
    with doors.engine.begin() as connection:
        connection.exec_driver_sql(_FILL % told, execution_options={"no_parameters": True})
    with doors.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with doors.reading() as db:
        return db.scalars(select(Programme.id)).one()


def _measured(doors: Doors, url: str) -> int:
    programme = _filled(doors)
    chance = Random(3)  # noqa: S311 - the same points each time
    anywhere = [(33.9 + chance.random() * 0.6, 35.9 + chance.random() * 0.6) for _ in range(50)]
    deeds = [
        _Deed("one place", anywhere),
        _Deed("four places together", anywhere, 4),
        _Deed("nearest sites all full", [_ALL_FULL]),
    ]
    booked, stop = multiprocessing.Value("i", 0), multiprocessing.Event()
    ready = multiprocessing.Barrier(_WRITERS + 1, timeout=60)
    beside = [
        multiprocessing.Process(target=_book, args=(url, booked, ready, stop, number))
        for number in range(_WRITERS)
    ]
    for process in beside:
        process.start()
    ready.wait()
    begin = perf_counter()
    try:
        fit = [_compared(doors, programme, deed) for deed in deeds]
        rate = booked.value / (perf_counter() - begin)
    finally:
        stop.set()
        for process in beside:
            process.join()
    row(
        f"bookings beside the search, {_SITES} sites", f"{rate:.0f}/s", "wanted", f"{_RATE}/s",
        rate / _RATE, "at least 0.90",
    )  # fmt: skip
    return int(not all(fit) or rate < 0.9 * _RATE)


def _book(url: str, booked: Any, ready: Any, stop: Any, which: int) -> None:  # noqa: ANN401 - shared
    """Book so many times a second until told to stop, as one of several."""
    at, chance = make_url(url), Random(which)  # noqa: S311 - the same slots each time
    how = {"host": str(at.query["host"])} if "host" in at.query else {"host": at.host}
    with psycopg.connect(dbname=at.database, user=at.username, autocommit=True, **how) as db:
        slots = [row[0] for row in db.execute("SELECT id FROM slot WHERE NOT is_full LIMIT 50000")]
        everybody = db.execute("SELECT id FROM person ORDER BY id").fetchall()
        people = cycle(row[0] for row in everybody[which::_WRITERS])
        programme = db.execute("SELECT id FROM programme").fetchall()[0][0]
        ready.wait()
        begin = perf_counter()
        for number in count():
            if stop.is_set():
                return
            db.execute(
                _BOOK, (chance.choice(slots), f"HC-{which}{number:08}", next(people), programme)
            )
            with booked.get_lock():
                booked.value += 1
            sleep(max(0.0, begin + number * _WRITERS / _RATE - perf_counter()))


def _compared(doors: Doors, programme: UUID, deed: _Deed) -> bool:
    """Print the rows of a search; return whether it is right and as fast as is wanted."""
    ours: list[float] = []
    other: list[float] = []
    right = True
    wanted = Wanted(programme, NOW, (), deed.places)
    for turn, point in zip(range(-_WARM_UP, _ROUNDS), cycle(deed.points), strict=False):
        for _ in range(_OFTEN):
            with doors.reading() as db:
                begin = perf_counter()
                found = search.nearest_free(
                    db, programme_id=programme, near=point, now=NOW, limit=_LIMIT,
                    places=deed.places,
                )  # fmt: skip
                if turn >= 0:
                    ours.append((perf_counter() - begin) * 1e6)
        with doors.reading() as db:
            begin = perf_counter()
            scanned = _scan(db, wanted, point)
            if turn >= 0:
                other.append((perf_counter() - begin) * 1e6)
            found = search.nearest_free(
                db, programme_id=programme, near=point, now=NOW, limit=_LIMIT, places=deed.places
            )
            right &= bool(found) and [offer.slot_id for offer in found] == scanned
    faster = median(other) / median(ours)
    slowest = quantiles(ours, n=100)[98]
    row(
        f"slot search, {_SLOTS} slots: {deed.name} (p99 {microseconds([slowest])})",
        microseconds(ours), "haversine scan", microseconds(other), faster, f"at least {_FASTER}",
    )  # fmt: skip
    if not right:
        print(f"search: {deed.name} gives other slots than the scan")
    return right and faster >= _FASTER


def _scan(db: Session, wanted: Wanted, point: near.Point) -> list[UUID]:
    """Return the same slots by reckoning the distance of everything that is free."""
    free = free_slots.starts(wanted).order_by(None).subquery()
    place = aliased(Site)
    there = (
        select(free, place.latitude, place.longitude, place.id.label("site"))
        .join(Slot, Slot.id == free.c.id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(place, place.id == ClinicSession.site_id)
        .subquery()
    )
    here, east = (func.radians(each) for each in point)
    north = func.sin((func.radians(there.c.latitude) - here) / 2)
    aside = func.sin((func.radians(there.c.longitude) - east) / 2)
    half = north * north + func.cos(here) * func.cos(func.radians(there.c.latitude)) * aside * aside
    away = (2 * 6371 * func.asin(func.sqrt(half))).label("away")
    order = [there.c.day, there.c.starts_at, there.c.id]
    turn = func.row_number().over(partition_by=there.c.site, order_by=order).label("turn")
    ranked = select(there, away, turn).subquery()
    few = select(ranked.c.id).where(ranked.c.turn <= 5)  # noqa: PLR2004 - as the search does
    of_all = few.order_by(ranked.c.away, ranked.c.site, *(ranked.c[each.name] for each in order))
    return list(db.scalars(of_all.limit(_LIMIT)))


if __name__ == "__main__":
    sys.exit(main())
