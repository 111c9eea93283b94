"""The door of a site's stock: shelves, fridges and open vials, what came, went and waits."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response

from healthcert.services import cold_chain, deliveries, knowledge, roster, stock, vials
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
            products=knowledge.offered(db), today=now().date(), now=now(),
            vials=vials.opened(db, site_id=own_site()),
        )  # fmt: skip


@bp.post("/came")
def receive() -> Response:
    """Write down what was delivered: the scan of a carton, or the rest by hand."""
    typed = request.form
    with parts().doors.transaction() as db:
        told = Delivery(
            typed.get("quantity", 0, type=int), typed.get("scan", ""),
            typed.get("product", type=UUID), typed.get("number", ""),
            typed.get("expires_on", type=date.fromisoformat), typed.get("fridge", type=UUID),
            typed.get("vvm_stage", type=int),
        )  # fmt: skip
        deliveries.receive(
            db, told, site_id=own_site(), today=_today(db),
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
    """Write down what a fridge or the monitor on vials shows; what is harmed is set aside."""
    shelf = Shelf(own_site(), request.form.get("lot", _NONE, type=UUID))
    stage = request.form.get("vvm_stage", 0, type=int)
    fridge = request.form.get("fridge", _NONE, type=UUID)
    celsius = request.form.get("celsius", float("nan"), type=float)
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        if "lot" in request.form:
            cold_chain.look(db, shelf, stage, staff=staff, now=now())
        else:
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


@bp.post("/vial")
def vial() -> Response:
    """Open a vial, or throw away what is left in one."""
    typed, lot_id = request.form, request.form.get("lot", _NONE, type=UUID)
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        if "vial" in typed:
            one = typed.get("vial", _NONE, type=UUID)
            vials.discard(db, vial_id=one, staff=staff, now=now())
        else:
            vials.begin(
                db, Shelf(own_site(), lot_id), staff=staff, now=now(),
                thawed_on=typed.get("thawed_on", type=date.fromisoformat),
            )  # fmt: skip
    return redirect(url_for(".shelves"), code=303)


@bp.post("/today")
def today() -> Response:
    """Remember the lot of a carton, so that the form of a dose proposes it on this device."""
    with parts().doors.reading() as db:
        lot = deliveries.scanned(db, request.form.get("scan", ""), today=_today(db))
    session["lots"] = session.get("lots", {}) | {str(lot.product_id): lot.number}
    return redirect(url_for("clinic.day", lot=lot.number), code=303)


def _today(db: Any) -> date:  # noqa: ANN401 - views know no SQL
    site = roster.site(db, site_id=own_site())
    return now().astimezone(ZoneInfo(site.time_zone)).date()
