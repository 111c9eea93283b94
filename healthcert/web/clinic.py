"""The clinic's door: who is expected today, who has come, and what was given."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import BooleanField

from healthcert.errors import BadInput, SignerUnavailable
from healthcert.i18n import lazy as _
from healthcert.models.dose import BODY_SITES as SITES_OF_BODY
from healthcert.services import clinic, desk, issuing, roster, vaccination
from healthcert.services.clinic import Expected, Patient
from healthcert.web.answers import Answers, Choice, Line, Radios, confirmed, options
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.labels import BODY_SITES, ERROR_REASONS
from healthcert.web.moment import now

bp = Blueprint("clinic", __name__, url_prefix="/clinic")

OTHER_LOT = "other"
_Page = str | tuple[str, int] | Response


class Given(Answers):
    """A dose that was given."""

    identity = BooleanField(_("I have checked who this is"), [confirmed])
    product = Radios(_("Vaccine"))
    lot = Choice(_("Lot"))
    other_lot = Line(_("Number of the other lot"))
    body_site = Radios(_("Where was it given?"), default="LA")
    given_at = Line(_("When was it given?"))


class InError(Answers):
    """Why a dose should not stand in the record."""

    reason = Radios(_("What is wrong with this entry?"), choices=options(ERROR_REASONS))


@bp.get("/")
def day() -> str:
    """Show who is expected at one's own site today."""
    with parts().doors.reading() as db:
        site = roster.site(db, site_id=_site_id())
        today = now().astimezone(ZoneInfo(site.time_zone)).date()
        expected = clinic.day_list(db, vault=parts().vault, site_id=site.id, day=today)
    wanted = request.args.get("find", "").strip()
    found = [line for line in expected if _fits(line, wanted)]
    return render_template(
        "clinic/day.html", site=site, today=today, expected=expected, found=found, wanted=wanted
    )


@bp.get("/appointments/<uuid:appointment_id>")
def appointment(appointment_id: UUID) -> str:
    """Show the person of an appointment, and what can be done next."""
    return render_template("clinic/appointment.html", patient=_patient(appointment_id))


@bp.post("/appointments/<uuid:appointment_id>/arrived")
def arrive(appointment_id: UUID) -> Response:
    """Note that the person has come."""
    with parts().doors.transaction() as db:
        clinic.arrive(
            db,
            appointment_id=appointment_id,
            site_id=_site_id(),
            staff_id=visitor().id,
            now=now(),
        )
    return redirect(url_for(".appointment", appointment_id=appointment_id), code=303)


@bp.get("/appointments/<uuid:appointment_id>/dose")
def dose(appointment_id: UUID) -> str:
    """Ask what was given."""
    patient = _patient(appointment_id)
    form = _given(patient, None)
    form.product.data = str(patient.expected.product_id)
    form.given_at.data = _local(now(), patient).strftime("%Y-%m-%dT%H:%M")
    return _ask_given(form, patient)


@bp.post("/appointments/<uuid:appointment_id>/dose")
def record(appointment_id: UUID) -> _Page:
    """Write the dose down, and sign its certificate at once where it counts."""
    patient = _patient(appointment_id)
    form = _given(patient, request.form)
    try:
        if not form.validate():
            return _ask_given(form, patient), 400
        dose_id = _record(form, patient)
    except BadInput as wrong:
        other = {"lot": "other_lot"} if form.lot.data == OTHER_LOT else {}
        form.take({other.get(name, name): code for name, code in wrong.fields.items()})
        return _ask_given(form, patient), 400
    _sign(dose_id)
    return redirect(url_for(".recorded", dose_id=dose_id), code=303)


@bp.get("/doses/<uuid:dose_id>")
def recorded(dose_id: UUID) -> str:
    """Say what a dose counts as, and whether a certificate was made."""
    return _dose_page("clinic/recorded.html", dose_id)


@bp.get("/doses/<uuid:dose_id>/error")
def error_form(dose_id: UUID) -> str:
    """Ask what is wrong with an entry."""
    return _dose_page("clinic/in_error.html", dose_id, InError())


