"""The desk books for somebody: on the telephone, or who stands there without an appointment."""

from collections.abc import Collection
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for

from healthcert.errors import BadInput
from healthcert.i18n import lazy as _
from healthcert.models import Appointment
from healthcert.services import clinic, finding, roster
from healthcert.services.audit import Actor
from healthcert.web import draft, family
from healthcert.web.answers import Answers, BirthField, Line, needed
from healthcert.web.clinic import own_site
from healthcert.web.draft import asked
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts, today
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
            found = done(
                finding.find, vault=parts().vault, reason="registration", text=form.text.data,
                born=form.born.data,
            )  # fmt: skip
        except BadInput as wrong:
            form.take(wrong.fields)
        else:
            told = {str(one.person_id): (one.name, one.birth_date) for one in found}
            draft.keep(found=told)
            return redirect(url_for(".who", number=request.args.get("number"), **asked()), 303)
    page = render_template("booking/find.html", form=form, asked=asked())
    return page, 400 if form.errors else 200


def who_books(first: UUID) -> Actor:
    """Return who books: staff, the citizen signed in, or a stranger as whom they tell of first."""
    if at_desk():
        return Actor("staff", visitor().id)
    return family.actor() if draft.citizen() else Actor("citizen", first)


def arrived(db: Any, made: Collection[Appointment]) -> None:  # noqa: ANN401
    """Put walk-ins who are booked for today on the day list as arrived: they stand here."""
    site = roster.site(db, site_id=own_site())
    zone, day, by, at = ZoneInfo(site.time_zone), today(site.time_zone), visitor().id, now()
    for one in made:
        is_today = one.starts_at.astimezone(zone).date() == day
        if is_today and (one.source, one.state) == ("walk_in", "booked"):
            clinic.arrive(db, appointment_id=one.id, site_id=site.id, staff_id=by, now=at)
