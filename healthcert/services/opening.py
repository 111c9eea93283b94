"""Open the sites of the demonstration: a session a day and product, with its slots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select

from healthcert.models import Base, ClinicSession, Product, Programme, Site, Slot, new_id
from healthcert.services import hours
from healthcert.services.fiction import SERIES, SINGLE, Scene

_SLOT, _CAPACITY = timedelta(minutes=30), 6
_KEPT = {"kept_phone": 1, "kept_walk_in": 1}


def days_to_open(scene: Scene, days: list[date]) -> list[date]:
    """Return those of some days on which no site is open yet."""
    query = select(ClinicSession.day).where(ClinicSession.day.in_(days)).distinct()
    opened = set(scene.db.scalars(query))
    return [day for day in days if day not in opened]


def open_day(scene: Scene, sites: list[Site], day: date) -> None:
    """Open every site for a day: all with the series, the first and the last with the single."""
    products = {product.code: product for product in scene.db.scalars(select(Product))}
    for site in sites:
        open_one(scene, site, products[SERIES], day)
    for site in (sites[0], sites[-1]):
        open_one(scene, site, products[SINGLE], day)


def open_one(scene: Scene, site: Site, product: Product, day: date) -> list[Slot]:
    """Open one site for a day with one product; return its slots."""
    programme_id = scene.db.scalars(select(Programme.id).order_by(Programme.code)).first()
    session = ClinicSession(
        id=new_id(), recorded_at=scene.now, site_id=site.id, programme_id=programme_id,
        product_id=product.id, day=day, state="published",
    )  # fmt: skip
    scene.db.add(session)
    scene.db.flush()
    rows = [
        {
            "id": new_id(), "recorded_at": scene.now, "session_id": session.id,
            "starts_at": starts, "ends_at": starts + _SLOT, "capacity": _CAPACITY, **_KEPT,
        }
        for starts in _starts(scene, site, day)
    ]  # fmt: skip
    scene.db.execute(insert(Base.metadata.tables["slot"]), rows)
    query = select(Slot).where(Slot.session_id == session.id).order_by(Slot.starts_at)
    return list(scene.db.scalars(query))


def _starts(scene: Scene, site: Site, day: date) -> Iterator[datetime]:
    """Give when the slots of a day begin, within the hours of the site."""
    for span in hours.open_on(scene.db, site_id=site.id, day=day):
        starts, closes = (datetime.combine(day, at, scene.zone) for at in (span.opens, span.closes))
        while starts + _SLOT <= closes:
            yield starts
            starts += _SLOT


def places_of(slots: list[Slot]) -> Iterator[Slot]:
    """Yield slots, each as often as it has places that are open to everybody."""
    return (slot for slot in slots for _ in range(slot.places()))


def slots_of(scene: Scene, site: Site, day: date) -> list[Slot]:
    """Return the slots of the series at a site on a day, in their order."""
    query = (
        select(Slot)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .where(ClinicSession.site_id == site.id, ClinicSession.day == day)
        .where(Product.code == SERIES)
        .order_by(Slot.starts_at)
    )
    return list(scene.db.scalars(query))
