"""The pages of sites: what an administrator adds and changes there, and what is refused."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select, update

from healthcert.models import AuditEvent, ClinicSession, Delegation, Site, SiteProbation
from healthcert.services import hours
from tests import factories as make
from tests.certificates import NOW
from tests.factories import day
from tests.web.conftest import two_levels

HOURS = "Mo-Fr 08:30-12:30,13:30-16:00; Sa 09:00-12:00"
TOLD = {
    "code": "north-03", "name_en": "North hall", "name_fr": "Salle nord", "name_ar": "قاعة الشمال",
    "address_en": "3 Quay Street", "region": "coast", "latitude": "33,95", "longitude": "35.6",
    "time_zone": "Asia/Beirut", "hours": HOURS, "step_free": "y", "facilities": ["lift", "toilet"],
    "languages": ["ar", "fr"],
}  # fmt: skip


@pytest.fixture
def ours(app, parts, clinic):
    """The clinic's site under an agency, and its administrator above; the agency's code."""
    two_levels(app, clinic)
    with parts.doors.reading() as db:
        site = db.get_one(Site, clinic.site_id)
        return db.get_one(make.Organisation, site.organisation_id).code


def kept(parts, code="north-03"):
    with parts.doors.reading() as db:
        return db.scalars(select(Site).filter_by(code=code)).one()


def said(parts, act):
    with parts.doors.reading() as db:
        return db.scalars(select(AuditEvent).filter_by(act=act)).one().details


def test_a_site_is_added_and_stands_in_the_list_with_its_hours(parts, ours, staff):
    admin = staff("admin")
    answer = admin.post("/admin/sites/new", TOLD | {"organisation": ours})
    assert answer.status_code == 303, answer.text
    site = kept(parts)
    assert site.names == {"en": "North hall", "fr": "Salle nord", "ar": "قاعة الشمال"}
    assert set(site.address.values()) == {"3 Quay Street"}
    assert (site.latitude, site.step_free, site.female_vaccinator) == (33.95, True, False)
    assert (site.facilities, site.languages) == (["lift", "toilet"], ["ar", "fr"])
    with parts.doors.reading() as db:
        assert hours.of(db, site.id, NOW.date())[-1].weekday == 6
        assert db.scalar(select(SiteProbation.site_id).filter_by(site_id=site.id))
    assert said(parts, "site_made") == {"of": str(site.organisation_id)}
    assert "is saved" in admin.get(answer.location).text
    assert "Salle nord" in admin.get("/admin/sites?lang=fr").text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("code", "", "Short code: fill this in"),
        ("name_en", "", "Name in English: fill this in"),
        ("code", "x" * 101, "Short code: this is too long"),
        ("name_fr", "x" * 101, "Name in French: this is too long"),
        ("address_en", "x" * 301, "Address in English: this is too long"),
        ("region", "moon", "Region: we do not know this one"),
        ("latitude", "north", "Latitude: enter degrees"),
        ("longitude", "181", "Longitude: there is no such place"),
        ("time_zone", "Moon/Tycho", "Time zone: we do not know"),
        ("hours", "always", "Opening hours: write it such as"),
        ("facilities", ["pool"], "What else there is: choose one"),
        ("languages", ["qqq"], "Languages spoken there: we do not"),
        ("organisation", "", "Organisation: we do not know"),
    ],
)
def test_what_cannot_be_used_is_named_and_what_was_typed_stays(
    parts, ours, staff, field, value, words
):
    told = TOLD | {"organisation": ours, field: value}
    answer = staff("admin").post("/admin/sites/new", told)
    assert answer.status_code == 400
    assert words in answer.text
    assert field == "name_fr" or 'value="Salle nord"' in answer.text
    if isinstance(value, str) and value and field not in {"region", "organisation"}:
        assert f'value="{value}"' in answer.text
    assert len(re.findall(r'href="#', answer.text.partition("There is a problem")[2])) > 0
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(Site)) == 1


def test_what_is_wrong_is_said_in_arabic_too(ours, staff):
    admin = staff("admin")
    admin.get("/admin/sites?lang=ar")
    answer = admin.post("/admin/sites/new", TOLD | {"organisation": ours, "hours": "always"})
    assert answer.status_code == 400
    assert 'dir="rtl"' in answer.text
    assert "Opening hours" not in answer.text


@pytest.mark.usefixtures("ours")
def test_a_site_is_changed_and_keeps_its_hours_which_are_changed_elsewhere(parts, clinic, staff):
    with parts.doors.transaction() as db:
        spans = hours.read("Mo 08:00-12:00,13:00-14:00; Tu 09:00-10:00")
        hours.begin(db, site_id=clinic.site_id, spans=spans, closed=[day(9)], now=NOW)
    admin, path = staff("admin"), f"/admin/sites/{clinic.site_id}"
    shown = admin.get(path).text
    assert "Mo 08:00-12:00,13:00-14:00; Tu 09:00-10:00" in shown
    assert 'name="hours"' not in shown
    assert f'href="{path}/hours"' in shown
    assert str(day(9).year) in shown
    before, told = kept_by_id(parts, clinic), TOLD | {"code": "harbour", "time_zone": "Asia/Beirut"}
    assert admin.post(path, told).status_code == 303
    after = kept_by_id(parts, clinic)
    assert after.names["en"] == "North hall"
    assert after.organisation_id == before.organisation_id
    details = said(parts, "site_changed")
    assert details["names"] is True
    assert not {"time_zone", "hours_0"} & details.keys()
    with parts.doors.reading() as db:
        assert hours.closed_days(db, clinic.site_id) == [day(9)]
        assert hours.of(db, clinic.site_id, NOW.date()) == tuple(spans)


def kept_by_id(parts, clinic):
    with parts.doors.reading() as db:
        return db.get_one(Site, clinic.site_id)


@pytest.mark.usefixtures("ours")
def test_the_clock_of_a_site_stays_while_people_count_on_it(parts, clinic, staff):
    admin, path = staff("admin"), f"/admin/sites/{clinic.site_id}"
    told = TOLD | {"time_zone": "Europe/Paris"}
    refused = admin.post(path, told)
    assert refused.status_code == 400
    assert "Time zone: sessions are planned there" in refused.text
    with parts.doors.transaction() as db:
        db.execute(update(ClinicSession).values(state="cancelled"))
    assert admin.post(path, told).status_code == 303


def test_a_code_that_another_site_has_is_refused(parts, ours, staff):
    with parts.doors.transaction() as db:
        make.make_site(db, code="north-03")
    answer = staff("admin").post("/admin/sites/new", TOLD | {"organisation": ours})
    assert answer.status_code == 400
    assert "Short code: somebody else uses this" in answer.text


@pytest.mark.usefixtures("ours")
def test_nobody_reaches_the_sites_of_another_organisation(parts, clinic, staff):
    with parts.doors.transaction() as db:
        other = make.make_organisation(db)
        theirs = make.make_site(db, organisation_id=other.id, names={"en": "Elsewhere"}).id
        code = other.code
    admin = staff("admin")
    assert "Elsewhere" not in admin.get("/admin/sites").text
    assert admin.get(f"/admin/sites/{theirs}").status_code == 404
    path = f"/admin/sites/{clinic.site_id}"
    assert admin.post(f"/admin/sites/{theirs}", TOLD, page=path).status_code == 404
    assert admin.post("/admin/sites/new", TOLD | {"organisation": code}).status_code == 400
    for role, status in (("lead", 403), ("inspector", 403), ("key_officer", 403)):
        assert staff(role).get("/admin/sites").status_code == status
    with parts.doors.reading() as db:
        assert db.get_one(Site, theirs).names == {"en": "Elsewhere"}
        assert db.scalar(select(func.count()).select_from(Delegation)) == 1


@pytest.mark.usefixtures("ours")
def test_the_list_comes_by_the_page(parts, clinic, staff):
    with parts.doors.transaction() as db:
        body = db.get_one(Site, clinic.site_id).organisation_id
        for number in range(60):
            make.make_site(db, organisation_id=body, code=f"zz-{number:02}")
    admin = staff("admin")
    first = admin.get("/admin/sites").text
    [on] = re.findall(r'href="(/admin/sites\?after=[^"]+)"', first)
    second = admin.get(on).text
    codes = [set(re.findall(r">(zz-\d\d)<", page)) for page in (first, second)]
    assert [len(each) >= 10 for each in codes] == [True, True]
    assert not codes[0] & codes[1]
    assert len(codes[0] | codes[1]) == 60
    assert ("Next" in first, "Previous" in first) == (True, False)
    assert ("Next" in second, "Previous" in second) == (False, True)
    for odd in ("zz-59", "z" * 5000):
        assert admin.get(f"/admin/sites?after={odd}").status_code == 200
