"""The door of documents that two records claim: what waits, both records, and each step."""

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.services import contested, requests, roster
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts
from healthcert.web.moment import now

bp = Blueprint("contested", __name__, url_prefix="/requests")


@bp.get("")
def every() -> str:
    """Show what waits in one's reach, since when, until when, and for whom."""
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        found = contested.waiting(db, staff=staff, now=now())
    return render_template("staff/requests.html", found=found, now=now())


@bp.get("/<uuid:request_id>")
def one(request_id: UUID) -> str:
    """Show a request; to who decides it now, both records, and each look is written down."""
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        at = contested.one(db, vault=parts().vault, request_id=request_id, staff=staff, now=now())
    return render_template(
        "staff/request.html", at=at, now=now(), grounds=contested.GROUNDS,
        reasons=requests.REASONS,
    )  # fmt: skip


@bp.post("/<uuid:request_id>")
def decide(request_id: UUID) -> Response | tuple[str, int]:
    """Take the next step of a request, or reject it."""
    act = request.form.get("act", "")
    asked = "stays" if act == "reject" else "ground"  # by its own name, each by its own words
    told = {"act": act, "reason": request.form.get(asked, ""), "country": parts().country}
    try:
        done(contested.decide, vault=parts().vault, request_id=request_id, **told)
    except BadInput as wrong:
        g.wrong = {asked if name == "reason" else name: why for name, why in wrong.fields.items()}
        return one(request_id), 400
    return redirect(url_for(".every", done=act), code=303)
