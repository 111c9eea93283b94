"""The pages of stock, of sessions and of lots: what staff do there, and what they are told."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import event, func, select, update

from healthcert.jobs.sessions import rebook
from healthcert.models import (
    ClinicSession,
    ColdReading,
    Dose,
    Fridge,
    Lot,
    LotValidity,
    Product,
    Programme,
    SessionTemplate,
    Site,
    Slot,
    Staff,
    Stock,
    StockMove,
    Vial,
)
from healthcert.services import hours
from tests import factories as make
from tests.certificates import NOW
from tests.factories import TODAY, day
from tests.web.conftest import two_levels

ON = "sqlite"  # the deeds are tested on both engines

CARTON = "]d201003592671000231729033110EJ6796\x1d21S1"
PLAN = {
    "weekdays": ["1", "3"], "first_day": day(1).isoformat(), "last_day": day(28).isoformat(),
    "minutes": "30", "capacity": "4", "kept_phone": "1", "kept_walk_in": "0",
    "kept_second_dose": "0", "kept_waiting": "0",
}  # fmt: skip


@pytest.fixture
def came(parts, clinic):
    """Ten doses of the clinic's lot lie there."""
    with parts.doors.transaction() as db:
        shelf = make.make_shelf(
            db, site=db.get_one(make.Site, clinic.site_id), lot=db.scalars(select(Lot)).one()
        )
        make.make_move(db, shelf, "received", 10)
        return shelf


def one(parts, query):
    with parts.doors.reading() as db:
        return db.scalars(query).one()


def test_a_carton_that_is_scanned_is_on_the_shelf_and_waits_for_its_release(parts, staff):
    clerk = staff("clerk")
    answer = clerk.post("/clinic/stock/came", {"scan": CARTON, "quantity": "195"},
                        page="/clinic/stock", follow_redirects=True)  # fmt: skip
    assert "EJ6796" in answer.text
    assert "Not released" in answer.text
    lot = one(parts, select(Lot).filter_by(number="EJ6796"))
    assert lot.state == "quarantined"
    ends = select(LotValidity.expires_on).filter_by(lot_id=lot.id)
    assert one(parts, ends).isoformat() == "2029-03-31"
    assert one(parts, select(Stock.remaining).filter_by(lot_id=lot.id)) == 195


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"scan": CARTON.replace("23172", "24172")}, "a digit was misread"),
        ({"scan": "(01)09521234543213(17)290331(10)A"}, "no vaccine here has this carton"),
        ({"scan": "EJ6796"}, "this is not what a carton"),
        ({"number": "", "expires_on": "2029-03-31"}, "fill this in"),
        ({"number": "AB", "expires_on": "soon"}, "fill this in"),
        ({"scan": CARTON, "quantity": "0"}, "enter a whole number"),
    ],
)
def test_what_cannot_be_delivered_is_refused_with_the_reason(parts, clinic, staff, typed, words):
    told = {"quantity": "10", "product": str(clinic.product_id)} | typed
    answer = staff("nurse").post("/clinic/stock/came", told, page="/clinic/stock")
    assert answer.status_code == 400
    assert words in answer.text
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(StockMove)) == 0


def test_a_delivery_that_was_written_down_wrong_is_set_right_by_two_and_both_stay_on_record(
    parts, staff, came
):
    nurse, lead = staff("nurse"), staff("lead")
    assert 'href="/clinic/closing/"' in nurse.get("/clinic/stock").text
    assert "A delivery was written down wrong" in staff("clerk").get("/clinic/stock").text
    for who in (nurse, lead):
        who.post(f"/clinic/closing/lots/{came.lot_id}", {"found": "0"}, page="/clinic/closing/")
    assert one(parts, select(Stock.remaining).filter_by(lot_id=came.lot_id)) == 0
    with parts.doors.reading() as db:
        moves = select(StockMove.kind, StockMove.quantity).order_by(StockMove.ordinal)
        assert db.execute(moves).all() == [("received", 10), ("counted", -10)]


def test_a_lot_typed_with_another_last_day_than_our_books_have_is_refused(clinic, staff):
    told = {"product": str(clinic.product_id), "number": clinic.lot, "quantity": "10"}
    nurse = staff("nurse")
    for ends, status in ((day(181), 400), (day(180), 303)):
        wanted = told | {"expires_on": ends.isoformat()}
        assert nurse.post(
            "/clinic/stock/came", wanted, page="/clinic/stock"
        ).status_code == status  # fmt: skip


def test_what_is_wasted_returned_or_sent_on_leaves_the_shelf(parts, clinic, staff, came):
    with parts.doors.transaction() as db:
        other = make.make_site(db).id
    nurse = staff("nurse")
    for kind, more, status in (
        ("wasted", {"reason": "broken"}, 303),
        ("wasted", {}, 400),
        ("returned", {}, 303),
        ("transferred", {"to": str(other)}, 303),
        ("transferred", {}, 400),
        ("stolen", {}, 400),
    ):
        told = {"lot": str(came.lot_id), "kind": kind, "quantity": "2", **more}
        answer = nurse.post("/clinic/stock/went", told, page="/clinic/stock")
        assert answer.status_code == status, kind
    here = select(Stock).filter_by(site_id=clinic.site_id)
    found = one(parts, here)
    assert (found.remaining, found.wasted, found.returned, found.transferred_out) == (4, 2, 2, 2)


