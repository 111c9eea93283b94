"""Stock at a site: shelves and what came and went of them, fridges, vials."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from healthcert import models
from healthcert.models.cold_chain import FRIDGES, VVM_STAGES
from healthcert.models.stock import BY_HAND, WASTE_REASONS, WRONG_BECAUSE
from healthcert.services import cold_chain, correcting, deliveries, entries, stock, vials
from healthcert.web.api.deeds import get, post
from healthcert.web.api.lists import Rows
from healthcert.web.api.shapes import Moment, Words, called, of
from healthcert.web.api.words import word

_ORDINALS: Mapping[str, Any] = dict.fromkeys(
    ("takes_back", "in_place_of", "taken_back_by", "right_one"), int | None
)

_OF_STOCK = "site_id lot_id fridge_id set_aside"
Balance = of("Balance", "What there is of a lot; null while a count waits for a second one. "
             "`set_aside` names the reading for which it waits.", models.Stock, _OF_STOCK,
             remaining=int | None)  # fmt: skip
Entered = of(
    "StockEntry",
    "What came to a shelf or left it. `ordinal` counts them from the first; the last four "
    "are ordinals too: what it takes back or stands in place of, what did so with it.",
    models.StockMove, "id ordinal recorded_at kind quantity reason", by=str, second=str | None,
    other_site=Words | None,
    **_ORDINALS,
)  # fmt: skip
Numbered = of("Numbered", "A lot of a product.", models.Lot, "id number state product_id")
Shelf = of("Shelf", "A lot at one's site.", stock=Balance, lot=Numbered, product=str,
           expires_on=date)  # fmt: skip
Cold = of("Cold", "A fridge or freezer, and what was read on it last.", models.Fridge,
          "id name kind", celsius=float | None, taken_at=Moment | None)  # fmt: skip
VialLeft = of(
    "VialLeft", "A vial that is open, and how many doses are left in it; of one that is `barred` "
    "nothing is given: its lot is not released, recalled, or set aside.", lot=Numbered, left=int,
    barred=bool,
    vial=of("OneVial", "A vial.", models.Vial, "id recorded_at use_until thawed_on doses"),
)  # fmt: skip

_FRIDGES, _VIALS = "/clinic/fridges", "/clinic/vials"


def _blind(stock: models.Stock, counting: bool) -> dict[str, Any]:  # noqa: FBT001 - of a row
    """Return what there is of a lot, without what a second count is to find."""
    told = {name: getattr(stock, name) for name in _OF_STOCK.split()}
    return told | {"remaining": None if counting else stock.remaining}


get("/clinic/stock", cold_chain.shelves, answer=Rows(Shelf, "product lot.number lot.id"),
    read=lambda rows: [
    {"stock": _blind(row[0], row[5]), "lot": row[1], "product": row[2].name,
     "expires_on": row[3].expires_on}
    for row in rows
], about="List the shelves of one's site; with `empty`, also those with nothing left.")  # fmt: skip
post("/clinic/stock/deliveries", deliveries.receive, status=201)
post("/clinic/stock/moves", stock.move, name="move_stock",
     body={"kind": word(BY_HAND[:4]), "reason": word(WASTE_REASONS) | None})  # fmt: skip
post("/clinic/stock/transfers", stock.transfer, body={"to": called("to_site_id", UUID)})
get("/clinic/stock/lots/<uuid:lot_id>", entries.listed, name="entries",
    answer=Rows(Entered, "ordinal", newest=True))  # fmt: skip
post("/clinic/stock/entries/<uuid:move_id>", correcting.correct, name="correct_entry",
     body={"why": called("reason", word(WRONG_BECAUSE))})  # fmt: skip
post("/clinic/stock/places", stock.lay)
post("/clinic/stock/settle", cold_chain.settle)
post("/clinic/stock/monitors", cold_chain.look, name="read_monitor",
     body={"stage": called("vvm_stage", word(VVM_STAGES))})  # fmt: skip
get(_FRIDGES, cold_chain.fridges, answer=Rows(Cold, "name id"))
post(_FRIDGES, cold_chain.add, name="add_fridge", body={"kind": word(FRIDGES)})
post(f"{_FRIDGES}/<uuid:fridge_id>/readings", cold_chain.read, name="read_fridge")
post(f"{_FRIDGES}/<uuid:fridge_id>/gone", cold_chain.retire, name="retire_fridge",
     body={"into": called("into_fridge_id", UUID | None)})  # fmt: skip
get(_VIALS, vials.opened, answer=Rows(VialLeft, "vial.use_until vial.id"), name="open_vials")
post(_VIALS, vials.begin, status=201, name="open_vial")
post(f"{_VIALS}/<uuid:vial_id>/discard", vials.discard, name="discard_vial")
