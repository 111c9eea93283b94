"""Staff's own keys and sessions, and how somebody comes in who has no key yet."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from werkzeug import Response as Redirect

from healthcert.errors import BadInput, NotProved
from healthcert.i18n import lazy as _
from healthcert.services import api_tokens, invitations, passkeys, passwords, visits
from healthcert.services.audit import Actor
from healthcert.web import sessions
from healthcert.web.answers import Answers, Choice, Line, Radios, needed, options
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.staff import Known, identifier, let_in

bp = Blueprint("account", __name__)

_Page = str | tuple[str, int] | Redirect


class Program(Answers):
    """A program that is to come in for one, until when, and whether it may change anything."""

    name = Line(_("What you call the program"), [needed])
    days = Choice(_("For how many days"), choices=options({d: d for d in ("1", "30", "90", "366")}))
    may = Radios(
        _("What it may do"),
        choices=options({"read": _("Look things up"), "all": _("Everything that I may do")}),
        default="read",
    )


class Invited(Answers):
    """The code of an invitation."""

    code = Line(_("Invitation code"), [needed])


@bp.get("/sign-in/invitation")
def invitation() -> str:
    """Ask for the code of an invitation."""
    return render_template("staff/invitation.html", form=Invited())


@bp.post("/sign-in/invitation")
def redeem() -> _Page:
    """Take a code; it is used up by the key that is left with it."""
    form = Invited(request.form)
    try:
        with parts().doors.reading() as db:
            code = form.code.data or ""
            found = invitations.find(db, pepper=parts().pepper, code=code, now=now())
    except NotProved:
        form.take({"code": "bad_invitation"})
        return render_template("staff/invitation.html", form=form), 403
    sessions.sign_out()
    session["invited"] = str(found)
    return redirect(url_for(".enrol"), code=303)


@bp.get("/sign-in/enrol")
def enrol() -> str:
    """Offer the keys one may leave here: a passkey, or a password with time codes."""
    return _offer(Known())


@bp.post("/sign-in/enrol/ask")
def ask_passkey() -> Response:
    """Tell the browser of whom to make a passkey."""
    whose = _whose()
    with parts().doors.reading() as db:
        staff = invitations.newcomer(db, **whose, now=now())
        asked, session["new_passkey"] = passkeys.new(
            db, staff=staff, base_url=parts().settings.base_url, now=now()
        )
    return Response(asked, content_type="application/json")


@bp.post("/sign-in/enrol/passkey")
def add_passkey() -> Redirect:
    """Keep a new passkey."""
    whose, kept = _whose(), session.pop("new_passkey", {})
    name = request.form.get("name", "").strip()[:60] or f"{now():%Y-%m-%d %H:%M}"
    answer, base_url = request.form.get("answer", ""), parts().settings.base_url
    with parts().doors.transaction() as db:
        staff = invitations.newcomer(db, **whose, now=now(), use=True)
        passkeys.enrol(
            db, staff=staff, kept=kept, answer=answer, name=name, base_url=base_url, now=now()
        )
    return let_in(staff.id, url_for(".own"))


@bp.post("/sign-in/enrol/password")
def add_password() -> _Page:
    """Keep a password with time codes."""
    whose, form = _whose(), Known(request.form)
    if not form.validate():
        return _offer(form), 400
    told = form.data | {"secret": session.get("secret", ""), "vault": parts().vault}
    try:
        with parts().doors.transaction() as db:
            staff = invitations.newcomer(db, **whose, now=now(), use=True)
            passwords.keep(db, staff_id=staff.id, **told, now=now())
    except BadInput as wrong:
        form.take(wrong.fields)
        return _offer(form), 400
    session.pop("secret")
    return let_in(staff.id, url_for(".own"))


@bp.get("/account")
def own() -> str:
    """Show somebody's own keys, where they are signed in, and who let them in anew."""
    staff_id = visitor().id
    with parts().doors.reading() as db:
        return render_template(
            "staff/account.html",
            keys=passkeys.of_staff(db, staff_id=staff_id),
            visits=visits.of_staff(db, staff_id=staff_id, now=now()),
            tokens=api_tokens.of_staff(db, staff_id=staff_id, now=now()),
            recoveries=invitations.told(db, staff_id=staff_id),
            here=sessions.key(),
        )


@bp.route("/account/tokens", methods=["GET", "POST"])
def tokens() -> _Page:
    """Ask for a new token of a program, or show it once."""
    if not sessions.lately():
        return redirect(url_for("staff.again", next=url_for(".tokens")), code=303)
    form, who, token = Program(request.form or None), visitor(), ""
    if request.method == "POST" and form.validate():
        ends_at = now() + timedelta(days=int(form.days.data))
        with parts().doors.transaction() as db:
            token = api_tokens.make(
                db, actor=Actor("staff", who.id), role=who.role, name=form.name.data,
                ends_at=ends_at, reads_only=form.may.data != "all", now=now(),
            )  # fmt: skip
    return render_template("staff/token.html", form=form, token=token)


@bp.post("/account")
def change() -> Redirect:
    """Remove a passkey, or end one of one's own sessions, or all."""
    staff_id, told = visitor().id, request.form
    with parts().doors.transaction() as db:
        if "key" in told:
            passkeys.remove(db, staff_id=staff_id, passkey_id=identifier(told["key"]), now=now())
        else:
            visits.end_all(db, staff_id=staff_id, only=told.get("visit"))
    return redirect(url_for(".own"), code=303)


def _whose() -> dict[str, Any]:
    """Return by which invitation, or as whom, somebody may leave a key now."""
    if "invited" in session:
        return {"invitation_id": UUID(session["invited"])}
    if "staff" not in session:
        abort(redirect(url_for("staff.sign_in"), code=303))
    if not sessions.lately():
        abort(redirect(url_for("staff.again", next=url_for(".enrol")), code=303))
    return {"staff_id": UUID(session["staff"])}


def _offer(form: Known) -> str:
    with parts().doors.reading() as db:
        staff = invitations.newcomer(db, **_whose(), now=now())
    secret = session.setdefault("secret", passwords.new_secret())
    picture = passwords.picture(secret, name=staff.name)
    return render_template(
        "staff/enrol.html", form=form, staff=staff, secret=secret, picture=picture,
        entered="staff" in session, provider=parts().settings.staff_oidc,
    )  # fmt: skip
