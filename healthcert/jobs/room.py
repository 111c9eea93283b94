"""Keep the waiting room: tell where places are left, and let in as many as can be served."""

import os
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.config import Settings
from healthcert.gateways import room_files
from healthcert.gateways.room_files import AVAILABILITY, LINE, LOOKED, STEPS, Opening
from healthcert.models import Programme, Site
from healthcert.parts import Parts
from healthcert.policy import admission, tickets
from healthcert.policy.admission import Step
from healthcert.policy.tickets import Ticket
from healthcert.services import openings
from healthcert.services.keys import read_secret

STEP, LOOK = 5, 60  # seconds
TOLD = (0, 1, 10, 50, 200)  # so many are left at least: too coarse for anybody to be seen in it
_MOST = 200_000  # of a larger crowd a part is looked at, and counts for the whole

Probe = Callable[[Settings], float]


def took(settings: Settings) -> float:
    """Return how many seconds a request of the public takes; a minute where it is refused."""
    began, host = monotonic(), urlsplit(settings.base_url).netloc
    asked = HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        asked.request("GET", "/my/sign-in", headers={"Host": host})
        return monotonic() - began if asked.getresponse().status < 500 else 60.0  # noqa: PLR2004
    except OSError:
        return 60.0
    finally:
        asked.close()


def keep(parts: Parts, now: datetime, *, probe: Probe = took) -> int:
    """Look where places are left and let the line on, when it is due; return what changed."""
    folder, opening = parts.settings.room_dir, room_files.announced(parts.settings.data_dir)
    on = opening if opening is not None and opening.is_on(now) else None
    if opening is None:
        room_files.forget(folder)
    if not _due(folder / LOOKED, now, STEP if on else LOOK):
        return 0
    with parts.doors.reading() as db:
        told, left = _availability(db, now)
        if on:
            openings.refuse_unknown(db, on)
    changed = room_files.put(folder / AVAILABILITY, told)
    if on:
        _let_on(parts.settings, on, left.get(on.programme, 0), now, probe)
    return int(changed)


def _due(looked: Path, now: datetime, every: int) -> bool:
    """Say whether it is time to look again, and if so remember that it was done."""
    at = now.timestamp()
    if looked.exists() and 0 <= at - looked.stat().st_mtime < every:
        return False
    looked.parent.mkdir(parents=True, exist_ok=True)
    looked.touch()
    os.utime(looked, (at, at))
    return True


def _availability(db: Session, now: datetime) -> tuple[dict[str, Any], dict[str, int]]:
    """Return where places are left as everybody may know it, and how many a programme has."""
    rows, left = openings.places_left(db, now=now), dict[str, int]()
    for programme, _site, _day, free_ones in rows:
        left[programme] = left.get(programme, 0) + int(free_ones)
    sites = {site.id: site for site in db.scalars(select(Site))}
    places = [
        {"programme": programme, "site": sites[site].code, "names": sites[site].names,
         "day": day.isoformat(), "at_least": _coarse(free_ones)}
        for programme, site, day, free_ones in rows
    ]  # fmt: skip
    names = {one.code: one.names for one in db.scalars(select(Programme))}
    return {"programmes": names, "places": places}, left


def _let_on(settings: Settings, on: Opening, left: int, now: datetime, probe: Probe) -> None:
    """Let the line on by one step, once it is open, and tell how far it is."""
    folder, at, is_open = settings.room_dir, now.timestamp(), now >= on.opens_at
    so_far = room_files.held(folder / STEPS) or {}
    steps = [Step(*one) for one in so_far["steps"]] if so_far.get("code") == on.code else []
    steps = [*admission.kept(steps or [Step(at, -1, left)], at)]
    seed = tickets.seed_of(tickets.key_of(read_secret(settings.secret_file), on.name))
    places, each = _crowd(folder, on.code, seed, since=steps[0].upto)
    if is_open:
        took = probe(settings)
        steps.append(admission.next_step(steps, places, at=at, left=left, took=took, each=each))
        room_files.put(folder / STEPS, {"code": on.code, "steps": steps})
    last, before = steps[-1], admission.lately(steps, at)
    waiting = places[bisect_right(places, last.upto) :]
    told = {
        "code": on.code, "opens_at": on.opens_at.isoformat(),
        "commitment": sha256(seed).hexdigest(), "seed": seed.hex() if is_open else None,
        "since": steps[0].upto, "upto": last.upto, "waiting": each * len(waiting),
        "marks": [(place, each * count) for place, count in admission.marks(waiting)],
        "per_minute": round(60 * (last.been - before.been) / max(1, last.at - before.at)),
        "at_least": _coarse(left),
    }  # fmt: skip
    room_files.put(folder / LINE, told)


def _crowd(folder: Path, code: str, seed: bytes, *, since: int) -> tuple[list[int], int]:
    """Return the places of all whose turn is not over, each person once, in order.

    The second says for how many people each stands.
    """
    early, first = set[bytes](), dict[bytes, int]()
    for who, came in room_files.asked(folder, code):  # bots ask a hundred times a second
        if came < 0:
            early.add(who)
        elif since < tickets.LATER + came < first.get(who, 2 * tickets.LATER):
            first[who] = tickets.LATER + came
    each = 1 + len(early | first.keys()) // _MOST
    drawn = {who: tickets.place(Ticket(who, -1), seed) for who in early}
    first |= {who: place for who, place in drawn.items() if since < place}
    return sorted(at for who, at in first.items() if int.from_bytes(who) % each == 0), each


def _coarse(places: int) -> int:
    return max(step for step in TOLD if step <= max(0, places))
