"""The door of calls: who could not be written to, what to tell them, and what came of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.services import calls, roster
from healthcert.services.part import Part
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts
from healthcert.web.moment import now

bp = Blueprint("calls", __name__, url_prefix="/calls")

_SHOWN = 20  # on a page: each is a look at a record
_DEEDS = {"told": calls.told, "not_reached": calls.not_reached}


@bp.get("")
def every() -> str:
    """Show whom one's sites are to call, what is over first, first; each look is written down."""
    after = _after()
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        found = calls.waiting(
            db, vault=parts().vault, channels=parts().channels, staff=staff,
            part=Part(after, _SHOWN + 1), now=now(),
        )  # fmt: skip
    return render_template("staff/calls.html", found=found, after=after, shown=_SHOWN)


@bp.post("/<uuid:message_id>")
def tell(message_id: UUID) -> Response:
    """Write down that somebody was told, or was not reached."""
    act = request.form.get("act", "")
    if act not in _DEEDS:
        raise BadInput({"act": "not_a_choice" if act else "missing"})
    done(_DEEDS[act], message_id=message_id, channels=parts().channels)
    back = url_for(".every", done=act, after=request.args.getlist("after"))
    return redirect(back, code=303)


def _after() -> tuple[Any, ...]:
    """Return the key of the last row on the page before; () where the address names none."""
    try:
        until, message_id = request.args.getlist("after")
        return datetime.fromisoformat(until).astimezone(UTC), UUID(message_id)
    except (ValueError, OverflowError):
        return ()
