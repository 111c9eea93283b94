"""The door of a site's stock: shelves, fridges and open vials, what came, went and waits."""

import math
from datetime import date
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response

from healthcert.services import cold_chain, deliveries, knowledge, roster, stock, vials
from healthcert.services.deliveries import Delivery
from healthcert.services.stock import Shelf
from healthcert.web.clinic import day as day_list
from healthcert.web.clinic import own_site
from healthcert.web.here import done, parts, row_of, soon, today
from healthcert.web.moment import now
from healthcert.web.refusals import shown_again

bp = Blueprint("stock", __name__, url_prefix="/clinic/stock")


@bp.get("")
@shown_again(bp)
def shelves() -> str:
    """Show what is there, what waits, and the fridges with what was read last."""
    if request.endpoint == "stock.today":
        return day_list()  # where the carton was scanned
    empty = "empty" in request.args
    with parts().doors.reading() as db:
        sites = {site.id: site for site in roster.sites(db)}
        zone = sites[own_site()].time_zone
        return render_template(
            "clinic/stock.html", empty=empty,
            shelves=cold_chain.shelves(db, site_id=own_site(), empty=empty),
            fridges=cold_chain.fridges(db, site_id=own_site()), sites=sites.values(),
            products=knowledge.offered(db), today=today(zone), soon=soon(zone), now=now(),
            vials=vials.opened(db, site_id=own_site()), zone=zone,
        )  # fmt: skip


@bp.post("/came")
def receive() -> Response:
    """Write down what was delivered: the scan of a carton, or the rest by hand."""
    typed = request.form
    told = Delivery(
        typed.get("quantity", 0, type=int), typed.get("scan", ""), typed.get("product", type=UUID),
        typed.get("number", ""), typed.get("expires_on", type=date.fromisoformat),
        typed.get("fridge", type=UUID), typed.get("vvm_stage", type=int),
    )  # fmt: skip
    with parts().doors.reading() as db:
        day = today(roster.site(db, site_id=own_site()).time_zone)
    done(deliveries.receive, told=told, site_id=own_site(), today=day)
    return redirect(url_for(".shelves"), code=303)


@bp.post("/went")
def move() -> Response:
    """Write down what left a shelf, or that vials held more."""
    typed, shelf = request.form, _shelf()
    told = {"shelf": shelf, "quantity": typed.get("quantity", 0, type=int)}
    kind = typed.get("kind", "")
    if kind == "transferred":
        done(stock.transfer, to=typed.get("to", shelf.site_id, type=UUID), **told)
    else:
        told |= {"reason": typed.get("reason") or None, "besides": "besides" in typed}
        done(stock.move, kind=kind, **told)
    return redirect(url_for(".shelves"), code=303)


@bp.post("/read")
def read() -> Response:
    """Write down what a fridge or the monitor on vials shows; what is harmed is set aside."""
    typed = request.form
    if "lot" in typed:
        done(cold_chain.look, shelf=_shelf(), stage=typed.get("vvm_stage", 0, type=int))
    else:
        celsius = typed.get("celsius", math.nan, type=_degrees)
        fridge_id = row_of(typed, "fridge")
        done(cold_chain.read, fridge_id=fridge_id, celsius=celsius, taken_at=now())
    return redirect(url_for(".shelves"), code=303)


@bp.post("/lies")
def lay() -> Response:
    """Say in which fridge a lot lies."""
    done(stock.lay, shelf=_shelf(), fridge_id=request.form.get("fridge", type=UUID))
    return redirect(url_for(".shelves"), code=303)


@bp.post("/settle")
def settle() -> Response:
    """Decide what becomes of a shelf that waits; or add a fridge, or take one out of use."""
    typed = request.form
    if "name" in typed:
        done(cold_chain.add, name=typed["name"], kind=typed.get("kind", ""))
    elif "fridge" in typed:
        fridge_id = row_of(typed, "fridge")
        done(cold_chain.retire, fridge_id=fridge_id, into=typed.get("into", type=UUID))
    else:
        done(cold_chain.settle, shelf=_shelf(), usable="usable" in typed)
    return redirect(url_for(".shelves"), code=303)


@bp.post("/vial")
def vial() -> Response:
    """Open a vial, or throw away what is left in one."""
    typed = request.form
    if "vial" in typed:
        done(vials.discard, vial_id=row_of(typed, "vial"))
    else:
        thawed_on = typed.get("thawed_on", type=date.fromisoformat)
        done(vials.begin, shelf=_shelf(), thawed_on=thawed_on)
    return redirect(url_for(".shelves"), code=303)


@bp.post("/today", endpoint="today")
def lot_of_today() -> Response:
    """Remember the lot of a carton, so that the form of a dose proposes it on this device."""
    with parts().doors.reading() as db:
        day = today(roster.site(db, site_id=own_site()).time_zone)
        scan = request.form.get("scan", "")
        lot = deliveries.scanned(db, scan, site_id=own_site(), today=day)
    session["lots"] = session.get("lots", {}) | {str(lot.product_id): lot.number}
    return redirect(url_for("clinic.day", lot=lot.number), code=303)


def _degrees(text: str) -> float:
    return float(text.replace(",", ".").replace("\N{MINUS SIGN}", "-"))


def _shelf() -> Shelf:
    return Shelf(own_site(), row_of(request.form, "lot"))