@bp.post("/doses/<uuid:dose_id>/error")
def mark_in_error(dose_id: UUID) -> _Page:
    """Mark a dose as entered in error; its certificate no longer holds."""
    form = InError(request.form)
    if not form.validate():
        return _dose_page("clinic/in_error.html", dose_id, form), 400
    parts().doors.run(
        lambda db: vaccination.mark_in_error(
            db,
            vault=parts().vault,
            dose_id=dose_id,
            reason=form.reason.data,
            staff=roster.present(db, staff_id=visitor().id),
            country=parts().country,
            now=now(),
        )
    )
    return redirect(url_for(".recorded", dose_id=dose_id), code=303)


def _record(form: Given, patient: Patient) -> UUID:
    lot = form.other_lot.data if form.lot.data == OTHER_LOT else form.lot.data
    given_at = _moment(form.given_at.data, patient)
    recorded = parts().doors.run(
        lambda db: vaccination.record(
            db,
            vault=parts().vault,
            appointment_id=patient.expected.appointment_id,
            product_id=UUID(form.product.data),
            lot_text=lot or "",
            body_site=form.body_site.data,
            given_at=given_at,
            staff=roster.present(db, staff_id=visitor().id),
            country=parts().country,
            now=now(),
        )
    )
    return recorded.id


def _sign(dose_id: UUID) -> None:
    """Sign what the dose earned; where no key signs now, the worker does it later."""
    with parts().doors.reading() as db:
        intended = desk.intended_of(db, dose_id=dose_id)
    for certificate_id in intended:
        try:
            with parts().doors.transaction() as db:
                issuing.issue(
                    db,
                    vault=parts().vault,
                    signers=parts().signers,
                    certificate_id=certificate_id,
                    country=parts().country,
                    now=now(),
                )
        except SignerUnavailable:
            return


def _patient(appointment_id: UUID) -> Patient:
    with parts().doors.transaction() as db:  # looking is written down
        return clinic.patient(
            db,
            vault=parts().vault,
            appointment_id=appointment_id,
            staff=roster.present(db, staff_id=visitor().id),
            now=now(),
        )


def _given(patient: Patient, typed: Any) -> Given:  # noqa: ANN401 - a MultiDict of any kind
    with parts().doors.reading() as db:
        supplies = clinic.supply(
            db,
            programme_id=patient.expected.programme_id,
            site_id=_site_id(),
            day=_local(patient.expected.starts_at, patient).date(),
        )
    form = Given(typed)
    form.product.choices = options({str(supply.product_id): supply.product for supply in supplies})
    lots = {lot: f"{lot} ({supply.product})" for supply in supplies for lot in supply.lots}
    form.lot.choices = options({"": ""} | lots | {OTHER_LOT: _("Another lot")})
    form.body_site.choices = options({site: BODY_SITES[site] for site in SITES_OF_BODY})
    return form


def _ask_given(form: Given, patient: Patient) -> str:
    return render_template("clinic/dose.html", form=form, patient=patient)


def _dose_page(template: str, dose_id: UUID, form: Answers | None = None) -> str:
    with parts().doors.reading() as db:
        found = desk.dose_at_site(db, vault=parts().vault, dose_id=dose_id, site_id=_site_id())
    return render_template(template, found=found, form=form)


def _site_id() -> UUID:
    """Return the site of the clerk or nurse at this door: the database gives each one."""
    return cast(UUID, visitor().site_id)


def _local(moment: datetime, patient: Patient) -> datetime:
    return moment.astimezone(ZoneInfo(patient.expected.time_zone))


def _moment(text: str, patient: Patient) -> datetime:
    """Return a time of the clinic's clock; now, where none was given.

    Raises:
        BadInput: ``given_at`` is no time.
    """
    if not text:
        return now()
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput({"given_at": "not_a_time"}) from None
    zone = ZoneInfo(patient.expected.time_zone)
    return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)


def _fits(line: Expected, wanted: str) -> bool:
    words = _plain(wanted).split()
    told = _plain(
        f"{line.reference} {line.reference.replace('-', '')} {line.name} {line.latin_name}"
    )
    return all(word in told for word in words)


def _plain(text: str) -> str:
    """Return a text without capitals and marks, so that a search forgives them."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
