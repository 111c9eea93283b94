"""The time of a request: read once from the application's clock, the same for all it does."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from flask import current_app, g

Clock = Callable[[], datetime]


def clock() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Return the time of this request."""
    if "now" not in g:
        g.now = current_app.extensions["clock"]()
    return cast(datetime, g.now)
