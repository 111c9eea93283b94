"""Lists by the page: each goes on from the key of the last row seen, and nothing is lost."""

import base64
import json
from collections.abc import Iterable, Sequence
from operator import attrgetter, gt, itemgetter, lt
from typing import Any, Generic, NamedTuple
from urllib.parse import urlencode

from pydantic import Field, TypeAdapter

from healthcert.errors import BadInput, NotFound
from healthcert.services.part import Part
from healthcert.web.api.shapes import Shape, T, Told, sent_as

_MOST = 200


class Paging(Shape):
    """Which part of a list."""

    cursor: str | None = Field(None, max_length=500, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=_MOST)


class Page(Told, Generic[T]):
    """Part of a list; what comes in meanwhile moves nothing from one page to another."""

    items: list[T]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Rows(NamedTuple):
    """A list: the shape of its rows, and the names of their key, of one row each, for good.

    With the `newest` first, it goes from the highest key down.
    """

    shape: type[Shape]
    by: str = "id"
    newest: bool = False

    @property
    def paged(self) -> type[Page[Any]]:
        """The type of a page."""
        return Page[self.shape]  # type: ignore[name-defined]

    def part(self, query: Paging) -> Part:
        """Return what the database is asked for: a row more tells whether more come.

        Raises:
            BadInput: The cursor is none of ours.
        """
        return Part(self._after(query), query.limit + 1, self.newest)

    def page(self, found: Iterable[object], query: Paging) -> Page[Any]:
        """Return what comes after the last row seen: of a list that is small by nature, or a part.

        Raises:
            BadInput: The cursor is none of ours.
        """
        after, names = self._after(query), self.by.split()
        made = [self.shape.model_validate(row) for row in found]
        keyed = [(tuple(attrgetter(name)(one) for name in names), one) for one in made]
        further = lt if self.newest else gt
        rest = [pair for pair in keyed if not after or further(pair[0], after)]
        rest.sort(key=itemgetter(0), reverse=self.newest)
        shown = rest[: query.limit]
        more = _cursor(shown[-1][0]) if len(rest) > len(shown) else None
        return self.paged(items=[one for _key, one in shown], next=more)

    def _after(self, query: Paging) -> tuple[Any, ...]:
        """Return the key of the last row seen, by the types of the shape; () before the first."""
        if query.cursor is None:
            return ()
        kinds = tuple(_kind(self.shape, name) for name in self.by.split())
        try:
            told = json.loads(base64.urlsafe_b64decode(query.cursor.encode("ascii") + b"==="))
            found: tuple[Any, ...] = TypeAdapter(tuple[kinds]).validate_python(told)  # type: ignore[valid-type]
        except ValueError:
            raise BadInput({"cursor": "not_a_cursor"}) from None
        return found


def first_of(found: Sequence[T]) -> T:
    """Return the only row of a list that was asked for one; `NotFound` where there is none."""
    if not found:
        raise NotFound
    return found[0]


def link(path: str, asked: dict[str, str], cursor: str) -> str:
    """Return the ``Link`` to the next page (RFC 8288)."""
    return f'<{path}?{urlencode(asked | {"cursor": cursor})}>; rel="next"'


def _cursor(key: tuple[object, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, default=str).encode()).decode().rstrip("=")


def _kind(shape: Any, name: str) -> Any:  # noqa: ANN401 - a type of any kind
    for part in name.split("."):
        shape = shape.model_fields[part].annotation
    return sent_as(shape)