def test_a_warm_fridge_sets_the_lot_aside_until_the_head_of_the_site_decides(parts, staff, came):
    lead, nurse = staff("lead"), staff("nurse")
    added = lead.post("/clinic/stock/settle", {"name": "A", "kind": "fridge"}, page="/clinic/stock")
    assert added.status_code == 303
    fridge = one(parts, select(Fridge.id))
    answer = nurse.post("/clinic/stock/read", {"fridge": str(fridge), "celsius": "12.5"},
                        page="/clinic/stock", follow_redirects=True)  # fmt: skip
    assert "Do not give lot" in answer.text
    assert "may be used" not in answer.text
    told = {"lot": str(came.lot_id), "usable": "y"}
    assert nurse.post("/clinic/stock/settle", told, page="/clinic/stock").status_code == 403
    assert "may be used" in lead.get("/clinic/stock").text
    lead.post("/clinic/stock/settle", told, page="/clinic/stock")
    assert one(parts, select(Stock.set_aside)) is None
    assert lead.post("/clinic/stock/settle", told, page="/clinic/stock").status_code == 409
    for wrong in ("", "warm", "nan", "99"):
        told = {"fridge": str(fridge), "celsius": wrong}
        assert nurse.post("/clinic/stock/read", told, page="/clinic/stock").status_code == 400


@pytest.mark.usefixtures("came")
def test_a_fridge_that_is_gone_leaves_the_page_once_its_doses_lie_in_another(parts, staff):
    lead, nurse = staff("lead"), staff("nurse")
    for name in "AB":
        lead.post("/clinic/stock/settle", {"name": name, "kind": "fridge"}, page="/clinic/stock")
    broken, other = (one(parts, select(Fridge.id).filter_by(name=name)) for name in "AB")
    with parts.doors.transaction() as db:
        db.execute(update(Stock).values(fridge_id=broken))
    told = {"fridge": str(broken)}
    assert nurse.post("/clinic/stock/settle", told, page="/clinic/stock").status_code == 403
    assert "out of use" in lead.get("/clinic/stock").text
    assert "out of use" not in nurse.get("/clinic/stock").text
    answer = lead.post("/clinic/stock/settle", told | {"into": ""}, page="/clinic/stock")
    assert answer.status_code == 400
    asked = 'href="#wrong-into">Where its doses lie now: doses still lie in this fridge'
    assert asked in answer.text
    assert answer.text.count('id="wrong-into"') == 1
    told |= {"into": str(other)}
    assert lead.post("/clinic/stock/settle", told, page="/clinic/stock").status_code == 303
    assert one(parts, select(Stock.fridge_id)) == other
    shown = lead.get("/clinic/stock").text
    assert str(broken) not in shown
    assert str(other) in shown
    assert lead.post("/clinic/stock/settle", told, page="/clinic/stock").status_code == 409
    wrong = {"fridge": str(make.new_id()), "into": ""}
    assert lead.post("/clinic/stock/settle", wrong, page="/clinic/stock").status_code == 404


def test_where_a_lot_lies_is_said_and_shown_and_nothing_is_chosen_beforehand(parts, staff, came):
    lead = staff("lead")
    for name in ("A", "B"):
        lead.post("/clinic/stock/settle", {"name": name, "kind": "fridge"}, page="/clinic/stock")
    shown = lead.get("/clinic/stock").text
    for field in ("lot", "kind", "reason", "fridge"):
        for chosen in re.findall(
            rf'<select[^>]*name="{field}"[^>]*>\s*<option value="([^"]*)"', shown
        ):
            assert chosen in ("", "fridge")
    second = one(parts, select(Fridge.id).filter_by(name="B"))
    nowhere = {"lot": "", "fridge": str(second)}
    answer = lead.post("/clinic/stock/lies", nowhere, page="/clinic/stock")
    assert answer.status_code == 400
    assert 'href="#wrong-lot"' in answer.text
    read = {"fridge": "", "celsius": "4"}
    assert lead.post("/clinic/stock/read", read, page="/clinic/stock").status_code == 400
    for fridge, told in ((str(second), "B"), ("", "\N{EN DASH}")):
        where = {"lot": str(came.lot_id), "fridge": fridge}
        page = lead.post("/clinic/stock/lies", where, page="/clinic/stock", follow_redirects=True)
        row = (
            page.text.partition("Lots at this site")[2].partition("</tr>")[2].partition("</tr>")[0]
        )
        assert re.findall(r"<bdi>([^<]*)</bdi>", row)[-1] == told
    assert one(parts, select(Stock.fridge_id)) is None


