"""Keep the waiting room: tell where places are left, and let in as many as can be served."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from healthcert.gateways import room_files
from healthcert.gateways.room_files import Opening
from healthcert.parts import Parts
from healthcert.policy import admission, tickets
from healthcert.policy.admission import Step
from healthcert.services import availability
from healthcert.services.keys import read_secret, room_key, room_seed

STEP, LOOK = timedelta(seconds=5), timedelta(minutes=1)
_LATELY = timedelta(seconds=15)
_MOST = 200_000  # of a larger crowd a part is looked at, and counts for the whole
_STEPS, _LOOKED = "steps.json", "looked"


def keep(parts: Parts, now: datetime) -> int:
    """Look where places are left and let the line on, when it is due; return what changed."""
    folder = parts.settings.room_dir
    opening = room_files.announced(folder)
    on = opening if opening is not None and opening.is_on(now) else None
    if not _due(folder / _LOOKED, now, STEP if on else LOOK):
        return 0
    with parts.doors.reading() as db:
        lines = availability.left(db, now=now)
        told = availability.told(db, lines)
    changed = room_files.put(folder / room_files.AVAILABILITY, told)
    if on:
        seed = room_seed(room_key(read_secret(parts.settings.secret_file), on.code))
        left = sum(line.places for line in lines if line.programme == on.programme)
        _let_on(folder, on, seed, left, now)
    return int(changed)


def _due(looked: Path, now: datetime, every: timedelta) -> bool:
    """Say whether it is time to look again, and if so remember that it was done."""
    at = now.timestamp()
    if looked.exists() and 0 <= at - looked.stat().st_mtime < every.total_seconds():
        return False
    looked.parent.mkdir(parents=True, exist_ok=True)
    looked.touch()
    os.utime(looked, (at, at))
    return True


def _let_on(folder: Path, opening: Opening, seed: bytes, left: int, now: datetime) -> None:
    """Let the line on by one step, once it is open, and tell how far it is."""
    at, is_open = now.timestamp(), now >= opening.opens_at
    so_far = [Step(*one) for one in (room_files.held(folder / _STEPS) or {}).get("steps", ())]
    steps = [*admission.kept(so_far or [Step(at, -1, left)], at)]
    places, each = _crowd(folder, seed, since=steps[0].upto)
    if is_open:
        loads = room_files.loads(folder, now, _LATELY)
        slow = max((load["slow"] for load in loads), default=0)
        refused = sum(load["refused"] for load in loads)
        steps.append(
            admission.next_step(
                steps, places, at=at, left=left, slow=slow, refused=refused, each=each
            )
        )
        room_files.put(folder / _STEPS, {"steps": steps})
    last, before = steps[-1], admission.lately(steps, at)
    waiting = places[bisect_right(places, last.upto) :]
    told = {
        "code": opening.code, "commitment": opening.commitment,
        "opens_at": opening.opens_at.isoformat(), "seed": seed.hex() if is_open else None,
        "since": steps[0].upto, "upto": last.upto, "waiting": each * len(waiting),
        "marks": [(place, each * count) for place, count in admission.marks(waiting)],
        "per_minute": round(60 * (last.been - before.been) / max(1, last.at - before.at)),
        "at_least": availability.coarse(left),
    }  # fmt: skip
    room_files.put(folder / room_files.LINE, told)


def _crowd(folder: Path, seed: bytes, *, since: int) -> tuple[list[int], int]:
    """Return the places of all whose turn is not over, each person once, in order.

    The second says for how many people each stands.
    """
    asked: Collection[tickets.Ticket] = list(room_files.asked(folder))
    each = 1 + len(asked) // _MOST
    first: dict[bytes, int] = {}
    for ticket in asked:
        if int.from_bytes(ticket.who) % each == 0:
            place = tickets.place(ticket, seed)
            if since < place < first.get(ticket.who, place + 1):
                first[ticket.who] = place
    return sorted(first.values()), each
