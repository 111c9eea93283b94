"""A dose that was given to somebody without an appointment: written down all the same."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.i18n import gettext
from healthcert.services import facts, knowledge, roster, unbooked
from healthcert.web.answers import options
from healthcert.web.clinic import own_site
from healthcert.web.doses import Given, by_field, clock, give_lots, sign, told_of
from healthcert.web.here import done, parts, today
from healthcert.web.labels import in_words
from healthcert.web.moment import now
from healthcert.web.people import known

bp = Blueprint("unbooked", __name__, url_prefix="/clinic/people")


@bp.route("/<uuid:person_id>/dose", methods=["GET", "POST"])
def dose(person_id: UUID) -> str | tuple[str, int] | Response:
    """Write down a dose that was given without an appointment here."""
    form = Given(request.form or None)
    with parts().doors.transaction() as db:
        found, offered = known(db, person_id, "care"), knowledge.offered(db)
        site = roster.site(db, site_id=own_site())
        zone, day = site.time_zone, today(site.time_zone)
        give_lots(form, [
            (product, facts.lots_on(db, product_id=product.id, site_id=site.id, day=day))
            for _one, product in offered
        ])  # fmt: skip
    form.product.choices = options({
        f"{one.id}.{product.id}": gettext("%(one)s, %(other)s", one=product.name,
                                          other=in_words(one.names))
        for one, product in offered
    })  # fmt: skip
    page = {"found": found, "form": form}
    try:
        if not (request.form and form.validate()):
            form.given_at.data = form.given_at.data or clock(now(), zone)
            return render_template("clinic/unbooked.html", **page), 400 if form.errors else 200
        programme_id, product_id = map(UUID, form.product.data.split("."))
        made = done(
            unbooked.write_down, vault=parts().vault, person_id=person_id, product_id=product_id,
            programme_id=programme_id, told=told_of(form, zone), country=parts().country,
        )  # fmt: skip
    except BadInput as wrong:
        form.take(by_field(form, wrong))
        return render_template("clinic/unbooked.html", **page), 400
    sign(person_id)
    return redirect(url_for("doses.recorded", dose_id=made.id), code=303)
