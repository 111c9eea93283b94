"""Staff come in by a passkey, a password with a time code, or their organisation's provider."""

from __future__ import annotations

import re
import threading
from urllib.parse import unquote_plus

import oidc_provider_mock
import pyotp
import pytest
import requests
from sqlalchemy import select
from werkzeug.serving import make_server

from healthcert.app import create_app
from healthcert.config import Oidc
from healthcert.models import AuditEvent, Passkey, Site, Staff, StaffLink, Visit
from healthcert.services import invitations, roster, visits
from healthcert.web import moment
from tests.web.conftest import ALIA, Browser, WholeAnswers, two_levels

PASSWORD = "four quiet herons wade"

# What the engines decide is tried on both in tests/security and tests/models.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def invited(parts, clinic, clock):
    """Return a code for a new member of staff."""

    def made(role="nurse", name="Neva Newcomer"):
        with parts.doors.transaction() as db:
            site = None if role == "admin" else db.get_one(Site, clinic.site_id)
            told = {"name": name, "role": role, "site": site, "employer": None}
            member = roster.join(db, **told, now=clock.now)
            given = {"staff_id": member.id, "by": None, "now": clock.now}
            return invitations.invite(db, pepper=parts.pepper, **given), member.id

    return made


@pytest.fixture
def with_password(app, invited, clock):
    """Return a browser in which a newcomer has just left a password, and its secret."""

    def made(login="neva", **who):
        code, staff_id = invited(**who)
        browser = Browser(app)
        assert browser.post("/sign-in/invitation", {"code": code}).status_code == 303
        page = browser.get("/sign-in/enrol").text
        secret = secret_on(page)
        told = {"login": login, "password": PASSWORD, "code": time_code(secret, clock)}
        answer = browser.post("/sign-in/enrol/password", told, page="/sign-in/enrol")
        assert answer.location == "/account", answer.text
        return browser, secret, staff_id

    return made


def secret_on(page):
    found = re.search(r'hc-secret">((?:[A-Z2-7]{4} ?){8})<', page)
    return found[1].replace(" ", "") if found else ""


def time_code(secret, clock):
    return pyotp.TOTP(secret).at(clock.now)


def sign_in(app, secret, clock, *, browser=None, following="", **changes):
    browser = browser or Browser(app)
    clock.pass_by(seconds=30)  # a code is used once
    told = {"login": "neva", "password": PASSWORD, "code": time_code(secret, clock)} | changes
    page = f"/sign-in?next={following}"
    return browser, browser.post(f"/sign-in/password?next={following}", told, page=page)


def test_an_invitation_lets_in_once_and_a_password_with_its_code_afterwards(
    app, with_password, clock
):
    newcomer, secret, _id = with_password()
    assert newcomer.get("/clinic/").status_code == 200
    browser, answer = sign_in(app, secret, clock, following="/clinic/?find=x")
    assert answer.location == "/clinic/?find=x"
    assert browser.get("/clinic/").status_code == 200


def test_an_invitation_does_not_open_after_a_day(app, invited, clock):
    code, _id = invited(name="Tardy")
    assert Browser(app).post("/sign-in/invitation", {"code": "A" * 24}).status_code == 403
    lower = " ".join(code.lower()[place : place + 6] for place in (0, 6, 12, 18))
    assert Browser(app).post("/sign-in/invitation", {"code": lower}).status_code == 303
    clock.pass_by(hours=24)
    assert Browser(app).post("/sign-in/invitation", {"code": code}).status_code == 403


