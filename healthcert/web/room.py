"""The waiting room of an opening day: a ticket for everybody, and a quiet wait.

Nothing here opens a session or the database. Booking goes through the room while an opening is
on; staff's doors and the check of certificates never do.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, send_file
from werkzeug import Response

from healthcert.errors import AnothersTicket, BadInput, MustWait, NotFound
from healthcert.gateways import room_files
from healthcert.gateways.room_files import AVAILABILITY, LINE, Opening
from healthcert.i18n import lazy as _
from healthcert.policy import admission, tickets
from healthcert.policy.admission import NO_TICKET, Standing
from healthcert.policy.tickets import Ticket
from healthcert.services.keys import read_secret
from healthcert.services.people import Details
from healthcert.web.acts import ACTS
from healthcert.web.answers import Answers, Line, needed
from healthcert.web.here import parts
from healthcert.web.moment import now

bp = Blueprint("room", __name__)

_COOKIE = "healthcert_ticket"
_GATED = frozenset({"search_places", "book_appointment"})
_MOVES = (
    "move_own_appointment"  # at the gate nobody knows yet who moves it: `admit` is called there
)
_OPEN = frozenset({"waiting.ask", "waiting.join", "v1.enter"})  # who waits for later takes no place
_FRESH = 15  # seconds that an answer to a poll is fresh


class Coming(Answers):
    """Whom a ticket is for."""

    identity = Line(_("Number of your document, or phone number"), [needed])


@bp.before_app_request
def gate() -> None:
    """Lead who books into the room while an opening is on, until it is their turn."""
    endpoint = request.endpoint or ""
    if is_gated(endpoint) and ACTS[endpoint] != _MOVES:
        admit()


def admit() -> None:
    """Let in whose turn it is, by the ticket that they show; everybody while no opening is on.

    Raises:
        MustWait: It is not; a page leads to the room.
    """
    opening = room_files.announced(parts().settings.data_dir)
    if opening is None or not opening.is_on(now()):
        return
    text = request.headers.get("Ticket") or request.cookies.get(_COOKIE, "")
    ticket, standing = _standing(opening, text)
    if standing.state != "go":
        raise MustWait
    g.let_in = _key(opening), ticket.who


def is_gated(endpoint: str) -> bool:
    """Say whether one comes to an endpoint through the room while an opening is on."""
    return ACTS.get(endpoint) in {*_GATED, _MOVES} and endpoint not in _OPEN


def refuse_another(people: Iterable[Details]) -> None:
    """Refuse to book for people of whom none is the one that was let in.

    Raises:
        AnothersTicket: Somebody else got the ticket.
    """
    key, who = g.get("let_in", (b"", None))
    told = (each for one in people for each in (one.identity.value, one.phone, one.mail))
    if who is not None and who not in {tickets.who(key, each) for each in told}:
        raise AnothersTicket


@bp.get("/room")
def page() -> Response:
    """Show how it is with the ticket at hand, on whatever device, or ask whom one is for."""
    opening = _opening()
    text = request.args.get("ticket", request.cookies.get(_COOKIE, ""))
    _, standing = _standing(opening, text)
    answer = make_response(_shown(opening, Coming(None), standing, text))
    if standing.state != "new":
        secure = parts().settings.base_url.startswith("https:")
        answer.set_cookie(_COOKIE, text, secure=secure, httponly=True, samesite="Lax")
    return answer


@bp.post("/room")
def ask() -> Response:
    """Hand out a ticket."""
    opening, form = _opening(), Coming(request.form)
    if not form.validate():
        return make_response(_shown(opening, form), 400)
    key = _key(opening)
    who = tickets.who(key, form.identity.data)
    text = tickets.issue(key, who, opens_at=opening.opens_at, now=now())
    room_files.note(parts().settings.room_dir, opening.code, tickets.read(key, text))
    return redirect(f"/room?ticket={text}", 303)


@bp.get("/room/line.json")
def line() -> Response:
    """Tell how far the line is: all that waiting costs."""
    return _file(LINE, _FRESH)


@bp.get("/availability.json")
def availability() -> Response:
    """Tell where places are left."""
    return _file(AVAILABILITY, 60)


def without_database() -> tuple[str, int]:
    """Show where places were left when the database last answered."""
    return render_template("room/left.html", places=_places()), 503


def _shown(opening: Opening, form: Coming, standing: Standing = NO_TICKET, ticket: str = "") -> str:
    away = int((opening.opens_at - now()) / timedelta(seconds=2))
    return render_template(
        "room/room.html", opening=opening, form=form, standing=standing, ticket=ticket,
        names=_told(AVAILABILITY).get("programmes", {}).get(opening.programme, {}),
        line=_told(LINE), places=_places(opening.programme), turn=admission.TURN // 60,
        zone=parts().country.time_zone, again=max(_FRESH, min(60, away)),
    )  # fmt: skip


def _standing(opening: Opening, text: str) -> tuple[Ticket, Standing]:
    try:
        ticket = tickets.read(_key(opening), text)
    except BadInput:
        return Ticket(b"", 0), NO_TICKET
    line = _told(LINE)
    return ticket, admission.standing(ticket, line if line.get("code") == opening.code else {})


def _places(programme: str = "") -> list[dict[str, Any]]:
    return [
        place | {"day": date.fromisoformat(place["day"])}
        for place in _told(AVAILABILITY).get("places", ())
        if programme in {"", place["programme"]}
    ][:40]


def _opening() -> Opening:
    opening = room_files.announced(parts().settings.data_dir)
    if opening is None or (now() > opening.opens_at and not opening.is_on(now())):
        raise NotFound
    return opening


def _told(name: str) -> dict[str, Any]:
    return room_files.held(parts().settings.room_dir / name) or {}


def _key(opening: Opening) -> bytes:
    return tickets.key_of(read_secret(parts().settings.secret_file), opening.name)


def _file(name: str, fresh: int) -> Response:
    path = parts().settings.room_dir / name
    if not path.is_file():
        raise NotFound
    answer = send_file(path, mimetype="application/json", conditional=True, max_age=fresh)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
