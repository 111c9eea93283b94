"""People in a table: enrolled as at any other door."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, BadInput
from healthcert.models import Identity, Person, PersonToken
from healthcert.services import cells, enrolment
from healthcert.services.cells import Kind, Setting
from healthcert.services.people import UNFINDABLE, Details, IdentityDetails
from healthcert.services.sheets import Line
from healthcert.services.tidying import tidied

COLUMNS = (
    "family", "given", "family_latin", "given_latin", "birth_date", "sex", "language", "phone",
    "mail", "identity_kind", "identity_country", "identity_value", "person",
)  # fmt: skip


class _PersonLine(NamedTuple):
    details: Details
    person_id: UUID | None  # by what we gave them out


def _read_person(_db: Session, setting: Setting, line: Line) -> _PersonLine:
    told = line.cells
    given = {name: told[name] for name in COLUMNS[:9] if told.get(name)}
    identity = IdentityDetails(
        told["identity_kind"],
        told.get("identity_country") or setting.country.code,
        told.get("identity_value", ""),
    )
    whole = {"given": "", "language": setting.country.languages[0]} | given
    details = tidied(Details(identity=identity, **whole), today=setting.now.date())
    return _PersonLine(details, cells.reference(told, "person"))


def _person_key(line: _PersonLine) -> object:
    # People without a number are told apart by our reference, or all that is said of them.
    identity = line.details.identity
    return identity if identity.kind not in UNFINDABLE else line.person_id or repr(line.details)


def _known_person(db: Session, setting: Setting, line: _PersonLine) -> UUID | None:
    try:
        person = enrolment.known(db, vault=setting.vault, details=line.details)
    except AlreadyBooked:
        raise BadInput({"birth_date": "contradicts_record"}) from None
    if person is None and line.person_id:
        person = db.get(Person, line.person_id)
        told = line.details
        if person and not enrolment.fits(setting.vault, person, told.identity, told.birth_date):
            raise BadInput({"person": "contradicts_record"})
    return person.id if person else None


def _write_person(db: Session, setting: Setting, line: _PersonLine) -> UUID:
    return enrolment.enrol(
        db, vault=setting.vault, details=line.details, now=setting.now, person_id=line.person_id
    ).id


def _take_back_person(db: Session, _setting: Setting, person_id: UUID) -> bool:
    return cells.deleted(
        db, (Identity, Identity.person_id == person_id),
        (PersonToken, PersonToken.person_id == person_id), (Person, Person.id == person_id),
    )  # fmt: skip


PEOPLE = Kind(
    "people", COLUMNS, ("family", "birth_date", "identity_kind"),
    _read_person, _person_key, _known_person, cells.each(_write_person), _take_back_person,
)  # fmt: skip