@pytest.mark.parametrize(
    ("left", "words"), [(-1, "Past its date"), (0, "Ends soon"), (13, "Ends soon"), (14, "")]
)
def test_a_lot_that_ends_soon_is_told_in_time(parts, staff, left, words):
    with parts.doors.transaction() as db:
        nurse = db.scalars(select(Staff).filter_by(role="nurse")).one()
        lot = make.make_lot(db, product=db.scalars(select(Product).limit(1)).one(), number="SOON")
        make.make_validity(db, lot=lot, released_on=day(-30), since=day(-30), expires_on=day(left))
        make.make_move(db, make.make_shelf(db, site=db.get_one(Site, nurse.site_id), lot=lot))
    for who, page in (("nurse", "/clinic/stock"), ("admin", "/admin/lots")):
        row = staff(who).get(page).text.partition("SOON")[2].partition("Sign out")[0][:900]
        for mark in ("Past its date", "Ends soon"):
            assert (mark in row) is (mark == words), page


def vial_of(parts):
    return one(parts, select(Vial.id).filter_by(state="open"))


def reading(db, shelf):
    """Return what was read on the monitor of a shelf."""
    row = ColdReading(
        recorded_at=NOW, lot_id=shelf.lot_id, site_id=shelf.site_id, vvm_stage=4, taken_at=NOW,
        read_by=db.scalars(select(Staff.id).limit(1)).one(),
    )  # fmt: skip
    return make.add(db, row).id


def test_a_vial_is_opened_its_clock_told_in_words_and_its_rest_thrown_away(
    parts, staff, came, book
):
    nurse, lead = staff("nurse"), staff("lead")
    assert "Open vials" not in nurse.get("/clinic/stock").text
    told = {"lot": str(came.lot_id), "thawed_on": day(-1).isoformat()}
    answer = nurse.post("/clinic/stock/vial", told, page="/clinic/stock", follow_redirects=True)
    assert "6 hours" in answer.text
    standby = lead.get("/clinic/standby").text
    assert "6 doses are left in an open vial" in standby
    assert re.search(r'name="doses"[^>]*value="6"', standby)
    book()
    visit = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
    barred = "Do not give from the open vial of lot"
    for is_barred in (True, False):
        with parts.doors.transaction() as db:
            db.execute(update(Stock).values(set_aside=reading(db, came) if is_barred else None))
        for page in ("/clinic/stock", f"{visit}/dose"):
            assert (barred in nurse.get(page).text) is is_barred
        assert ("left in an open vial" in lead.get("/clinic/standby").text) is not is_barred
    for until, words in ((NOW + timedelta(minutes=59.5), "59 minutes"), (NOW, "is past its time")):
        with parts.doors.transaction() as db:
            db.execute(update(Vial).values(use_until=until))
        assert words in nurse.get("/clinic/stock").text
        assert "left in an open vial" not in lead.get("/clinic/standby").text  # who comes is late
    assert "is past its time" in nurse.get(f"{visit}/dose").text
    gone = {"vial": str(vial_of(parts))}
    for status in (303, 409):
        answer = nurse.post("/clinic/stock/vial", gone, page="/clinic/stock")
        assert answer.status_code == status
    assert "Open vials" not in nurse.get("/clinic/stock").text
    assert "is past its time" not in nurse.get(f"{visit}/dose").text
    assert one(parts, select(Stock.wasted)) == 6


def test_what_was_discarded_and_is_typed_again_is_asked_about(parts, staff, came):
    nurse, told = staff("nurse"), {"lot": str(came.lot_id)}
    nurse.post("/clinic/stock/vial", told, page="/clinic/stock")
    nurse.post("/clinic/stock/vial", {"vial": str(vial_of(parts))}, page="/clinic/stock")
    told |= {"kind": "wasted", "reason": "opened_vial", "quantity": "2"}
    page = "/clinic/stock"
    assert 'name="besides"' not in nurse.get(page).text
    again = nurse.post("/clinic/stock/went", told, page=page)
    assert (again.status_code, 'name="besides"' in again.text) == (400, True)
    assert "do not write it down again" in again.text
    assert 'value="2"' in again.text
    assert one(parts, select(Stock.wasted)) == 6
    other = told | {"besides": "y"}
    many = nurse.post("/clinic/stock/went", other | {"quantity": "99"}, page=page)
    assert (many.status_code, "there are not so many doses" in many.text) == (400, True)
    assert 'name="besides" type="checkbox" value="y" checked' in many.text
    assert nurse.post("/clinic/stock/went", other, page=page).status_code == 303
    assert one(parts, select(Stock.wasted)) == 8


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"lot": "x"}, 404),
        ({"vial": "x"}, 404),
        ({"thawed_on": day(2).isoformat()}, 400),
    ],
)
def test_what_cannot_be_opened_is_refused(staff, came, told, status):
    told = {"lot": str(came.lot_id)} | told
    answer = staff("nurse").post("/clinic/stock/vial", told, page="/clinic/stock")
    assert answer.status_code == status


