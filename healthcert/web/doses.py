"""The nurse's door: what was given, what it counts as, what was corrected or entered in error."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response
from wtforms import BooleanField

from healthcert.errors import BadInput, NotAgreed, SignerUnavailable
from healthcert.i18n import lazy as _
from healthcert.models import Product
from healthcert.models.dose import BODY_SITES as SITES_OF_BODY
from healthcert.services import (
    clinic,
    desk,
    facts,
    giving,
    issuing,
    prompting,
    roster,
    safety,
    vaccination,
    vials,
)
from healthcert.services.facts import Told
from healthcert.web.answers import Answers, Choice, Line, Radios, confirmed, moment_of, options
from healthcert.web.care import answers_of, asking, meant
from healthcert.web.clinic import Consented, Scene, own_site, scene
from healthcert.web.guards import visitor
from healthcert.web.here import done, once, parts
from healthcert.web.labels import BODY_SITES, ERROR_REASONS, REVOKED, ROUTES
from healthcert.web.moment import now

bp = Blueprint("doses", __name__, url_prefix="/clinic")

OTHER_LOT = "other"
_Page = str | tuple[str, int] | Response


class Checked(Answers):
    """What is checked before a dose is given, and asked before it."""

    identity = BooleanField(_("I have checked who this is"), [confirmed])
    agrees = BooleanField(_("They agree to the vaccination"))
    afterwards = BooleanField(_("It was given already, and is only written down now"))


class Shot(Answers):
    """A dose that was given."""

    product = Radios(_("Vaccine"))
    lot = Choice(_("Lot"))
    other_lot = Line(_("Number of the other lot"))
    body_site = Radios(
        _("Where was it given?"), default="LA",
        choices=options({site: BODY_SITES[site] for site in SITES_OF_BODY}),
    )  # fmt: skip
    route = Choice(_("How was it given?"), choices=options(ROUTES), default="20035000")
    given_at = Line(_("When was it given?"))


class Given(Checked, Shot):
    """A dose that was given just now, and what was checked before it."""


class InError(Answers):
    """Why a dose should not stand in the record."""

    reason = Radios(_("What is wrong with this entry?"), choices=options(ERROR_REASONS))


class Correction(Shot):
    """The dose as it should stand, and what was wrong."""

    reason = Radios(_("What is wrong with this entry?"), choices=options(ERROR_REASONS))


@bp.get("/appointments/<uuid:appointment_id>/dose")
def ask(appointment_id: UUID) -> str:
    """Ask what was given, and before it what was not asked yet; of another vaccine, its own."""
    with parts().doors.transaction() as db:
        at = scene(db, appointment_id, "care", meant())
        form = given(db, at, None)
    return ask_of(at, form)


def ask_of(at: Scene, form: Any, beside: Consented | None = None) -> str:  # noqa: ANN401
    """Ask what is or was given, what is known of it filled in; `beside` as `ask_given` has it."""
    product = at.known.rule.product.id
    form.product.data = at.product
    if not form.afterwards.data:
        form.lot.data = session.get("lots", {}).get(str(product)) or at.known.last_lot
        form.given_at.data = clock(now(), at.patient.expected.time_zone)
    return ask_given(form, at, beside)


@bp.post("/appointments/<uuid:appointment_id>/dose")
def record(appointment_id: UUID) -> _Page:
    """Write the dose down, and sign its certificate at once where it counts.

    Where the answers given with it ask for a nurse's decision, they are kept and that comes first.
    """
    with parts().doors.transaction() as db:
        at = scene(db, appointment_id, "care", meant())
        form = given(db, at, request.form)
    return record_of(at, form)


def record_of(at: Scene, form: Any) -> _Page:  # noqa: ANN401 - a form made here
    """Write down what a form says of somebody; or lead to what comes first."""
    try:
        if not form.validate():
            return ask_given(form, at), 400
        dose = parts().doors.run(partial(_record, form, at))
    except BadInput as wrong:
        form.take(by_field(form, wrong))
        return ask_given(form, at), 400
    except NotAgreed:
        form.take({"afterwards": "not_agreed"})
        return ask_given(form, at), 409
    except vaccination.AlreadyRecorded as told:
        return _shown(told.dose_id, again=True), 409
    if dose is None:
        return redirect(at.way("decision"), code=303)
    session.pop("lots", None)  # from now on it is the lot that was given last
    sign(at.patient.expected.person_id)
    return redirect(url_for("doses.recorded", dose_id=dose), code=303)


@bp.get("/doses/<uuid:dose_id>")
def recorded(dose_id: UUID) -> str:
    """Say what a dose counts as, and whether a certificate was made."""
    return _shown(dose_id)


def _shown(dose_id: UUID, *, again: bool = False) -> str:
    with parts().doors.transaction() as db:
        found = _dose(db, dose_id, "care")
        missing = desk.unchecked(db, dose_id=dose_id)
    return render_template("clinic/recorded.html", found=found, missing=missing, again=again)


@bp.route("/doses/<uuid:dose_id>/error", methods=["GET", "POST"])
def mark_in_error(dose_id: UUID) -> _Page:
    """Mark a dose as entered in error or without strength; its certificate no longer holds."""
    form = InError(request.form or None)
    with parts().doors.transaction() as db:
        found = _dose(db, dose_id, "correction")
    counts = {each.counts for each in found.worth}
    weak, recalled = "subpotent" in counts, "recalled_lot" in counts
    may = {why: kind for kind in vaccination.FINDINGS for why in vaccination.FINDINGS[kind]
           if kind == "entered_in_error" or (bool(kind) != weak and not recalled)}  # fmt: skip
    form.reason.choices = options({why: REVOKED[why] for why in may})
    if not (request.form and form.validate()):
        page = render_template("clinic/in_error.html", found=found, form=form, weak=weak)
        return page, 400 if request.form else 200
    done(
        vaccination.judge_by_hand, vault=parts().vault, dose_id=dose_id, reason=form.reason.data,
        country=parts().country, found=may[form.reason.data],
    )  # fmt: skip
    sign(found.person_id)
    return redirect(url_for(".recorded", dose_id=dose_id), code=303)


@bp.route("/doses/<uuid:dose_id>/correct", methods=["GET", "POST"])
def correct(dose_id: UUID) -> _Page:
    """Put the right dose in the place of a wrong one, with what was wrong."""
    form = Correction(request.form or None)
    with parts().doors.transaction() as db:
        found = _dose(db, dose_id, "correction")
        day = found.given_at.astimezone(ZoneInfo(found.time_zone)).date()
        _choices(db, form, found.programme_id, day, {str(found.product_id): found.product})
    if not request.form:
        form.product.data, form.body_site.data = str(found.product_id), found.body_site
        form.route.data = found.route
        form.given_at.data = clock(found.given_at, found.time_zone)
        return render_template("clinic/correct.html", found=found, form=form)
    try:
        if not form.validate():
            return render_template("clinic/correct.html", found=found, form=form), 400
        told = told_of(form, found.time_zone)
        right = done(
            _correct, dose_id=dose_id, product_id=UUID(form.product.data), told=told,
            reason=form.reason.data, vault=parts().vault, country=parts().country,
        )  # fmt: skip
    except BadInput as wrong:
        form.take(by_field(form, wrong))
        return render_template("clinic/correct.html", found=found, form=form), 400
    sign(found.person_id)
    return redirect(url_for(".recorded", dose_id=right), code=303)


def sign(person_id: UUID) -> None:
    """Sign what a person has just earned; where no key signs now, the worker does it later."""
    with parts().doors.reading() as db:
        intended = desk.intended_of(db, person_id=person_id)
    with suppress(SignerUnavailable), parts().doors.transaction() as db:
        issuing.issue_all(
            db, vault=parts().vault, signers=parts().signers, certificate_ids=intended,
            country=parts().country, now=now(),
        )  # fmt: skip


def _record(form: Any, at: Scene, db: Any) -> UUID | None:  # noqa: ANN401 - views know no SQL
    """Do all of one form in one deed; return the dose, or None where a nurse is to decide first."""
    once(db)
    line, patient, vault = at.patient.expected, at.patient, parts().vault
    staff, told, answers = (
        roster.present(db, staff_id=visitor().id), told_of(form, line.time_zone), answers_of(form),
    )  # fmt: skip
    if form.agrees.data and at.known.consent is None:
        safety.consent(
            db, vault=vault, person_id=line.person_id, programme_id=line.programme_id, staff=staff,
            decision="given", decided_by="self", may_decide=at.known.may_decide, now=now(),
        )  # fmt: skip
    if answers and answers != at.known.answers:
        giving.screen(
            db, vault=vault, patient=patient, known=at.known, answers=answers, staff=staff,
            now=now(),
        )  # fmt: skip
    known = prompting.before(
        db, vault=vault, patient=patient, staff=staff, country=parts().country, day=at.day,
        product_id=at.known.rule.product.id, now=now(),
    )  # fmt: skip
    if answers and known.outcome != "go" and not known.triage:
        return None
    return giving.give(
        db, vault=vault, patient=patient, known=known, product_id=known.rule.product.id,
        told=told, afterwards=form.afterwards.data, staff=staff, country=parts().country, now=now(),
    ).id  # fmt: skip


def _correct(db: Any, **told: Any) -> UUID:  # noqa: ANN401 - read before it is left
    return vaccination.correct(db, **told).id


def given(db: Any, at: Scene, typed: Any) -> Any:  # noqa: ANN401 - a MultiDict, a form made here
    """Return the form of a dose that is given to somebody, with the questions not asked yet."""
    asks = at.known.screening is None or any(name.startswith("q_") for name in typed or ())
    form = (asking(at.known, Given) if asks else Given)(typed)
    line, product = at.patient.expected, at.known.rule.product
    if isinstance(line, clinic.Expected):
        day = line.starts_at.astimezone(ZoneInfo(line.time_zone)).date()
        _choices(db, form, line.programme_id, day, {}, of=product.id)
    else:
        form.product.choices = options({at.product: product.name})
        lots = facts.lots_on(db, product_id=product.id, site_id=own_site(), day=at.day)
        give_lots(form, [(product, lots)])
    return form


def _choices(
    db: Any, form: Any,  # noqa: ANN401
    programme_id: UUID, day: date, more: dict[str, str], of: UUID | None = None,
) -> None:  # fmt: skip
    """Offer what the site gives in a programme on a day, and the lots that may be given then.

    `of` is the one vaccine whose lots are offered, where it is known which.
    """
    supplies = clinic.supply(db, programme_id=programme_id, site_id=own_site(), day=day)
    products = {str(product.id): product.name for product, _lots in supplies}
    form.product.choices = options(more | products)
    give_lots(form, [each for each in supplies if of in (None, each[0].id)])


def give_lots(form: Any, supplies: Iterable[tuple[Product, Iterable[str]]]) -> None:  # noqa: ANN401
    """Offer the lots of products, and to write down another."""
    lots = {lot: f"{lot} ({product.name})" for product, lots in supplies for lot in lots}
    form.lot.choices = options({"": ""} | lots | {OTHER_LOT: _("Another lot")})


def told_of(form: Any, zone: str) -> Told:  # noqa: ANN401
    """Return what a form says of a dose, by the clock of its site.

    Raises:
        BadInput: ``given_at`` cannot be used, or is missing of what was not given just now.
    """
    if form.data.get("afterwards") and not form.given_at.data:
        raise BadInput({"given_at": "missing"})
    lot = form.other_lot.data if form.lot.data == OTHER_LOT else form.lot.data
    given_at = moment_of(form.given_at.data, zone, "given_at", now())
    return Told(lot or "", form.body_site.data, given_at, form.route.data)


def by_field(form: Any, wrong: BadInput) -> dict[str, str]:  # noqa: ANN401
    """Return what is wrong by the fields of the form."""
    other = {"lot": "other_lot"} if form.lot.data == OTHER_LOT else {}
    other["decided_by"] = "agrees"
    return {other.get(name, name): code for name, code in wrong.fields.items()}


def ask_given(form: Given, at: Scene, beside: Consented | None = None) -> str:
    """Return the page that asks for a dose; `beside` it, of no appointment, for consent."""
    with parts().doors.reading() as db:
        over = [one for one in vials.opened(db, site_id=own_site()) if not one.minutes(now())]
    beside = beside or Consented()
    return render_template("clinic/dose.html", form=form, at=at, over=over, beside=beside)


def _dose(db: Any, dose_id: UUID, reason: str) -> desk.RecordedDose:  # noqa: ANN401
    staff = roster.present(db, staff_id=visitor().id)
    return desk.dose_at_site(
        db, vault=parts().vault, dose_id=dose_id, staff=staff, reason=reason, now=now()
    )


def clock(moment: datetime, zone: str) -> str:
    """Return a moment as a field for one holds it."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
