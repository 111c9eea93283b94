"""What a view with a database has at hand: the parts that the application opened once."""

from datetime import date
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app, g, request

from healthcert.parts import Parts
from healthcert.services import limits
from healthcert.web.moment import now


def parts() -> Parts:
    """Return the parts: settings, database doors, vault, signers, pepper."""
    return cast(Parts, current_app.extensions["healthcert"])


def today() -> date:
    """Return the day by the country's clock."""
    return now().astimezone(ZoneInfo(parts().country.time_zone)).date()


def limit(name: str, identity: str = "") -> None:
    """Take one of a deed of `data/limits.toml`, before it is done and whatever comes of it.

    `identity` is who is asked about or who asks, in one spelling; the network is the caller's, as
    far as our own proxies tell it; of whom the waiting room let in it is their ticket, since on an
    opening day thousands come by one carrier's.

    Raises:
        TooMany: A window is full.
    """
    address = g.let_in[1].hex() if "let_in" in g else request.remote_addr or ""
    parts().doors.run(
        lambda db: limits.spend(
            db, pepper=parts().pepper, name=name, identity=identity, address=address, now=now()
        )
    )
