"""Doses given elsewhere in a table; FHIR becomes the same lines (`fhir`)."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, WrongState
from healthcert.models import Person, Product, ProductTarget, Programme
from healthcert.models.dose import PRECISIONS, Dose
from healthcert.models.person import IDENTITY_KINDS
from healthcert.services import cells, elsewhere, enrolment, facts, fhir, vaccination
from healthcert.services.cells import Kind, Setting
from healthcert.services.elsewhere import Elsewhere, Evidence, OfSomebody
from healthcert.services.people import UNFINDABLE, IdentityDetails
from healthcert.services.sheets import Line
from healthcert.services.tidying import tidy_identity

_HERE = "given_here"  # as we give our own doses out; such a line can only be known
_REQUIRED = (
    "identity_kind", "birth_date", "product", "given_on", "country", "evidence",
)  # fmt: skip


class _Ahead(NamedTuple):
    """What is on record of those whom some lines name, looked up at once."""

    people: Mapping[object, Person]  # by identity, and by our own reference
    doses: Mapping[UUID, list[tuple[Dose, bool]]]  # by person, and whether entered in error
    products: Mapping[str, UUID]  # by code
    programmes: dict[tuple[str, UUID], UUID]  # by code, as far as it was told, and product


def _passes(line: Line) -> str:
    status = line.cells.get("status", "")
    if status not in ("", *fhir.STATUSES):
        raise BadInput({"status": "not_a_choice"})
    return status if status in fhir.STATUSES[1:] else ""


def _read_dose(db: Session, setting: Setting, line: Line) -> OfSomebody:
    told, wrong = line.cells, dict[str, str]()
    evidence = Evidence(told["evidence"].lower(), told["country"].upper(), told.get("note", ""))
    dose = Elsewhere(
        told["given_on"], evidence, told.get("lot", ""), told.get("body_site", ""),
        told.get("route", ""),
    )  # fmt: skip
    with cells.gathering(wrong):
        seen = replace(evidence, kind="seen") if evidence.kind == _HERE else evidence
        judged = elsewhere.read(
            replace(dose, evidence=seen), country=setting.country, now=setting.now
        )
        dose = replace(judged, evidence=evidence)
    with cells.gathering(wrong):
        person_id = _person(setting, told)
    with cells.gathering(wrong):
        ahead: _Ahead = setting.ahead
        product_id = cells.found(ahead.products.get(told["product"].upper()), "product")
        which = told.get("programme", ""), product_id
        programme_id = ahead.programmes.get(which) or _programme(db, *which)
        ahead.programmes[which] = programme_id
    if wrong:
        raise BadInput(wrong)
    return OfSomebody(person_id, programme_id, product_id, dose)


def _look_ahead(db: Session, setting: Setting, lines: Sequence[Line]) -> _Ahead:
    identities = {_identity(setting, line.cells) for line in lines}
    people = dict[object, Person]()
    people.update(enrolment.on_record(db, vault=setting.vault, identities=identities).items())
    named = set[UUID | None]()
    for line in lines:
        with suppress(BadInput):
            named.add(cells.reference(line.cells, "person"))
    for person in db.scalars(select(Person).where(Person.id.in_(named - {None}))):
        people[person.id] = person
    theirs = Dose.person_id.in_({person.id for person in people.values()})
    doses = defaultdict[UUID, list[tuple[Dose, bool]]](list)
    for dose, wrong in db.execute(select(Dose, facts.IN_ERROR).where(theirs).order_by(Dose.id)):
        doses[dose.person_id].append((dose, wrong))
    query = select(Product.code, Product.id)
    products = {code.upper(): product_id for code, product_id in db.execute(query)}
    return _Ahead(people, doses, products, {})


def _identity(setting: Setting, told: Mapping[str, str]) -> IdentityDetails:
    kind, value = told.get("identity_kind", ""), told.get("identity_value", "")
    country = told.get("identity_country") or setting.country.code
    return tidy_identity(IdentityDetails(kind, country, value))


def _person(setting: Setting, told: Mapping[str, str]) -> UUID:
    identity = _identity(setting, told)
    if identity.kind not in IDENTITY_KINDS:
        raise BadInput({"identity_kind": "not_a_choice"})
    ahead: _Ahead = setting.ahead
    # Who has no number is known by our own reference alone, and never by a name.
    name = "person" if identity.kind in UNFINDABLE else "identity_value"
    if not told.get(name):
        raise BadInput({name: "missing"})
    ours = cells.reference(told, "person") if name == "person" else None
    person = ahead.people.get(ours or identity)
    if person is None:
        raise BadInput({name: "not_known"})
    if not enrolment.fits(setting.vault, person, identity, told["birth_date"]):
        raise BadInput({"birth_date": "contradicts_record"})
    return person.id


def _programme(db: Session, code: str, product_id: UUID) -> UUID:
    against = select(ProductTarget.disease).where(ProductTarget.product_id == product_id)
    which = Programme.code == code if code else Programme.disease.in_(against)
    found = db.scalars(select(Programme.id).where(which)).all()
    if len(found) != 1:
        raise BadInput({"programme": "several" if found else "not_known"})
    return found[0]


def _known_dose(_db: Session, setting: Setting, line: OfSomebody) -> UUID | None:
    told, ahead = line.told, cast("_Ahead", setting.ahead)
    day = elsewhere.first_day(told.given_on), PRECISIONS[told.given_on.count("-")]
    doses = [
        dose
        for dose, in_error in ahead.doses[line.person_id]
        if dose.product_id == line.product_id and not in_error
        if (dose.given_on, dose.day_precision) == day
    ]
    for dose in doses:
        if dose.lot_text == told.lot or not (dose.lot_text and told.lot):
            return dose.id
    if doses:
        raise BadInput({"lot": "contradicts_record"})
    if told.evidence.kind == _HERE:
        raise BadInput({"evidence": "not_known"})
    return None


def _write_doses(db: Session, setting: Setting, lines: Sequence[OfSomebody]) -> list[UUID]:
    wanted = [line._replace(told=_keyed(setting, line)) for line in lines]
    written = vaccination.record_elsewhere(
        db, vault=setting.vault, doses=wanted, staff=setting.by, country=setting.country,
        now=setting.now,
    )  # fmt: skip
    return [dose.id for dose in written]


def _keyed(setting: Setting, line: OfSomebody) -> Elsewhere:
    """Return a dose under a key of what it is, beside those of it that were taken back."""
    what = "|".join((str(line.person_id), str(line.product_id), line.told.given_on))
    key = f"row:{hashlib.sha256(what.encode()).hexdigest()[:32]}:"
    theirs = [dose.import_key or "" for dose, _ in setting.ahead.doses[line.person_id]]
    return replace(line.told, import_key=f"{key}{sum(one.startswith(key) for one in theirs)}")


def _mark_in_error(db: Session, setting: Setting, dose_id: UUID) -> bool:
    try:
        vaccination.mark_in_error(
            db, vault=setting.vault, dose_id=dose_id, reason="other", staff=setting.by,
            country=setting.country, now=setting.now,
        )  # fmt: skip
    except WrongState:
        return False  # somebody corrected it
    return True


DOSES = Kind(
    "doses", fhir.COLUMNS, _REQUIRED,
    _read_dose, lambda line: (line.person_id, line.product_id, line.told.given_on),
    _known_dose, _write_doses, _mark_in_error, by_staff=True, passes=_passes, ahead=_look_ahead,
    together=lambda line: line.person_id,
)  # fmt: skip