def test_the_lot_of_a_carton_is_proposed_until_a_dose_was_given(parts, clinic, staff, book):
    with parts.doors.transaction() as db:
        product = db.get_one(Product, clinic.product_id)
        make.make_validity(db, lot=make.make_lot(db, product=product, number="B2"))
    nurse = staff("nurse")
    book()
    book(1, identity_value="KANARI 654321", phone="+44 7700 900124")
    visits = re.findall(r'"(/clinic/appointments/[0-9a-f-]+)"', nurse.get("/clinic/").text)
    visit, following = dict.fromkeys(visits)

    def proposed() -> list[str]:
        form = nurse.get(f"{following}/dose").text
        return re.findall(r'<option value="(\w+)" selected', form.partition('name="lot"')[2])[:1]

    scan = {"scan": "(01)00359267100023(10)B2"}
    answer = nurse.post("/clinic/stock/today", scan, page="/clinic/", follow_redirects=True)
    assert "now proposes lot" in answer.text
    assert proposed() == ["B2"]
    wrong = nurse.post("/clinic/stock/today", {"scan": "B2"}, page="/clinic/")
    assert wrong.status_code == 400
    given = {"identity": "y", "product": str(clinic.product_id), "lot": clinic.lot}
    assert nurse.post(f"{visit}/dose", given | {"body_site": "LA"}).status_code == 303
    assert proposed() == [clinic.lot]


def plan(clinic, **changes):
    return PLAN | {"site": str(clinic.site_id), "product": str(clinic.product_id)} | changes


@pytest.fixture
def lead(parts, clinic, staff):
    with parts.doors.transaction() as db:
        hours.begin(db, site_id=clinic.site_id, spans=hours.read("Mo-Su 08:00-12:00"), closed=[],
                    now=NOW)  # fmt: skip
    return staff("lead")


def test_what_is_planned_stands_by_week_for_one_site_and_by_day_for_several(
    parts, clinic, lead, staff
):
    def groups(who):
        text = who.get("/admin/sessions").text
        shown = re.findall(r"(?s)<details[^>]*?( open)?>\s*<summary.*?-text\">(.*?)</span>", text)
        told = [(bool(is_open), re.sub(r"<[^>]+>|\s+", " ", words)) for is_open, words in shown]
        return [(is_open, " ".join(words.split())) for is_open, words in told if "booked" in words]

    lead.post("/admin/sessions", plan(clinic), page="/admin/sessions")
    assert groups(lead)[:2] == [
        (True, "2 March 2026 to 4 March 2026 · 0 of 38 places booked"),
        (False, "9 March 2026 to 11 March 2026 · 0 of 64 places booked"),
    ]
    with parts.doors.transaction() as db:
        body = make.make_organisation(db)
        db.get_one(Site, clinic.site_id).organisation_id = body.id
        db.get_one(Staff, clinic.staff["admin"]).organisation_id = body.id
        here = db.scalars(select(ClinicSession).where(ClinicSession.day == day(0))).one()
        other = make.make_session(
            db, site=make.make_site(db, organisation_id=body.id),
            programme=db.get_one(Programme, here.programme_id),
            product=db.get_one(Product, here.product_id),
        )  # fmt: skip
        make.make_slot(db, session=other, capacity=5)
    assert groups(staff("admin"))[:2] == [
        (True, "2 March 2026 · 0 of 11 places booked"),
        (False, "4 March 2026 · 0 of 32 places booked"),
    ]


def test_a_preview_shows_what_a_plan_makes_and_the_second_word_makes_it(parts, clinic, lead):
    shown = lead.get("/admin/sessions/preview", query_string=plan(clinic))
    assert "8 sessions would be made" in shown.text
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(SessionTemplate)) == 0
    answer = lead.post("/admin/sessions", plan(clinic), page="/admin/sessions")
    assert answer.status_code == 303
    assert "The plan is kept. Its sessions up to" in lead.get(answer.location).text
    later = lead.get("/admin/sessions", query_string={"first": day(22).isoformat()}).text
    assert later.count("govuk-tag--green") == 2
    with parts.doors.reading() as db:
        made = select(func.count()).where(ClinicSession.template_id.is_not(None))
        assert db.scalar(made) == 8
        slots = select(Slot).join(ClinicSession, ClinicSession.id == Slot.session_id)
        slots = db.scalars(slots.where(ClinicSession.template_id.is_not(None))).all()
        assert {(slot.capacity, slot.kept_phone) for slot in slots} == {(4, 1)}
    again = lead.get("/admin/sessions/preview", query_string=plan(clinic))
    assert "This makes no session" in again.text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"weekdays": []}, 400),
        ({"weekdays": ["9"]}, 400),
        ({"first_day": "soon"}, 400),
        ({"minutes": "4"}, 400),
        ({"minutes": "x"}, 400),
        ({"capacity": ""}, 400),
        ({"kept_phone": "9"}, 400),
        ({"product": ""}, 400),
        ({"product": "x"}, 404),
        ({"site": ""}, 400),
        ({"site": "00000000-0000-0000-0000-000000000000"}, 404),
    ],
)
def test_a_plan_that_cannot_be_is_refused_before_and_after_its_preview(
    parts, clinic, lead, changes, status
):
    told = plan(clinic, **changes)
    assert lead.get("/admin/sessions/preview", query_string=told).status_code == status
    assert lead.post("/admin/sessions", told, page="/admin/sessions").status_code == status
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(SessionTemplate)) == 0


def another_session(parts, clinic):
    with parts.doors.transaction() as db:
        session = make.make_session(
            db, site=db.get_one(make.Site, clinic.site_id), day=day(2),
            programme=db.get_one(make.Programme, clinic.programme_id),
            product=db.get_one(Product, clinic.product_id),
        )  # fmt: skip
        make.make_slot(db, session=session)


