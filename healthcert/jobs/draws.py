"""Take each draw as far as it goes by itself: its list closed in time, its ranks, its files."""

from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID

from healthcert.errors import WrongState
from healthcert.gateways import draw_files
from healthcert.jobs import places
from healthcert.models import Draw
from healthcert.parts import Parts
from healthcert.services import draws

PIECE = 10_000  # entrants, or ranks, of one transaction
_BEGINS = 5  # seconds of each minute, in which some round begins


def keep(parts: Parts, now: datetime) -> int:
    """Close lists whose time has come, finish what is drawn, write files that are missing.

    Nobody decides when: the time was announced, and all waits in rows. Of what is over only files
    can be missing: the newest are looked for as a minute begins. Return how many were moved.
    """
    with parts.doors.reading() as db:
        newest = [draw for draw, _names in draws.every(db)] if now.second < _BEGINS else []
        found = {draw.id: draw for draw in [*draws.unfinished(db), *newest]}
    return sum(_moved(parts, draw, now) for draw in found.values())


def finish(parts: Parts, draw_id: UUID, now: datetime) -> Draw:
    """Write the files of a draw as it stands; where it is drawn, its ranks too, and publish it.

    Ended at any point, it goes on where it was; what another worker has done is not done again.

    Raises:
        NotFound: No such draw.
    """
    draw, tokens = _written(parts, draw_id)
    if draw.state != "drawn":
        return draw
    piece = partial(draws.rank, draw_id=draw_id, tokens=tokens, most=PIECE)
    with suppress(WrongState):  # another worker was quicker
        while parts.doors.run(piece):
            pass
        parts.doors.run(partial(draws.publish, draw_id=draw_id, now=now))
    return _written(parts, draw_id)[0]


def enter(parts: Parts, draw_id: UUID, now: datetime) -> None:
    """Enter all who wait in the list of a draw to be closed, some at a time, as `draws.close`."""
    places.follow(parts, now)  # whose phase was brought forward takes part
    piece = partial(draws.enter, draw_id=draw_id, most=PIECE, now=now)
    last: UUID | None = None
    while last := parts.doors.run(partial(piece, after=last)):
        pass


def _moved(parts: Parts, draw: Draw, now: datetime) -> bool:
    is_due, folder = draws.is_due(draw, now), parts.settings.draws_dir / str(draw.id)
    if not is_due and draw.state != "drawn" and draw_files.is_whole(folder, draw.state):
        return False
    if is_due:
        with suppress(WrongState):  # another worker was quicker
            enter(parts, draw.id, now)
            parts.doors.run(partial(draws.close, draw_id=draw.id, now=now))
    finish(parts, draw.id, now)
    return True


def _written(parts: Parts, draw_id: UUID) -> tuple[Draw, list[str]]:
    """Write the public files of a draw as it stands; return it, and the tokens by rank so far."""
    with parts.doors.reading() as db:
        draw = draws.one(db, draw_id=draw_id)
        lists = {draw_files.LIST: draws.listed(db, draw)}
    lists[draw_files.RANKS] = tokens = draws.ranked(draw, lists[draw_files.LIST])
    known = {name: lists[name] for name in draw_files.BY_STATE.get(draw.state, ())}
    draw_files.write(parts.settings.draws_dir / str(draw_id), draws.manifest(draw), known)
    return draw, tokens
