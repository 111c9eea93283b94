"""The nurse's door: what was given, what it counts as, and what was entered in error."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import BooleanField

from healthcert.errors import BadInput, SignerUnavailable
from healthcert.i18n import lazy as _
from healthcert.models.dose import BODY_SITES as SITES_OF_BODY
from healthcert.services import clinic, desk, issuing, roster, vaccination
from healthcert.services.clinic import Patient
from healthcert.web.answers import Answers, Choice, Line, Radios, confirmed, options
from healthcert.web.clinic import own_site, seen
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.labels import BODY_SITES, ERROR_REASONS
from healthcert.web.moment import now

bp = Blueprint("doses", __name__, url_prefix="/clinic")

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


@bp.get("/appointments/<uuid:appointment_id>/dose")
def ask(appointment_id: UUID) -> str:
    """Ask what was given."""
    patient = seen(appointment_id, "care")
    form = _given(patient, None)
    form.product.data = str(patient.expected.product_id)
    form.given_at.data = _local(now(), patient).strftime("%Y-%m-%dT%H:%M")
    return _ask_given(form, patient)


@bp.post("/appointments/<uuid:appointment_id>/dose")
def record(appointment_id: UUID) -> _Page:
    """Write the dose down, and sign its certificate at once where it counts."""
    patient = seen(appointment_id, "care")
    form = _given(patient, request.form)
    try:
        if not form.validate():
            return _ask_given(form, patient), 400
        dose_id = _record(form, patient)
    except BadInput as wrong:
        other = {"lot": "other_lot"} if form.lot.data == OTHER_LOT else {}
        form.take({other.get(name, name): code for name, code in wrong.fields.items()})
        return _ask_given(form, patient), 400
    sign(dose_id)
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


def sign(dose_id: UUID) -> None:
    """Sign what the dose earned; where no key signs now, the worker does it later."""
    with parts().doors.reading() as db:
        intended = desk.intended_of(db, dose_id=dose_id)
    with suppress(SignerUnavailable), parts().doors.transaction() as db:
        issuing.issue_all(
            db,
            vault=parts().vault,
            signers=parts().signers,
            certificate_ids=intended,
            country=parts().country,
            now=now(),
        )


def _given(patient: Patient, typed: Any) -> Given:  # noqa: ANN401 - a MultiDict of any kind
    with parts().doors.reading() as db:
        supplies = clinic.supply(
            db,
            programme_id=patient.expected.programme_id,
            site_id=own_site(),
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
    with parts().doors.transaction() as db:
        found = desk.dose_at_site(
            db,
            vault=parts().vault,
            dose_id=dose_id,
            staff=roster.present(db, staff_id=visitor().id),
            reason="care" if form is None else "correction",
            now=now(),
        )
    return render_template(template, found=found, form=form)


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
        zone = given.tzinfo or ZoneInfo(patient.expected.time_zone)
        return given.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput({"given_at": "not_a_time"}) from None
