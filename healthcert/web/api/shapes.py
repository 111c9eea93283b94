"""The shapes that go in and out: strict in what is taken, and read off our own rows going out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
)

T = TypeVar("T")
S = TypeVar("S", bound="Told")
_MADE: dict[type, Any] = {}  # the dataclasses that shapes were made of
Words = dict[str, str]  # by language


def whole(told: object) -> object:
    """Take 8.0 for 8, as JSON Schema does: some programs know one kind of number."""
    return int(told) if isinstance(told, float) and told.is_integer() else told


def _read_as(kind: type[date]) -> BeforeValidator:
    """Return the rule that a text is ISO 8601, and no count of seconds, which is taken as well."""
    return BeforeValidator(
        lambda told: kind.fromisoformat(told.upper()) if isinstance(told, str) else told
    )


Day = Annotated[date, _read_as(date)]
Moment = Annotated[AwareDatetime, _read_as(datetime), Field(examples=["2026-12-01T08:30:00Z"])]
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Code = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z0-9_]*$")]
_MOST = 200


def choice(values: Iterable[str]) -> StringConstraints:
    """Return the rule that a text is one of a few words."""
    return StringConstraints(pattern=f"^({'|'.join(values)})$")


Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$"), Field(examples=["en"])]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["XX"])]
BirthDate = Annotated[
    str,
    StringConstraints(pattern=r"^(19|20)\d{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"),
    Field(description="As far as it is known", examples=["1985-03-27"]),
]


class Shape(BaseModel):
    """What is sent or answered; nothing that is not named is taken."""

    model_config = ConfigDict(
        extra="forbid", strict=True, from_attributes=True, allow_inf_nan=False, frozen=True
    )


class Told(Shape):
    """What is answered; read off a row, or off what a service gives."""

    model_config = ConfigDict(strict=False)


class Made(Told):
    """What was made, by its identifier."""

    id: UUID


class File:
    """An answer that is no JSON."""

    media: ClassVar[str]

    def __init__(self, data: bytes) -> None:
        """Take what is sent."""
        self.data = data


class Calendar(File):
    """An appointment for a calendar (RFC 5545)."""

    media = "text/calendar; charset=utf-8"


class Picture(File):
    """A drawing of a code."""

    media = "image/svg+xml"


def of(source: type, *names: str) -> Callable[[type[S]], type[S]]:
    """Return what gives a shape those fields of a row or a dataclass, as they are typed there."""

    def filled(shape: type[S]) -> type[S]:
        hints = get_type_hints(source)
        told: dict[str, Any] = {name: (_shown(hints[name]), ...) for name in names}
        return create_model(
            shape.__name__, __base__=shape, __doc__=shape.__doc__, __module__=shape.__module__,
            **told,
        )  # fmt: skip

    return filled


def _shown(hint: Any) -> Any:  # noqa: ANN401 - a type of any kind
    of_a_row = getattr(get_origin(hint), "__name__", "") == "Mapped"
    inner = get_args(hint)[0] if of_a_row else hint
    return dict[str, str] if get_origin(inner) is Mapping else inner


@cache
def sent_as(hint: Any) -> Any:  # noqa: ANN401
    """Return the type in which an argument of a service is sent; a dataclass as a shape."""
    if isinstance(hint, UnionType):
        return Union[tuple(sent_as(each) for each in get_args(hint))]  # noqa: UP007 - made here
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        told: dict[str, Any] = {
            each.name: (sent_as(hints[each.name]), ... if each.default is MISSING else each.default)
            for each in fields(hint)
        }
        shape = create_model(f"{hint.__name__}Sent", __base__=Shape, **told)
        _MADE[shape] = hint
        return shape
    if get_origin(hint) in {Mapping, Collection, Sequence}:
        return dict[str, str] if get_origin(hint) is Mapping else list[get_args(hint)[0]]  # type: ignore[misc]
    plain = {datetime: Moment, date: Day, int: Annotated[int, BeforeValidator(whole)]}
    return plain.get(hint, hint)


def taken(value: Any) -> Any:  # noqa: ANN401
    """Return what was sent as its service takes it."""
    made = _MADE.get(type(value))
    return (
        made(**{name: taken(getattr(value, name)) for name in type(value).model_fields})
        if made
        else value
    )
