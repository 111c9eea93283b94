"""The waiting list: joined by anybody, kept and answered by whoever is signed in; standby doses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import BooleanField, IntegerField
from wtforms.validators import NumberRange

from healthcert.errors import BadInput, SlotFull
from healthcert.i18n import format_number, gettext
from healthcert.i18n import lazy as _
from healthcert.models import Person
from healthcert.services import desk, enrolment, offers, people, roster, waiting
from healthcert.services.audit import Actor
from healthcert.web import party
from healthcert.web.about import About, about, accepted, details_in
from healthcert.web.answers import Answers, Choice, Radios, needed, options, recalled
from healthcert.web.clinic import own_site
from healthcert.web.family import actor, opened, whose
from healthcert.web.guards import visitor
from healthcert.web.here import limit, parts
from healthcert.web.labels import in_words
from healthcert.web.moment import now
from healthcert.web.refusals import answer_to

bp = Blueprint("waiting", __name__)

_MOST = 100
_Page = str | tuple[str, int] | Response


class Wanted(Answers):
    """What somebody waits for: which vaccination, and where."""

    programme = Radios(_("Which vaccination do you need?"))
    town = Choice(_("Which town is nearest to you?"), [needed])
    within = Choice(_("How far can you go?"), default="20")
    standby = BooleanField(_("I can also come at short notice, within an hour or two"))


class Spare(Answers):
    """Doses of open vials that would be thrown away."""

    session = Radios(_("From which vaccine?"), [needed])
    doses = IntegerField(_("How many doses are left?"), [NumberRange(1, _MOST)])


@bp.get("/book/waiting")
def ask() -> str:
    """Ask what for, where and who; what was typed for a booking is not asked again."""
    people = party.draft().get("people", [])
    typed = next((one["typed"] for one in people if "typed" in one), None)
    return _ask(_wanted(), about(recalled(typed) if typed else None))


@bp.post("/book/waiting")
def join() -> _Page:
    """Put whoever was told on the list."""
    form, who = _wanted(), about(request.form)
    right = form.validate()
    if not (who.validate() and accepted(who) and right):
        return _ask(form, who), 400
    told = details_in(who)
    limit("book", told.identity.value or told.phone or told.mail)

    def work(db: Any) -> waiting.Waits:  # noqa: ANN401 - views know no SQL
        person = enrolment.enrol(db, vault=parts().vault, details=told, now=now())
        _join(db, form, person, Actor("citizen", person.id))
        return waiting.of_person(db, person.id)[-1]

    try:
        return render_template("waiting/joined.html", waits=parts().doors.run(work))
    except BadInput as wrong:
        who.take(wrong.fields)
        return _ask(form, who), 400


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
    with parts().doors.transaction() as db:
        _join(db, form, people.locked(db, whose(db, "book")), actor())
    return redirect(url_for(".mine"), code=303)


@bp.post("/my/waiting/<uuid:entry_id>/leave")
def leave(entry_id: UUID) -> Response:
    """Leave the list."""
    with parts().doors.transaction() as db:
        waiting.leave(
            db, vault=parts().vault, entry_id=entry_id, person_id=whose(db, "book"), actor=actor(),
            now=now(),
        )  # fmt: skip
    return redirect(url_for(".mine"), code=303)


@bp.post("/my/waiting/offers/<uuid:offer_id>/<any(accept, decline):verb>")
def answer(offer_id: UUID, verb: str) -> _Page:
    """Take what is offered, or leave it to the next; where others were quicker, say so kindly."""
    told: dict[str, Any] = {"offer_id": offer_id, "actor": actor(), "now": now()}
    try:
        with parts().doors.transaction() as db:
            if verb == "decline":
                offers.decline(db, person_id=whose(db, "book"), **told)
                return redirect(url_for(".mine"), code=303)
            offers.accept(db, vault=parts().vault, person_id=whose(db, "book"), **told)
    except SlotFull:
        return render_template("waiting/gone.html", answer=answer_to(SlotFull)), 409
    return redirect(url_for("citizen.overview"), code=303)


@bp.route("/clinic/standby", methods=["GET", "POST"])
def standby() -> _Page:
    """Offer doses of open vials to those nearby who can come within the hour."""
    form = Spare(request.form or None)
    with parts().doors.reading() as db:
        site = roster.site(db, site_id=own_site())
        open_today = offers.sessions_today(db, site=site, now=now())
    form.session.choices = options({str(one.id): product for one, product in open_today})
    if request.method == "POST" and form.validate():
        with parts().doors.transaction() as db:
            offers.standby(
                db, site=site, session_id=UUID(form.session.data), doses=form.doses.data,
                staff=roster.present(db, staff_id=visitor().id), now=now(),
            )  # fmt: skip
        return redirect(url_for(".standby", done=form.doses.data), code=303)
    page = render_template("waiting/standby.html", form=form, site=site)
    return (page, 400) if form.errors else page


def _wanted() -> Wanted:
    form = Wanted(request.form or None, **request.args.to_dict())
    with parts().doors.reading() as db:
        programmes = desk.programmes(db)
    form.programme.choices = options({str(one.id): in_words(one.names) for one in programmes})
    towns = {town.code: in_words(town.names) for town in parts().country.towns}
    form.town.choices = options({"": ""} | towns)
    far = {"0": gettext("Only the nearest place"), "any": gettext("Anywhere in the country")}
    for km in waiting.RADII:
        words = gettext("Within %(km)s km of the nearest place", km=format_number(km))
        far[str(km)] = words
    form.within.choices = options(far)
    return form


def _join(db: Any, form: Wanted, person: Person, who: Actor) -> None:  # noqa: ANN401
    town = next(one for one in parts().country.towns if one.code == form.town.data)
    site = waiting.nearest(db, (town.latitude, town.longitude))
    anywhere = form.within.data == "any"
    waiting.join(
        db, vault=parts().vault, person=person, programme_id=UUID(form.programme.data),
        site_id=None if anywhere else site.id, standby=form.standby.data, actor=who, now=now(),
        within_km=None if anywhere else int(form.within.data) or None,
    )  # fmt: skip


def _ask(form: Wanted, who: About) -> str:
    return render_template("waiting/join.html", form=form, who=who)


def _mine(form: Wanted) -> str:
    with opened() as (db, person_id):
        found = waiting.of_person(db, person_id)
    return render_template("waiting/mine.html", form=form, waits=found)
