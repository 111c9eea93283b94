"""The kinds of tables that are taken in, by name, and a file of one as lines.

People come in as at any other door, lots into quarantine, until somebody else releases them; sites,
staff and doses have modules of their own.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, BadInput
from healthcert.models import (
    Dose,
    Identity,
    Knowledge,
    Lot,
    LotValidity,
    Person,
    PersonToken,
    Product,
    StockMove,
)
from healthcert.services import cells, enrolment, fhir, fhir_reading, lots, sheets
from healthcert.services.cells import Kind, Setting
from healthcert.services.elsewhere import day_in
from healthcert.services.facts import LONGEST_LOT, lot_number
from healthcert.services.import_doses import DOSES
from healthcert.services.import_places import SITES, STAFF
from healthcert.services.people import UNFINDABLE, Details, IdentityDetails
from healthcert.services.sheets import Line
from healthcert.services.tidying import tidied

_PERSON = (
    "family", "given", "family_latin", "given_latin", "birth_date", "sex", "language", "phone",
    "mail", "identity_kind", "identity_country", "identity_value", "person",
)  # fmt: skip
_LOT = ("product", "number", "expires_on")


class _PersonLine(NamedTuple):
    details: Details
    person_id: UUID | None  # by what we gave them out


def _read_person(_db: Session, setting: Setting, line: Line) -> _PersonLine:
    told = line.cells
    given = {name: told[name] for name in _PERSON[:9] if told.get(name)}
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
    "people", _PERSON, ("family", "birth_date", "identity_kind"),
    _read_person, _person_key, _known_person, cells.each(_write_person), _take_back_person,
)  # fmt: skip


class _LotLine(NamedTuple):
    product_id: UUID
    number: str
    expires_on: date


def _read_lot(db: Session, _setting: Setting, line: Line) -> _LotLine:
    told = line.cells
    number, product = lot_number(told["number"]), Product.code == told["product"].upper()
    if len(number) > LONGEST_LOT:
        raise BadInput({"number": "too_long"})
    product_id = cells.found(db.scalar(select(Product.id).where(product)), "product")
    return _LotLine(product_id, number, cells.day(told, "expires_on"))


def _known_lot(db: Session, _setting: Setting, line: _LotLine) -> UUID | None:
    found = db.execute(
        select(Lot.id, LotValidity.expires_on)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(Lot.product_id == line.product_id, Lot.number == line.number)
        .order_by(LotValidity.ordinal.desc())
    ).first()
    if found is not None and found.expires_on != line.expires_on:
        raise BadInput({"expires_on": "contradicts_record"})
    return found.id if found else None


def _write_lot(db: Session, setting: Setting, line: _LotLine) -> UUID:
    since = day_in(setting.country, setting.now)
    return lots.enter(db, since=since, staff=setting.by, now=setting.now, **line._asdict()).id


def _set_aside(db: Session, setting: Setting, lot_id: UUID) -> bool:
    leaning = or_(exists().where(Dose.lot_id == lot_id), exists().where(StockMove.lot_id == lot_id))
    lot = db.get_one(Lot, lot_id)
    if lot.state == "recalled" or db.scalar(select(leaning)):
        return False
    # No lot is deleted. One that is in quarantine still is out of use without an order.
    lots.order(
        db, lot_id=lot_id, state="quarantined", since=None, reason="import_taken_back",
        staff=setting.by, country=setting.country, now=setting.now,
    )  # fmt: skip
    return True


LOTS = Kind(
    "lots", _LOT, _LOT,
    _read_lot, lambda lot: (lot.product_id, lot.number), _known_lot, cells.each(_write_lot),
    _set_aside, by_staff=True,
)  # fmt: skip
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (PEOPLE, SITES, STAFF, LOTS, DOSES)}


def lines_of(db: Session, kind: str, raw: bytes) -> list[Line]:
    """Return the lines of a file, a table or FHIR.

    Raises:
        BadInput: See `sheets.read` and `fhir.entries`.
    """
    if kind == "doses" and fhir.is_fhir(raw):
        return fhir_reading.read(raw, vaccines=_vaccines(db))
    return sheets.read(raw, columns=KINDS[kind].columns, required=KINDS[kind].required)


def _vaccines(db: Session) -> fhir_reading.Vaccines:
    """Return by system and code which of our products are meant."""
    found: dict[tuple[str, str], set[str]] = {}
    query = select(Knowledge.content).join(Product, Product.knowledge_id == Knowledge.id)
    for content in db.scalars(query):
        for coding in fhir.codings(content):
            found.setdefault(coding, set()).add(content["code"])
    return found
