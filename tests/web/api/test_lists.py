"""Long lists are read by the page: the database is asked for one page, however long the list is."""

from __future__ import annotations

import re

from sqlalchemy import select

from healthcert.models import Draw, Lot, Product, Programme, SessionTemplate, Site, Stock
from tests import factories as make
from tests.certificates import NOW
from tests.statements import sent

LONG = [
    ("admin", "/lots"),
    ("lead", "/sessions"),
    ("lead", "/sessions/templates"),
    ("inspector", "/reactions"),
    ("nurse", "/clinic/stock/lots/{lot}"),
    (None, "/draws"),
]


def add_five(parts, clinic, turn):
    """Add five rows to every long list; return the lot of which there are entries."""
    with parts.doors.transaction() as db:
        site, product = db.get_one(Site, clinic.site_id), db.get_one(Product, clinic.product_id)
        programme = db.get_one(Programme, clinic.programme_id)
        lot = db.scalars(select(Lot).filter_by(number=clinic.lot)).one()
        shelf = db.get(Stock, (site.id, lot.id)) or make.make_shelf(db, site=site, lot=lot)
        of = {"site_id": site.id, "programme_id": programme.id, "product_id": product.id}
        for number in range(5):
            make.make_move(db, shelf)
            new = make.make_lot(db)
            make.make_validity(db, lot=new, state="quarantined", reason="received")
            make.make_validity(db, lot=new, ordinal=2, state="released", reason="released")
            day = make.day(40 + turn + number)
            session = make.make_session(
                db, site=site, product=product, programme=programme, day=day
            )
            for hours in (1, 2):
                make.make_slot(db, session=session, starts_at=NOW.replace(hour=8 + hours))
            make.make_adverse_event(db, site_id=site.id)
            make.add(db, Draw(recorded_at=NOW, programme_id=programme.id, state="announced",
                              commitment=bytes(32), public_source="a lottery",
                              sealed=b"x", rules={}))  # fmt: skip
            make.add(db, SessionTemplate(recorded_at=NOW, weekdays=1, first_day=day, last_day=day,
                                         minutes=10, capacity=3, **of))  # fmt: skip
        return lot.id


def test_a_page_of_a_long_list_costs_the_same_however_long_it_is(parts, clinic, program):
    read = {}
    for turn in (0, 5):
        lot = add_five(parts, clinic, turn)
        for role, path in LONG:
            who = program(role)
            with sent(parts.doors.engine) as told:
                answer = who.get(f"{path.format(lot=lot)}?limit=2")
            assert len(answer.json["items"]) == 2, answer.text
            assert answer.json["next"]
            limited = [text for text in told if "LIMIT" in text]
            assert limited
            assert read.setdefault(path, len(told)) == len(told)


def test_the_pages_of_a_long_list_are_the_whole_list_once(parts, clinic, program):
    lot = add_five(parts, clinic, 0)
    for role, long in LONG:
        who, path = program(role), long.format(lot=lot)
        whole = [str(each) for each in who.get(f"{path}?limit=200").json["items"]]
        pages, cursor = [], ""
        while cursor is not None:
            with sent(parts.doors.engine) as asked:
                answer = who.get(f"{path}?limit=2{cursor and f'&cursor={cursor}'}").json
            assert not cursor or any(re.search(r"\(\w+\.[^()]*\) [<>] ", text) for text in asked), (
                asked
            )
            pages += [str(each) for each in answer["items"]]
            assert len(answer["items"]) <= 2
            cursor = answer["next"]
        assert pages == whole
        assert len(set(whole)) == len(whole) >= 5


def test_a_lot_is_listed_as_it_was_ordered_last(parts, clinic, program):
    add_five(parts, clinic, 0)
    found = program("admin").get("/lots?limit=200").json["items"]
    assert {each["state"] for each in found} == {"released"}


def test_a_program_learns_what_is_given_where_and_as_what(clinic, program):
    """Whoever plans, takes a delivery or writes down a dose names its product."""
    [one] = program().get("/programmes").json["items"]
    given = {each["id"]: each["name"] for each in one["products"]}
    assert given[str(clinic.product_id)] == "Comirnaty"
    [lot, *_more] = program("admin").get("/lots").json["items"]
    assert lot["product"] == "Comirnaty"
    assert lot["product_code"] in {each["code"] for each in one["products"]}
    near = {"programme_id": one["id"], "latitude": 33.9, "longitude": 35.5}
    [free, *_more] = program().post("/slots/search", near).json["items"]
    assert free["product_id"] == str(clinic.product_id)
