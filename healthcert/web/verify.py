"""The public check: paste a certificate or send its picture; nothing is stored or logged."""

import re
from datetime import UTC, datetime, time
from io import BytesIO
from pathlib import Path
from typing import cast

from flask import (
    Blueprint,
    Request,
    Response,
    current_app,
    render_template,
    request,
    send_file,
)
from wtforms import FileField, SelectField, TextAreaField

from healthcert.data.knowledge import sources
from healthcert.errors import BadInput, BadPicture, NotFound, NotReady, PictureTooLarge
from healthcert.hcert import qr
from healthcert.i18n import gettext, language, territory
from healthcert.i18n import lazy as _
from healthcert.policy.verdict import VERDICTS, Verdict
from healthcert.services.verification import Verifier
from healthcert.web import facts
from healthcert.web.answers import Answers, options
from healthcert.web.forms import DayField
from healthcert.web.moment import now

bp = Blueprint("verify", __name__)

_DIGEST, _COUNTRY = re.compile("[0-9a-f]{64}"), re.compile("[A-Z]{2}")
_A_YEAR = 365 * 86_400  # what has its hash for a name never changes
LARGEST = qr.MOST_BYTES + 100_000  # a picture, and what its form adds


class Ask(Answers):
    """A certificate as a picture or as text, and perhaps where to and when."""

    picture = FileField(_("Picture of the code"))
    barcode = TextAreaField(_("Text of the code"))
    country = SelectField(_("Country of arrival"), validate_choice=False)
    day = DayField(_("Day of arrival"), optional=True)


class InMemory(Request):
    """A request whose uploads never touch a disk, however large they are."""

    def _get_file_stream(self, *_: object, **__: object) -> BytesIO:
        return BytesIO()


def verifier() -> Verifier:
    """Return the verifier this application opened."""
    return cast(Verifier, current_app.extensions["verifier"])


@bp.get("/verify")
def page() -> str:
    """Ask for a certificate's text or picture."""
    return _ask(Ask())


@bp.post("/verify")
def check() -> str | tuple[str, int]:
    """Show the verdict, or ask again saying what was missing."""
    request.max_content_length = LARGEST
    form = Ask(request.form)
    try:
        text, country, at = _text(), _country(), _arrival(form)
    except BadInput as wrong:
        form.take(wrong.fields)
        return _ask(form), 400
    found = verifier().judge(text, now=now(), country=country, at=at, foresee=True)
    return render_template(
        "verify/verdict.html",
        found=found.as_json(),
        word=VERDICTS[found.outcome],
        rows=[*facts.rows(found.dcc or {}), *_issuer(found)],
        rules=[(said, facts.looked_at(said)) for said in found.rules],
        country=country and _name(country),
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


def is_country(value: object) -> bool:
    """Return whether a value is a country in two capital letters."""
    return isinstance(value, str) and _COUNTRY.fullmatch(value) is not None


def _ask(form: Ask) -> str:
    """Return the page that asks; it names the countries whose rules we have."""
    named = sorted((_name(code), code) for code in verifier().countries(now()))
    nowhere = {"": gettext("Leave the entry rules out")}
    form.country.choices = options(nowhere | {code: name for name, code in named})
    return render_template("verify/ask.html", form=form)


def _name(country: str) -> str:
    """Return the name of a country: its own file's word for it, or else the world's."""
    for source in sources("country"):
        if source.content["code"] == country:
            names: dict[str, str] = source.content["names"]
            return names.get(language()) or names["en"]
    return territory(country)


def _country() -> str | None:
    country = request.form.get("country", "").strip().upper()
    if country and not is_country(country):
        raise BadInput({"country": "not_a_country"})
    return country or None


def _arrival(form: Ask) -> datetime | None:
    """Return noon of the day asked about; None where it is now."""
    if not form.day.validate(form):
        raise BadInput({})
    day = form.day.data
    return datetime.combine(day, time(12), UTC) if day else None


def _issuer(found: Verdict) -> list[facts.Row]:
    return [(_("Country"), _name(found.issuer.country))] if found.issuer else []


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


def _certificate_among(texts: list[str]) -> str:
    """Return the text that looks like a certificate, else the first: a picture may hold more."""
    return next((text for text in texts if text.startswith("HC1:")), texts[0])
