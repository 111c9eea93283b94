"""What the kinds of tables share: their form, cells read as values, rows added and deleted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput
from healthcert.gateways.vault import Vault
from healthcert.models import Base, Row, Staff
from healthcert.services.sheets import Line

T = TypeVar("T")
YES_NO = {"yes": True, "no": False, "": False}
LANGUAGES = ("en", "fr", "ar")


@dataclass(frozen=True, slots=True)
class Setting:
    """What reading and writing a line needs besides the line; lots and doses need staff.

    Attributes:
        ahead: What `Kind.ahead` found for the lines at hand.
    """

    vault: Vault
    country: Country
    staff: Staff | None
    now: datetime
    ahead: Any = None

    @property
    def by(self) -> Staff:
        """Who does it.

        Raises:
            BadInput: ``staff`` is missing.
        """
        if self.staff is None:
            raise BadInput({"staff": "missing"})
        return self.staff


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of table holds, and what is done with a line of it.

    Attributes:
        required: Those headings that must be there and filled.
        read: Gives what a line says, ready to write; raises BadInput by field.
        key: Gives what two lines must not share.
        known: Gives the row that is on record already; raises BadInput where it contradicts it.
        write: Writes rows and gives their identifiers.
        take_back: Undoes a row; False where something leans on it by now and it stays.
        ahead: Looks up at once what reading some lines needs (`Setting.ahead`).
        together: Gives what the values have in common that are written in one piece.
        passes: Says why a line is told and not to be taken in; empty for all others.
        by_staff: Whether a member of staff answers for what is written.
    """

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    read: Callable[[Session, Setting, Line], Any]
    key: Callable[[Any], object]
    known: Callable[[Session, Setting, Any], UUID | None]
    write: Callable[[Session, Setting, Sequence[Any]], Sequence[UUID]]
    take_back: Callable[[Session, Setting, UUID], bool]
    by_staff: bool = False
    passes: Callable[[Line], str] = lambda _line: ""
    ahead: Callable[[Session, Setting, Sequence[Line]], Any] = lambda *_: None
    together: Callable[[Any], object] = lambda _value: None


def each(write: Callable[[Session, Setting, Any], UUID]) -> Callable[..., list[UUID]]:
    """Return how several rows are written, each by itself."""
    return lambda db, setting, values: [write(db, setting, value) for value in values]


def number(told: Mapping[str, str], name: str, most: float) -> float:
    """Return a number of at most that size; a decimal comma is understood."""
    try:
        value = float(told[name].replace(",", "."))
    except ValueError:
        raise BadInput({name: "not_a_number"}) from None
    if not -most <= value <= most:
        raise BadInput({name: "out_of_range"})
    return value


def day(told: Mapping[str, str], name: str) -> date:
    """Return a day, written as 2026-03-27."""
    try:
        return date.fromisoformat(told[name])
    except ValueError:
        raise BadInput({name: "not_a_date"}) from None


def choice(told: Mapping[str, str], name: str, choices: Mapping[str, T]) -> T:
    """Return what a word stands for, in any case."""
    if told[name].lower() not in choices:
        raise BadInput({name: "not_a_choice"})
    return choices[told[name].lower()]


def texts(told: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a text by language; English stands in for one that is missing."""
    return {lang: told.get(f"{name}_{lang}") or told[f"{name}_en"] for lang in LANGUAGES}


def found(row_id: UUID | None, name: str) -> UUID:
    """Return the row that a code names; else say of the field that there is none."""
    if row_id is None:
        raise BadInput({name: "not_known"})
    return row_id


def reference(told: Mapping[str, str], name: str) -> UUID | None:
    """Return the row that our own reference names, None where the cell is empty."""
    try:
        return UUID(told[name]) if told.get(name) else None
    except ValueError:
        raise BadInput({name: "not_known"}) from None


def added(db: Session, row: Row) -> UUID:
    """Write a row and return its identifier."""
    db.add(row)
    db.flush()
    return row.id


def deleted(db: Session, *rows: tuple[type[Base], ColumnElement[bool]]) -> bool:
    """Delete rows, all or none; False where something leans on one of them."""
    try:
        with db.begin_nested():
            for model, which in rows:
                db.execute(delete(model).where(which))
    except IntegrityError:
        return False
    return True
