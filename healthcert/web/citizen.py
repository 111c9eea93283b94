"""The citizen's door: in by reference, birth date and a code; then one's own record."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from werkzeug import Response as Redirect

from healthcert.errors import BadCode, BadInput, NotFound
from healthcert.hcert import qr
from healthcert.services import access, desk, eligibility, holding
from healthcert.web import facts
from healthcert.web.about import Code, Known, claim
from healthcert.web.errors import inside
from healthcert.web.family import opened
from healthcert.web.here import limit, parts
from healthcert.web.labels import machine_name
from healthcert.web.moment import now
from healthcert.web.national import link
from healthcert.web.refusals import answer_to
from healthcert.web.sessions import sign_in as begin_session

bp = Blueprint("citizen", __name__, url_prefix="/my")

_Page = str | tuple[str, int] | Redirect


# A certificate in a form that can be saved: its media type, and how it is written.
_FILES: Mapping[str, tuple[str, Callable[[str], str | bytes]]] = {
    "svg": ("image/svg+xml", qr.svg),
    "png": ("image/png", qr.png),
    "txt": ("text/plain; charset=utf-8", str),
}


@bp.get("/sign-in")
def sign_in() -> str:
    """Ask for reference and birth date."""
    return _ask_known(Known())


@bp.post("/sign-in")
def ask_code() -> _Page:
    """Send a code if reference and birth date belong together; say the same in any case."""
    form = Known(request.form)
    if not form.validate():
        return _ask_known(form), 400
    asked, vault, pepper = claim(form.asking), parts().vault, parts().pepper
    try:
        limit("ask_code", "".join(filter(str.isalnum, asked.reference)).upper())
        with parts().doors.transaction() as db:
            access.request_code(db, vault=vault, pepper=pepper, claim=asked, now=now())
    except BadInput as wrong:
        form.take(wrong.fields)
        return _ask_known(form), 400
    session["asking"] = form.asking
    return redirect(url_for(".code", next=inside(request.args.get("next"))), code=303)


@bp.get("/code")
def code() -> _Page:
    """Ask for the code."""
    if "asking" not in session:
        return redirect(url_for(".sign_in"), code=303)
    return _ask_code(Code())


@bp.post("/code")
def redeem() -> _Page:
    """Let the person in whose code it is."""
    form = Code(request.form)
    if "asking" not in session:
        return redirect(url_for(".sign_in"), code=303)
    if not form.validate():
        return _ask_code(form), 400
    limit("redeem_code")
    with parts().doors.transaction() as db:
        answer = access.redeem(
            db, vault=parts().vault, pepper=parts().pepper, claim=claim(session["asking"]),
            code=form.code.data, now=now(),
        )  # fmt: skip
        if answer.lets:
            link(db, answer.person_id)
    try:
        begin_session("person", answer.person_id)
    except BadCode:
        form.take({"code": BadCode.code})
        return _ask_code(form), answer_to(BadCode).status
    return redirect(inside(request.args.get("next")) or url_for(".overview"), code=303)


@bp.get("/")
def overview() -> str:
    """Show appointments, doses and certificates."""
    return render_template("citizen/overview.html", held=_held())


@bp.get("/why")
def why() -> str:
    """Answer from the kept decisions whether it is one's turn, and why not yet."""
    with opened() as (db, person_id):
        answers = decided(db, person_id)
    return render_template("citizen/why.html", answers=answers)


def decided(db: Any, person_id: UUID) -> list[Any]:  # noqa: ANN401 - views know no SQL
    """Return what was decided last: programme, decision, and names of its groups by their code."""
    found, names = eligibility.answers(db, person_id=person_id), defaultdict[UUID, Any](dict)
    asked = [each for each in desk.programmes(db) if each.id in found]
    for one in eligibility.phases_of(db, *asked):
        names[one.programme_id][one.code] = one.names
    return [(each, found[each.id], names[each.id]) for each in asked]


@bp.get("/certificates/<uuid:certificate_id>")
def certificate(certificate_id: UUID) -> str:
    """Show a certificate: large code and names, or why it does not hold."""
    held = _held()
    found = next((one for one in held.certificates if one.certificate_id == certificate_id), None)
    if found is None:
        raise NotFound
    return render_template(
        "citizen/certificate.html", certificate=found, details=held.details,
        stated=facts.stated(found.told, parts().country.time_zone),
        machine_name=machine_name(held.details),
    )  # fmt: skip


@bp.get("/certificates/<uuid:certificate_id>.<any(svg, png, txt):kind>")
def certificate_file(certificate_id: UUID, kind: str) -> Response:
    """Give a certificate's code as a drawing, a picture or its text."""
    media, write = _FILES[kind]
    response = Response(write(with_text(certificate_id).text), content_type=media)
    if "save" in request.args:
        response.headers["Content-Disposition"] = f"attachment; filename=certificate.{kind}"
    return response


def with_text(certificate_id: UUID) -> holding.Held:
    """Return a certificate of the record that is open, with the text of its code."""
    with opened() as (db, person_id):
        return holding.certificate_text(
            db, vault=parts().vault, person_id=person_id, certificate_id=certificate_id
        )


def _ask_known(form: Known) -> str:
    back, eid = inside(request.args.get("next")), parts().settings.citizen_oidc
    return render_template("citizen/sign_in.html", form=form, back=back, national=eid)


def _ask_code(form: Code) -> str:
    following = inside(request.args.get("next"))
    return render_template("citizen/code.html", form=form, following=following)


def _held() -> holding.Overview:
    with opened() as (db, person_id):
        return holding.overview(db, vault=parts().vault, person_id=person_id, now=now())