def test_closing_a_day_says_how_many_people_it_is_and_books_them_anew(parts, clinic, lead, book):
    book(0)
    another_session(parts, clinic)
    told = {"site": str(clinic.site_id), "day": TODAY.isoformat()}
    shown = lead.get("/admin/sessions/close", query_string=told)
    assert "1 person is booked there" in shown.text
    answer = lead.post("/admin/sessions/close", told, page="/admin/sessions")
    assert "gets another time now" in lead.get(answer.location).text
    assert rebook(parts, NOW) == 1
    assert "Cancelled" in lead.get("/admin/sessions").text
    for wrong in ({"day": "soon"}, {"site": "x"}, {"day": day(-1).isoformat()}):
        assert lead.get("/admin/sessions/close", query_string=told | wrong).status_code in {
            400,
            404,
        }


def test_cancelling_one_session_says_how_many_people_it_is_and_books_them_anew(
    parts, clinic, lead, book
):
    book(0)
    session = one(parts, select(ClinicSession.id))
    another_session(parts, clinic)
    page, told = "/admin/sessions/cancel", {"session": str(session)}
    shown = lead.get(page, query_string=told).text
    assert "1 person is booked there and gets" in shown
    assert 'href="/admin/sessions" class="govuk-back-link"' in shown
    assert one(parts, select(ClinicSession.state).filter_by(id=session)) == "published"
    for status in (303, 409):
        assert lead.post(page, told, page="/admin/sessions").status_code == status
    assert rebook(parts, NOW) == 1
    assert "Cancelled" in lead.get("/admin/sessions").text
    assert lead.get(page, query_string={"session": "x"}).status_code == 404
    assert lead.post(page, {}, page="/admin/sessions").status_code == 404


def test_a_plan_ends_from_a_day_on_with_all_that_it_made_and_another_takes_its_days(
    parts, clinic, lead, book
):
    lead.post("/admin/sessions", plan(clinic), page="/admin/sessions")
    made = one(parts, select(SessionTemplate.id))
    assert 'href="/admin/sessions?plan=all"' in lead.get("/admin/sessions").text
    shown = lead.get("/admin/sessions?plan=all").text
    assert "Monday\u00a0· Wednesday" in shown
    assert "End a plan" not in shown
    [ending] = re.findall(rf'href="(/admin/sessions\?plan={made}[^"]*)">End it', shown)
    assert re.search(rf'name="plan" value="{made}"', lead.get(ending).text)
    book(0)  # of no plan
    page, told = "/admin/sessions/end", {"plan": str(made), "since": day(8).isoformat()}
    shown = lead.get(page, query_string=told).text
    assert "6 sessions are cancelled, and their plan makes no more." in shown
    assert "0 people are booked there" in shown
    for status in (303, 409):
        assert lead.post(page, told, page="/admin/sessions").status_code == status
    with parts.doors.reading() as db:
        its = select(ClinicSession.state).filter_by(template_id=made).order_by(ClinicSession.day)
        assert list(db.scalars(its)) == ["published"] * 2 + ["cancelled"] * 6
    shown = lead.get("/admin/sessions?plan=all").text
    assert re.search(r"before <time[^>]*>10 Mar 2026", shown)
    later = lead.get(f"/admin/sessions?plan=all&first={day(8)}").text
    assert "No plan goes on." in later
    again = lead.get("/admin/sessions/preview", query_string=plan(clinic))
    assert "6 sessions would be made" in again.text


def test_the_plans_say_how_many_places_they_have_and_for_whom_some_are_kept(clinic, lead):
    wanted = plan(clinic, kept_waiting="2")
    lead.post("/admin/sessions", wanted, page="/admin/sessions")
    shown = re.sub(r"<[^>]+>|\s+", " ", lead.get("/admin/sessions?plan=all").text)
    assert re.search(r"People at each time +4 ", shown)
    assert re.search(r"Kept for the telephone +1 ", shown)
    assert re.search(r"Kept for the waiting list +2 ", shown)
    assert "those who walk in" not in shown


def test_a_plan_that_has_made_nothing_ends_and_a_day_that_cannot_be_is_said_beside_the_field(
    parts, clinic, lead
):
    first, last = day(300).isoformat(), day(310).isoformat()
    lead.post(
        "/admin/sessions", plan(clinic, first_day=first, last_day=last), page="/admin/sessions"
    )
    page, made = "/admin/sessions/end", one(parts, select(SessionTemplate.id))
    for since, words in (
        ("", "From which day on: fill this in"),
        (day(-1).isoformat(), "From which day on: this is too long ago"),
        (day(311).isoformat(), "From which day on: the plan is over by then"),
    ):
        told = {"plan": str(made), "since": since}
        for answer in (
            lead.get(page, query_string=told), lead.post(page, told, page="/admin/sessions")
        ):  # fmt: skip
            assert answer.status_code == 400
            assert words in answer.text
            assert 'id="wrong-since"' in answer.text
            assert re.search(rf'name="plan" value="{made}"', answer.text)
    told = {"plan": str(made), "since": day(1).isoformat()}
    assert "0 sessions are cancelled" in lead.get(page, query_string=told).text
    assert lead.post(page, told, page="/admin/sessions").status_code == 303
    assert "No plan goes on." in lead.get("/admin/sessions?plan=all").text
    for wrong in ({"plan": "x"}, {"plan": str(make.new_id())}):
        assert lead.get(page, query_string=told | wrong).status_code == 404
        assert lead.post(page, told | wrong, page="/admin/sessions").status_code == 404


