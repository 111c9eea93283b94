"""The public check: paste a certificate or send its picture; nothing is stored or logged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from flask import (
    Blueprint,
    Request,
    Response,
    current_app,
    make_response,
    render_template,
    request,
    send_file,
)
from wtforms import FileField, TextAreaField

from healthcert.errors import BadInput, BadPicture, NotFound, NotReady, PictureTooLarge
from healthcert.hcert import qr
from healthcert.i18n import Lazy
from healthcert.i18n import lazy as _
from healthcert.policy.words import VERDICTS
from healthcert.services.verification import Verifier
from healthcert.web.answers import Answers
from healthcert.web.moment import now
from healthcert.web.pages import bdi

bp = Blueprint("verify", __name__)

_DIGEST = re.compile("[0-9a-f]{64}")
_A_YEAR = 365 * 86_400  # what has its hash for a name never changes
LARGEST = qr.MOST_BYTES + 100_000  # a picture, and what its form adds


class Ask(Answers):
    """A certificate as a picture or as text."""

    picture = FileField(_("Picture of the code"))
    barcode = TextAreaField(_("Text of the code"))


class InMemory(Request):
    """A request whose uploads never touch a disk, however large they are."""

    def _get_file_stream(self, *_: object, **__: object) -> BytesIO:
        return BytesIO()


def verifier() -> Verifier:
    """Return the verifier this application opened."""
    return cast(Verifier, current_app.extensions["verifier"])


def verdict(text: str, **wishes: Any) -> dict[str, Any]:  # noqa: ANN401 - handed on as they are
    """Return the verdict on one certificate as JSON; the wishes are `Verifier.verdict`'s."""
    return verifier().verdict(text, now=now(), **wishes)


@bp.get("/verify")
def page() -> str:
    """Ask for a certificate's text or picture."""
    return render_template("verify/ask.html", form=Ask())


@bp.post("/verify")
def check() -> Response:
    """Show the verdict, or ask again saying what was missing."""
    request.max_content_length = LARGEST
    try:
        text = _text()
    except BadInput as wrong:
        form = Ask()
        form.take(wrong.fields)
        return make_response(render_template("verify/ask.html", form=form), 400)
    found = verdict(text)
    word = VERDICTS[found["verdict"]]
    return make_response(
        render_template("verify/verdict.html", found=found, word=word, rows=_rows(found))
    )


@bp.get("/bundle/<digest>")
def part(digest: str) -> Response:
    """Give a revocation list, or what changed in one, by the hash that a bundle names it by."""
    path: Path = current_app.extensions["bundle"].parent / f"{digest}.part"
    if not _DIGEST.fullmatch(digest) or not path.is_file():
        raise NotFound
    return send_file(path, mimetype="application/octet-stream", conditional=True, max_age=_A_YEAR)


@bp.get("/bundle")
def bundle() -> Response:
    """Give the signed offline bundle as it was published."""
    path: Path = current_app.extensions["bundle"]
    if not path.is_file():
        raise NotReady("no bundle has been published yet")
    return send_file(path, mimetype="application/octet-stream", conditional=True, max_age=60)


def _text() -> str:
    pasted = request.form.get("barcode", "").strip()
    if pasted:
        return pasted
    picture = request.files.get("picture")
    data = picture.read() if picture else b""
    if not data:
        raise BadInput({"barcode": "missing"})
    try:
        codes = qr.read(data)
    except PictureTooLarge:
        raise BadInput({"picture": "too_large"}) from None
    except BadPicture:
        raise BadInput({"picture": "bad_picture"}) from None
    if not codes:
        raise BadInput({"picture": "no_code"})
    return _certificate_among([code.text for code in codes])


def _rows(found: Mapping[str, Any]) -> list[tuple[Lazy, object]]:
    """Return the facts of a genuine certificate, in words where we have them."""
    dcc = found["certificate"] or {}
    rows: list[tuple[Lazy, object]] = []
    for dose in dcc.get("v") or []:
        rows += [
            (_("Dose"), bdi(f"{dose.get('dn')}/{dose.get('sd')}")),
            (_("Vaccine"), bdi(dose.get("mp"))),
            (_("Given on"), bdi(dose.get("dt"))),
            (_("Issued by"), bdi(dose.get("is"))),
        ]
    for kind, title in (("t", _("Test")), ("r", _("Recovery"))):
        rows += [(title, bdi(fact.get("ci"))) for fact in dcc.get(kind) or []]
    if found["issuer"]:
        rows.append((_("Country"), bdi(found["issuer"]["country"])))
    return rows


def _certificate_among(texts: list[str]) -> str:
    """Return the text that looks like a certificate, else the first: a picture may hold more."""
    return next((text for text in texts if text.startswith("HC1:")), texts[0])
