"""The shapes that go in and out: strict in what is taken, and read off our own rows going out."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
    model_validator,
)

from healthcert.web.api.words import TAKEN

T = TypeVar("T")
_MADE: dict[type, Any] = {}  # the dataclasses that shapes were made of
Words = dict[str, str]  # by language


def number(least: int, most: int) -> Any:  # noqa: ANN401
    """Return the type of a whole number; 8.0 is 8, as JSON Schema has it."""

    def whole(told: object) -> object:
        return int(told) if isinstance(told, float) and told.is_integer() else told

    return Annotated[int, Field(ge=least, le=most), BeforeValidator(whole)]


def called(name: str, kind: Any) -> Any:  # noqa: ANN401
    """Return the type of what programs call by another name than its service does."""
    return Annotated[kind, Field(alias=name)]


_INTEGER = number(-(2**31), 2**31 - 1)


def _read_as(kind: type[date]) -> BeforeValidator:
    """Return the rule that a text is ISO 8601, and no count of seconds, which is taken as well."""
    return BeforeValidator(
        lambda told: kind.fromisoformat(told.upper()) if isinstance(told, str) else told
    )


Day = Annotated[date, _read_as(date)]
Moment = Annotated[AwareDatetime, _read_as(datetime), Field(examples=["2026-12-01T08:30:00Z"])]


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

    @model_validator(mode="wrap")
    @classmethod
    def _of_several(cls, told: Any, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        """Read a row of several: what is named there, else off the first that has it, or null."""
        if not isinstance(told, Sequence):
            return read(told)
        of = {
            name: [one for one in (told, *told) if hasattr(one, name)] for name in cls.model_fields
        }
        null = dict.fromkeys(of if None in told else ())
        return read(null | {name: getattr(had[0], name) for name, had in of.items() if had})


class Made(Told):
    """What was made, by its identifier."""

    id: UUID


class File(bytes):
    """An answer that is no JSON."""

    media: ClassVar[str]


def file(media: str) -> type[File]:
    """Return the type of an answer of a media type."""
    return type("OfMedia", (File,), {"media": media})


def of(
    called: str, about: str, source: type = object, names: str = "", /, *,
    base: type[Shape] | None = None, **more: Any,  # noqa: ANN401 - types
) -> type[Shape]:  # fmt: skip
    """Return a shape by its name in the document: fields of a row or a dataclass, and `more`.

    Those are typed as in the `source`; ``*`` are all of a dataclass. What is sent has `Shape` as
    its `base`, what is answered `Told`.
    """
    hints = get_type_hints(source)
    wanted = hints if names == "*" else names.split()
    typed = _shown if base is None else lambda hint: sent_as(_shown(hint))
    told: dict[str, Any] = {name: (typed(hints[name]), ...) for name in wanted}
    told |= {name: (kind, ...) for name, kind in more.items()}
    return create_model(called, __base__=base or Told, __doc__=about, **told)


def many(shape: Any) -> Any:  # noqa: ANN401 - a type that is made here
    """Return the type of a list of them."""
    return list[shape]


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
            each.name: (
                TAKEN.get(f"{hint.__name__}.{each.name}") or sent_as(hints[each.name]),
                ... if each.default is MISSING else each.default,
            )
            for each in fields(hint)
        }
        shape = create_model(f"{hint.__name__}Sent", __base__=Shape, __doc__=hint.__doc__, **told)
        _MADE[shape] = hint
        return shape
    if get_origin(hint) is Mapping:
        return dict[str, _INTEGER] if get_args(hint)[1] is int else dict[str, str]  # type: ignore[valid-type]
    if get_origin(hint) in {Collection, Sequence}:
        return list[get_args(hint)[0]]  # type: ignore[misc]
    plain = {datetime: Moment, date: Day, int: _INTEGER}
    return plain.get(hint, hint)


def taken(value: Any) -> Any:  # noqa: ANN401
    """Return what was sent as its service takes it."""
    made = _MADE.get(type(value))
    return (
        made(**{name: taken(getattr(value, name)) for name in type(value).model_fields})
        if made
        else value
    )