def test_a_day_that_was_closed_by_mistake_is_opened_again_from_where_it_was_closed(
    parts, clinic, lead
):
    lead.post("/admin/sessions", plan(clinic), page="/admin/sessions")
    told = {"site": str(clinic.site_id), "day": day(2).isoformat()}
    page, opens = "/admin/sessions/close", told | {"open": "y"}
    assert lead.post(page, opens, page="/admin/sessions").status_code == 409
    lead.post(page, told, page="/admin/sessions")
    shown = lead.get(page, query_string=told).text
    assert "The site is closed on this day." in shown
    assert "Close the site on this day" not in shown
    for status in (303, 409):
        answer = lead.post(page, opens, page="/admin/sessions")
        assert answer.status_code == status
    with parts.doors.reading() as db:
        states = select(ClinicSession.state).filter_by(day=day(2)).order_by(ClinicSession.id)
        assert list(db.scalars(states)) == ["cancelled", "published"]
    assert "0 people are booked there" in lead.get(page, query_string=told).text


def test_of_several_sites_one_is_looked_at_alone(app, parts, clinic, staff, lead):
    lead.post("/admin/sessions", plan(clinic), page="/admin/sessions")
    two_levels(app, clinic)
    with parts.doors.transaction() as db:
        whose = db.get_one(make.Site, clinic.site_id).organisation_id
        other = make.make_site(db, organisation_id=whose).id
    admin = staff("admin")
    for page, none in (("", "Nothing is planned."), ("plan=all", "No plan goes on.")):
        path = f"/admin/sessions?{page}&at="
        assert none not in admin.get(path).text
        assert none not in admin.get(f"{path}{clinic.site_id}").text
        shown = admin.get(f"{path}{other}").text
        assert none in shown
        assert re.search(rf'<option value="{other}" selected', shown)
        assert 'name="at"' not in lead.get(path).text


def test_who_lost_a_place_is_listed_for_the_site(parts, clinic, lead, book):
    _browser, reference = book(0)
    told = {"site": str(clinic.site_id), "day": TODAY.isoformat()}
    lead.post("/admin/sessions/close", told, page="/admin/sessions")
    assert rebook(parts, NOW) == 0
    assert reference in lead.get("/admin/sessions").text


def test_a_session_takes_more_people_and_never_fewer_than_are_booked(parts, lead, book):
    book(0)
    session = one(parts, select(ClinicSession.id))
    for capacity, status in (("9", 303), ("0", 400), ("", 400)):
        told = {"session": str(session), "capacity": capacity}
        answer = lead.post("/admin/sessions/size", told, page="/admin/sessions")
        assert answer.status_code == status
    for kept, status in (("2", 303), ("", 303), ("10", 400), ("-1", 400), ("x", 400)):
        told = {"session": str(session), "capacity": "9", "kept_phone": kept}
        answer = lead.post("/admin/sessions/size", told, page="/admin/sessions")
        assert answer.status_code == status, kept
    assert "Kept for the telephone: keep no more places than there are" in answer.text
    told = {"session": str(session), "capacity": "9", "kept_waiting": "10"}
    answer = lead.post("/admin/sessions/size", told, page="/admin/sessions")
    assert "Kept for the waiting list: keep no more places than there are" in answer.text
    assert "The session is changed." in lead.get("/admin/sessions?done=resized").text
    with parts.doors.reading() as db:
        assert set(db.scalars(select(Slot.kept_phone))) == {2}
    told = {"session": "00000000-0000-0000-0000-000000000000", "capacity": "9"}
    assert lead.post("/admin/sessions/size", told, page="/admin/sessions").status_code == 404
    with parts.doors.reading() as db:
        assert set(db.scalars(select(Slot.capacity))) == {9}


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_a_session_that_is_over_or_cancelled_is_not_resized(parts, lead, state):
    with parts.doors.transaction() as db:
        session = db.scalars(select(ClinicSession)).one()
        session.state, told = state, {"session": str(session.id), "capacity": "9"}
    answer = lead.post("/admin/sessions/size", told, page="/admin/sessions")
    assert answer.status_code == 409
    with parts.doors.reading() as db:
        assert 9 not in set(db.scalars(select(Slot.capacity)))


def test_no_session_is_chosen_before_somebody_chooses(lead, book):
    book(0)
    page = lead.get("/admin/sessions").text
    choices = re.findall(r'(?s)name="session".*?<option value="(.*?)"', page)
    assert choices == ["", ""]
    told = {"session": "", "capacity": "9"}
    for answer in (
        lead.post("/admin/sessions/size", told, page="/admin/sessions"),
        lead.get("/admin/sessions/cancel", query_string=told),
    ):
        assert answer.status_code == 400
        assert "Session: fill this in" in answer.text


