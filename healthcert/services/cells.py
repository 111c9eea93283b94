"""What the kinds of tables share: their form, cells read as values, rows added and deleted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    """What reading and writing a line needs besides the line; lots and doses need staff."""

    vault: Vault
    country: Country
    staff: Staff | None
    now: datetime
    ahead: Any = None  # what `Kind.ahead` found for the lines at hand

    @property
    def by(self) -> Staff:
        """Who does it; `BadInput` (``staff``) if nobody is told."""
        if self.staff is None:
            raise BadInput({"staff": "missing"})
        return self.staff


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of table holds, and what is done with a line of it.

    `read` raises BadInput by field, and `known` where a line contradicts the record.
    """

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]  # the headings that must be there and filled
    read: Callable[[Session, Setting, Line], Any]  # gives what a line says, ready to write
    key: Callable[[Any], object]  # gives what two lines must not share
    known: Callable[[Session, Setting, Any], UUID | None]  # gives the row that is on record already
    write: Callable[[Session, Setting, Sequence[Any]], Sequence[UUID]]  # gives the new rows
    take_back: Callable[[Session, Setting, UUID], bool]  # False where something leans on a row
    by_staff: bool = False  # whether a member of staff answers for what is written
    passes: Callable[[Line], str] = lambda _line: ""  # says why a line is not to be taken in
    # Looks up at once what reading some lines needs (`Setting.ahead`).
    ahead: Callable[[Session, Setting, Sequence[Line]], Any] = lambda *_: None
    # Gives what the values have in common that are written in one piece.
    together: Callable[[Any], object] = lambda _value: None


def each(write: Callable[[Session, Setting, Any], UUID]) -> Callable[..., list[UUID]]:
    """Return how several rows are written, each by itself."""
    return lambda db, setting, values: [write(db, setting, value) for value in values]


def number(told: Mapping[str, str], name: str, most: float) -> float:
    """Return a number of at most that size; a decimal comma is understood."""
    try:
        value = float(told[name].replace(",", "."))
    except ValueError:
        raise BadInput({name: "not_degrees"}) from None
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


def texts(told: Mapping[str, str], name: str, most: int) -> dict[str, str]:
    """Return a text of so many letters by language; English stands in for one that is missing."""
    names = [f"{name}_{lang}" for lang in LANGUAGES]
    if long := [each for each in names if len(told.get(each, "")) > most]:
        raise BadInput(dict.fromkeys(long, "too_long"))
    return {lang: told.get(f"{name}_{lang}") or told[f"{name}_en"] for lang in LANGUAGES}


@contextmanager
def gathering(wrong: dict[str, str]) -> Iterator[None]:
    """Gather what a part of a line is refused for, so that the other parts are read too."""
    try:
        yield
    except BadInput as refusal:
        wrong.update(refusal.fields)


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
