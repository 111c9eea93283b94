"""Looking after others: for whom one acts and who acts for one; on whose record the pages open.

Who is signed in stays `Visitor.id`; whose record is open is `Visitor.person_id`. Whether one may
is asked of the database by every deed, in its own transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response
from wtforms import SelectMultipleField

from healthcert.errors import BadCode, BadInput, NotAllowed, NotFound
from healthcert.i18n import lazy as _
from healthcert.policy.roles import Role
from healthcert.services import proxies, record
from healthcert.services.access import Answer
from healthcert.services.audit import Actor
from healthcert.web.about import Code, Known, about, claim, details_in
from healthcert.web.answers import Answers, options
from healthcert.web.guards import Visitor, visitor
from healthcert.web.here import parts
from healthcert.web.labels import SCOPES
from healthcert.web.moment import now

bp = Blueprint("family", __name__, url_prefix="/my/family")

_Page = tuple[str, int] | Response


class Invitation(Answers):
    """What somebody else may do for one."""

    scopes = SelectMultipleField(_("What may they do for you?"), choices=options(SCOPES))


class Invited(Known, Code):
    """What whoever is to be looked after told: something they know, and their code."""


@bp.get("/")
def page() -> str:
    """Show for whom one acts, with the appointments of them all, and who acts for one."""
    with parts().doors.transaction() as db:
        found = proxies.held(deed(db), oneself())
        seen = [one.person_id for one in found if one.mine and "view" in one.scopes]
        proxies.admit_all(db, actor=actor(), person_ids=seen, scope="view", now=now())
        coming = record.appointments_of(db, *seen)
    return render_template(
        "citizen/family.html", held=found, coming=coming, zone=parts().country.time_zone
    )


@bp.post("/look-after/<uuid:person_id>")
@bp.post("/myself", defaults={"person_id": None})
def look_after(person_id: UUID | None) -> Response:
    """Open the pages of somebody for whom one acts, or one's own again."""
    session.pop("looking_after", None)
    if person_id:
        with parts().doors.reading() as db:
            mine = [one for one in proxies.held(deed(db), oneself()) if one.mine]
        names = {one.person_id: one.name for one in mine}
        if person_id not in names:
            raise NotFound
        begin(person_id, names[person_id])
    own = "clinic.day" if actor().kind == "staff" else "citizen.overview"
    return redirect(url_for(own), code=303)


@bp.route("/child", methods=["GET", "POST"])
def child() -> _Page:
    """Write a child down."""
    form, me = about(request.form or None), oneself()
    return _asked(
        form, "child", lambda on: proxies.enrol_child(on, guardian_id=me, details=details_in(form))
    )


@bp.route("/invite", methods=["GET", "POST"])
def invite() -> _Page:
    """Send the code that lets somebody else act for one."""
    form, me, pepper = Invitation(request.form or None), oneself(), parts().pepper
    return _asked(
        form, "invite",
        lambda on: proxies.invite(on, pepper=pepper, person_id=me, scopes=form.scopes.data),
    )  # fmt: skip


@bp.route("/join", methods=["GET", "POST"])
def join() -> _Page:
    """Begin to act for somebody by what they told, and the code they were sent."""
    form, me = Invited(request.form or None), oneself()
    secret = {"pepper": parts().pepper, "code": form.code.data}
    return _asked(
        form, "join",
        lambda on: proxies.accept(on, carer_id=me, claim=claim(form.asking), **secret),
    )  # fmt: skip


@bp.post("/<uuid:proxy_id>/end")
def end(proxy_id: UUID) -> Response:
    """End that somebody acts for another, on either side."""
    me = oneself()
    parts().doors.run(lambda db: proxies.end(deed(db), proxy_id=proxy_id, by=me))
    return redirect(url_for(".page"), code=303)


def begin(person_id: UUID, name: str) -> None:
    """Open the pages of somebody until one goes back to one's own; each asks whether one may."""
    session["looking_after"] = {"id": str(person_id), "name": name}


def looking_after(own: Visitor) -> Visitor:
    """Return a visitor as they are, or at the record of whom they look after."""
    whom = session.get("looking_after")
    if whom is None:
        return own
    return replace(own, role=Role.CITIZEN, name=whom["name"], person_id=UUID(whom["id"]))


def actor() -> Actor:
    """Return who does a deed, for whomever it is done."""
    return Actor("staff" if visitor().works_here else "citizen", visitor().id)


def deed(db: Any) -> proxies.Deed:  # noqa: ANN401 - views know no SQL
    """Return what the deeds of proxies are done with, in a transaction."""
    return proxies.Deed(db, parts().vault, parts().country, now())


def whose(db: Any, scope: str) -> UUID:  # noqa: ANN401
    """Return whose record is open for a deed in a scope.

    Raises:
        NotFound: Somebody's for whom one may not do that, or no longer; then one is back at one's
            own pages.
    """
    whom = cast(UUID, visitor().person_id)
    try:
        return proxies.admit(db, actor=actor(), person_id=whom, scope=scope, now=now())
    except NotFound:
        session.pop("looking_after", None)
        raise


@contextmanager
def opened() -> Iterator[tuple[Any, UUID]]:
    """Open a transaction to look at the record; a look at another's is written down."""
    doors, own = parts().doors, visitor().id == visitor().person_id
    with doors.reading() if own else doors.transaction() as db:
        yield db, whose(db, "view")


def oneself() -> UUID:
    """Return the citizen who is signed in, whomever they look after; staff have no family here."""
    if actor().kind == "staff":
        raise NotAllowed
    return visitor().id


def _asked(form: Answers, name: str, work: Callable[[proxies.Deed], Answer | None]) -> _Page:
    """Ask, or do what was asked for and show the family; where that fails, ask again."""
    if request.method == "POST" and form.validate():
        try:
            answer = parts().doors.run(lambda db: work(deed(db)))
            if answer is None or answer.lets:
                return redirect(url_for(".page", done=name), code=303)
            form.take({"code": BadCode.code})
        except BadInput as wrong:
            form.take(wrong.fields)
    return render_template(f"citizen/{name}.html", form=form), 400 if form.errors else 200