@pytest.mark.parametrize("path", ["/admin/sessions/close", "/admin/lots/{lot}/recall"])
def test_what_is_grave_asks_who_it_is_again(parts, app, clinic, staff, clock, path):
    two_levels(app, clinic)
    admin = staff("admin")
    clock.pass_by(minutes=6)
    lot = one(parts, select(Lot.id))
    answer = admin.get(path.format(lot=lot))
    assert answer.status_code == 303
    assert "/sign-in/again" in answer.location


def test_a_recall_says_whom_it_reaches_and_is_one_act(parts, clinic, staff, book):
    nurse, admin = staff("nurse"), staff("admin")
    book()
    visit = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
    given = {"identity": "y", "product": str(clinic.product_id), "lot": clinic.lot}
    nurse.post(f"{visit}/dose", given | {"body_site": "LA"})
    lot = one(parts, select(Dose.lot_id))
    page = f"/admin/lots/{lot}/recall"
    shown = admin.get(page).text
    assert "Harbour" in shown
    for reason in ({}, {"reason": ""}, {"reason": "boredom"}):
        refused = admin.post(page, reason)
        assert refused.status_code == 400
        assert 'href="#wrong-reason">The reason: fill this in' in refused.text
    assert re.search(r'<select[^>]*name="reason"[^>]*>\s*<option value=""', shown)
    answer = admin.post(page, {"reason": "regulator"}, follow_redirects=True)
    assert "The lot is recalled" in answer.text
    assert "Doses still to be judged" in answer.text
    assert one(parts, select(Lot.state)) == "recalled"
    assert admin.post(page, {"reason": "regulator"}).status_code in {303, 409}


def test_a_lot_is_used_up_once_nothing_of_it_lies_anywhere(parts, staff, came):
    admin, nurse = staff("admin"), staff("nurse")
    page = f"/admin/lots/{came.lot_id}/used-up"
    assert page in admin.get("/admin/lots").text
    assert admin.post(page, page="/admin/lots").status_code == 409
    gone = {"lot": str(came.lot_id), "kind": "wasted", "reason": "expired", "quantity": "10"}
    assert nurse.post("/clinic/stock/went", gone, page="/clinic/stock").status_code == 303
    assert admin.post(page, page="/admin/lots").status_code == 303
    assert one(parts, select(Lot.state)) == "exhausted"
    assert page not in admin.get("/admin/lots").text


def test_a_lot_is_set_aside_everywhere_from_today_on_and_released_again(parts, staff, came):
    admin = staff("admin")
    page = f"/admin/lots/{came.lot_id}/set-aside"
    assert page in admin.get("/admin/lots").text
    for reason in ({}, {"reason": "boredom"}):
        refused = admin.post(page, reason, page="/admin/lots")
        assert refused.status_code == 400
        assert 'href="#wrong-reason">The reason: fill this in' in refused.text
    assert admin.post(page, {"reason": "producer"}, page="/admin/lots").status_code == 303
    assert one(parts, select(Lot.state)) == "quarantined"
    last = one(parts, select(LotValidity).filter_by(state="quarantined", reason="producer"))
    assert last.since == TODAY  # what was given before counts as it did
    assert page not in admin.get("/admin/lots").text
    assert admin.post(page, {"reason": "producer"}, page="/admin/lots").status_code == 303
    admin.post(f"/admin/lots/{came.lot_id}", {}, page="/admin/lots")
    assert one(parts, select(Lot.state)) == "released"
    nurse = staff("nurse")
    assert nurse.post(page, {"reason": "producer"}, page="/clinic/stock").status_code == 403


def test_a_lot_is_released_by_another_and_extended_as_its_regulator_did(parts, staff):
    nurse, admin = staff("nurse"), staff("admin")
    nurse.post("/clinic/stock/came", {"scan": CARTON, "quantity": "1"}, page="/clinic/stock")
    lot = one(parts, select(Lot.id).filter_by(number="EJ6796"))
    admin.post(f"/admin/lots/{lot}", {}, page="/admin/lots")
    assert one(parts, select(Lot.state).filter_by(id=lot)) == "released"
    for ends, status in (("2029-09-30", 303), ("later", 400), ("2020-01-01", 400)):
        answer = admin.post(f"/admin/lots/{lot}", {"expires_on": ends}, page="/admin/lots")
        assert answer.status_code == status
    assert "30 September 2029" in admin.get("/admin/lots").text
    # its cartons go on saying the day that they were printed with
    more = {"scan": CARTON, "quantity": "2"}
    assert nurse.post("/clinic/stock/came", more, page="/clinic/stock").status_code == 303
    assert "Release lot" not in staff("inspector").get("/admin/lots").text


