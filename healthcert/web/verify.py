"""The public check: paste a certificate or send its picture; nothing is stored or logged."""

from __future__ import annotations

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

from healthcert.data import value_sets
from healthcert.errors import BadInput, BadPicture, NotReady, PictureTooLarge
from healthcert.hcert import qr
from healthcert.i18n import Lazy, gettext, territory
from healthcert.i18n import lazy as _
from healthcert.policy.words import VERDICTS
from healthcert.services.verification import Verifier
from healthcert.web.answers import Answers, Choice, options
from healthcert.web.moment import now
from healthcert.web.pages import bdi

bp = Blueprint("verify", __name__)

LARGEST = qr.MOST_BYTES + 100_000  # a picture, and what its form adds


RULES: Mapping[str, Lazy] = {
    "passed": _("Met"),
    "failed": _("Not met"),
    "open": _("Could not be checked"),
}


class Ask(Answers):
    """A certificate as a picture or as text."""

    picture = FileField(_("Picture of the code"))
    barcode = TextAreaField(_("Text of the code"))
    country = Choice(_("Country of arrival"))


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
    return render_template("verify/ask.html", form=_ask())


@bp.post("/verify")
def check() -> Response:
    """Show the verdict, or ask again saying what was missing."""
    request.max_content_length = LARGEST
    form = _ask()
    try:
        text, country = _text(), _country(form)
    except BadInput as wrong:
        form.take(wrong.fields)
        return make_response(render_template("verify/ask.html", form=form), 400)
    found = verdict(text, country=country)
    return make_response(
        render_template(
            "verify/verdict.html",
            found=found,
            word=VERDICTS[found["verdict"]],
            rows=_rows(found),
            rules=[_rule(rule) for rule in found["rules"]],
        )
    )


@bp.get("/bundle")
def bundle() -> Response:
    """Give the signed offline bundle as it was published."""
    path: Path = current_app.extensions["bundle"]
    if not path.is_file():
        raise NotReady("no bundle has been published yet")
    return send_file(path, mimetype="application/octet-stream", conditional=True, max_age=60)


def _ask() -> Ask:
    """Return the form; it asks for a country of arrival where the bundle has rules of any."""
    form = Ask(country=request.form.get("country", ""))
    bundle = verifier().bundle(now())
    codes = sorted({str(rule.get("Country")) for rule in bundle.rules} if bundle else ())
    form.country.choices = options(
        {"": _("Leave the entry rules out")} | {code: territory(code) for code in codes}
    )
    return form


def _country(form: Ask) -> str | None:
    if not form.country.validate(form):
        raise BadInput({"country": "not_a_choice"})
    return form.country.data or None


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
    vaccines = value_sets().get("vaccines-covid-19-names", {})
    rows: list[tuple[Lazy, object]] = []
    for dose in dcc.get("v") or []:
        rows += [
            (_("Dose"), bdi(f"{dose.get('dn')}/{dose.get('sd')}")),
            (_("Vaccine"), bdi(vaccines.get(dose.get("mp"), dose.get("mp")))),
            (_("Given on"), bdi(dose.get("dt"))),
            (_("Issued by"), bdi(dose.get("is"))),
        ]
    for kind, title in (("t", _("Test")), ("r", _("Recovery"))):
        rows += [(title, bdi(fact.get("ci"))) for fact in dcc.get(kind) or []]
    if found["issuer"]:
        rows.append((_("Country"), bdi(territory(found["issuer"]["country"]))))
    return rows


def _rule(rule: Mapping[str, Any]) -> tuple[str, object]:
    """Return an entry rule as its number, and what came of it in words."""
    told = [str(RULES[rule["result"]]), rule["text"]]
    if rule["passes_on"]:
        told.append(gettext("met from %(day)s on", day=rule["passes_on"]))
    return rule["id"], ": ".join(filter(None, told))


def _certificate_among(texts: list[str]) -> str:
    """Return the text that looks like a certificate, else the first: a picture may hold more."""
    return next((text for text in texts if text.startswith("HC1:")), texts[0])
