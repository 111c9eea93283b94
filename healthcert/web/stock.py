"""The door of a site's stock: shelves and fridges, what came and went, and what waits."""

from __future__ import annotations

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.services import cold_chain, deliveries, knowledge, roster, stock
from healthcert.services.deliveries import Delivery
from healthcert.services.stock import Shelf
from healthcert.web.clinic import own_site
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.moment import now

bp = Blueprint("stock", __name__, url_prefix="/clinic/stock")
_NONE = UUID(int=0)


@bp.get("")
def shelves() -> str:
    """Show what is there, what waits, and the fridges with what was read last."""
    with parts().doors.reading() as db:
        return render_template(
            "clinic/stock.html", shelves=cold_chain.shelves(db, site_id=own_site()),
            fridges=cold_chain.fridges(db, site_id=own_site()), sites=roster.sites(db),
            products=knowledge.offered(db), today=now().date(),
        )  # fmt: skip


@bp.post("/came")
def receive() -> Response:
    """Write down what was delivered: the scan of a carton, or the rest by hand."""
    typed = request.form
    with parts().doors.transaction() as db:
        site = roster.site(db, site_id=own_site())
        told = Delivery(
            typed.get("quantity", 0, type=int), typed.get("scan", ""),
            typed.get("product", type=UUID), typed.get("number", ""),
            typed.get("expires_on", type=date.fromisoformat), typed.get("fridge", type=UUID),
        )  # fmt: skip
        deliveries.receive(
            db, told, site_id=site.id, today=now().astimezone(ZoneInfo(site.time_zone)).date(),
            staff=roster.present(db, staff_id=visitor().id), now=now(),
        )  # fmt: skip
    return redirect(url_for(".shelves"), code=303)


@bp.post("/went")
def move() -> Response:
    """Write down what left a shelf, or that vials held more."""
    typed, shelf = request.form, Shelf(own_site(), request.form.get("lot", _NONE, type=UUID))
    quantity, kind = typed.get("quantity", 0, type=int), typed.get("kind", "")
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        if kind == "transferred":
            to = typed.get("to", shelf.site_id, type=UUID)
            stock.transfer(db, shelf, quantity, to=to, staff=staff, now=now())
        else:
            reason = typed.get("reason") or None
            stock.move(db, shelf, kind, quantity, staff=staff, now=now(), reason=reason)
    return redirect(url_for(".shelves"), code=303)


@bp.post("/read")
def read() -> Response:
    """Write down what a fridge shows now; what does not bear it is set aside."""
    fridge = request.form.get("fridge", _NONE, type=UUID)
    celsius = request.form.get("celsius", float("nan"), type=float)
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        cold_chain.read(
            db, fridge_id=fridge, celsius=celsius, taken_at=now(), staff=staff, now=now()
        )
    return redirect(url_for(".shelves"), code=303)


@bp.post("/settle")
def settle() -> Response:
    """Decide what becomes of a shelf that waits; or add a fridge."""
    typed = request.form
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        if "name" in typed:
            cold_chain.add(
                db, name=typed["name"], kind=typed.get("kind", ""), staff=staff, now=now()
            )
        else:
            shelf = Shelf(own_site(), typed.get("lot", _NONE, type=UUID))
            cold_chain.settle(db, shelf, usable="usable" in typed, staff=staff, now=now())
    return redirect(url_for(".shelves"), code=303)
