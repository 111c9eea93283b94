"""Draw lots among those who wait: announced, closed, drawn and published (`policy.draw`).

People announce a draw, tell the public value, or give up; the worker closes the list at the time
that was announced, writes the ranks and publishes them (`jobs.draws`): nobody decides when.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, select, update
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, WrongState, there
from healthcert.gateways import draw_files
from healthcert.gateways.vault import Vault
from healthcert.models import Base, Draw, Phase, Programme, Site, Staff, WaitEntry, new_id
from healthcert.policy.draw import Rules, is_line, line_of, root
from healthcert.services import audit
from healthcert.services.part import Part
from healthcert.services.waiting import IN_LINE

Found = list[tuple[Draw, Mapping[str, str]]]  # draws and the names of their programmes
_GO_ON = ("announced", "closed", "drawn")
_ENTRY = Base.metadata.tables["wait_entry"]


def refuse_wrong(
    db: Session, rules: Rules, *, now: datetime, country: Country | None = None
) -> Programme:
    """Return the programme of rules that can be announced; of a `country`, its groups too.

    Raises:
        BadInput: No such programme or group, or the list would be closed already.
    """
    programme = db.scalar(select(Programme).filter_by(code=rules.programme))
    if programme is None:
        raise BadInput({"programme": "not_a_choice"})
    if moment(rules.closes) <= now:
        raise BadInput({"closes": "is_over"})
    if country and rules.reserves.keys() - groups(db, programme, country).keys():
        raise BadInput({"reserves": "not_known"})
    return programme


def groups(db: Session, programme: Programme, country: Country) -> dict[str, Mapping[str, str]]:
    """Return for whom a draw may reserve places: names by language, by group."""
    phases = select(Phase).where(Phase.knowledge_id == programme.knowledge_id)
    found = {f"phase:{one.code}": one.names for one in db.scalars(phases.order_by(Phase.opens_on))}
    return found | {f"region:{code}": names for code, names in country.regions.items()}


def announce(
    db: Session, *, vault: Vault, rules: Rules, staff: Staff, now: datetime,
    country: Country | None = None,
) -> Draw:  # fmt: skip
    """Commit to the rules of a draw and to a seed that nobody has seen.

    Raises:
        BadInput: See `refuse_wrong`.
    """
    programme = refuse_wrong(db, rules, now=now, country=country)
    seed, draw_id = secrets.token_bytes(32), new_id()
    draw = Draw(
        id=draw_id, recorded_at=now, programme_id=programme.id, state="announced",
        commitment=rules.commitment(seed), public_source=rules.source,
        rules=asdict(rules),
        sealed=vault.service_seal(draw_id.bytes, {"seed": seed.hex()}),
    )  # fmt: skip
    db.add(draw)
    return _done(db, draw, {"commitment": draw.commitment.hex()}, staff, now)


def is_due(draw: Draw, now: datetime) -> bool:
    """Say whether the time has come that was announced for closing the list of a draw."""
    return draw.state == "announced" and moment(draw.rules["closes"]) <= now


def enter(
    db: Session, *, draw_id: UUID, most: int, now: datetime, after: UUID | None = None
) -> UUID | None:
    """Enter the next piece of those who wait in the list of a draw whose time has come.

    Of a million in one transaction, each would wait minutes to leave or to answer an offer. Return
    after whom to go on, by the identifier of a wait; None where nobody is left.

    Raises:
        NotFound, WrongState: As `close`.
    """
    draw = _due(db, draw_id, now)
    query = _to_enter(draw).order_by(WaitEntry.id).limit(most)
    piece = db.scalars(query.where(WaitEntry.id > after) if after else query).all()
    _enter(db, draw, WaitEntry.id.in_(piece))
    return piece[-1] if len(piece) == most else None


def close(db: Session, *, draw_id: UUID, staff: Staff | None = None, now: datetime) -> Draw:
    """Close the list: all who wait and whose phase is open by then, once its time has come.

    Who was not entered before (`enter`) is now.

    Raises:
        NotFound: No such draw.
        WrongState: It is too early, or it was closed or given up.
    """
    draw = _due(db, draw_id, now)
    _enter(db, draw, WaitEntry.id.in_(_to_enter(draw)))
    lines = listed(db, draw)
    draw.state, draw.entries, draw.list_root = "closed", len(lines), root(lines)
    return _done(db, draw, {"root": draw.list_root.hex()}, staff, now)


def run(
    db: Session, *, vault: Vault, draw_id: UUID, public_value: str, staff: Staff, now: datetime
) -> Draw:
    """Show the seed with the public value that was named; ranks are written after (`rank`).

    A draw that was ended on the way, with the same value, is returned as it stands.

    Raises:
        BadInput: The value is not one line of text.
        NotFound: No such draw.
        WrongState: Its list is not closed, it was given up, or was drawn with another value.
    """
    if not is_line(public_value):
        raise BadInput({"public_value": "not_a_line" if public_value else "missing"})
    draw = _found(db, draw_id, "closed", "drawn")
    if draw.state == "drawn":
        if draw.public_value != public_value:
            raise WrongState
        return draw
    opened = vault.service_open(draw.id.bytes, draw.sealed or b"")
    draw.seed, draw.public_value = bytes.fromhex(opened["seed"]), public_value
    draw.state, draw.sealed = "drawn", None
    return _done(db, draw, {"seed": draw.seed.hex()}, staff, now)


def ranked(draw: Draw, lines: Sequence[str]) -> list[str]:
    """Return the tokens of a draw's list, the first first; none before its seed is shown."""
    if draw.seed is None:
        return []
    value = draw.public_value or ""
    return Rules(**draw.rules).ranked(lines, seed=draw.seed, public_value=value)