@pytest.mark.parametrize(
    ("role", "path"),
    [("lead", "/admin/sessions"), ("clerk", "/clinic/stock"), ("admin", "/admin/lots")],
)
def test_a_list_asks_the_database_little_however_long_it_is(
    parts, app, clinic, staff, came, role, path
):
    two_levels(app, clinic)
    browser = staff(role)

    def asked() -> int:
        seen = []

        def note(*given):
            seen.append(str(given[2]))

        event.listen(parts.doors.engine, "before_cursor_execute", note)
        assert browser.get(path).status_code == 200
        event.remove(parts.doors.engine, "before_cursor_execute", note)
        who = ("PRAGMA", "BEGIN", "UPDATE", "WITH", "SELECT visit", "SELECT staff",
               "SELECT delegation", "SELECT site.organisation_id")  # fmt: skip
        return len([query for query in seen if not query.startswith(who)])

    before = asked()
    with parts.doors.transaction() as db:
        site = db.get_one(make.Site, clinic.site_id)
        for number in range(20):
            product = db.get_one(Product, clinic.product_id)
            make.make_session(
                db, site=site, day=day(2 + number), product=product,
                programme=db.get_one(make.Programme, clinic.programme_id),
            )  # fmt: skip
            shelf = make.make_shelf(db, site=site, lot=make.make_good_lot(db))
            make.make_move(db, shelf, "received", 1)
            make.add(db, Fridge(site_id=site.id, name=f"F{number}", kind="fridge",
                                recorded_at=NOW - timedelta(days=1)))  # fmt: skip
    assert asked() == before <= 5
    assert came.remaining == 10


def test_times_are_told_by_the_clock_of_the_site_and_elsewhere_of_the_country(parts, clinic, staff):
    with parts.doors.transaction() as db:
        make.make_shelf(
            db, site=db.get_one(make.Site, clinic.site_id), lot=db.scalars(select(Lot)).one()
        )
        db.get_one(make.Site, clinic.site_id).time_zone = "Asia/Tokyo"
        make.add(db, Fridge(site_id=clinic.site_id, name="F", kind="fridge", recorded_at=NOW))
    fridge = one(parts, select(Fridge.id))
    read = {"fridge": str(fridge), "celsius": "30"}
    answer = staff("clerk").post("/clinic/stock/read", read, page="/clinic/stock",
                                 follow_redirects=True)  # fmt: skip
    assert "2 Mar 2026, 21:00" in answer.text
    assert "2 March 2026, 14:00" in staff("admin").get("/admin/").text


def test_a_deed_that_is_refused_keeps_what_was_typed_and_says_beside_it_what_is_wrong(staff, came):
    clerk = staff("clerk")
    typed = {"number": "AB1207", "expires_on": "2029-03-31", "quantity": "a few"}
    answer = clerk.post("/clinic/stock/came", typed, page="/clinic/stock")
    assert answer.status_code == 400
    assert "<title>Error: Stock" in answer.text
    assert 'href="#wrong-product">Vaccine: fill this in' in answer.text
    assert re.search(r'id="wrong-product" name="product"', answer.text)
    assert re.search(r'name="number"[^>]* value="AB1207"', answer.text)
    assert re.search(r'name="quantity"[^>]* value="a few"', answer.text)
    wasted = {"lot": str(came.lot_id), "kind": "wasted", "reason": "broken", "quantity": "99"}
    answer = clerk.post("/clinic/stock/went", wasted, page="/clinic/stock")
    assert "Doses: there are not so many doses" in answer.text
    assert re.search(r'<option value="broken" selected', answer.text)
    answer = clerk.post("/clinic/stock/today", {"scan": "EJ6796"}, page="/clinic/")
    assert re.search(r'id="wrong-scan"[^>]* value="EJ6796"', answer.text)


def test_a_plan_that_is_refused_can_be_mended_where_it_was_typed(clinic, lead):
    shown = lead.get("/admin/sessions/preview", query_string=plan(clinic, minutes="4"))
    assert "Minutes for each time: enter 5 to 60 minutes" in shown.text
    assert re.search(r'id="wrong-minutes"[^>]* value="4"', shown.text)
    assert re.search(r'name="capacity"[^>]* value="4"', shown.text)
    assert len(re.findall(r'name="weekdays"[^>]* checked', shown.text)) == 2


def test_staff_who_are_refused_stay_at_their_door_and_find_the_way_back(staff, came):
    clerk = staff("clerk")
    answer = clerk.post(
        "/clinic/stock/vial", {"vial": str(came.lot_id)}, page="/clinic/stock",
        headers={"Referer": "http://localhost/clinic/stock"},
    )  # fmt: skip
    assert answer.status_code == 404
    assert 'href="/clinic/stock"' in answer.text
    assert "Clara Clerk" in answer.text


def test_a_form_that_is_sent_twice_is_one_deed(parts, staff, came):
    clerk = staff("clerk")
    shown = clerk.get("/clinic/stock").text
    wasted = {"lot": str(came.lot_id), "kind": "wasted", "reason": "broken", "quantity": "2"}
    for name in ("csrf_token", "once"):
        wasted[name] = unescape(re.search(rf'name="{name}" value="([^"]+)"', shown)[1])
    remaining = select(Stock.remaining).filter_by(lot_id=came.lot_id)
    for _time in range(2):
        assert clerk.client.post("/clinic/stock/went", data=wasted).status_code == 303
        assert one(parts, remaining) == 8
    for left in (7, 7):
        clerk.client.post("/clinic/stock/went", data=wasted | {"quantity": "1"})
        assert one(parts, remaining) == left
