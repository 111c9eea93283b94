"""What people tell of themselves: its shape, what is wrong with it, and how it opens again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotFound
from healthcert.gateways.vault import Vault
from healthcert.hcert.names import LONGEST as LONGEST_NAME
from healthcert.hcert.names import Holder
from healthcert.models import Person
from healthcert.models.person import IDENTITY_KINDS, SEXES

_BIRTH = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")  # E.164
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,63}")
_FIRST_YEAR = 1850
UNFINDABLE = ("vouched", "none")  # identities without a number


@dataclass(frozen=True, slots=True)
class IdentityDetails:
    """What says who someone is: one of `IDENTITY_KINDS`, its country, and its number.

    Of `vouched` the value is the name of who vouches; of `none` it is empty.
    """

    kind: str
    country: str = "XX"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What a person tells of themselves."""

    family: str  # in its own script; of someone with one name, that name
    given: str  # in their own script, or empty
    birth_date: str  # ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``
    language: str  # ISO 639-1, to be spoken to in
    identity: IdentityDetails  # what says who it is
    family_latin: str = ""  # as the travel document or ID spells it in Latin letters, or empty
    given_latin: str = ""  # the same for the given names
    sex: str = "unknown"  # one of ``male``, ``female``, ``other``, ``unknown``
    phone: str = ""  # international, ``+`` and digits, or empty
    mail: str = ""  # address, or empty


def key_of(person: Person) -> bytes:
    """Return a person's wrapped key.

    Raises:
        NotFound: They were erased, and what the law kept of them as well.
    """
    if person.wrapped_key is None:
        raise NotFound
    return person.wrapped_key


def details_of(vault: Vault, person: Person) -> Details:
    """Return what a person told of themselves, opened.

    Raises:
        NotFound: They were erased, and what the law kept of them as well.
    """
    opened = vault.open(key_of(person), person.id, person.sealed or b"")
    return Details(**opened | {"identity": IdentityDetails(**opened["identity"])})


def holder_of(details: Details) -> Holder:
    """Return whom a certificate of theirs speaks of."""
    return Holder(
        family=details.family,
        given=details.given,
        birth_date=details.birth_date,
        family_latin=details.family_latin,
        given_latin=details.given_latin,
        language=details.language,
    )


def locked(db: Session, person_id: UUID) -> Person:
    """Return a person whose rows nobody else changes until this transaction ends.

    Every deed locks the person first and slots after, so that two of them never wait crosswise.

    Raises:
        NotFound: No such person.
    """
    return all_locked(db, [person_id])[person_id]


def all_locked(db: Session, person_ids: Collection[UUID]) -> dict[UUID, Person]:
    """Return people by their ids, locked in the order of these as `locked` does it with one.

    Raises:
        NotFound: One of them is not there.
    """
    query = select(Person).where(Person.id.in_(set(person_ids))).order_by(Person.id)
    found = {person.id: person for person in db.scalars(query.with_for_update(key_share=True))}
    if not found.keys() >= set(person_ids):
        raise NotFound
    return found


def tidied(details: Details, *, today: date) -> Details:
    """Return details as we keep them: NFC, single blanks, upper-case codes.

    Raises:
        BadInput: With a code for each field that cannot be used.
    """
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


def _names_wrong(details: Details) -> dict[str, str]:
    wrong = {
        name: "too_long"
        for name in ("family", "given", "family_latin", "given_latin")
        if len(getattr(details, name)) > LONGEST_NAME
    }
    if not details.family:
        wrong["family"] = "missing"
    for name in ("family_latin", "given_latin"):
        written = unicodedata.normalize("NFD", getattr(details, name))
        if any(letter.isalpha() and not _is_latin(letter) for letter in written):
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


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def _text(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
