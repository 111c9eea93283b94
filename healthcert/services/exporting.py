"""Give out what came in: the tables of `import_kinds`, so that what goes out comes in again."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import Dose, DoseStanding, Organisation, Person, Site, Staff
from healthcert.models.supply import Knowledge, Product, Programme
from healthcert.services import audit, fhir, lots, record, sheets, sites
from healthcert.services.cells import Setting
from healthcert.services.import_kinds import KINDS
from healthcert.services.people import details_of, key_of


def give_out(db: Session, *, setting: Setting, kind: str, form: str = "csv") -> str:
    """Return all rows of a kind as a table that spreadsheets open safely; that is audited.

    Doses also as ``json`` (a Bundle of FHIR R4B) or ``ndjson`` (an Immunization a line).

    Raises:
        BadInput: The kind has no such ``form``.
    """
    if form != "csv" and (kind != "doses" or form not in _FORMS):
        raise BadInput({"form": "not_a_choice"})
    rows = list(_ROWS[kind](db, setting))
    audit.note(
        db,
        actor=audit.Actor("staff", setting.staff.id) if setting.staff else audit.SYSTEM,
        act="export_given_out", subject=audit.Subject(kind), details={"lines": len(rows)},
        now=setting.now,
    )  # fmt: skip
    if form in _FORMS:
        return _FORMS[form](rows)
    return sheets.write(KINDS[kind].columns, rows)


def _people(db: Session, setting: Setting) -> Iterator[dict[str, Any]]:
    present = select(Person).where(Person.erased_at.is_(None))
    for person in db.scalars(present.order_by(Person.id)):
        told = asdict(details_of(setting.vault, person))
        identity = told.pop("identity")
        named = {f"identity_{name}": value for name, value in identity.items()}
        yield told | named | {"person": person.id}


def _sites(db: Session, setting: Setting) -> Iterator[dict[str, Any]]:
    for site in db.scalars(select(Site).order_by(Site.code)):
        yield sites.cells_of(db, site, setting.now)


def _staff(db: Session, _setting: Setting) -> Iterator[dict[str, Any]]:
    query = (
        select(Staff, Site.code, Organisation.code)
        .outerjoin(Site, Site.id == Staff.site_id)
        .outerjoin(Organisation, Organisation.id == Staff.organisation_id)
    )
    for staff, site, organisation in db.execute(query.where(Staff.active).order_by(Staff.name)):
        yield {
            "name": staff.name, "role": staff.role, "site": site, "organisation": organisation,
        }  # fmt: skip


def _lots(db: Session, _setting: Setting) -> Iterator[dict[str, Any]]:
    for lot in lots.known(db):
        yield {"product": lot.product, "number": lot.number, "expires_on": lot.expires_on}


def _doses(db: Session, setting: Setting) -> Iterator[dict[str, Any]]:
    query = (
        select(Dose, Product.code, Knowledge.content, Programme.code, Person)
        .join(Product, Product.id == Dose.product_id)
        .join(Knowledge, Knowledge.id == Product.knowledge_id)
        .join(Programme, Programme.id == Dose.programme_id)
        .join(Person, Person.id == Dose.person_id)
        .where(Person.erased_at.is_(None))
        .order_by(Dose.person_id, Dose.given_on, Dose.id)
    )
    stands: dict[UUID, list[tuple[str, str, int | None]]] = {}
    for each in db.scalars(select(DoseStanding).order_by(DoseStanding.disease)):
        stands.setdefault(each.dose_id, []).append((each.disease, each.counts, each.number))
    for dose, product, content, programme, person in db.execute(query):
        whom, standings = details_of(setting.vault, person), stands.get(dose.id, [])
        identity = {f"identity_{name}": told for name, told in asdict(whom.identity).items()}
        in_error = any(counts == "entered_in_error" for _, counts, _ in standings)
        yield identity | {
            "birth_date": whom.birth_date, "product": product, "programme": programme,
            "given_on": record.day_of(dose), "lot": dose.lot_text, "evidence": dose.evidence,
            "country": dose.country or setting.country.code, "note": _note(setting, person, dose),
            "body_site": dose.body_site, "route": dose.route,
            "status": fhir.STATUSES[in_error], "person": person.id,
            "id": dose.id, "name": content["name"], "codings": fhir.codings(content),
            "standings": standings,
        }  # fmt: skip


def _note(setting: Setting, person: Person, dose: Dose) -> str:
    if dose.sealed is None:
        return ""
    opened = setting.vault.open(key_of(person), dose.id, dose.sealed, purpose="evidence")
    return str(opened["note"])


_FORMS = {"json": fhir.bundle, "ndjson": fhir.ndjson}
_ROWS = {"people": _people, "sites": _sites, "staff": _staff, "lots": _lots, "doses": _doses}
