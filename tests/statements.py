"""What is sent to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def sent(engine: Engine) -> Iterator[list[str]]:
    """Give the statements that an engine is sent meanwhile."""
    told: list[str] = []

    def note(*given: Any) -> None:
        told.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", note)
