"""Every page of every door, looked at by axe in a real browser, in both directions."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from sqlalchemy import select

from healthcert.models import Fridge, Lot, Site, Staff, StockMove
from healthcert.services import cold_chain, hours, stock
from healthcert.services.trusted import load_pins
from healthcert.services.verification import Verifier
from healthcert.web.draft import STEPS
from tests.certificates import NOW
from tests.factories import COVID, NEGATIVE
from tests.threads import answering
from tests.web.conftest import ALIA, NURSES, Browser, enter, tell, two_levels
from tests.web.test_calls import call_for
from tests.web.test_clinic_hour import TOLD
from tests.web.test_contested import PAGE as REQUESTS
from tests.web.test_contested import claim
from tests.web.test_priority import answer

ON = "sqlite"  # pages look the same on each engine

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, {runOnly:
  ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}))
  .violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 150)).join(' '))"""
# A folder for pictures of what was seen; none are taken where it is not named.
PICTURES = os.environ.get("HEALTHCERT_TEST_PICTURES")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.walk,
    pytest.mark.skipif(not AXE.is_file(), reason="axe NOT run: run `make front` first"),
]


@pytest.fixture
def address(app):
    with answering(app) as address:
        yield address


@pytest.fixture
def look(chromium, address):
    """Return how to look at pages as a visitor: what axe, the policy and the ruler say.

    A path with `#sent` is of a form, which is sent as it stands.
    """

    def looked(visitor, paths, language):
        context = chromium.new_context(viewport={"width": 390, "height": 844})
        context.set_default_timeout(10_000)
        for cookie in visitor.client._cookies.values():  # noqa: SLF001 - to hand them on
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page = context.new_page()
        found = []
        page.on("console", lambda said: found.append(said.text) if "Policy" in said.text else None)
        for path in paths:
            mark = "&" if "?" in path else "?"
            shown, _mark, sent = path.partition("#")
            page.goto(f"{address}{shown}{mark}lang={language}", wait_until="load")
            if sent:
                page.click("main form button")
                page.wait_for_selector(".govuk-error-summary")
            found += [f"{path} {language} {wrong}" for wrong in judge(page, language)]
            take_picture(page, path, language)
        context.close()
        return found

    return looked


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_on_a_desk_the_ways_of_all_staff_take_one_line(staff, chromium, address, language):
    context = chromium.new_context(viewport={"width": 1280, "height": 844})
    page = context.new_page()
    for role in ("clerk", "nurse", "lead", "admin", "inspector", "key_officer"):
        context.clear_cookies()
        for cookie in staff(role).client._cookies.values():  # noqa: SLF001 - to hand them on
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page.goto(f"{address}/account?lang={language}")
        tops = "all => all.map(each => each.getBoundingClientRect().top)"
        found = page.locator(".govuk-service-navigation__link").evaluate_all(tops)
        assert len(found) >= 2, role
        assert len({*found}) == 1, role
        assert page.locator("a[href='/account'][aria-current=page]").is_visible(), role
    context.close()


@pytest.mark.parametrize(("width", "size"), [(320, ""), (390, "200%"), (768, ""), (1280, "")])
def test_no_reference_and_no_word_is_broken_where_there_is_room(
    staff, book, chromium, address, width, size
):
    book()
    context = chromium.new_context(viewport={"width": width, "height": 844})
    for cookie in staff("nurse").client._cookies.values():  # noqa: SLF001 - to hand them on
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/clinic/?lang=en")
    page.evaluate("size => document.documentElement.style.fontSize = size", size)
    lines = """all => all.map(one => one.getBoundingClientRect().height
                                / parseFloat(getComputedStyle(one).lineHeight))"""
    for what in (".hc-stack .hc-reference", ".hc-figures dt"):
        found = page.locator(what).evaluate_all(lines)
        assert found, what
        assert max(found) < 1.5, what  # each of these words is one, on one line
    context.close()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_on_the_verdicts(app, published, chromium, address, journey, language):
    pins = load_pins(published.pins_dir)
    app.extensions["verifier"] = Verifier(published.bundle, pins, floor=NOW)
    holder, (_own, certificate, *_more) = journey["holder"]
    genuine = holder.get(f"{certificate}.txt").text
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    for name, barcode in (("genuine", genuine), ("broken", genuine[:-1] + "?"), ("none", "hello")):
        page.goto(f"{address}/verify?lang={language}")
        page.fill("textarea", barcode)
        page.click("main button")
        page.wait_for_selector(".hc-verdict")
        assert list(judge(page, language)) == [], name
        take_picture(page, f"/verdict/{name}", language)
    page.close()


