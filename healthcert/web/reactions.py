"""Reactions after a dose: reported at the clinic, looked into by an inspector, told the committee.

A site reports its cases and watches their clocks; it does not judge itself: that is done outside.
"""

import csv
import io
import json
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.i18n import format_known
from healthcert.i18n import lazy as _
from healthcert.models.adverse_event import TRANSITIONS
from healthcert.services import reactions, reporting, roster
from healthcert.services.reporting import Reaction
from healthcert.web import labels
from healthcert.web.answers import one_of
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts
from healthcert.web.moment import now
from healthcert.web.people import known
from healthcert.web.reaction_forms import Mistaken, More, Step, Told, Words

bp = Blueprint("reactions", __name__)

_ELSEWHERE = "elsewhere"  # the dose of a reaction that is not on record
_Page = str | tuple[str, int] | Response
# By what a critical variable of the WHO is asked, where it is not on record.
_ASKED = {"onset": "onset_time", **dict.fromkeys(("vaccine", "batch", "vaccinated"), "elsewhere")}


@bp.route("/clinic/people/<uuid:person_id>/reaction", methods=["GET", "POST"])
def report(person_id: UUID) -> _Page:
    """Report what happened to somebody after a dose."""
    form = Told(request.form or None)
    with parts().doors.transaction() as db:
        found = known(db, person_id, "care")
        doses = {
            str(dose.dose_id): f"{dose.product}, {format_known(str(dose.day))}"
            for dose in found.doses
        }
    form.dose.choices = one_of(doses | {_ELSEWHERE: _("One that is not on our record")})
    page = {"found": found, "form": form}
    if not (request.form and form.validate()):
        return render_template("clinic/reaction.html", **page), 400 if form.errors else 200
    told = form.data
    coded = {n: told[n] for n in ("term", "onset_on", "seriousness", "outcome", "reporter")}
    dose_id = None if told["dose"] == _ELSEWHERE else UUID(told["dose"])
    of = {"vault": parts().vault, "person_id": person_id, "country": parts().country}
    reaction = Reaction(**coded, told=_words(form), dose_id=dose_id)
    try:
        event = done(reporting.report_event, reaction=reaction, site_id=visitor().site_id, **of)
    except BadInput as wrong:
        form.take(wrong.fields)
        return render_template("clinic/reaction.html", **page), 400
    return redirect(url_for(".case", event_id=event.id), code=303)


@bp.get("/reactions/")
def cases() -> str:
    """Show the cases in one's reach, those whose clock runs first."""
    with parts().doors.reading() as db:
        found = reactions.cases(db, staff=roster.present(db, staff_id=visitor().id))
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
    found = {name: value or None for name, value in form.data.items()}
    try:
        done(reporting.move_event, event_id=event_id, country=parts().country, **found)
    except BadInput as wrong:
        form.take(wrong.fields)
        return _case(event_id, form), 400
    return redirect(url_for(".case", event_id=event_id), code=303)


@bp.post("/reactions/<uuid:event_id>/more")
def more(event_id: UUID) -> _Page:
    """Add what was learned of a case since it was reported."""
    form = More(request.form)
    if not form.validate():
        return _case(event_id, form), 400
    told, news = _words(form), {name: form.data[name] for name in ("seriousness", "outcome")}
    if told or any(news.values()):
        try:
            done(
                reporting.tell_more, vault=parts().vault, event_id=event_id, told=told,
                country=parts().country, **news,
            )  # fmt: skip
        except BadInput as wrong:
            form.take(wrong.fields)
            return _case(event_id, form), 400
    return redirect(url_for(".case", event_id=event_id), code=303)


@bp.post("/reactions/<uuid:event_id>/in-error")
def mark_in_error(event_id: UUID) -> _Page:
    """Take a report back, with what is wrong with it."""
    form = Mistaken(request.form)
    if not form.validate():
        return _case(event_id, form), 400
    done(reporting.mark_event_in_error, event_id=event_id, reason=form.reason.data)
    return redirect(url_for(".case", event_id=event_id), code=303)


@bp.get("/reactions/export.csv")
@bp.get("/reactions/export.json")
def export() -> Response:
    """Return every case by the WHO's core variables, and nobody's name."""
    with parts().doors.reading() as db:
        staff, told = roster.present(db, staff_id=visitor().id), parts()
        lines = reactions.exported(db, vault=told.vault, staff=staff, country=told.country)
    if request.path.endswith(".json"):
        return Response(json.dumps(lines, default=str), content_type="application/json")
    text = io.StringIO()
    csv.writer(text).writerows([*map(list, lines[:1]), *(list(one.values()) for one in lines)])
    return Response(text.getvalue(), content_type="text/csv; charset=utf-8")


def _words(form: Words) -> dict[str, str]:
    return {name: form.data[name] for name in reactions.TOLD if form.data[name]}


def _case(event_id: UUID, form: Step | More | Mistaken) -> str:
    with parts().doors.transaction() as db:
        found, told = reactions.case(
            db, vault=parts().vault, event_id=event_id, now=now(),
            staff=roster.present(db, staff_id=visitor().id),
        )  # fmt: skip
        line = reactions.line(db, found, told, parts().country.code)
    step = form if isinstance(form, Step) else Step()
    words = form if isinstance(form, More) else More()
    mistaken = form if isinstance(form, Mistaken) else Mistaken()
    steps = TRANSITIONS.get(found.event.state, ())
    following = [state for state in steps if state != "entered_in_error"]
    may_undo = steps and (visitor().site_id is None or found.event.state == "reported")
    step.state.choices = one_of({state: labels.CASES[state][0] for state in following})
    missing = dict.fromkeys(_ASKED.get(name, name) for name in str(line["missing"]).split())
    return render_template(
        "clinic/case.html", found=found, told=told, form=step, more=words,
        mistaken=may_undo and mistaken, wrong=form,
        missing=[words[name].label.text for name in missing],
    )  # fmt: skip
