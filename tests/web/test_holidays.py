"""The page of holidays: foreseen, declared, followed and withdrawn, in one's reach alone."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from healthcert.jobs.sessions import keep_holidays, rebook
from healthcert.models import AuditEvent, ClinicSession, Delegation, Holiday, Site, Staff
from tests import factories as make
from tests.certificates import NOW
from tests.factories import day
from tests.web.conftest import two_levels

PAGE, DECLARE = "/admin/holidays", "/admin/holidays/declare"


@pytest.fixture
def told(app, clinic):
    """What is typed to close the clinic today, by the administrator above its agency."""
    _given, agency = two_levels(app, clinic)
    return {"organisation": str(agency), "region": "", "day": NOW.date().isoformat(),
            "name_en": "Storm <north>", "name_fr": "Tempête", "name_ar": "عاصفة"}  # fmt: skip


def declared(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Holiday)).all()


def states(parts):
    with parts.doors.reading() as db:
        return sorted(db.scalars(select(ClinicSession.state)))


def test_a_holiday_is_foreseen_declared_followed_and_withdrawn(parts, clinic, told, staff, book):
    book(0)
    with parts.doors.transaction() as db:
        session = make.make_session(
            db, site=db.get_one(Site, clinic.site_id), day=day(2),
            programme=db.get_one(make.Programme, clinic.programme_id),
            product=db.get_one(make.Product, clinic.product_id),
        )  # fmt: skip
        make.make_slot(db, session=session)
    admin = staff("admin")
    shown = admin.get(DECLARE, query_string=told).text
    assert re.findall(r"<dd>\D*(\d+)", shown) == ["1", "1", "1"]
    assert "Storm &lt;north&gt;" in shown
    assert declared(parts) == []
    answer = admin.post(DECLARE, told, page=PAGE)
    assert answer.status_code == 303
    kept = admin.get(answer.location).text
    assert "The holiday is declared" in kept
    assert "0 of 1" in re.sub("<[^>]+>", "", kept)
    [holiday] = declared(parts)
    assert holiday.names == {"en": "Storm <north>", "fr": "Tempête", "ar": "عاصفة"}
    assert (holiday.region, holiday.declared_by) == (None, clinic.staff["admin"])
    assert keep_holidays(parts, NOW) == 1
    closed = re.sub("<[^>]+>", "", admin.get(PAGE).text)
    assert "1 of 1" in closed
    assert states(parts) == ["cancelled", "published"]
    assert rebook(parts, NOW) == 1
    assert "Tempête" in admin.get(f"{PAGE}?lang=fr").text
    page = f"{PAGE}/{holiday.id}/withdraw"
    assert "open again" in admin.get(f"{page}?lang=en").text
    assert admin.post(page).status_code == 303
    assert "Withdrawn" in admin.get(PAGE).text
    assert admin.get(page).status_code == 409
    assert keep_holidays(parts, NOW) == 1
    with parts.doors.reading() as db:
        acts = db.scalars(select(AuditEvent.act).where(AuditEvent.subject_kind == "holiday"))
        assert list(acts) == ["holiday_declared", "holiday_withdrawn"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"day": day(-1).isoformat()}, "Day: this is too long ago"),
        ({"day": ""}, "Day: fill this in"),
        ({"day": day(800).isoformat()}, "Day: choose a day within the next two years"),
        ({"name_en": " "}, "Name in English: fill this in"),
        ({"region": "nowhere"}, "Region: choose one of the answers"),
    ],
)
def test_what_cannot_be_is_refused_with_its_words_and_stays_typed(
    parts, told, staff, changes, words
):
    admin = staff("admin")
    for answer in (
        admin.get(DECLARE, query_string=told | changes),
        admin.post(DECLARE, told | changes, page=PAGE),
    ):
        assert answer.status_code == 400
        assert words in answer.text
        assert 'value="Tempête"' in answer.text
    assert declared(parts) == []


def test_what_is_sent_twice_is_one_holiday_and_another_of_the_day_is_refused(parts, told, staff):
    admin = staff("admin")
    form = admin.get(DECLARE, query_string=told).text
    hidden = dict(re.findall(r'name="(once|csrf_token)" value="([^"]+)"', form))
    for _ in range(2):
        assert admin.client.post(DECLARE, data=told | hidden).status_code == 303
    assert len(declared(parts)) == 1
    again = admin.post(DECLARE, told, page=PAGE)
    assert (again.status_code, "declared already" in again.text) == (400, True)
    assert len(declared(parts)) == 1


def test_another_organisations_admin_sees_and_closes_nothing(parts, clinic, told, staff):
    admin = staff("admin")
    admin.post(DECLARE, told, page=PAGE)
    [holiday] = declared(parts)
    with parts.doors.transaction() as db:
        other = make.make_organisation(db, names={"en": "Southern region"})
        mine = update(Staff).where(Staff.id == clinic.staff["admin"])
        db.execute(mine.values(organisation_id=other.id))
    page = admin.get(PAGE).text
    assert "Storm" not in page
    assert "Southern region" in page
    assert "Harbour agency" not in page
    withdraw = f"{PAGE}/{holiday.id}/withdraw"
    assert admin.get(withdraw).status_code == 404
    assert admin.post(withdraw, page=PAGE).status_code == 404
    tomorrow = told | {"day": day(1).isoformat()}
    assert admin.get(DECLARE, query_string=tomorrow).status_code == 404
    assert admin.post(DECLARE, tomorrow, page=PAGE).status_code == 404
    assert admin.post(DECLARE, tomorrow | {"organisation": "x"}, page=PAGE).status_code == 400
    assert [each.withdrawn_at for each in declared(parts)] == [None]


def test_what_is_handed_down_reaches_as_far_as_who_gave_it(parts, clinic, told, staff):
    with parts.doors.transaction() as db:
        site = db.get_one(Site, clinic.site_id)
        region = db.get_one(make.Organisation, site.organisation_id).parent_id
        beside = make.make_organisation(db, db.get_one(make.Organisation, region))
        mine = update(Staff).where(Staff.id == clinic.staff["admin"])
        db.execute(mine.values(organisation_id=site.organisation_id))
    admin, theirs = staff("admin"), told | {"organisation": str(beside.id)}
    assert admin.get(DECLARE, query_string=theirs).status_code == 404
    with parts.doors.transaction() as db:
        make.add(db, Delegation(
            giver_id=region, taker_id=site.organisation_id, act="declare_holiday", recorded_at=NOW,
            given_by=clinic.staff["admin"], ends_at=NOW + timedelta(days=9),
        ))  # fmt: skip
    assert admin.get(DECLARE, query_string=theirs).status_code == 200


def test_whoever_runs_a_site_sees_why_it_is_closed_and_declares_nothing(parts, clinic, told, staff):
    admin, lead = staff("admin"), staff("lead")
    admin.post(DECLARE, told, page=PAGE)
    keep_holidays(parts, NOW)
    page = lead.get(PAGE).text
    assert "Storm" in page
    assert "Declare a holiday" not in page
    assert "Withdraw it" not in page
    assert lead.get(DECLARE, query_string=told).status_code == 403
    close = {"site": str(clinic.site_id), "day": told["day"]}
    shown = lead.get("/admin/sessions/close", query_string=close).text
    assert "A holiday is declared" in shown
    assert "Open the site on this day" not in shown
    refused = lead.post("/admin/sessions/close", close | {"open": "y"}, page="/admin/sessions")
    assert refused.status_code == 400
    assert "withdrawn under Holidays" in refused.text
    for role in ("nurse", "inspector", "key_officer"):
        assert staff(role).get(PAGE).status_code == 403


def test_declaring_needs_a_proof_of_the_last_five_minutes(parts, told, staff, clock):
    admin = staff("admin")
    assert admin.get(PAGE).status_code == 200
    clock.pass_by(minutes=6)
    assert admin.get(PAGE).status_code == 200
    answer = admin.post(DECLARE, told, page=PAGE)
    assert (answer.status_code, "/sign-in/again" in answer.location) == (303, True)
    assert declared(parts) == []


def test_the_countrys_holidays_stand_there_and_lead_to_closing_what_is_planned(
    parts, clinic, told, staff
):
    christmas = date(2026, 12, 25)
    with parts.doors.transaction() as db:
        site = db.get_one(Site, clinic.site_id)
        make.make_session(db, site=site, day=christmas)
    admin = staff("admin")
    page = admin.get(PAGE).text
    assert page.count("Close their sites") == 1
    [link] = re.findall(rf'href="({PAGE}\?day=2026-12-25[^"]+)"', page)
    form = admin.get(link.replace("&amp;", "&")).text
    assert 'value="2026-12-25"' in form
    assert 'value="Noël"' in form
    assert '<details class="govuk-details" open' in form.replace(' data-module="govuk-details"', "")
    admin.post(DECLARE, told | {"day": "2026-12-25"}, page=PAGE)
    keep_holidays(parts, NOW)
    assert "Close their sites" not in admin.get(PAGE).text
    with parts.doors.reading() as db:
        there = select(func.count()).where(
            ClinicSession.day == christmas, ClinicSession.state == "cancelled"
        )
        assert db.scalar(there) == 1
