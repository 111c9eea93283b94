"""Lists by the page: each goes on from the key of the last row seen, and nothing is lost."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Generic
from urllib.parse import urlencode

from pydantic import Field

from healthcert.errors import BadInput
from healthcert.web.api.shapes import S, Shape, T, Told

_MOST = 200


class Paging(Shape):
    """Which part of a list."""

    cursor: str | None = Field(None, max_length=500, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=_MOST)


class Page(Told, Generic[T]):
    """Part of a list; what comes in meanwhile moves nothing from one page to another."""

    items: list[T]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


def page(
    shape: type[S], found: Iterable[object], key: Callable[[Any], tuple[object, ...]], query: Paging
) -> Page[S]:
    """Return the part of a list that comes after the last one seen, by a key that never changes.

    Raises:
        BadInput: The cursor is none of ours.
    """
    made = [shape.model_validate(row) for row in found]
    keyed = sorted(((_plain(key(one)), one) for one in made), key=lambda pair: pair[0])
    after = _read(query.cursor) if query.cursor else []
    rest = [pair for pair in keyed if pair[0] > after]
    shown = rest[: query.limit]
    more = _cursor(shown[-1][0]) if len(rest) > len(shown) else None
    return Page[shape](items=[one for _key, one in shown], next=more)  # type: ignore[valid-type]


def link(path: str, asked: dict[str, str], cursor: str) -> str:
    """Return the ``Link`` to the next page (RFC 8288)."""
    return f'<{path}?{urlencode(asked | {"cursor": cursor})}>; rel="next"'


def _plain(key: tuple[object, ...]) -> list[str]:
    """Return a key as texts of the same order; moments are in UTC already."""
    return [f"{each:%Y-%m-%dT%H:%M:%S.%f}" if isinstance(each, datetime) else str(each)
            for each in key]  # fmt: skip


def _cursor(key: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _read(cursor: str) -> list[str]:
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"==="))
    except ValueError:
        raise BadInput({"cursor": "not_a_cursor"}) from None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise BadInput({"cursor": "not_a_cursor"})
    return found
