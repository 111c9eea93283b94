"""The way of a patient beside the dose: consent, questions, what a nurse decides, the watch."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import BooleanField, HiddenField

from healthcert.errors import BadInput
from healthcert.i18n import lazy as _
from healthcert.services import clinic, giving, observing, roster
from healthcert.services.prompting import Before
from healthcert.web.answers import Answers, Radios, options
from healthcert.web.clinic import Beside, Consented, Scene, own_site, patient_page, scene
from healthcert.web.forms import DayField
from healthcert.web.here import done, parts
from healthcert.web.labels import SCREENINGS, TRIAGES, in_words
from healthcert.web.moment import now

bp = Blueprint("care", __name__, url_prefix="/clinic")

_Page = str | tuple[str, int] | Response
_ANSWERS = {"no": _("No"), "yes": _("Yes"), "": _("Not asked")}


class Decision(Answers):
    """What a nurse decides on answers."""

    outcome = Radios(_("What is decided?"), choices=options(
        {code: SCREENINGS[code] for code in ("go", "defer", "refuse")}
    ))  # fmt: skip
    until = DayField(_("Not before which day?"), optional=True)
    reason = Radios(_("Why?"), choices=options(TRIAGES))
    screening = HiddenField()  # the answers that were seen


def asking(known: Before, base: type[Answers] = Answers) -> type[Answers]:
    """Return a form with the questions of a product's file; who was asked nothing has no answer."""
    asked = {
        f"q_{question['code']}": Radios(
            in_words(question["ask"]), choices=options(_ANSWERS), default=""
        )
        for question in known.questions
    }
    all_no = BooleanField(_("I asked every question, and every answer is no"))
    return type("Asked", (base,), {"all_no": all_no, **asked})


def answers_of(form: Answers) -> dict[str, bool]:
    """Return what was answered, by the code of the question; a yes goes before a tick below."""
    told = {name[2:]: value for name, value in form.data.items() if name.startswith("q_")}
    return {
        code: value == "yes" for code, value in told.items() if value or form.data.get("all_no")
    }


def meant() -> UUID | None:
    """Return which vaccine is meant, where it is said: another than planned has other questions."""
    return request.values.get("product", type=UUID)


@bp.post("/appointments/<uuid:appointment_id>/consent")
def consent(appointment_id: UUID) -> _Page:
    """Write down that they agree, refuse, or no longer agree."""
    form = Beside(request.form)
    with parts().doors.transaction() as db:
        at = scene(db, appointment_id, "registration")
        try:
            agree(db, at, form)
        except BadInput as wrong:
            form.take(wrong.fields)
            return patient_page(at, form), 400
    return redirect(at.back, code=303)


def agree(db: Any, at: Scene, form: Consented) -> None:  # noqa: ANN401 - views know no SQL
    """Write down what a form says of somebody's consent.

    Raises:
        BadInput, WrongState: See `giving.agree`.
    """
    giving.agree(
        db, vault=parts().vault, patient=at.patient, known=at.known, staff=at.staff, now=now(),
        decision=form.decision.data or "", decided_by=form.decided_by.data or "",
        name=form.name.data, cancel_ahead={"yes": True, "no": False}.get(form.cancel_ahead.data),
    )  # fmt: skip


@bp.post("/appointments/<uuid:appointment_id>/not-vaccinated")
def not_vaccinated(appointment_id: UUID) -> _Page:
    """Note that nothing was given, and why."""
    form = Beside(request.form)
    with parts().doors.transaction() as db:
        at = scene(db, appointment_id, "care")
        try:
            clinic.not_vaccinated(
                db, appointment_id=appointment_id, reason=form.why_not.data or "", staff=at.staff,
                now=now(),
            )  # fmt: skip
        except BadInput as wrong:
            form.take({"why_not": wrong.fields["reason"]})
            return patient_page(at, form), 400
    return redirect(url_for("clinic.day"), code=303)


@bp.route("/appointments/<uuid:appointment_id>/questions", methods=["GET", "POST"])
def questions(appointment_id: UUID) -> _Page:
    """Ask the health questions, and keep what was answered."""
    with parts().doors.transaction() as db:
        at = scene(db, appointment_id, "care", meant())
        form = asking(at.known)(request.form or None)
        if request.form and form.validate() and not answers_of(form):
            form.take({"all_no": "not_confirmed"})
        if not request.form or form.errors:
            page = render_template("clinic/questions.html", at=at, form=form)
            return page, 400 if form.errors else 200
        giving.screen(
            db, vault=parts().vault, patient=at.patient, known=at.known, answers=answers_of(form),
            staff=at.staff, now=now(),
        )  # fmt: skip
    return redirect(at.back, code=303)


@bp.route("/appointments/<uuid:appointment_id>/decision", methods=["GET", "POST"])
def decision(appointment_id: UUID) -> _Page:
    """Let a nurse decide where the answers lead."""
    return decide(lambda db: scene(db, appointment_id, "care", meant()))


def decide(who: Callable[[Any], Scene]) -> _Page:
    """Show or do what a nurse decides on the answers of somebody."""
    form = Decision(request.form or None)
    with parts().doors.transaction() as db:
        at = who(db)
        page = {"at": at, "form": form}
        if not request.form and (days := at.known.led(at.known.answers).defer_days):
            form.until.process_data(at.day + timedelta(days=days))  # as the vaccine's file has it
        seen, screening = form.screening.data, at.known.screening
        form.screening.data = screening and screening.id
        is_valid = request.form and form.validate()
        if is_valid and seen and seen != str(form.screening.data):
            form.take({"outcome": "changed"})
        if screening is None or not is_valid or form.errors:
            return render_template("clinic/decision.html", **page), 400 if form.errors else 200
        try:
            giving.decide(
                db, vault=parts().vault, patient=at.patient, screening_id=screening.id,
                staff=at.staff, day=at.day, now=now(), outcome=form.outcome.data,
                reason=form.reason.data, until=form.until.data,
            )  # fmt: skip
        except BadInput as wrong:
            form.take(wrong.fields)
            return render_template("clinic/decision.html", **page), 400
    return redirect(at.way("dose") if form.outcome.data == "go" else at.back, code=303)


@bp.get("/observed")
def observed() -> str:
    """Show who is watched after a dose, and for how many more minutes."""
    with parts().doors.reading() as db:
        site = roster.site(db, site_id=own_site())
        found = observing.watched(db, vault=parts().vault, site_id=site.id, now=now())
    return render_template("clinic/observed.html", site=site, found=found, now=now())


@bp.post("/observed/<uuid:observation_id>/left")
def left(observation_id: UUID) -> Response:
    """Note that somebody leaves."""
    done(observing.leave, observation_id=observation_id)
    return redirect(url_for(".observed"), code=303)
