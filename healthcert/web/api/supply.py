"""Supply: a site's shelves and fridges, sessions and closures, and what is ordered of lots."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from healthcert.errors import NotAllowed, NotFound, WrongState
from healthcert.models import ClinicSession, Fridge, Lot, Stock
from healthcert.services import cold_chain, deliveries, lots, planning, stock
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, serve
from healthcert.web.api.lists import Page, Paging, page
from healthcert.web.api.shapes import Day, Moment, Shape, Told, choice, of
from healthcert.web.clinic import own_site
from healthcert.web.moment import now

_ORDERS = ("released", "extended", *lots.RECALLS)


@of(Stock, "site_id", "lot_id", "remaining", "fridge_id", "set_aside")
class Balance(Told):
    """What there is of a lot; `set_aside` names the reading for which it waits."""


@of(Lot, "id", "number", "state", "product_id")
class Numbered(Told):
    """A lot of a product."""


class Shelf(Told):
    """A lot at one's site."""

    stock: Balance
    lot: Numbered
    product: str
    expires_on: date


@of(Fridge, "id", "name", "kind")
class Cold(Told):
    """A fridge or freezer, and what was read on it last."""

    celsius: float | None
    taken_at: Moment | None


class Known(Told):
    """A lot as it was ordered last."""

    id: UUID
    product: str
    number: str
    state: str
    expires_on: date
    name: str


@of(ClinicSession, "id", "site_id", "programme_id", "product_id", "day", "state")
class Session(Told):
    """A session, and how full it is."""

    places: int
    booked: int


class Closed(Shape):
    """Which day."""

    day: Day


@deed("GET", "/clinic/stock")
def shelves(on: On, query: Paging) -> Page[Shelf]:
    """List what there is at one's site, and what waits there."""
    rows = [
        {"stock": row[0], "lot": row[1], "product": row[2].name, "expires_on": row[3].expires_on}
        for row in cold_chain.shelves(on.db, site_id=own_site())
    ]
    return page(Shelf, rows, lambda one: (one.product, one.lot.number, one.lot.id), query)


@deed("GET", "/clinic/fridges")
def fridges(on: On, query: Paging) -> Page[Cold]:
    """List the fridges of one's site."""
    rows = [
        {"id": one.id, "name": one.name, "kind": one.kind, "celsius": last and last.celsius,
         "taken_at": last and last.taken_at}
        for one, last in cold_chain.fridges(on.db, site_id=own_site())
    ]  # fmt: skip
    return page(Cold, rows, lambda one: (one.name, one.id), query)


serve("POST", "/clinic/stock/deliveries", deliveries.receive, (NotFound,), status=201)
serve("POST", "/clinic/stock/moves", stock.move, (NotFound,), name="move_stock")
serve("POST", "/clinic/stock/transfers", stock.transfer, (NotFound, WrongState))
serve("POST", "/clinic/stock/settle", cold_chain.settle, (NotFound, WrongState))
serve("POST", "/clinic/fridges/<uuid:fridge_id>/readings", cold_chain.read, (NotFound,),
      name="read_fridge")  # fmt: skip


@deed("GET", "/lots")
def known_lots(on: On, query: Paging) -> Page[Known]:
    """List every lot, with what was ordered of it last."""
    return page(Known, lots.known(on.db), lambda one: (one.product, one.number, one.id), query)


@deed("GET", "/lots/<uuid:lot_id>", (NotFound,))
def lot(on: On, lot_id: UUID) -> Known:
    """Show a lot; its ETag is asked for where it is ordered about."""
    for row in lots.known(on.db, lot_id=lot_id):
        return Known.model_validate(row)
    raise NotFound


serve("POST", "/lots/<uuid:lot_id>/orders", lots.order, (NotFound, NotAllowed, WrongState),
      name="order_lot", match=lot, body={
          "state": Annotated[str, choice(("released", "quarantined", "recalled"))],
          "reason": Annotated[str, choice(_ORDERS)],
      })  # fmt: skip


@deed("GET", "/sessions")
def sessions(on: On, query: Paging) -> Page[Session]:
    """List the sessions in one's reach from today on."""
    ids = [site.id for site in on.sites]
    found = planning.listed(on.db, site_ids=ids, first=now().date(), limit=2000)
    rows = [
        {name: getattr(row[0], name) for name in ("id", "site_id", "programme_id", "product_id",
                                                  "day", "state")}
        | {"places": row.places, "booked": row.booked}
        for row in found
    ]  # fmt: skip
    return page(Session, rows, lambda one: (one.day, one.id), query)


serve("POST", "/sessions/<uuid:session_id>/capacity", planning.resize, (NotFound,), name="resize")


@deed("POST", "/sites/<uuid:site_id>/closures", (NotFound,), status=204)
def close_day(on: On, site_id: UUID, body: Closed) -> None:
    """Close a site for a day; everybody who is booked there is booked anew."""
    if site_id not in {site.id for site in on.sites}:
        raise NotFound
    planning.close_day(on.db, site_id=site_id, day=body.day, staff=on.staff, now=now())
