"""A dose of somebody without an appointment: given now as any other, or written down afterwards."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug import Response

from healthcert.errors import BadInput, NotFound
from healthcert.i18n import gettext
from healthcert.i18n import lazy as _
from healthcert.services import knowledge
from healthcert.web.answers import Answers, Radios, options
from healthcert.web.care import agree, decide
from healthcert.web.clinic import Consented, Scene, scene_unbooked
from healthcert.web.doses import ask_of, given, record_of
from healthcert.web.here import parts
from healthcert.web.labels import in_words
from healthcert.web.people import known

bp = Blueprint("unbooked", __name__, url_prefix="/clinic/people")

_Page = str | tuple[str, int] | Response


class Meant(Answers):
    """Which vaccine of which programme is meant, of which each asks its own questions."""

    product = Radios(_("Vaccine"))


@bp.route("/<uuid:person_id>/dose", methods=["GET", "POST"])
def dose(person_id: UUID) -> _Page:
    """Ask which vaccine is meant, then all that a dose is asked for, and write it down."""
    if not request.values.get("product"):
        return _choose(person_id)
    with parts().doors.transaction() as db:
        at = _of(db, person_id, "care")
        form = given(db, at, request.form or None)
    if request.method == "POST":
        return record_of(at, form)
    form.afterwards.data = "afterwards" in request.args
    return ask_of(at, form)


@bp.post("/<uuid:person_id>/consent")
def consent(person_id: UUID) -> _Page:
    """Write down that they agree, refuse, or no longer agree."""
    form = Consented(request.form)
    with parts().doors.transaction() as db:
        at = _of(db, person_id, "registration")
        try:
            agree(db, at, form)
        except BadInput as wrong:
            form.take(wrong.fields)
            return ask_of(at, given(db, at, None), form), 400
    return redirect(at.way("dose"), code=303)


@bp.route("/<uuid:person_id>/decision", methods=["GET", "POST"])
def decision(person_id: UUID) -> _Page:
    """Let a nurse decide where the answers lead."""
    return decide(lambda db: _of(db, person_id, "care"))


def _choose(person_id: UUID) -> tuple[str, int]:
    form = Meant()
    with parts().doors.transaction() as db:
        found, offered = known(db, person_id, "care"), knowledge.offered(db)
    form.product.choices = options({
        f"{one.id}.{product.id}": gettext("%(one)s, %(other)s", one=product.name,
                                          other=in_words(one.names))
        for one, product in offered
    })  # fmt: skip
    if request.form or request.args.keys() & {"now", "afterwards"}:
        form.take({"product": "missing"})
    page = render_template("clinic/unbooked.html", found=found, form=form)
    return page, 400 if form.errors else 200


def _of(db: Any, person_id: UUID, reason: str) -> Scene:  # noqa: ANN401 - views know no SQL
    """Return somebody for the vaccine that is meant."""
    programme, _dot, product = request.values.get("product", "").partition(".")
    try:
        meant = UUID(programme), UUID(product)
    except ValueError:
        raise NotFound from None
    return scene_unbooked(db, person_id, reason, *meant)
