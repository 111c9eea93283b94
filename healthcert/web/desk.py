"""The desk books for somebody: on the telephone, or who stands there without an appointment."""

from collections.abc import Collection
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for

from healthcert.errors import BadInput, NotFound
from healthcert.i18n import lazy as _
from healthcert.models import Appointment
from healthcert.services import booking, clinic, finding, roster
from healthcert.web import draft
from healthcert.web.answers import Answers, BirthField, Line, needed
from healthcert.web.clinic import own_site
from healthcert.web.draft import asked
from healthcert.web.guards import visitor
from healthcert.web.here import parts, today
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk, counter


class Sought(Answers):
    """What the desk is told of somebody who may be on record."""

    text = Line(_("Name, as far as it is known"), [needed])
    born = BirthField(_("Date of birth"), [needed])


@counter.route("/find", methods=["GET", "POST"])
def find() -> Page:
    """Look for somebody on record before they are written down anew; each look is kept."""
    form = Sought(request.form or None)
    if request.method == "POST" and form.validate():
        try:
            found = parts().doors.run(lambda db: _find(db, form))
        except BadInput as wrong:
            form.take(wrong.fields)
        else:
            draft.keep(found=found)
            return redirect(url_for(".who", number=request.args.get("number"), **asked()), 303)
    page = render_template("booking/find.html", form=form, asked=asked())
    return page, 400 if form.errors else 200


def own_alone(db: Any, slot_ids: Collection[UUID]) -> None:  # noqa: ANN401 - views know no SQL
    """Refuse slots of another site to a desk, which books for its own.

    Raises:
        NotFound: One is of another.
    """
    if at_desk() and {booking.place_of(db, each).site.id for each in slot_ids} != {own_site()}:
        raise NotFound


def arrived(db: Any, made: Collection[Appointment]) -> None:  # noqa: ANN401
    """Put those who are booked for today on the day list as arrived: they stand here."""
    site = roster.site(db, site_id=own_site())
    days = {one.id: one.starts_at.astimezone(ZoneInfo(site.time_zone)).date() for one in made}
    for appointment_id, day in days.items():
        if day == today(site.time_zone):
            clinic.arrive(
                db, appointment_id=appointment_id, site_id=site.id, staff_id=visitor().id,
                now=now(),
            )  # fmt: skip


def _find(db: Any, sought: Sought) -> dict[str, tuple[str, str]]:  # noqa: ANN401
    staff = roster.present(db, staff_id=visitor().id)
    found = finding.find(
        db, vault=parts().vault, staff=staff, reason="registration", text=sought.text.data,
        born=sought.born.data, now=now(),
    )  # fmt: skip
    return {str(one.person_id): (one.name, one.birth_date) for one in found}
