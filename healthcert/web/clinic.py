"""The clinic's door: who is expected today, who has come, and what was given."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.i18n import lazy as _
from healthcert.models import Staff
from healthcert.services import clinic, identities, prompting, proxies, roster
from healthcert.services.clinic import Patient
from healthcert.services.people import IdentityDetails
from healthcert.services.prompting import Before
from healthcert.web import family
from healthcert.web.answers import Answers, Choice, Line, Radios, one_of, options
from healthcert.web.guards import visitor
from healthcert.web.here import T, done, parts, today
from healthcert.web.labels import CONSENTS, DECIDERS, IDENTITIES, NOT_VACCINATED
from healthcert.web.moment import now

bp = Blueprint("clinic", __name__, url_prefix="/clinic")

_Page = str | tuple[str, int] | Response


class Consented(Answers):
    """Whether somebody agrees, who said so, and whether what they have booked or wait for ends."""

    decision = Radios(_("Do they agree to the vaccination?"), choices=options(CONSENTS))
    decided_by = Radios(_("Who said so?"), choices=options(
        {who: DECIDERS[who] for who in ("self", "parent", "guardian", "carer")}
    ), default="self")  # fmt: skip
    name = Line(_("Name of whoever decided for them"))
    cancel_ahead = Radios(_("Is what they have booked or wait for to end too?"), choices=options(
        {"yes": _("Yes, end it"), "no": _("No, keep it")}
    ))  # fmt: skip


class Beside(Consented):
    """What is done beside the dose: a document that was brought, consent, why there is no dose."""

    identity_kind = Choice(_("Kind of document"), choices=one_of(IDENTITIES))
    identity_value = Line(_("Number of the document, or who vouches"))
    why_not = Radios(_("Why is nothing given?"), choices=options(NOT_VACCINATED))


class Scene(NamedTuple):
    """Who is in front of whom, and what is known and to be asked."""

    staff: Staff
    patient: Patient
    known: Before
    day: date  # at the site

    @property
    def other(self) -> dict[str, Any]:
        """Return what an address has to say where another vaccine than planned is meant."""
        line, meant = self.patient.expected, self.known.rule.product.id
        if line.appointment_id is None:
            return {"product": self.product}
        return {} if meant == line.product_id else {"product": meant}

    @property
    def product(self) -> str:
        """Return which vaccine is meant, as forms tell it; of no appointment with its programme."""
        line, meant = self.patient.expected, str(self.known.rule.product.id)
        return meant if line.appointment_id else f"{line.programme_id}.{meant}"

    def way(self, step: str) -> str:
        """Return the address of a step of theirs: ``dose``, ``decision`` or ``consent``."""
        line = self.patient.expected
        if line.appointment_id is None:
            return url_for(f"unbooked.{step}", person_id=line.person_id, **self.other)
        door = "doses.ask" if step == "dose" else f"care.{step}"
        return url_for(door, appointment_id=line.appointment_id, **self.other)

    @property
    def back(self) -> str:
        """Return the address of the page of whoever it is about."""
        line = self.patient.expected
        if line.appointment_id is None:
            return url_for("people.person", person_id=line.person_id)
        return url_for("clinic.appointment", appointment_id=line.appointment_id)


def scene(
    db: Any,  # noqa: ANN401 - views know no SQL
    appointment_id: UUID, reason: str, product_id: UUID | None = None,
) -> Scene:  # fmt: skip
    """Return the person of an appointment at one's own site, for the planned vaccine or another."""
    staff = roster.present(db, staff_id=visitor().id)
    patient = clinic.patient(
        db, vault=parts().vault, appointment_id=appointment_id, staff=staff, reason=reason,
        now=now(),
    )  # fmt: skip
    return _scene(db, staff, patient, product_id)


def scene_unbooked(
    db: Any, person_id: UUID, reason: str, programme_id: UUID,  # noqa: ANN401
    product_id: UUID | None = None,
) -> Scene:  # fmt: skip
    """Return somebody in one's reach who has no appointment, for a vaccine of a programme."""
    staff, vault = roster.present(db, staff_id=visitor().id), parts().vault
    clinic.known(db, vault=vault, person_id=person_id, staff=staff, reason=reason, now=now())
    patient = clinic.unexpected(
        db, vault=vault, person_id=person_id, programme_id=programme_id, product_id=product_id,
        staff=staff,
    )  # fmt: skip
    return _scene(db, staff, patient, product_id)


def scene_at(db: Any, reason: str, **of: Any) -> Scene:  # noqa: ANN401
    """Return somebody by what an address names: their appointment, or them and a programme."""
    found: Scene = (scene_unbooked if "programme_id" in of else scene)(db, reason=reason, **of)
    return found


