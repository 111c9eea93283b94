"""What the real server does at ten times its capacity, beside its best: `python -m bench.overload`.

A crowd books, at first as fast as it is answered, then ten times as often as that; a few others
check certificates all the while. The phases take turns, by the clock, since it is about waiting.
The server has one core, the database and the crowd have the others: what is seen is its capacity.
Whoever was told so has booked, and nobody else (`tests/load` counts that too).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from bench._turns import row
from healthcert.db import migrate
from healthcert.models import Appointment
from tests.load.phases import Phase, phase
from tests.load.serving import House, house
from tests.postgres import NoPostgres, running_server

_ROUNDS, _SECONDS, _CROWD = 16, 1.5, 15000


def main() -> int:
    """Return 1 if a booking is lost, or too little is done above capacity."""
    own, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or [own])
    try:
        with (
            running_server() as server, server.database() as name, TemporaryDirectory() as folder,
        ):  # fmt: skip
            migrate(server.url(name))
            with house(Path(folder), server.url(name), core=own) as running:
                return _measured(running)
    except NoPostgres as error:
        print(f"overload: SKIPPED, {error}")
        return 0


def _measured(running: House) -> int:
    crowd = running.crowd(_CROWD)
    booked = phase(running, crowd, 2, at_once=4).booked
    alone = phase(running, [], _SECONDS)
    best, above = [], []
    for _ in range(_ROUNDS):
        best.append(phase(running, crowd, _SECONDS, at_once=8))
        above.append(phase(running, crowd, _SECONDS, rate=10 * best[-1].goodput))
        booked += best[-1].booked + above[-1].booked
    with running.parts.doors.reading() as db:
        written = db.scalar(select(func.count()).select_from(Appointment))
    found = median(two.goodput / one.goodput for one, two in zip(best, above, strict=True))
    peak = median(each.goodput for each in best)
    row("bookings a second at ten times capacity", f"{found * peak:.0f}", "its best",
        f"{peak:.0f}", found, "at least 0.90")  # fmt: skip
    _told_of_checks(alone, best, above)
    wrong = {status for each in (*best, *above) for status in each.statuses} - {303, 503}
    if wrong or written != booked:
        print(f"overload: {written} appointments, {booked} told so; other answers: {wrong}")
    return int(found < 0.9 or bool(wrong) or written != booked)  # noqa: PLR2004


def _told_of_checks(alone: Phase, best: list[Phase], above: list[Phase]) -> None:
    """Print how long a check of a certificate takes, of a hundred the slowest."""
    one, two = (median(each.check_p99 for each in some) for some in (best, above))
    row("p99 of a check at ten times capacity", f"{two * 1000:.0f} ms",
        f"at its best ({alone.check_p99 * 1000:.0f} ms alone)", f"{one * 1000:.0f} ms",
        two / one, "told only")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
