"""The citizen's rights: everything held about them, who looked at it, and erasure."""

import json
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from wtforms import BooleanField

from healthcert.i18n import lazy as _
from healthcert.services import erasure, looks, my_record
from healthcert.web import papers
from healthcert.web.answers import Answers, confirmed
from healthcert.web.citizen import with_text
from healthcert.web.family import actor, opened, whose
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.sessions import sign_out

bp = Blueprint("rights", __name__, url_prefix="/my")

ONLY_SELF = "erase"  # no scope of any proxy


class Consent(Answers):
    """That somebody means it."""

    sure = BooleanField(_("I understand that this cannot be undone"), [confirmed])


@bp.get("/record")
def record() -> str:
    """Offer the record as files, who looked at it, and erasure."""
    return render_template("citizen/record.html")


@bp.get("/record.json")
def as_json() -> Response:
    """Give the record for programs; its form is in docs/howto/my-record.md."""
    told = json.dumps(_record().as_json(), ensure_ascii=False, indent=2)
    return _file(told.encode(), "application/json", "my-record.json")


@bp.get("/record.pdf")
def as_pdf() -> Response:
    """Give the record on paper, in the language of the page."""
    return _file(papers.record(_record()), "application/pdf", "my-record.pdf")


@bp.get("/record/seen")
def seen() -> str:
    """Show who of the staff looked at the record: role, place, time and reason."""
    with opened() as (db, person_id):
        found = looks.access_log(db, person_id=person_id)
    return render_template("citizen/seen.html", seen=found, zone=parts().country.time_zone)


@bp.get("/certificates/<uuid:certificate_id>.pdf")
def certificate(certificate_id: UUID) -> Response:
    """Give a certificate on paper, with its code."""
    made = papers.certificate(with_text(certificate_id))
    return _file(made, "application/pdf", "certificate.pdf")


@bp.get("/erase")
def foresee() -> str:
    """Say what an erasure would take away and what the law keeps."""
    with parts().doors.reading() as db:
        told = erasure.foreseen(db, person_id=whose(db, ONLY_SELF))
    return render_template("citizen/erase.html", told=told)


@bp.get("/erase/confirm")
def confirm() -> str:
    """Ask whether it is meant."""
    return render_template("citizen/erase_confirm.html", form=Consent())


@bp.post("/erase/confirm")
def erase() -> tuple[str, int] | str:
    """Erase, sign out, and say what is gone and what is kept."""
    form = Consent(request.form)
    if not form.validate():
        return render_template("citizen/erase_confirm.html", form=form), 400
    vault, by = parts().vault, actor()
    told = parts().doors.run(
        lambda db: erasure.erase(
            db, vault=vault, person_id=whose(db, ONLY_SELF), actor=by, reason="asked", now=now()
        )
    )
    sign_out()
    return render_template("citizen/erased.html", told=told)


def _record() -> my_record.Record:
    with opened() as (db, person_id):
        return my_record.export(db, vault=parts().vault, person_id=person_id, now=now())


def _file(content: bytes, media: str, name: str) -> Response:
    saved = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(content, content_type=media, headers=saved)