def test_one_invitation_leaves_one_key(app, invited, clock):
    code, _id = invited()
    browsers = [Browser(app), Browser(app)]
    for browser in browsers:
        assert browser.post("/sign-in/invitation", {"code": code}).status_code == 303
    answers = []
    for number, browser in enumerate(browsers):
        secret = secret_on(browser.get("/sign-in/enrol").text)
        told = {"login": f"neva{number}", "password": PASSWORD}
        told["code"] = time_code(secret, clock) if secret else "000000"
        answers.append(browser.post("/sign-in/enrol/password", told, page="/sign-in/invitation"))
    assert [answer.status_code for answer in answers] == [303, 403]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": "short"}, "12 characters"),
        ({"password": "Vaccination-2026!"}, "first that are guessed"),
        ({"password": "neva-neva-neva-neva"}, "first that are guessed"),
        ({"code": "000000"}, "this code does not work"),
        ({"login": "x"}, "small letters"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(app, invited, clock, changes, told):
    code, _id = invited()
    browser = Browser(app)
    browser.post("/sign-in/invitation", {"code": code})
    secret = secret_on(browser.get("/sign-in/enrol").text)
    given = {"login": "neva", "password": PASSWORD, "code": time_code(secret, clock)} | changes
    answer = browser.post("/sign-in/enrol/password", given, page="/sign-in/enrol")
    assert answer.status_code == 400
    assert told in answer.text
    assert Browser(app).post("/sign-in/invitation", {"code": code}).status_code == 303  # unused


def test_unknown_names_and_wrong_passwords_are_answered_alike(app, with_password, clock):
    _browser, secret, _id = with_password()
    wrong = [
        sign_in(app, secret, clock, **changes)[1]
        for changes in ({"login": "nobody"}, {"password": "another long one"}, {"code": "000000"})
    ]
    assert [answer.status_code for answer in wrong] == [403] * 3
    pages = {re.sub(r'value="[^"]*"', "", answer.text) for answer in wrong}
    assert len(pages) == 1


def test_grave_deeds_need_a_proof_of_the_last_five_minutes(app, with_password, clock):
    browser, secret, _id = with_password()
    before = browser.client.get_cookie("healthcert_session").value
    clock.pass_by(minutes=6)
    answer = browser.get("/sign-in/enrol")
    assert answer.location == "/sign-in/again?next=/sign-in/enrol"
    assert "Prove again" in browser.get(answer.location).text
    _browser, answer = sign_in(app, secret, clock, browser=browser, following="/sign-in/enrol")
    assert answer.location == "/sign-in/enrol"
    assert browser.get("/sign-in/enrol").status_code == 200
    assert browser.client.get_cookie("healthcert_session").value != before


def test_nobody_else_can_prove_it_for_who_is_signed_in(app, staff, with_password, clock):
    _browser, secret, _id = with_password()
    _nurse, answer = sign_in(app, secret, clock, browser=staff("nurse"), following="/account")
    assert answer.status_code == 403


def test_what_was_typed_outlives_a_step_up_and_a_lock_but_is_never_anothers(app, staff, clinic):
    nurse, draft = staff("nurse"), f"/book/details?slot={clinic.slots[0]}&number=1&step=document"
    nurse.post(draft, ALIA)
    nurse.sign_in(clinic.staff["nurse"])
    assert ALIA["identity_value"] in nurse.get(draft).text
    nurse.post("/lock", page="/clinic/")
    assert nurse.get("/clinic/").status_code == 303
    assert ALIA["identity_value"] not in nurse.get(draft).text
    assert "Nadia Nurse" in nurse.get("/sign-in").text
    assert "Nadia Nurse" not in Browser(app).get("/sign-in").text
    nurse.sign_in(clinic.staff["clerk"])
    assert ALIA["identity_value"] not in nurse.get(draft).text
    nurse.post("/lock", page="/clinic/")
    nurse.sign_in(clinic.staff["nurse"])
    assert ALIA["identity_value"] in nurse.get(draft).text


def test_who_is_signed_in_already_is_led_to_where_their_day_begins(staff):
    nurse = staff("nurse")
    assert nurse.get("/sign-in").location == "/clinic/"
    assert nurse.get("/sign-in?next=/account").status_code == 200
    nurse.post("/lock", page="/clinic/")
    assert nurse.get("/sign-in").status_code == 200


def test_a_locked_session_does_not_open_by_its_cookie(staff):
    nurse = staff("nurse")
    cookie = nurse.client.get_cookie("healthcert_session").value
    nurse.post("/lock", page="/clinic/")
    nurse.client.set_cookie("healthcert_session", cookie)
    assert nurse.get("/clinic/").status_code == 303


def test_somebody_ends_their_own_sessions_one_by_one_or_all(staff, clock):
    first = staff("nurse")
    clock.pass_by(seconds=1)
    second = staff("nurse")
    other = staff("clerk")
    own = re.findall(r'value="([0-9a-f]{64})"', second.get("/account").text)
    assert len(own) == 2
    theirs = re.search(r'value="([0-9a-f]{64})"', other.get("/account").text)[1]
    second.post("/account", {"visit": theirs})
    assert other.get("/clinic/").status_code == 200
    second.post("/account", {"visit": own[1]})
    assert [b.get("/clinic/").status_code for b in (first, second)] == [303, 200]
    second.post("/account", {"everywhere": "yes"})
    assert second.get("/clinic/").status_code == 303


def test_a_session_that_ended_meanwhile_is_not_written_back(staff, parts, clock):
    staff("nurse")
    with parts.doors.transaction() as db:
        visit = db.scalars(select(Visit).where(Visit.staff_id.is_not(None))).one()
        visits.end_all(db, staff_id=visit.staff_id)
        kept = {"token_hash": visit.token_hash, "sealed": b"", "started_at": clock.now}
        assert not visits.keep(db, **kept, holder=None, is_new=False, now=clock.now)
        assert db.scalars(select(Visit).filter_by(token_hash=visit.token_hash)).all() == []


def test_an_administrator_invites_signs_out_and_ends(app, staff, clinic):
    two_levels(app, clinic)
    admin, nurse = staff("admin"), staff("nurse")
    given = {"name": "Olga", "role": "clerk", "site": str(clinic.site_id)}
    page = admin.post("/admin/staff", given).text
    code = re.search(r'hc-reference">(\w{24})<', page)[1]
    assert Browser(app).post("/sign-in/invitation", {"code": code}).status_code == 303
    who = f"/admin/staff/{clinic.staff['nurse']}"
    assert admin.post(f"{who}/sign-out", page="/admin/staff").status_code == 303
    assert nurse.get("/clinic/").status_code == 303
    nurse = staff("nurse")
    assert admin.post(f"{who}/end", page="/admin/staff").status_code == 303
    assert nurse.get("/clinic/").status_code == 303
    assert admin.post("/admin/staff", given | {"site": ""}).status_code == 400
    for deed in ("recover", "grant", "sign-out", "end"):
        nobody = f"/admin/staff/01890000-0000-7000-8000-000000000000/{deed}"
        assert admin.post(nobody, page="/admin/staff").status_code == 404


def test_the_administrators_deeds_need_a_fresh_proof(app, staff, clinic, clock):
    two_levels(app, clinic)
    admin = staff("admin")
    clock.pass_by(minutes=6)
    for deed in ("", *(f"/{clinic.staff['nurse']}/{d}" for d in ("recover", "sign-out", "end"))):
        answer = admin.post(f"/admin/staff{deed}", page="/admin/staff")
        assert answer.location.startswith("/sign-in/again")


def test_who_lost_everything_needs_two_administrators(
    app, parts, staff, with_password, clock, clinic
):
    nurse, secret, staff_id = with_password()
    two_levels(app, clinic)
    first = staff("admin")
    who = f"/admin/staff/{staff_id}"
    first.post(f"{who}/recover", page="/admin/staff")
    assert first.post(f"{who}/grant", page="/admin/staff").status_code == 409
    with parts.doors.transaction() as db:
        employer = db.get_one(Staff, clinic.staff["admin"]).organisation_id
        second = roster.join(
            db, name="Berta", role="admin", site=None, employer=employer, now=clock.now
        )
    other = Browser(app).sign_in(second.id)
    page = other.post(f"{who}/grant", page="/admin/staff").text
    code = re.search(r'hc-reference">(\w{24})<', page)[1]
    assert nurse.get("/clinic/").status_code == 303
    assert sign_in(app, secret, clock)[1].status_code == 403
    newly = Browser(app)
    newly.post("/sign-in/invitation", {"code": code})
    secret = secret_on(newly.get("/sign-in/enrol").text)
    told = {"login": "neva", "password": PASSWORD, "code": time_code(secret, clock)}
    newly.post("/sign-in/enrol/password", told, page="/sign-in/enrol")
    page = newly.get("/account").text
    assert "You were let in anew" in page
    assert "Adam Admin" in page
    assert "Berta" in page
    with parts.doors.reading() as db:
        acts = db.execute(select(AuditEvent.act, AuditEvent.actor_id)).all()
    by = {act: actor for act, actor in acts if act.startswith("recovery")}
    assert by["recovery_granted"] == second.id
    assert by["recovery_asked_for"] not in {None, second.id}


def test_a_second_first_invitation_is_no_way_around_two_administrators(
    app, parts, with_password, clock
):
    _browser, _secret, staff_id = with_password()
    with parts.doors.transaction() as db:
        given = {"staff_id": staff_id, "by": None, "now": clock.now}
        code = invitations.invite(db, pepper=parts.pepper, **given)
    thief = Browser(app)
    thief.post("/sign-in/invitation", {"code": code})
    secret = secret_on(thief.get("/sign-in/enrol").text)
    told = {"login": "thief", "password": PASSWORD, "code": time_code(secret, clock)}
    assert thief.post("/sign-in/enrol/password", told, page="/sign-in/enrol").status_code == 403


def test_who_left_does_not_come_in(app, parts, with_password, clock):
    _browser, secret, staff_id = with_password()
    with parts.doors.transaction() as db:
        roster.end_work(db, staff_id=staff_id, by=None, now=clock.now)
    assert sign_in(app, secret, clock)[1].status_code == 403


@pytest.fixture
def organisation(published, database_url, clock, tmp_path):
    """An application whose staff have an identity provider; the provider's address."""
    (tmp_path / "oidc").write_text("s3cret")
    clock.now = moment.clock()  # the provider's tokens are of now
    with oidc_provider_mock.run_server_in_thread() as server:
        settings = published.at(
            database_url=database_url,
            staff_oidc=Oidc(f"http://localhost:{server.server_port}", "hc", tmp_path / "oidc"),
        )
        app = create_app(settings, clock=clock, floor=clock)
        app.test_client_class = WholeAnswers  # as a server does: what is not closed holds a place
        yield app
        app.extensions["healthcert"].close()


def through_provider(browser, subject):
    asked = browser.get("/sign-in/provider?next=/account")
    answer = requests.post(asked.location, data={"sub": subject}, allow_redirects=False, timeout=5)
    return browser.get(answer.headers["Location"].removeprefix("http://localhost:8000"))


def test_a_provider_lets_in_whom_an_invitation_linked_and_nobody_else(organisation, clock):
    parts = organisation.extensions["healthcert"]
    with parts.doors.transaction() as db:
        member = roster.join(db, name="Olga", role="admin", site=None, employer=None, now=clock.now)
        given = {"staff_id": member.id, "by": None, "now": clock.now}
        code = invitations.invite(db, pepper=parts.pepper, **given)
    assert through_provider(Browser(organisation), "olga").status_code == 403
    browser = Browser(organisation)
    browser.post("/sign-in/invitation", {"code": code})
    assert through_provider(browser, "olga").location == "/account"
    again = Browser(organisation)
    assert through_provider(again, "olga").location == "/account"
    assert again.get("/account").status_code == 200
    assert through_provider(Browser(organisation), "another").status_code == 403
    assert Browser(organisation).get("/sign-in/back?code=x&state=y").location == "/sign-in"
    with parts.doors.reading() as db:
        assert db.scalars(select(StaffLink.subject)).all() == ["olga"]


def test_the_codes_of_time_programs_are_drawn_and_told_as_text(app, invited):
    code, _id = invited()
    browser = Browser(app)
    browser.post("/sign-in/invitation", {"code": code})
    page = browser.get("/sign-in/enrol").text
    assert "data:image/svg+xml;base64," in page


def test_the_ways_to_leave_a_key_are_closed_to_strangers(browser):
    assert browser.get("/sign-in/enrol").location == "/sign-in"


ORIGIN = "http://localhost"


@pytest.fixture
def door(published, database_url, clock):
    """The application on a real port of this machine, under the name that passkeys need."""
    server = make_server("localhost", 0, lambda *_: [], threaded=True)
    address = f"{ORIGIN}:{server.port}"
    settings = published.at(database_url=database_url, base_url=address)
    app = create_app(settings, clock=clock, floor=clock)
    server.app = app
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield app, address
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["healthcert"].close()


AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.mark.browser
def test_a_passkey_enrols_signs_in_proves_again_and_opens_nothing_when_removed(  # noqa: PLR0915 - one long life
    door, chromium, clock
):
    app, address = door
    parts = app.extensions["healthcert"]
    with parts.doors.transaction() as db:
        member = roster.join(
            db, name="Ada Admin", role="admin", site=None, employer=None, now=clock.now
        )
        given = {"staff_id": member.id, "by": None, "now": clock.now}
        code = invitations.invite(db, pepper=parts.pepper, **given)
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(10_000)
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    device = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    def keys():
        told = cdp.send("WebAuthn.getCredentials", device)
        return [key["credentialId"] for key in told["credentials"]]

    page.goto(f"{address}/sign-in/invitation")
    page.get_by_label("Invitation code").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What do you call it?").fill("Front desk")
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url(f"{address}/account")
    assert "Front desk" in page.inner_text("main")
    assert len(keys()) == 1

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(f"{address}/sign-in?next=/admin/staff")
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(f"{address}/admin/staff")
    with parts.doors.reading() as db:
        assert db.scalars(select(Passkey.sign_count)).one() >= 1

    clock.pass_by(minutes=6)
    page.goto(f"{address}/sign-in/enrol")
    assert "/sign-in/again" in page.url
    sent = []
    page.on("request", lambda told: sent.append(told))  # noqa: PLW0108 - no bound method of a list
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(f"{address}/sign-in/enrol")
    replay = next(told for told in sent if told.url.split("?")[0].endswith("/sign-in/passkey"))
    token = page.locator("input[name=csrf_token]").first.input_value()
    answer = re.search(r"answer=([^&]*)", replay.post_data)[1]
    told = {"csrf_token": token, "answer": unquote_plus(answer)}
    assert page.request.post(f"{address}/sign-in/passkey", form=told).status == 403
    # The answer to one challenge is none to another's.
    assert page.request.post(f"{address}/sign-in/passkey/ask", form=told).status == 200
    assert page.request.post(f"{address}/sign-in/passkey", form=told).status == 403

    # A second authenticator, so that one key may be removed.
    first = keys()
    cdp.send("WebAuthn.removeVirtualAuthenticator", device)
    device.update(cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR}))
    page.goto(f"{address}/sign-in/enrol")
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url(f"{address}/account")
    assert keys() != first
    page.get_by_role("button", name="Remove").nth(1).click()
    page.wait_for_load_state()
    assert page.get_by_role("button", name="Remove").count() == 0
    with parts.doors.reading() as db:
        left = db.scalars(select(Passkey)).one()
    assert left.name == "Front desk"
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(f"{address}/sign-in")
    page.get_by_role("button", name="Use my passkey").click()
    page.get_by_text("There is a problem").wait_for()
    context.close()


def test_the_only_passkey_stays(staff, parts, clinic, clock):
    nurse = staff("nurse")
    with parts.doors.transaction() as db:
        key = Passkey(
            recorded_at=clock.now, staff_id=clinic.staff["nurse"], credential_id=b"c",
            public_key=b"k", name="One", sign_count=0, backed_up=False,
        )  # fmt: skip
        db.add(key)
    assert nurse.post("/account", {"key": str(key.id)}).status_code == 409
    assert staff("clerk").post("/account", {"key": str(key.id)}).status_code == 404


def test_what_is_no_answer_of_a_passkey_is_refused(browser):
    browser.get("/sign-in")
    for answer in ("", "{}", "[]", '{"id": 1}', "x" * 5000):
        page = browser.post("/sign-in/passkey/ask", page="/sign-in")
        assert page.json["userVerification"] == "required"
        told = browser.post("/sign-in/passkey", {"answer": answer}, page="/sign-in")
        assert told.status_code == 403
