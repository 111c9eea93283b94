"""The pages of what came to a shelf and left it, and of what was written down wrong there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from healthcert.models import Lot, Site, Stock, StockMove
from tests import factories as make

ON = "sqlite"  # the deeds are tested on both engines

WENT = {"kind": "wasted", "reason": "broken"}


@pytest.fixture
def came(parts, clinic):
    """A hundred doses of the clinic's lot lie there, where ten came."""
    with parts.doors.transaction() as db:
        site, lot = db.get_one(Site, clinic.site_id), db.scalars(select(Lot)).one()
        shelf = make.make_shelf(db, site=site, lot=lot)
        make.make_move(db, shelf, "received", 100, moved_by=clinic.staff["nurse"])
        return shelf


def first(pattern, page):
    return re.search(rf'href="({pattern}[^"]+)"', page.text)[1]


def left(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Stock.remaining)).one()


@pytest.mark.usefixtures("came")
def test_a_wrong_delivery_is_found_from_its_shelf_and_set_right_by_the_head(parts, staff):
    lead, nurse = staff("lead"), staff("nurse")
    shelf = first("/clinic/stock/lots/", lead.get("/clinic/stock"))
    page = first("/clinic/stock/entries/", lead.get(shelf))
    assert page not in nurse.get(shelf).text
    assert nurse.get(page).status_code == 403
    assert nurse.post(page, {"quantity": "10", "why": "twice"}, page=shelf).status_code == 403
    wrong = lead.post(page, {"quantity": "a few", "why": ""}, page=page)
    assert wrong.status_code == 400
    assert "Doses: enter a whole number, 0 or more" in wrong.text
    assert 'href="#wrong-why">What was wrong: fill this in' in wrong.text
    assert re.search(r'name="quantity"[^>]* value="a few"', wrong.text)
    done = lead.post(page, {"quantity": "10", "why": "wrong_number"}, page=page)
    assert done.location == shelf
    assert left(parts) == 10
    told = re.sub(r"<[^>]*>", "", lead.get(shelf).text)
    for words in ("Taken back: Delivered", "Taken back by no. 3, the right one is no. 2",
                  "Takes back no. 1", "In place of no. 1", "It was another number"):  # fmt: skip
        assert words in told
    assert 'name="why"' not in lead.get(page).text
    assert lead.post(page, {"quantity": "9", "why": "twice"}, page=shelf).status_code == 409


def test_what_has_left_since_is_said_with_how_much_is_left(parts, staff, came):
    lead, nurse = staff("lead"), staff("nurse")
    gone = WENT | {"lot": str(came.lot_id), "quantity": "80"}
    nurse.post("/clinic/stock/went", gone, page="/clinic/stock")
    with parts.doors.reading() as db:
        entry = db.scalars(select(StockMove.id).filter_by(ordinal=1)).one()
    page = f"/clinic/stock/entries/{entry}"
    answer = lead.post(page, {"quantity": "10", "why": "wrong_number"}, page=page)
    assert answer.status_code == 400
    words = re.sub(r"<[^>]*>", "", answer.text)
    assert "more doses than that have left the shelf since" in words
    assert "Doses left there: 20" in words
    assert left(parts) == 20


def test_one_s_own_entry_is_for_another_and_two_may_count(parts, staff, came):
    lead = staff("lead")
    gone = WENT | {"lot": str(came.lot_id), "quantity": "100"}
    lead.post("/clinic/stock/went", gone, page="/clinic/stock")
    shelf = f"/clinic/stock/lots/{came.lot_id}"
    assert shelf not in lead.get("/clinic/stock").text
    assert shelf in lead.get("/clinic/stock?empty=y").text
    with parts.doors.reading() as db:
        own = db.scalars(select(StockMove.id).filter_by(kind="wasted")).one()
    page = f"/clinic/stock/entries/{own}"
    assert page not in lead.get(shelf).text
    shown = lead.get(page).text
    assert "You wrote this down yourself" in shown
    assert 'href="/clinic/closing/"' in shown
    told = {"quantity": "10", "why": "wrong_number"}
    assert lead.post(page, told, page=shelf).status_code == 409
    assert left(parts) == 0


def test_a_long_list_is_shown_in_parts_of_fifty_and_asks_little(parts, staff, came):
    with parts.doors.transaction() as db:
        shelf = db.get_one(Stock, (came.site_id, came.lot_id))
        for _ in range(59):
            make.make_move(db, shelf, "overfill", 1)
    lead, path = staff("lead"), f"/clinic/stock/lots/{came.lot_id}"
    newest = lead.get(path).text
    more = re.search(rf'href="({path}\?before=11)"', newest)[1]
    assert (newest.count("<tr "), lead.get(more).text.count("<tr ")) == (51, 11)
    for before in ("0", "-1", "x", "9" * 30):
        assert lead.get(f"{path}?before={before}").text.count("<tr ") == 51
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(StockMove)) == 60


def test_what_is_at_another_site_is_not_found(parts, staff, came):
    with parts.doors.transaction() as db:
        shelf = make.make_shelf(db)
        move = make.make_move(db, shelf, "received", 5)
    lead = staff("lead")
    page = f"/clinic/stock/entries/{move.id}"
    assert lead.get(f"/clinic/stock/lots/{shelf.lot_id}").status_code == 404
    assert lead.get(page).status_code == 404
    told = {"quantity": "1", "why": "twice"}
    assert lead.post(page, told, page="/clinic/stock").status_code == 404
    assert came.remaining == 100
