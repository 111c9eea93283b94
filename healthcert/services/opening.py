"""Open the sites of the demonstration: a session a day and product, with its slots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from sqlalchemy import insert, select

from healthcert.models import Base, ClinicSession, Product, Programme, Site, Slot, new_id
from healthcert.services.fiction import SERIES, SINGLE, Scene

_SLOT, _CAPACITY = timedelta(minutes=30), 6
_OPENS, _SLOTS_A_DAY = time(8, 30), 15


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
    opens = datetime.combine(day, _OPENS, scene.zone)
    rows = [
        {
            "id": new_id(), "recorded_at": scene.now, "session_id": session.id,
            "starts_at": opens + turn * _SLOT, "ends_at": opens + (turn + 1) * _SLOT,
            "capacity": _CAPACITY, "booked": 0,
        }
        for turn in range(_SLOTS_A_DAY)
    ]  # fmt: skip
    scene.db.execute(insert(Base.metadata.tables["slot"]), rows)
    query = select(Slot).where(Slot.session_id == session.id).order_by(Slot.starts_at)
    return list(scene.db.scalars(query))


def places_of(slots: list[Slot]) -> Iterator[Slot]:
    """Yield slots, each as often as it has places."""
    return (slot for slot in slots for _ in range(slot.capacity))


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
