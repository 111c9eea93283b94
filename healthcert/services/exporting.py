"""Give out what came in: the tables of `import_kinds`, so that what goes out comes in again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.models import Lot, LotValidity, Person, Product, Site, Staff
from healthcert.services import audit, sheets
from healthcert.services.import_kinds import KINDS
from healthcert.services.importing import Setting
from healthcert.services.people import details_of


def give_out(db: Session, *, setting: Setting, kind: str) -> str:
    """Return all rows of a kind as a table that spreadsheets open safely; that is audited."""
    rows = list(_ROWS[kind](db, setting))
    audit.note(
        db,
        actor=audit.Actor("staff", setting.staff.id) if setting.staff else audit.SYSTEM,
        act="export_given_out",
        subject=audit.Subject(kind),
        details={"lines": len(rows)},
        now=setting.now,
    )
    return sheets.write(KINDS[kind].columns, rows)


def _people(db: Session, setting: Setting) -> Iterator[dict[str, Any]]:
    present = select(Person).where(Person.erased_at.is_(None))
    for person in db.scalars(present.order_by(Person.id)):
        told = asdict(details_of(setting.vault, person))
        identity = told.pop("identity")
        yield told | {f"identity_{name}": value for name, value in identity.items()}


def _sites(db: Session, _setting: Setting) -> Iterator[dict[str, Any]]:
    for site in db.scalars(select(Site).order_by(Site.code)):
        names = {f"name_{lang}": text for lang, text in site.names.items()}
        address = {f"address_{lang}": text for lang, text in site.address.items()}
        yield names | address | {
            "code": site.code, "region": site.region, "latitude": site.latitude,
            "longitude": site.longitude, "time_zone": site.time_zone,
            "step_free": "yes" if site.step_free else "no",
        }  # fmt: skip


def _staff(db: Session, _setting: Setting) -> Iterator[dict[str, Any]]:
    query = select(Staff, Site.code).outerjoin(Site, Site.id == Staff.site_id)
    for staff, site in db.execute(query.where(Staff.active).order_by(Staff.name)):
        yield {"name": staff.name, "role": staff.role, "site": site}


def _lots(db: Session, _setting: Setting) -> Iterator[dict[str, Any]]:
    query = (
        select(Product.code, Lot.number, LotValidity)
        .join(Lot, Lot.product_id == Product.id)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .order_by(Product.code, Lot.number, LotValidity.since.desc())
    )
    seen = set()
    for product, number, validity in db.execute(query):
        if (product, number) not in seen:
            seen.add((product, number))
            yield {
                "product": product, "number": number,
                "released_on": validity.released_on, "expires_on": validity.expires_on,
            }  # fmt: skip


_ROWS: Mapping[str, Any] = MappingProxyType(
    {"people": _people, "sites": _sites, "staff": _staff, "lots": _lots}
)
