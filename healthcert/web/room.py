"""The waiting room of an opening day: a ticket for everybody, and a quiet wait.

Nothing here opens a session or the database. Booking goes through the room while an opening is
on; staff's doors and the check of certificates never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from flask import (
    Blueprint,
    Flask,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug import Response

from healthcert.config import Settings
from healthcert.errors import BadInput, MustWait, NotFound
from healthcert.gateways import room_files
from healthcert.gateways.room_files import AVAILABILITY, LINE, Opening
from healthcert.i18n import lazy as _
from healthcert.policy import admission, tickets
from healthcert.policy.tickets import Ticket
from healthcert.services.keys import read_secret, room_key
from healthcert.web.acts import ACTS
from healthcert.web.answers import Answers, Line, needed
from healthcert.web.errors import is_api
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.pages import bdi

bp = Blueprint("room", __name__)

_COOKIE = "healthcert_ticket"
_GATED = frozenset({"search_places", "book_appointment"})
_AGAIN = 15  # seconds that an answer to a poll stays fresh, and between two looks
_Page = str | tuple[str, int] | Response


class Coming(Answers):
    """Whom a ticket is for."""

    identity = Line(_("Number of your document, or phone number"), [needed])


class Standing(NamedTuple):
    """How it is with a ticket."""

    state: str  # ``soon``, ``waiting``, ``go`` or ``over``
    place: int | None = None  # once the seed is told
    before: int = 0  # about how many wait in front
    minutes: int | None = None  # about how long; None where nobody can say


def init_room(app: Flask, settings: Settings) -> None:
    """Lead who books through the waiting room while an opening is on."""
    app.extensions["room"] = read_secret(settings.secret_file)
    app.register_blueprint(bp)
    app.before_request(_gate)


def refuse_another(*identities: str) -> None:
    """Refuse to book for people of whom none is the one that was let in.

    Raises:
        BadInput: ``identity_value: not_the_tickets``.
    """
    opening, ticket = g.get("let_in", (None, None))
    if opening is not None and ticket.who not in {
        tickets.who(_key(opening), one) for one in identities
    }:
        raise BadInput({"identity_value": "not_the_tickets"})


@bp.get("/room")
def door() -> _Page:
    """Say what is opening and when, and ask for whom a ticket is; or show the ticket at hand."""
    opening, ticket = _opening(), request.cookies.get(_COOKIE, "")
    if ticket and "new" not in request.args:
        return redirect(url_for(".wait", ticket=ticket), 303)
    return _door(opening, Coming(None))


@bp.post("/room")
def ask() -> _Page:
    """Hand out a ticket."""
    opening, form = _opening(), Coming(request.form)
    if not form.validate():
        return _door(opening, form), 400
    key = _key(opening)
    text = tickets.issue(
        key, tickets.who(key, form.identity.data), opens_at=opening.opens_at, now=now()
    )
    room_files.note(_folder(), tickets.read(key, text))
    return redirect(url_for(".wait", ticket=text), 303)


@bp.get("/room/<ticket>")
def wait(ticket: str) -> Response:
    """Show how it is with a ticket, on whatever device, and keep it there."""
    opening, line = _opening(), _line()
    try:
        standing = _standing(tickets.read(_key(opening), ticket), line)
    except BadInput:
        gone = make_response(redirect(url_for(".door", new=1), 303))
        gone.delete_cookie(_COOKIE)
        return gone
    shown = {
        "opening": opening, "standing": standing, "ticket": bdi(ticket, "hc-number"),
        "line": line, "places": _places(opening.programme), "again": _again(opening),
        "turn": admission.TURN // 60, "zone": parts().country.time_zone,
    }  # fmt: skip
    answer = make_response(render_template("room/wait.html", **shown))
    secure = parts().settings.base_url.startswith("https:")
    answer.set_cookie(_COOKIE, ticket, secure=secure, httponly=True, samesite="Lax", max_age=86400)
    return answer


@bp.get("/room/line.json")
def line() -> Response:
    """Tell how far the line is: all that waiting costs."""
    _opening()
    return _file(LINE, _AGAIN)


@bp.get("/availability.json")
def availability() -> Response:
    """Tell where places are left."""
    return _file(AVAILABILITY, 60)


def left_without_database() -> _Page:
    """Show where places were left when the database last answered."""
    return render_template("room/left.html", places=_places()), 503


def _door(opening: Opening, form: Coming) -> str:
    zone = parts().country.time_zone
    return render_template("room/door.html", opening=opening, form=form, zone=zone)


def _gate() -> Response | None:
    if ACTS.get(request.endpoint or "") not in _GATED:
        return None
    opening = room_files.announced(_folder())
    if opening is None or not opening.is_on(now()):
        return None
    try:
        ticket = tickets.read(_key(opening), request.cookies.get(_COOKIE, ""))
    except BadInput:
        ticket = None
    if ticket is not None and _standing(ticket, _line()).state == "go":
        g.let_in = opening, ticket
        return None
    if is_api():
        raise MustWait
    return redirect("/room", 303)


def _standing(ticket: Ticket, line: Mapping[str, Any]) -> Standing:
    if not line.get("seed"):
        return Standing("soon")
    place = tickets.place(ticket, bytes.fromhex(line["seed"]))
    if place <= line["since"]:
        return Standing("over", place)
    if place <= line["upto"]:
        return Standing("go", place)
    before, speed = admission.before(place, line["marks"]), line["per_minute"]
    return Standing("waiting", place, before, -(-before // speed) if speed else None)


def _again(opening: Opening) -> int:
    """Return in how many seconds a page without scripts looks again: seldom long before."""
    away = (opening.opens_at - now()) / timedelta(seconds=1)
    return max(_AGAIN, min(60, int(away / 2)))


def _places(programme: str = "") -> list[dict[str, Any]]:
    told = room_files.held(_folder() / AVAILABILITY) or {"sites": {}, "places": []}
    return [
        {
            "names": told["sites"][place["site"]]["names"], "at_least": place["at_least"],
            "day": date.fromisoformat(place["day"]),
        }
        for place in told["places"]
        if programme in {"", place["programme"]}
    ][:40]  # fmt: skip


def _opening() -> Opening:
    opening = room_files.announced(_folder())
    if opening is None or now() >= opening.ends_at:
        raise NotFound
    return opening


def _line() -> Mapping[str, Any]:
    return room_files.held(_folder() / LINE) or {}


def _key(opening: Opening) -> bytes:
    return room_key(current_app.extensions["room"], opening.code)


def _folder() -> Path:
    return parts().settings.room_dir


def _file(name: str, fresh: int) -> Response:
    path = _folder() / name
    if not path.is_file():
        raise NotFound
    answer = send_file(path, mimetype="application/json", conditional=True, max_age=fresh)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
