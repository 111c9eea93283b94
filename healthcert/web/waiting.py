"""The waiting list: joined by anybody, kept and answered by whoever is signed in."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response
from wtforms import BooleanField

from healthcert.errors import CannotWait, NotEligible, SlotFull
from healthcert.i18n import format_number, gettext
from healthcert.i18n import lazy as _
from healthcert.policy.offers import RADII
from healthcert.services import identities, near, offers, people, waiting
from healthcert.web import draft, joining
from healthcert.web.about import about, accepted, details_in, known_by
from healthcert.web.answers import Answers, Choice, Radios, needed, options, recalled
from healthcert.web.appointments import do
from healthcert.web.family import actor, opened, whose
from healthcert.web.guards import visitor
from healthcert.web.here import limit, parts
from healthcert.web.moment import now
from healthcert.web.places import give_choices, town_at
from healthcert.web.refusals import answer_to

bp = Blueprint("waiting", __name__)
bp.context_processor(lambda: {"zone": parts().country.time_zone})

_Page = str | tuple[str, int] | Response


class Wanted(Answers):
    """What somebody waits for: which vaccination, and where."""

    programme = Radios(_("Which vaccination do you need?"))
    town = Choice(_("Which town is nearest to you?"), [needed])
    within = Choice(_("How far can you go?"), default="20")
    standby = BooleanField(_("I can also come at short notice, within an hour or two"))


@bp.get("/book/waiting")
def ask() -> str:
    """Ask what for, where and who, or show where they stand; what was typed is not asked again."""
    if "joined" in request.args and "waits" in session:
        person_id, number, is_told = session["waits"]
        with parts().doors.reading() as db:
            waits = waiting.of_person(db, UUID(person_id))
        return render_template("waiting/joined.html", waits=waits, number=number, is_told=is_told)
    told = draft.read().get("people", [])
    typed = next((one["typed"] for one in told if "typed" in one), None)
    who = about(recalled(typed) if typed else None)
    return render_template("waiting/join.html", form=_wanted(), who=who)


@bp.post("/book/waiting")
def join() -> _Page:
    """Put whoever was told on the list."""
    form, who = _wanted(), about(request.form)
    if not all([form.validate(), who.validate(), accepted(who)]):  # all that is wrong, at once
        return render_template("waiting/join.html", form=form, who=who), 400
    told, page = joining.asked_after(form.programme.data)
    if page:
        return page
    of: Any = {"details": details_in(who), "vault": parts().vault, "now": now(), "told": told}
    of |= {"staff": None, "country": parts().settings.country}
    limit("book", known_by(of["details"]))
    try:
        made = parts().doors.run(lambda db: identities.enter(db, **of, **_told(db, form)))
    except NotEligible as refusal:
        return joining.refused(refusal, form.programme.data, told, of["details"])
    except CannotWait:
        why = answer_to(CannotWait)
        return render_template("waiting/join.html", form=form, who=who, why=why), why.status
    session["waits"] = str(made[0].person_id), made[1], of["details"].is_reached
    return redirect(url_for(".ask", joined=""), code=303)  # sent again, it would join again


@bp.get("/my/waiting")
def mine() -> str:
    """Show what one waits for, what is offered, and how to wait for more."""
    return _mine(_wanted())


@bp.post("/my/waiting")
def begin() -> _Page:
    """Put the person whose record is open on the list."""
    form = _wanted()
    if not form.validate():
        return _mine(form), 400
    own = visitor().id if visitor().id == visitor().person_id else None
    told, page = joining.asked_after(form.programme.data, own, of_others=own is None)
    if page:
        return page
    of: Any = {"vault": parts().vault, "actor": actor(), "now": now()}
    of |= {"told": told if own or told else None}
    try:
        with parts().doors.transaction() as db:
            person = people.locked(db, whose(db, "book"))
            waiting.join(db, person=person, **of, **_told(db, form))
    except NotEligible as refusal:
        return joining.refused(refusal, form.programme.data, of["told"])
    return redirect(url_for(".mine"), code=303)


@bp.post("/my/waiting/<uuid:entry_id>/leave")
def leave(entry_id: UUID) -> Response:
    """Leave the list."""
    do(waiting.leave, vault=parts().vault, entry_id=entry_id)
    return redirect(url_for(".mine"), code=303)


@bp.post("/my/waiting/offers/<uuid:offer_id>/<any(accept, decline):verb>")
def answer(offer_id: UUID, verb: str) -> _Page:
    """Take what is offered, or leave it to the next; where others were quicker, say so kindly."""
    if verb == "decline":
        do(offers.decline, offer_id=offer_id)
        return redirect(url_for(".mine"), code=303)
    try:
        do(offers.accept, vault=parts().vault, offer_id=offer_id)
    except SlotFull:
        return render_template("waiting/gone.html", answer=answer_to(SlotFull)), 409
    return redirect(url_for("citizen.overview"), code=303)


def _wanted() -> Wanted:
    known = {name: request.args[name] for name in ("programme", "town") if name in request.args}
    form = Wanted(request.form or None, **known)
    give_choices(form)
    far = {"0": gettext("Only the nearest place"), "any": gettext("Anywhere in the country")}
    for km in RADII:
        far[str(km)] = gettext("Within %(km)s km of the nearest place", km=format_number(km))
    form.within.choices = options(far)
    return form


def _told(db: Any, form: Wanted) -> dict[str, Any]:  # noqa: ANN401
    site = near.nearest(db, town_at(form.town.data))
    anywhere = form.within.data == "any"
    return {
        "programme_id": UUID(form.programme.data), "standby": form.standby.data,
        "site_id": None if anywhere else site.id,
        "within_km": None if anywhere else int(form.within.data) or None,
    }  # fmt: skip


def _mine(form: Wanted) -> str:
    with opened() as (db, person_id):
        found = waiting.of_person(db, person_id)
    return render_template("waiting/mine.html", form=form, waits=found)
