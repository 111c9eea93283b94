"""The clinic's door: who is expected today, who has come, and what was given."""

from __future__ import annotations

import unicodedata
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.services import clinic, roster
from healthcert.services.clinic import Expected, Patient
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.moment import now

bp = Blueprint("clinic", __name__, url_prefix="/clinic")


@bp.get("/")
@bp.post("/", endpoint="find")
def day() -> str:
    """Show who is expected at one's own site today; a name looked for stays out of addresses."""
    wanted = request.form.get("find", "").strip()
    door = parts().doors.transaction if wanted else parts().doors.reading
    with door() as db:
        site = roster.site(db, site_id=own_site())
        today = now().astimezone(ZoneInfo(site.time_zone)).date()
        expected = clinic.day_list(db, vault=parts().vault, site_id=site.id, day=today)
        found = [line for line in expected if _fits(line, wanted)]
        if wanted:
            staff = roster.present(db, staff_id=visitor().id)
            clinic.note_found(db, lines=found, staff=staff, now=now())
    return render_template(
        "clinic/day.html", site=site, today=today, expected=expected, found=found, wanted=wanted
    )


@bp.get("/appointments/<uuid:appointment_id>")
def appointment(appointment_id: UUID) -> str:
    """Show the person of an appointment, and what can be done next."""
    return render_template("clinic/appointment.html", patient=seen(appointment_id, "registration"))


@bp.post("/appointments/<uuid:appointment_id>/arrived")
def arrive(appointment_id: UUID) -> Response:
    """Note that the person has come."""
    with parts().doors.transaction() as db:
        clinic.arrive(
            db,
            appointment_id=appointment_id,
            site_id=own_site(),
            staff_id=visitor().id,
            now=now(),
        )
    return redirect(url_for(".appointment", appointment_id=appointment_id), code=303)


def seen(appointment_id: UUID, reason: str) -> Patient:
    """Return the person of an appointment at one's own site; the look is written down."""
    with parts().doors.transaction() as db:
        return clinic.patient(
            db,
            vault=parts().vault,
            appointment_id=appointment_id,
            staff=roster.present(db, staff_id=visitor().id),
            reason=reason,
            now=now(),
        )


def own_site() -> UUID:
    """Return the site of the clerk or nurse at this door: the database gives each one."""
    return cast(UUID, visitor().site_id)


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
