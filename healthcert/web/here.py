"""What a view with a database has at hand: the parts that the application opened once."""

from __future__ import annotations

from typing import cast

from flask import current_app

from healthcert.parts import Parts


def parts() -> Parts:
    """Return the parts: settings, database doors, vault, signers, pepper."""
    return cast(Parts, current_app.extensions["healthcert"])
