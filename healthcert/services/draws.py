"""Draw lots among those who wait: announced, closed, drawn and published (`policy.draw`).

Each step raises NotFound where there is no such draw, WrongState where it is not its turn.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, case, exists, func, select, update
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Base, Draw, Person, Programme, Staff, WaitEntry, new_id
from healthcert.policy.draw import Rules, line_of, root
from healthcert.services import audit
from healthcert.services.part import Part
from healthcert.services.waiting import IN_LINE

Found = list[tuple[Draw, Mapping[str, str]]]  # draws and the names of their programmes
_ENTRY = Base.metadata.tables["wait_entry"]


def announce(db: Session, *, vault: Vault, rules: Rules, by: Staff, now: datetime) -> Draw:
    """Commit to the rules of a draw and to a seed that nobody has seen.

    Raises:
        BadInput: No such programme, or the list would be closed already.
    """
    programme = db.scalar(select(Programme.id).filter_by(code=rules.programme))
    if programme is None or _moment(rules.closes) <= now:
        raise BadInput({"closes" if programme else "programme": "not_a_choice"})
    seed, draw_id = secrets.token_bytes(32), new_id()
    draw = Draw(
        id=draw_id, recorded_at=now, programme_id=programme, state="announced",
        commitment=rules.commitment(seed), public_source=rules.source,
        rules=asdict(rules),
        sealed=vault.service_seal(draw_id.bytes, {"seed": seed.hex()}),
    )  # fmt: skip
    db.add(draw)
    return _done(db, draw, {"commitment": draw.commitment.hex()}, by, now)


def close(db: Session, *, draw_id: UUID, by: Staff, now: datetime) -> Draw:
    """Close the list: all who wait and whose phase is open by then, once its time has come."""
    draw = _found(db, draw_id, "announced")
    closes = _moment(draw.rules["closes"])
    if now < closes:
        raise WrongState
    groups = [(_belongs(group), group) for group in draw.rules["reserves"]]
    entering = update(WaitEntry).where(
        WaitEntry.programme_id == draw.programme_id, WaitEntry.state.in_(IN_LINE),
        WaitEntry.draw_id.is_(None), WaitEntry.turn_on <= closes.date(),
        WaitEntry.recorded_at <= closes,
    )  # fmt: skip
    values = {"draw_id": draw.id, "draw_group": case(*groups, else_="") if groups else ""}
    db.execute(entering.values(values).execution_options(synchronize_session=False))
    lines = listed(db, draw)
    draw.state, draw.entries, draw.list_root = "closed", len(lines), root(lines)
    return _done(db, draw, {"root": draw.list_root.hex()}, by, now)


def run(
    db: Session, *, vault: Vault, draw_id: UUID, public_value: str, by: Staff, now: datetime
) -> Draw:
    """Show the seed with the public value that was named; ranks are written after (`rank`).

    A draw that was ended on the way, with the same value, is returned as it stands.
    """
    draw = _found(db, draw_id, "closed", "drawn")
    if draw.state == "drawn":
        if draw.public_value != public_value:
            raise WrongState
        return draw
    opened = vault.service_open(draw.id.bytes, draw.sealed or b"")
    draw.seed, draw.public_value = bytes.fromhex(opened["seed"]), public_value
    draw.state, draw.sealed = "drawn", None
    return _done(db, draw, {"seed": draw.seed.hex()}, by, now)


def ranked(draw: Draw, lines: Sequence[str]) -> list[str]:
    """Return the tokens of a draw's list, the first first; none before its seed is shown."""
    if draw.seed is None:
        return []
    value = draw.public_value or ""
    return Rules(**draw.rules).ranked(lines, seed=draw.seed, public_value=value)


def rank(db: Session, *, tokens: Sequence[str], first: int) -> None:
    """Write a piece of the ranks, from one on; a piece that is written already stays so."""
    written = update(_ENTRY).where(_ENTRY.c.token == bindparam("whose"), _ENTRY.c.rank.is_(None))
    rows = [{"whose": bytes.fromhex(one), "rank": place} for place, one in enumerate(tokens, first)]
    if rows:
        db.connection().execute(written.values(rank=bindparam("rank")), rows)


def publish(db: Session, *, draw_id: UUID, by: Staff, now: datetime) -> Draw:
    """Say that a draw is over, once all of its ranks are written."""
    draw = _found(db, draw_id, "drawn")
    query = select(func.count()).where(WaitEntry.draw_id == draw.id, WaitEntry.rank.is_not(None))
    if db.scalar(query) != draw.entries:
        raise WrongState
    draw.state = "published"
    return _done(db, draw, {}, by, now)


def give_up(db: Session, *, draw_id: UUID, by: Staff, now: datetime) -> Draw:
    """End a draw before its seed is shown; it stays to be seen, and its entrants are let go."""
    draw = _found(db, draw_id, "announced", "closed")
    draw.state = "void"
    db.flush()
    theirs = update(_ENTRY).where(_ENTRY.c.draw_id == draw.id)
    db.execute(theirs.values(draw_id=None, draw_group=""))
    return _done(db, draw, {}, by, now)


def listed(db: Session, draw: Draw) -> list[str]:
    """Return the list of a draw, a line an entrant, in the order of their tokens."""
    query = select(WaitEntry.token, WaitEntry.draw_group).where(WaitEntry.draw_id == draw.id)
    return [line_of(*row) for row in db.execute(query.order_by(WaitEntry.token))]


def every(db: Session, *, draw_id: UUID | None = None, part: Part | None = None) -> Found:
    """Return draws, or one, and the names of their programmes: the newest, or a `part` from old."""
    query = select(Draw, Programme.names).join(Programme, Programme.id == Draw.programme_id)
    query = query if draw_id is None else query.where(Draw.id == draw_id)
    query = part.of(query, Draw.id) if part else query.order_by(Draw.id.desc()).limit(100)
    return [(row[0], row[1]) for row in db.execute(query)]


def manifest(draw: Draw) -> dict[str, Any]:
    """Return what is published of a draw as it stands."""
    shown = {"commitment": draw.commitment, "list_root": draw.list_root, "seed": draw.seed}
    told: dict[str, Any] = {name: value and value.hex() for name, value in shown.items()}
    told |= {"entries": draw.entries, "public_value": draw.public_value}
    known = {name: value for name, value in told.items() if value is not None}
    return {"id": str(draw.id), "state": draw.state, **draw.rules, **known}


def _moment(text: str) -> datetime:
    """Return the moment that rules name; BadInput where it is none or says no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput({"closes": "not_a_time"}) from None
    if moment.tzinfo is None:
        raise BadInput({"closes": "not_a_time"})
    return moment.astimezone(UTC)


def _belongs(group: str) -> ColumnElement[bool]:
    kind, _, code = group.partition(":")
    if kind == "phase":
        return WaitEntry.phase == code
    return exists().where(Person.id == WaitEntry.person_id, Person.region == code)


def _found(db: Session, draw_id: UUID, *states: str) -> Draw:
    draw = db.get(Draw, draw_id, with_for_update=True, populate_existing=True)
    if draw is None:
        raise NotFound
    if draw.state not in states:
        raise WrongState
    return draw


def _done(
    db: Session, draw: Draw, told: Mapping[str, audit.Detail], by: Staff, now: datetime
) -> Draw:
    db.flush()
    audit.done(db, f"draw_{draw.state}", draw, told, by=by, now=now)
    return draw