WIDEST = """document.querySelectorAll('.hc-reference').forEach(
    one => { one.textContent = 'HC-WWWW-WWWW' })"""


def judge(page, language):
    """Say what is wrong: what axe finds depends on no language, how wide it is does."""
    page.evaluate(WIDEST)
    for width in (320, 1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            yield f"scrolls sideways at {width}"
    for size in ("200%", ""):  # letters twice as large, on a phone
        page.evaluate("size => document.documentElement.style.fontSize = size", size)
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            yield f"scrolls sideways with letters of {size or 'their own size'}"
    if language == "en":
        page.evaluate(AXE.read_text(encoding="utf-8"))
        yield from page.evaluate(RUN)


def take_picture(page, path, language):
    if PICTURES:
        name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]+", "ID", path.partition("?")[0]).strip("/")
        file = f"{name.replace('/', '-') or 'home'}-{language}.png"
        page.screenshot(path=Path(PICTURES) / file, full_page=True)


def stocked(app, clinic):
    """Put some of the clinic's lot on its shelf, in fridge A; return the lot."""
    with app.extensions["healthcert"].doors.transaction() as db:
        lot = db.scalars(select(Lot)).one()
        site = db.get_one(Site, clinic.site_id)
        hours.begin(db, site_id=site.id, spans=hours.read("Mo-Su 08:00-12:00"), closed=[], now=NOW)
        clerk = db.get_one(Staff, clinic.staff["clerk"])
        shelf = stock.Shelf(site.id, lot.id)
        cold_chain.add(db, name="A", kind="fridge", staff=clerk, now=NOW)
        where = db.scalars(select(Fridge.id)).one()
        stock.move(db, shelf, "received", 10, staff=clerk, now=NOW, fridge_id=where)
        return lot.id


def entered(app, lead, nurse, lot):
    """Write down entries of a shelf; return its list, and entries in every state.

    One may be set right, and is asked for; one is refused; one was set right; one is one's own.
    """
    page = f"/clinic/stock/lots/{lot}"
    told = {"lot": str(lot), "quantity": "2", "kind": "wasted", "reason": "broken"}
    for who in (nurse, nurse, lead):
        assert who.post("/clinic/stock/went", told, page="/clinic/stock").status_code == 303
    query = select(StockMove.id).filter_by(kind="wasted").order_by(StockMove.ordinal)
    with app.extensions["healthcert"].doors.reading() as db:
        one, other, own = (f"/clinic/stock/entries/{move}" for move in db.scalars(query))
    assert lead.post(one, {"quantity": "1", "why": "wrong_number"}, page=one).status_code == 303
    return [page, other, f"{other}#sent", one, own]


def storm(admin, organisation):
    """Declare a holiday; return who did, and the pages of it."""
    told = {"organisation": organisation, "day": "2026-03-06", "name_en": "Storm"}
    page = "/admin/holidays"
    assert admin.post(f"{page}/declare", told, page=page).status_code == 303
    withdraw = re.search(r"/admin/holidays/[0-9a-f-]+/withdraw", admin.get(page).text)[0]
    another = urlencode(told | {"day": "2026-03-07"})
    return admin, [page, f"{page}?{another}", f"{page}/declare?{another}", withdraw]


def opening_day(admin):
    """Announce a draw and an opening; return the pages of both."""
    new, told = "/admin/draws/new?programme=covid19", {"places": "3", "source": "the lottery"}
    told |= {"closes": "2026-03-05T12:00", "share region:coast": "20", "sure": "y"}
    draw = admin.post(new, told).location
    opens = {"opens_at": "2026-03-04T12:00", "code": "spring", "room_minutes": "60", "hours": "9"}
    change = "/admin/opening/change"
    opens["shown"] = re.search(r'name="shown" value="(\w+)"', admin.get(change).text)[1]
    made = admin.post(change, opens | {"programme": "covid19"})
    return [made.location, "/admin/opening/change", "/admin/opening/take-away", "/admin/draws", new,
            draw, f"{draw.partition('?')[0]}/give-up"]  # fmt: skip