def rank(db: Session, *, draw_id: UUID, tokens: Sequence[str], most: int) -> int:
    """Write the next piece of the ranks of a draw; return how many are left to be written.

    The draw is held meanwhile: of two who write its ranks, each writes another piece.

    Raises:
        NotFound: No such draw.
        WrongState: Its seed is not shown, or it is published already.
    """
    draw = _found(db, draw_id, "drawn")
    first = db.scalar(select(func.max(WaitEntry.rank)).where(WaitEntry.draw_id == draw.id)) or 0
    piece = tokens[first : first + most]
    written = update(_ENTRY).where(_ENTRY.c.token == bindparam("whose"), _ENTRY.c.rank.is_(None))
    rows = [{"whose": bytes.fromhex(one), "rank": at} for at, one in enumerate(piece, first + 1)]
    if rows:
        db.connection().execute(written.values(rank=bindparam("rank")), rows)
        # Who has a place goes before all others, whenever the phases opened: before who was in the
        # list of an earlier draw, too, and before those of an earlier phase who join only now.
        mine, placed = _ENTRY.c.draw_id == draw.id, (first + 1, draw.rules["places"])
        opens = db.scalar(
            select(func.min(Phase.opens_on)).filter_by(programme_id=draw.programme_id)
        )
        if opens and placed[0] <= placed[1]:
            these = update(_ENTRY).where(mine, _ENTRY.c.rank.between(*placed))
            db.execute(these.values(turn_on=opens - timedelta(days=1)))
    return len(tokens) - first - len(piece)


def publish(db: Session, *, draw_id: UUID, staff: Staff | None = None, now: datetime) -> Draw:
    """Say that a draw is over, once all of its ranks are written.

    Raises:
        NotFound: No such draw.
        WrongState: Ranks are missing, or it is published already.
    """
    draw = _found(db, draw_id, "drawn")
    query = select(func.count()).where(WaitEntry.draw_id == draw.id, WaitEntry.rank.is_not(None))
    if db.scalar(query) != draw.entries:
        raise WrongState
    draw.state = "published"
    return _done(db, draw, {}, staff, now)


def give_up(db: Session, *, draw_id: UUID, staff: Staff, now: datetime) -> Draw:
    """End a draw before its seed is shown; it stays to be seen. Its entrants may enter another.

    Raises:
        NotFound: No such draw.
        WrongState: Its seed is shown, or it was given up before.
    """
    draw = _found(db, draw_id, "announced", "closed")
    draw.state = "void"
    return _done(db, draw, {}, staff, now)


