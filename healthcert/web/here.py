"""What a view has at hand: the parts of the application, and the time of the request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from flask import current_app, g

from healthcert.parts import Parts

Clock = Callable[[], datetime]


def clock() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def parts() -> Parts:
    """Return what this application opened once: settings, database, vault, signers."""
    return cast(Parts, current_app.extensions["healthcert"])


def now() -> datetime:
    """Return the time of this request; the same for all that it does."""
    if "now" not in g:
        g.now = current_app.extensions["clock"]()
    return cast(datetime, g.now)
