"""What a view with a database has at hand: the parts that the application opened once."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import abort, current_app, g, redirect, request

from healthcert.errors import BadInput
from healthcert.parts import Parts
from healthcert.services import api_answers, limits, roster
from healthcert.web.errors import came_from
from healthcert.web.guards import visitor
from healthcert.web.moment import now

T = TypeVar("T")
_IN_TIME = timedelta(weeks=2)  # to use it up, send it on or have it extended


def parts() -> Parts:
    """Return the parts: settings, database doors, vault, signers, pepper."""
    return cast(Parts, current_app.extensions["healthcert"])


def today(zone: str = "") -> date:
    """Return the day by the clock of a zone (IANA), the country's where none is named."""
    return now().astimezone(ZoneInfo(zone or parts().country.time_zone)).date()


def soon(zone: str = "") -> date:
    """Return the day before which what a lot ends is told in time, by the clock of a zone."""
    return today(zone) + _IN_TIME


def day_of(told: Any, name: str) -> date:  # noqa: ANN401 - any MultiDict
    """Return a day that was sent.

    Raises:
        BadInput: It is missing, or no day.
    """
    day: date | None = told.get(name, type=date.fromisoformat)
    if day is None:
        raise BadInput({name: "missing"})
    return day


def row_of(told: Any, name: str) -> UUID:  # noqa: ANN401 - any MultiDict
    """Return which row was chosen, by its identifier; one that no row has where none was sent.

    Raises:
        BadInput: The choice was left empty.
    """
    if told.get(name) == "":
        raise BadInput({name: "missing"})
    return cast(UUID, told.get(name, UUID(int=0), type=UUID))


def done(work: Callable[..., T], **told: Any) -> T:  # noqa: ANN401 - what this deed takes
    """Return what a deed of the member of staff who is here comes to, wholly done or not at all."""
    staff_id = visitor().id

    def deed(db: Any) -> T:  # noqa: ANN401 - views know no SQL
        once(db)
        return work(db, staff=roster.present(db, staff_id=staff_id), now=now(), **told)

    return parts().doors.run(deed)


def once(db: Any) -> None:  # noqa: ANN401
    """Go back to the page of a form that tells ``once``, shown one time, if it was done before."""
    if "once" in request.form:
        told = sorted(request.form.items(multi=True))
        key = limits.key_of(parts().pepper, repr((visitor().id, request.path, told)))
        mark: dict[str, Any] = {"vault": parts().vault, "key": key, "asked": key, "now": now()}
        if api_answers.before(db, **mark) is not None:
            abort(redirect(came_from(), code=303))
        api_answers.keep(db, answer={}, **mark)


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
