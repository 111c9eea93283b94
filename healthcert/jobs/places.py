"""Once a minute: offer freed places, open kept ones that nobody took, remind who is to come."""

from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID
from weakref import WeakKeyDictionary

from healthcert.db import Doors
from healthcert.errors import NotFound
from healthcert.parts import Parts
from healthcert.services import lapsing, offering, offers, places, reminding, waits

PIECE = 1_000  # waits that one transaction moves with their phase
# The versions of programmes by which who waits stands in line, as far as this process has seen.
_FOLLOWED: WeakKeyDictionary[Doors, dict[UUID, UUID]] = WeakKeyDictionary()


def offer(parts: Parts, now: datetime) -> int:
    """End offers that are over and make new ones; return how many it was."""
    follow(parts, now)
    done = _ended(parts, now)
    with parts.doors.reading() as db:
        free = offers.due(db, now=now)
    fill = partial(
        offering.fill, vault=parts.vault, quiet=parts.country.quiet_hours, now=now,
        link=f"{parts.settings.base_url}/my/waiting", passed={},
    )  # fmt: skip
    for slot_id in free:
        piece = None
        with suppress(NotFound):  # its session was closed at this moment
            while piece is None or piece.after is not None:
                piece = parts.doors.run(partial(fill, slot_id=slot_id, after=piece and piece.after))
                done += piece.made
    return done


def follow(parts: Parts, now: datetime) -> None:
    """Let who waits go with their phases, where a programme has another version than before.

    What is offered and would be refused by it is ended. Ended at any point, it begins again.
    """
    with parts.doors.reading() as db:
        found = waits.versions(db)
    if _FOLLOWED.get(parts.doors) == found:
        return
    last: UUID | None = None
    while last := parts.doors.run(partial(waits.follow, most=PIECE, after=last)):
        pass
    with parts.doors.reading() as db:
        asked = lapsing.offered(db)
    for slot_id in asked:
        again = partial(lapsing.judge_again, vault=parts.vault, slot_id=slot_id, now=now)
        parts.doors.run(again)
    _FOLLOWED[parts.doors] = found


def _ended(parts: Parts, now: datetime) -> int:
    count, close = 0, partial(lapsing.close, vault=parts.vault, now=now)
    while ended := parts.doors.run(close):
        count += ended
    return count


def release(parts: Parts, now: datetime) -> int:
    """Open kept places; return in how many slots."""
    return parts.doors.run(partial(places.release, hours=parts.country.release_hours, now=now))


def remind(parts: Parts, now: datetime) -> int:
    """Tell people; return how many."""
    work = partial(reminding.remind, vault=parts.vault, quiet=parts.country.quiet_hours, now=now)
    return parts.doors.run(work)
