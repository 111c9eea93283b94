"""The citizen's door by the national eID: to its provider, back, and linked once."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response as Redirect

from healthcert.gateways.oidc import Claims, Provider
from healthcert.services import national
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.sessions import sign_in as begin_session
from healthcert.web.staff import provider

bp = Blueprint("national", __name__, url_prefix="/my")


@bp.get("/sign-in/national")
def start() -> Redirect:
    """Send somebody to the provider of the national eID."""
    address, session["national"] = _national().start(now())
    return redirect(address, code=303)


@bp.get("/sign-in/back")
def back() -> str | Redirect:
    """Let in whom the provider has seen, or say what links them to their record."""
    kept = session.pop("national", None)
    if kept is None:
        return redirect(url_for("citizen.sign_in"), code=303)
    seen = _national().finish(kept, request.args, now())
    with parts().doors.transaction() as db:
        person_id = national.enter(
            db, vault=parts().vault, seen=seen, country=parts().country, now=now()
        )
    if person_id is None:
        session["unlinked"] = {"issuer": seen.issuer, "sub": seen.sub, "claims": {"acr": seen.acr}}
        return render_template("citizen/unlinked.html")
    begin_session("person", person_id)
    return redirect(url_for("citizen.overview"), code=303)


def link(db: Any, person_id: UUID) -> None:  # noqa: ANN401 - views know no SQL
    """Link the eID that came back unknown, if one did, to who has just proved who they are.

    Only where they say so: it may be that of who sat here before.
    """
    if "unlinked" in session and "eid" in request.form:
        seen = Claims(**session["unlinked"])
        vault, country = parts().vault, parts().country
        national.link(db, vault=vault, person_id=person_id, seen=seen, country=country, now=now())


def _national() -> Provider:
    # The birth date stands in "profile" (OpenID Connect Core 1.0, 5.4).
    return provider(parts().settings.citizen_oidc, "national.back", "openid profile")
