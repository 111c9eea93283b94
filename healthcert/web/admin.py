"""The administrator's door: how the service stands, and what is handed on."""

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.policy.roles import delegable
from healthcert.services import alarms, delegating, desk, holds, roster, signing_keys
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts
from healthcert.web.moment import now
from healthcert.web.verify import verifier

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.get("/")
def state() -> str:
    """Show the bundle's age, the work that waits, and how long the keys last."""
    with parts().doors.reading() as db:
        waiting, raised = desk.waiting(db), alarms.still_open(db)
        keys = signing_keys.active(db, now())
    return render_template(
        "admin/state.html", now=now(), bundle=verifier().bundle(now()), waiting=waiting,
        alarms=raised, keys=keys,
    )  # fmt: skip


@bp.get("/organisations")
def organisations() -> str:
    """Show the organisations in one's reach, their sites, and what they have handed on."""
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        bodies, sites, handed = delegating.overview(db, staff=staff, now=now())
    return render_template(
        "admin/organisations.html", bodies=bodies, sites=sites, handed=handed,
        acts=delegable(visitor().role),
    )  # fmt: skip


@bp.post("/delegations")
def delegate() -> Response | tuple[str, int]:
    """Hand one of one's acts to an organisation below one's own."""
    typed = request.form
    g.wrong = {name: "missing" for name in ("taker", "act", "days") if typed.get(name) == ""}
    if g.wrong:
        return organisations(), 400
    taker, days = typed.get("taker", UUID(int=0), type=UUID), typed.get("days", 0, type=int)
    try:
        done(delegating.delegate, taker_id=taker, act=typed.get("act", ""), days=days)
    except BadInput as refusal:
        g.wrong = refusal.fields
        return organisations(), 400
    return redirect(url_for(".organisations"), code=303)


@bp.post("/delegations/<uuid:delegation_id>/revoke")
def revoke(delegation_id: UUID) -> Response:
    """Take back what was handed on."""
    done(delegating.revoke, delegation_id=delegation_id)
    return redirect(url_for(".organisations"), code=303)


@bp.post("/alarms/<uuid:alarm_id>")
def alarm(alarm_id: UUID) -> Response:
    """Note that an alarm was seen or, where a reason is given, close it."""
    done(alarms.settle, alarm_id=alarm_id, reason=request.form.get("reason", ""))
    return redirect(url_for(".state"), code=303)


@bp.get("/held")
def held() -> str:
    """Show what waits to be released in one's reach; of what was withdrawn, the one asked for."""
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        uvci = request.args.get("identifier", "").strip()
        reach = delegating.within(db, staff=staff, act="see_organisations", now=now())
        waiting = holds.waiting(db, reach=reach, uvci=uvci)
    return render_template("admin/held.html", waiting=waiting)


@bp.post("/held/<uuid:of>")
def release(of: UUID) -> Response:
    """Let the certificates be signed of whoever wrote them down, of a site, or of one fact."""
    done(holds.let_go, why=request.form.get("why", ""), of=of)
    return redirect(url_for(".held"), code=303)