def _scene(db: Any, staff: Staff, patient: Patient, product_id: UUID | None) -> Scene:  # noqa: ANN401
    day = today(patient.expected.time_zone)
    known = prompting.before(
        db, vault=parts().vault, patient=patient, staff=staff, country=parts().country, day=day,
        product_id=product_id, now=now(),
    )  # fmt: skip
    return Scene(staff, patient, known, day)


def patient_page(at: Scene, form: Beside, added: str = "") -> str:
    """Return the page of somebody in front of the desk."""
    return render_template("clinic/appointment.html", at=at, form=form, added=added)


@bp.get("/")
@bp.post("/", endpoint="find")
def day() -> str:
    """Show who is expected at one's own site; a name looked for stays out of addresses."""
    wanted = request.form.get("find", "").strip()
    door = parts().doors.transaction if wanted else parts().doors.reading
    with door() as db:
        site = roster.site(db, site_id=own_site())
        shown = latest = today(site.time_zone)
        with suppress(ValueError):
            shown = min(latest, date.fromisoformat(request.values.get("day", "")))
        expected = clinic.day_list(db, vault=parts().vault, site_id=site.id, day=shown)
        found = expected
        if wanted:
            found = clinic.of_card(
                db, vault=parts().vault, lines=expected, wanted=wanted,
                country=parts().settings.country,
            ) or clinic.looked_for(expected, wanted)  # fmt: skip
            staff = roster.present(db, staff_id=visitor().id)
            clinic.note_found(db, lines=found, staff=staff, now=now())
    return render_template(
        "clinic/day.html", site=site, today=shown, expected=expected, found=found, wanted=wanted,
        before=shown - timedelta(days=1),
    )  # fmt: skip


@bp.get("/appointments/<uuid:appointment_id>")
def appointment(appointment_id: UUID) -> str:
    """Show the person of an appointment, and what can be done next."""
    return _appointment(appointment_id, Beside())


@bp.post("/appointments/<uuid:appointment_id>/arrived")
def arrive(appointment_id: UUID) -> Response:
    """Note that the person has come."""
    with parts().doors.transaction() as db:
        clinic.arrive(
            db, appointment_id=appointment_id, site_id=own_site(), staff_id=visitor().id, now=now(),
        )  # fmt: skip
    return redirect(url_for(".appointment", appointment_id=appointment_id), code=303)


@bp.post("/appointments/<uuid:appointment_id>/document")
def document(appointment_id: UUID) -> _Page:
    """Add a document that was seen; one that is on record of somebody else is reported."""
    form, person_id = Beside(request.form), seen(appointment_id, "registration").expected.person_id
    told = IdentityDetails(
        form.identity_kind.data, parts().settings.country, form.identity_value.data
    )
    try:
        alone = _helped(identities.add_document, person_id, told=told)
    except BadInput as wrong:
        form.take(wrong.fields)
        return _appointment(appointment_id, form), 400
    return _appointment(appointment_id, Beside(), added="alone" if alone else "twice")


@bp.post("/appointments/<uuid:appointment_id>/card")
def card(appointment_id: UUID) -> str:
    """Make a card with a reference, by which its holder is known from now on."""
    patient = seen(appointment_id, "registration")
    number = _helped(identities.new_card, patient.expected.person_id)
    return render_template("clinic/card.html", patient=patient, number=number)


@bp.post("/appointments/<uuid:appointment_id>/help")
def assist(appointment_id: UUID) -> Response:
    """Open the citizen's own pages with somebody who is here, and whose identity was seen."""
    patient = seen(appointment_id, "request").expected
    return open_pages(patient.person_id, patient.name)


def open_pages(person_id: UUID, name: str) -> Response:
    """Act for somebody until the day is over, once it is confirmed that they were seen."""
    if "seen" not in request.form:
        raise BadInput({"seen": "not_confirmed"})
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        proxies.assist(family.deed(db), person_id=person_id, staff=staff)
    family.begin(person_id, name)
    return redirect(url_for("citizen.overview"), code=303)


def _helped(work: Callable[..., T], person_id: UUID, **more: object) -> T:
    """Return what a deed of the desk for somebody comes to."""
    country = parts().settings.country
    return done(work, vault=parts().vault, person_id=person_id, country=country, **more)


def _appointment(appointment_id: UUID, form: Beside, added: str = "") -> str:
    with parts().doors.transaction() as db:
        return patient_page(scene(db, appointment_id, "registration"), form, added)


def seen(appointment_id: UUID, reason: str) -> Patient:
    """Return the person of an appointment at one's own site; the look is written down."""
    with parts().doors.transaction() as db:
        return scene(db, appointment_id, reason).patient


def own_site() -> UUID:
    """Return the site of the clerk or nurse at this door: the database gives each one."""
    return cast(UUID, visitor().site_id)