def listed(db: Session, draw: Draw) -> list[str]:
    """Return the list of a draw, a line an entrant, in the order of their tokens."""
    query = select(WaitEntry.token, WaitEntry.draw_group).where(WaitEntry.draw_id == draw.id)
    rows = db.execute(query.order_by(WaitEntry.token), execution_options={"yield_per": 10_000})
    return [line_of(*row) for row in rows]  # not all of a million as rows and as lines at once


def every(db: Session, *, draw_id: UUID | None = None, part: Part | None = None) -> Found:
    """Return draws, or one, and the names of their programmes.

    They are the newest; of a `part`, they come in the order in which they were announced.
    """
    query = select(Draw, Programme.names).join(Programme, Programme.id == Draw.programme_id)
    query = query if draw_id is None else query.where(Draw.id == draw_id)
    query = part.of(query, Draw.id) if part else query.order_by(Draw.id.desc()).limit(100)
    return [(row[0], row[1]) for row in db.execute(query)]


def one(db: Session, *, draw_id: UUID) -> Draw:
    """Return a draw.

    Raises:
        NotFound: No such draw.
    """
    return there(db.get(Draw, draw_id))


def unfinished(db: Session) -> Sequence[Draw]:
    """Return the draws that are not over, from old."""
    return db.scalars(select(Draw).where(Draw.state.in_(_GO_ON)).order_by(Draw.id)).all()


def are_here(found: Found, folder: Path) -> bool:
    """Say whether the newest files of these draws lie in this folder: else another one has them."""
    return all(draw_files.is_whole(folder / str(draw.id), draw.state) for draw, _names in found)


def manifest(draw: Draw) -> dict[str, Any]:
    """Return what is published of a draw as it stands."""
    shown = {"commitment": draw.commitment, "list_root": draw.list_root, "seed": draw.seed}
    told: dict[str, Any] = {name: value and value.hex() for name, value in shown.items()}
    told |= {"entries": draw.entries, "public_value": draw.public_value}
    known = {name: value for name, value in told.items() if value is not None}
    return {"id": str(draw.id), "state": draw.state, **draw.rules, **known}


def moment(text: str) -> datetime:
    """Return the moment that rules name.

    Raises:
        BadInput: It is none, or says no zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput({"closes": "not_a_time"}) from None
    if moment.tzinfo is None:
        raise BadInput({"closes": "not_a_time"})
    return moment.astimezone(UTC)


def _due(db: Session, draw_id: UUID, now: datetime) -> Draw:
    draw = _found(db, draw_id, "announced")
    if not is_due(draw, now):
        raise WrongState
    return draw


def _to_enter(draw: Draw) -> Select[UUID]:
    """Return the query of who is still to be entered in a list, who were in a void one included."""
    closes, void = draw.rules["closes"], select(Draw.id).filter_by(state="void")
    return select(WaitEntry.id).where(
        WaitEntry.programme_id == draw.programme_id, WaitEntry.state.in_(IN_LINE),
        WaitEntry.draw_id.is_(None) | WaitEntry.draw_id.in_(void),
        # A phase opens with a day of the clock by which it was announced.
        WaitEntry.turn_on <= datetime.fromisoformat(closes).date(),
        WaitEntry.recorded_at <= moment(closes),
    )  # fmt: skip


def _enter(db: Session, draw: Draw, these: ColumnElement[bool]) -> None:
    groups = [(_belongs(group), group) for group in draw.rules["reserves"]]
    values = {"draw_id": draw.id, "draw_group": case(*groups, else_="") if groups else ""}
    entering = update(WaitEntry).where(these).values(values)
    db.execute(entering.execution_options(synchronize_session=False))


def _belongs(group: str) -> ColumnElement[bool]:
    kind, _, code = group.partition(":")
    if kind == "phase":
        return WaitEntry.phase == code
    return exists().where(Site.id == WaitEntry.site_id, Site.region == code)  # no address is asked


def _found(db: Session, draw_id: UUID, *states: str) -> Draw:
    draw = there(db.get(Draw, draw_id, with_for_update=True, populate_existing=True))
    if draw.state not in states:
        raise WrongState
    return draw


def _done(
    db: Session, draw: Draw, told: Mapping[str, audit.Detail], staff: Staff | None, now: datetime
) -> Draw:
    db.flush()
    audit.done(db, f"draw_{draw.state}", draw, told, by=staff, now=now)
    return draw