def claimed(app, clinic):
    """Return a clerk who decides on a document that two records claim, and the pages of it."""
    clerk = Browser(app).sign_in(claim(app, clinic))
    page = re.search(rf"{REQUESTS}/[0-9a-f-]+", clerk.get(REQUESTS).text)[0]
    return clerk, [REQUESTS, page, f"{page}#sent"]


def called(app, clinic):
    """Return a browser of the clinic's lead, once people are to be called there."""
    parts = app.extensions["healthcert"]
    with parts.doors.transaction() as db:
        for language in ("en", "ar"):
            call_for(parts, clinic.site_id, db, language=language)
    return Browser(app).sign_in(clinic.staff["lead"])


@pytest.fixture
def journey(app, clinic, book, staff, newest_message, clock):
    """Return who sees which pages, once somebody has booked and was vaccinated."""
    asked = f"?slot={clinic.slots[1].hex}&dose=1&second=later"
    booker, number = book()
    tell(booker, asked, ALIA | {"identity_value": "B3"})
    refused = Browser(app)
    tell(refused, asked, ALIA)
    asks = [f"/book/details{asked}&number=1&step={step}" for step in STEPS]
    nurse = staff("nurse")
    assert nurse.post(f"/clinic/book/find{asked}", {"text": "Kan", "born": ["", "", "1985"]})
    visit = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
    given = {"identity": "y", "product": str(clinic.product_id), "lot": clinic.lot}
    dose = nurse.post(f"{visit}/dose", given | {"body_site": "LA"}).location
    _other, second = book(slot=1, identity_value="B2", family="Kanarière", given="Zoé-Kanariette",
                          family_latin="", given_latin="")  # fmt: skip
    waiting = re.search(
        r"(/clinic/appointments/[0-9a-f-]+)", nurse.post("/clinic/", {"find": second}).text
    )[0]
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(visit).text)[0]
    case = nurse.post(f"{person}/reaction", TOLD).location
    test = {"disease": COVID, "test_type": "LP6464-4", "result": NEGATIVE}
    nurse.post(f"{person}/test", test)
    error = re.search(r"/clinic/people/findings/[0-9a-f-]+/error", nurse.get(person).text)[0]
    nurse.post(f"{waiting}/questions", {"q_fever_today": "yes"})
    holder = enter(Browser(app), number, newest_message)
    child = {"family": "Kanarian", "given": "Saghira", "birth_date": ["1", "6", "2018"],
             "sex": "female", "identity_kind": "none", "language": "en"}  # fmt: skip
    mother = enter(Browser(app), second, newest_message)
    own = re.search(r"/my/appointments/[0-9a-f-]{36}", mother.get("/my/").text)[0]
    assert mother.post("/my/family/child", child).status_code == 303
    other = re.search(r"/my/family/look-after/[0-9a-f-]+", mother.get("/my/family/").text)[0]
    clock.pass_by(minutes=2)  # nobody is sent two codes in a minute
    mover = enter(Browser(app), second, newest_message)
    assert mother.post(other, page="/my/family/").status_code == 303
    certificate = re.search(r"/my/certificates/[0-9a-f-]{36}", holder.get("/my/").text)[0]
    admin, storms = storm(staff("admin"), two_levels(app, clinic)[1])
    lead, lot = staff("lead"), stocked(app, clinic)
    lead.post("/clinic/stock/vial", {"lot": str(lot)}, page="/clinic/stock")
    lead.post("/clinic/stock/settle", {"name": "B", "kind": "fridge"}, page="/clinic/stock")
    fridge = re.search(r'value="([0-9a-f-]{36})">A<', lead.get("/clinic/stock").text)[1]
    lead.post("/clinic/stock/read", {"fridge": fridge, "celsius": "12"}, page="/clinic/stock")
    entries = entered(app, lead, nurse, lot)
    day = f"site={clinic.site_id}&day={NOW:%Y-%m-%d}"
    preview = (
        f"/admin/sessions/preview?site={clinic.site_id}&product={clinic.product_id}&weekdays=2"
        "&weekdays=4&first_day=2026-03-03&last_day=2026-03-20&minutes=30&capacity=4&kept_phone=0"
        "&kept_walk_in=0&kept_second_dose=0&kept_waiting=0"
    )
    planned = re.search(r'value="([0-9a-f-]{36})">2 March ', lead.get("/admin/sessions").text)[1]
    cancelled = f"/admin/sessions/cancel?session={planned}"
    kept = dict(parse_qsl(preview.partition("?")[2])) | {"weekdays": ["2", "4"]}
    assert lead.post("/admin/sessions", kept, page="/admin/sessions").status_code == 303
    ending = re.search(r"plan=([0-9a-f-]{36})", lead.get("/admin/sessions?plan=all").text)[1]
    ends = f"/admin/sessions/end?plan={ending}&since=2026-03-10"
    shut = {"site": str(clinic.site_id), "day": "2026-03-05"}
    lead.post("/admin/sessions/close", shut, page="/admin/sessions")
    opens = f"/admin/sessions/close?{urlencode(shut)}"
    week = f"/admin/sites/{clinic.site_id}/hours"
    slots = f"/book/slots?programme={clinic.programme_id}&dose=1&town=port-azur&people=1"
    return {
        "stranger": (Browser(app), ["/", "/book/", slots, "/book/waiting", "/draws", "/verify",
                                    "/my/sign-in", "/sign-in",
                                    "/nowhere", "/dev/sign-in", "/dev/outbox"]),
        "booker": (booker, [*asks, f"/book/check{asked}", "/book/done"]),
        "refused": (refused, [f"/book/check{asked}", f"/book/who?slot={clinic.slots[0].hex}"]),
        "holder": (holder, ["/my/", certificate, "/my/record", "/my/record/seen", "/my/erase",
                              "/my/erase/confirm", "/my/family/", "/my/family/child",
                              "/my/family/invite", "/my/family/join", "/my/why", "/my/waiting"]),
        "mother": (mother, ["/my/", "/my/family/", "/my/record/seen", f"/book/who{asked}"]),
        "mover": (mover, [f"{own}/move", f"{own}/move?slot={clinic.slots[2].hex}&go=1",
                                  f"{own}/cancel"]),
        "desk": (nurse, ["/clinic/book/", f"/clinic/book/find{asked}", f"/clinic/book/who{asked}"]),
        "nurse": (nurse, ["/clinic/", visit, waiting, waiting + "/dose", dose, f"{dose}/error",
                            f"{dose}/correct", f"{waiting}/questions", f"{waiting}/decision",
                            "/clinic/observed", "/clinic/closing/", "/clinic/people/", person,
                            f"{person}/reaction", f"{person}/dose", f"{person}/test",
                            f"{person}/recovery", error, "/reactions/", case]),
        "clerk": claimed(app, clinic),
        "caller": (called(app, clinic), ["/calls"]),
        "lead": (lead, ["/clinic/standby", "/clinic/stock", *entries, "/admin/sessions", preview,
                        f"/admin/sessions/close?{day}", cancelled, ends, opens,
                        f"/admin/sessions/close?site={clinic.site_id}&day=2026-03-06",
                        f"/admin/sessions?plan={ending}", "/admin/sessions?plan=all"]),
        "inspector": (staff("inspector"), ["/reactions/", case]),
        "admin": (admin, [*storms, *opening_day(admin), "/admin/", "/admin/organisations",
                          "/admin/lots", "/admin/sites", f"/admin/sites/{clinic.site_id}",
                          "/admin/sites/new", f"/admin/lots/{lot}/recall", week,
                          f"{week}?hours=Mo+08:00-09:00&since=2026-03-10"]),
    }  # fmt: skip


@pytest.fixture
def first(app, clinic, journey, asks):  # noqa: ARG001 - of whom nothing was asked
    """Return who answered what their programme asks, and the pages that show it."""
    asks(NURSES, {"code": "everybody", "admits": {}})
    visitor, slot = Browser(app), clinic.slots[2].hex
    asked = f"?programme={clinic.programme_id}&dose=1&slot={slot}&second=later"
    tell(visitor, asked, ALIA | {"identity_value": "B4"})
    assert "/book/check" in answer(visitor, asked, occupation="nurse").location
    return visitor, [f"/book/details{asked}&number=1&step=told", f"/book/check{asked}"]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_on_any_page_and_nothing_scrolls_sideways(journey, first, look, language):
    visits = [*journey.values(), first]
    found = [wrong for visitor, paths in visits for wrong in look(visitor, paths, language)]
    assert not found, "\n".join(found)
