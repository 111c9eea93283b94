"""What people tell of themselves: how we keep it, and what is wrong with it."""

import re
import unicodedata
from dataclasses import replace
from datetime import date

from healthcert.errors import BadInput
from healthcert.hcert import names
from healthcert.models.person import IDENTITY_KINDS, SEXES
from healthcert.services.people import Details, IdentityDetails

_BIRTH = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")  # E.164
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,63}")
# What turns letters round unseen: a name would read otherwise on a page than in a message or a
# certificate. Marks of direction and joiners stay: some scripts need them.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
LONGEST_NAME = 100  # letters: of a site, a fridge, a day, a member of staff
_FIRST_YEAR = 1900  # before it no certificate of the EU names a birth


def tidied(details: Details, *, today: date) -> Details:
    """Return details as we keep them: NFC, single blanks, upper-case codes; else `BadInput`."""
    tidy = replace(
        details,
        **{
            name: _text(getattr(details, name))
            for name in ("family", "given", "family_latin", "given_latin", "birth_date", "mail")
        },
        phone=tidy_phone(details.phone),
        identity=tidy_identity(details.identity),
    )
    wrong = _names_wrong(tidy) | _facts_wrong(tidy, today) | _contact_wrong(tidy)
    if wrong:
        raise BadInput(wrong)
    return tidy


def tidy_phone(phone: str) -> str:
    """Return a telephone number without the signs people put between digits."""
    return re.sub(r"[\s().-]", "", phone)


def tidy_identity(identity: IdentityDetails) -> IdentityDetails:
    """Return an identity as we keep it: country and number in capitals, no blanks or signs.

    The value of somebody vouched for is the name of who vouches.
    """
    if identity.kind == "vouched":
        return IdentityDetails(identity.kind, identity.country.upper(), _text(identity.value))
    value = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", identity.value)).upper()
    return IdentityDetails(identity.kind, identity.country.upper(), value)


def wrong_name(name: str, most: int = LONGEST_NAME) -> str:
    """Return what is wrong with a name that staff gave: ``missing``, ``too_long``, or nothing."""
    if not name.strip():
        return "missing"
    return "too_long" if len(name) > most else ""


def _names_wrong(details: Details) -> dict[str, str]:
    wrong = {
        name: "too_long"
        for name in ("family", "given", "family_latin", "given_latin")
        if len(getattr(details, name)) > names.LONGEST
    }
    if not details.family:
        wrong["family"] = "missing"
    for name in ("family_latin", "given_latin"):
        letters = filter(str.isalpha, unicodedata.normalize("NFD", getattr(details, name)))
        if not all(unicodedata.name(letter, "").startswith("LATIN") for letter in letters):
            wrong[name] = "not_latin"
    return wrong


def _facts_wrong(details: Details, today: date) -> dict[str, str]:
    identity, wrong = details.identity, {}
    if problem := _birth_date_wrong(details.birth_date, today):
        wrong["birth_date"] = problem
    if details.sex not in SEXES:
        wrong["sex"] = "not_a_choice"
    if identity.kind not in IDENTITY_KINDS:
        wrong["identity_kind"] = "not_a_choice"
    elif (identity.kind == "none") == bool(identity.value):
        wrong["identity_value"] = "not_needed" if identity.value else "missing"
    if not re.fullmatch("[A-Z]{2}", identity.country):
        wrong["identity_country"] = "not_a_country"
    return wrong


def _contact_wrong(details: Details) -> dict[str, str]:
    wrong = {}
    if details.phone and not _PHONE.fullmatch(details.phone):
        wrong["phone"] = "not_a_phone_number"
    if details.mail and not _MAIL.fullmatch(details.mail):
        wrong["mail"] = "not_a_mail_address"
    if not re.fullmatch("[a-z]{2}", details.language):
        wrong["language"] = "not_a_language"
    return wrong


def _birth_date_wrong(text: str, today: date) -> str:
    if not text:
        return "missing"
    if not _BIRTH.fullmatch(text) or not text.isascii():
        return "not_a_date"
    try:
        first = date.fromisoformat(text + "-01-01"[len(text) - len("YYYY") :])
    except ValueError:
        return "not_a_date"
    if first.year < _FIRST_YEAR:
        return "too_long_ago"
    return "in_the_future" if first > today else ""


def _text(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", _TURNING.sub("", text)).split())
