"""Reactions after a dose: reported at the clinic, looked into by an inspector, told the committee.

A site reports its cases and watches their clocks; it does not judge itself: that is done outside.
"""

from __future__ import annotations

import csv
import io
import json
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.i18n import lazy as _
from healthcert.models.adverse_event import TRANSITIONS
from healthcert.services import reactions, roster, safety
from healthcert.services.safety import Reaction
from healthcert.web.answers import Answers, Choice, Line, Radios, options
from healthcert.web.forms import DayField
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.labels import CASES, CAUSES, DECIDERS, EVENT_OUTCOMES, EVENTS, SERIOUSNESS
from healthcert.web.moment import now
from healthcert.web.people import known

bp = Blueprint("reactions", __name__)

_Page = str | tuple[str, int] | Response
_NEW = _("Nothing new")


class Told(Answers):
    """What is told of a reaction: the coded variables of the WHO, then those in words, sealed."""

    dose = Choice(_("After which dose?"))
    term = Radios(_("What happened?"), choices=options(EVENTS))
    onset_on = DayField(_("On which day did it begin?"))
    onset_time = Line(_("At what time?"))
    narrative = Line(_("Signs, and what was done"))
    seriousness = Radios(_("How grave is it?"), choices=options(SERIOUSNESS))
    outcome = Radios(_("How are they now?"), choices=options(EVENT_OUTCOMES))
    history = Line(_("Illnesses, allergies and medicines from before"))
    other_vaccines = Line(_("Other vaccines shortly before"))
    diluent_lot = Line(_("Lot of the diluent"))
    reporter = Radios(_("Who tells of it?"), choices=options(DECIDERS))
    reporter_name = Line(_("Name of who tells of it"))
    reporter_position = Line(_("Their work and place of work"))
    reporter_contact = Line(_("Their phone number or mail address"))


class Step(Answers):
    """What was found out about a case; empty where nothing is new."""

    state = Choice(
        _("Move the case on"), choices=options({code: told[0] for code, told in CASES.items()})
    )
    causality = Choice(_("What caused it?"), choices=options({"": _NEW, **CAUSES}), default="")
    outcome = Choice(
        _("How are they now?"), choices=options({"": _NEW, **EVENT_OUTCOMES}), default=""
    )
    seriousness = Choice(
        _("How grave is it?"), choices=options({"": _NEW, **SERIOUSNESS}), default=""
    )


@bp.route("/clinic/people/<uuid:person_id>/reaction", methods=["GET", "POST"])
def report(person_id: UUID) -> _Page:
    """Report what happened to somebody after a dose."""
    form = Told(request.form or None)
    with parts().doors.transaction() as db:
        found = known(db, person_id, "care")
        doses = {str(dose.dose_id): f"{dose.product}, {dose.day}" for dose in found.doses}
        form.dose.choices = options(doses | {"": _("One that is not on our record")})
        if not request.form or not form.validate():
            status = 400 if request.form else 200
            return render_template("clinic/reaction.html", found=found, form=form), status
        told = form.data
        words = {name: told[name] for name in reactions.TOLD if told[name]}
        coded = {n: told[n] for n in ("term", "onset_on", "seriousness", "outcome", "reporter")}
        reaction = Reaction(
            **coded, told=words, dose_id=UUID(told["dose"]) if told["dose"] else None
        )
        try:
            event = safety.report_event(
                db, vault=parts().vault, person_id=person_id, reaction=reaction, now=now(),
                country=parts().country, site_id=visitor().site_id,
                staff=roster.present(db, staff_id=visitor().id),
            )  # fmt: skip
        except BadInput as wrong:
            form.take(wrong.fields)
            return render_template("clinic/reaction.html", found=found, form=form), 400
        event_id = event.id
    return redirect(url_for(".case", event_id=event_id), code=303)


@bp.get("/reactions/")
def cases() -> str:
    """Show the cases in one's reach, those whose clock runs first."""
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        found = reactions.cases(db, staff=staff)
    return render_template("clinic/reactions.html", found=found, now=now())


@bp.get("/reactions/<uuid:event_id>")
def case(event_id: UUID) -> str:
    """Show a case, and what was told of it."""
    return _case(event_id, Step())


@bp.post("/reactions/<uuid:event_id>")
def move(event_id: UUID) -> _Page:
    """Move a case on, with what was found."""
    form = Step(request.form)
    if not form.validate():
        return _case(event_id, form), 400
    found = {name: form.data[name] or None for name in ("causality", "outcome", "seriousness")}
    with parts().doors.transaction() as db:
        safety.move_event(
            db, event_id=event_id, state=form.state.data or "", country=parts().country,
            staff=roster.present(db, staff_id=visitor().id), now=now(), **found,
        )  # fmt: skip
    return redirect(url_for(".case", event_id=event_id), code=303)


@bp.get("/reactions/export.csv")
@bp.get("/reactions/export.json")
def export() -> Response:
    """Return every case by the WHO's core variables, and nobody's name."""
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        found = reactions.cases(db, staff=staff, limit=100_000)
        lines = [reactions.line(each, parts().country.code) for each in found]
    if request.path.endswith(".json"):
        return Response(json.dumps(lines, default=str), content_type="application/json")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([lines[0].keys(), *(line.values() for line in lines)] if lines else [])
    return Response(text.getvalue(), content_type="text/csv; charset=utf-8")


def _case(event_id: UUID, form: Step) -> str:
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        found, told = reactions.case(
            db, vault=parts().vault, event_id=event_id, staff=staff, now=now()
        )
    following = TRANSITIONS[found.event.state]
    form.state.choices = options({state: CASES[state][0] for state in following})
    return render_template("clinic/case.html", found=found, told=told, form=form)
