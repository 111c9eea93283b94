"""The opening that stands in the data folder: judged before it is written, and how its room is.

The file is the truth, so that the room works while the database is down. What is done here judges
a change and tells the audit; `room_files` makes it after the commit.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, BadSettings, NotFound
from healthcert.gateways import room_files
from healthcert.gateways.room_files import LINE, OPENING, STEPS, Opening
from healthcert.models import ClinicSession, Programme, Slot, Staff
from healthcert.policy.admission import Step
from healthcert.services import audit, draws
from healthcert.services.scenes import BOOKABLE

WHILE_OPEN = frozenset({"hours"})  # what may still change: people hold tickets


@dataclass(frozen=True, slots=True)
class Standing:
    """What is announced, as it stands in the data folder."""

    opening: Opening | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)  # by field, where it cannot be used
    says: str = ""  # what the reader of the file found wrong with it


@dataclass(frozen=True, slots=True)
class State:
    """How an opening goes."""

    told: Standing
    worker: bool  # whether one works in this data folder
    draws_here: bool  # whether the files of the newest draws lie in it
    room: str  # ``none``, ``soon``, ``open`` or ``over``
    commitment: str | None  # to be published, once the room is open
    seed: str | None  # shown at the moment
    waiting: int  # people with a ticket whose turn it is not yet
    let_in: int  # people whose turn it is, and lasts
    per_minute: int  # people let in, lately
    left: int  # free places of the programme


def standing(db: Session, *, data_dir: Path) -> Standing:
    """Return what is announced; where the file is wrong, what is wrong with it."""
    try:
        opening = room_files.announced(data_dir)
    except BadSettings as error:
        why = error.__cause__
        return Standing(wrong=why.fields if isinstance(why, BadInput) else {}, says=str(error))
    try:
        if opening:
            refuse_unknown(db, opening)
    except BadInput as error:
        return Standing(opening, error.fields, f"{OPENING}: {error}")
    return Standing(opening)


def state(db: Session, *, data_dir: Path, now: datetime) -> State:
    """Return what stands in the data folder, and how it goes."""
    told, folder = standing(db, data_dir=data_dir), data_dir / "room"
    opening, kept = told.opening, [room_files.held(folder / name) or {} for name in (LINE, STEPS)]
    line, steps = (each if opening and each.get("code") == opening.code else {} for each in kept)
    so_far = [Step(*one) for one in steps.get("steps", ())] or [Step(0, 0, 0)]
    left = places_left(db, now=now) if opening else ()
    return State(
        told=told, worker=room_files.is_kept(folder, now),
        draws_here=draws.are_here(draws.every(db)[:5], data_dir / "draws"),
        room=_room(opening, now), commitment=line.get("commitment"), seed=line.get("seed"),
        waiting=line.get("waiting", 0), let_in=so_far[-1].been - so_far[0].been,
        per_minute=line.get("per_minute", 0),
        left=sum(free for code, *_where, free in left if opening and code == opening.programme),
    )  # fmt: skip


def refuse_unknown(db: Session, opening: Opening) -> None:
    """Refuse an opening of a programme that is not here.

    Raises:
        BadInput: There is no such programme.
    """
    if db.scalar(select(Programme.id).filter_by(code=opening.programme)) is None:
        raise BadInput({"programme": "not_a_choice"})


def announce(
    db: Session, *, data_dir: Path, opening: Opening, staff: Staff, now: datetime
) -> Opening:
    """Judge an opening that is to take the place of what is announced, and tell the audit.

    Raises:
        BadInput: Its programme is not here, its moment is over; or the room of the one that stands
            is open, and more is to change than `WHILE_OPEN`.
    """
    refuse_unknown(db, opening)
    before = None
    with suppress(BadSettings):  # what is broken may be replaced
        before = room_files.announced(data_dir)
    if before is not None and before.is_on(now):
        kept = {one.name for one in fields(Opening)} - WHILE_OPEN
        if changed := [one for one in kept if getattr(opening, one) != getattr(before, one)]:
            raise BadInput(dict.fromkeys(changed, "room_is_open"))
    elif opening.opens_at <= now:
        raise BadInput({"opens_at": "is_over"})
    told: dict[str, audit.Detail] = {"code": opening.code, "programme": opening.programme}
    told |= {"room_minutes": opening.room_minutes, "hours": opening.hours}
    told["opens_at"] = f"{opening.opens_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    _note(db, "opening_announced", told, staff, now)
    return opening


def take_away(db: Session, *, data_dir: Path, staff: Staff, now: datetime) -> None:
    """Tell the audit that what is announced is taken away, whatever it is.

    Raises:
        NotFound: Nothing is announced.
    """
    if not (data_dir / OPENING).exists():
        raise NotFound
    opening = standing(db, data_dir=data_dir).opening
    _note(db, "opening_taken_away", {"code": opening.code} if opening else {}, staff, now)


def places_left(db: Session, *, now: datetime) -> Sequence[Row[str, UUID, date, int]]:
    """Return how many places are left: programme (its code), site, day, number."""
    free, day = func.sum(Slot.places()), ClinicSession.day
    query = (
        select(Programme.code, ClinicSession.site_id, day, free)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Programme, Programme.id == ClinicSession.programme_id)
        .where(Slot.starts_at > now, ClinicSession.state.in_(BOOKABLE))
        .group_by(Programme.code, ClinicSession.site_id, day)
        .having(free > 0)
        .order_by(Programme.code, day, ClinicSession.site_id)
    )
    return db.execute(query).all()


def _room(opening: Opening | None, now: datetime) -> str:
    if opening is None:
        return "none"
    return "open" if opening.is_on(now) else "over" if opening.is_over(now) else "soon"


def _note(db: Session, act: str, told: dict[str, Any], staff: Staff, now: datetime) -> None:
    audit.note(
        db, actor=audit.Actor("staff", staff.id), act=act, subject=audit.Subject("opening"),
        details=told, now=now,
    )  # fmt: skip
