"""The page of people to call: whom it shows, what of them, and both deeds; programs the same."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.models import AuditEvent, Message
from healthcert.policy.roles import Role
from healthcert.services import enrolment, messages
from healthcert.services.bearing import Bearing
from tests.certificates import NOW
from tests.services.clinic import details
from tests.web.api.conftest import Program, token_of
from tests.web.api.test_clinic import ask
from tests.web.conftest import Browser, officers_of

ON = "sqlite"  # the services are tested on both engines

PAGE = "/calls"


def call_for(parts, site_id, db, *, until=NOW + timedelta(days=1), **who):
    """Return the message that somebody without an address is to be told at a site."""
    told = details(**{"phone": "", "mail": ""} | who)
    person = enrolment.enrol(db, vault=parts.vault, details=told, now=NOW)
    messages.queue(
        db, vault=parts.vault, person=person, template="dose_corrected", fields={}, due_at=NOW,
        time_zone="UTC", now=NOW, bears=Bearing(until, site_id),
    )  # fmt: skip
    return db.scalars(select(Message).filter_by(person_id=person.id)).one()


@pytest.fixture
def calls(parts, clinic):
    """Return how to have so many people to be called at the clinic, one an hour."""

    def made(number=1, **who):
        with parts.doors.transaction() as db:
            for hour in range(number):
                until = NOW + timedelta(hours=hour + 1)
                call_for(parts, clinic.site_id, db, until=until, **who)

    return made


def acts(parts):
    with parts.doors.reading() as db:
        query = select(AuditEvent.act).filter_by(subject_kind="message")
        return list(db.scalars(query.order_by(AuditEvent.id)))


def test_who_is_to_be_called_stands_on_the_page_until_they_were_told(staff, calls, parts):
    clerk = staff("clerk")
    assert PAGE in clerk.get("/clinic/").text
    assert "Nobody is to be called" in clerk.get(PAGE).text
    calls(language="ar")
    page = clerk.get(PAGE).text
    for shown in ("الكناري", "17 May 1980", "Left no number", 'lang="ar"', "تلقيت"):
        assert shown in page
    path = re.search(rf"{PAGE}/[0-9a-f-]+", page)[0]
    answer = clerk.post(path, {"act": "not_reached"}, page=PAGE)
    page = clerk.get(answer.location).text
    assert "not reached. They stay" in page
    assert "Calls in vain" in page
    assert path in page
    answer = clerk.post(path, {"act": "told"}, page=PAGE)
    assert path not in clerk.get(answer.location).text
    assert clerk.post(path, {"act": "told"}, page="/clinic/").status_code == 409
    assert acts(parts) == ["call_not_reached", "call_told"]
    assert clerk.post(path, {"act": "x"}, page="/clinic/").status_code == 400


def test_the_same_form_sent_twice_is_one_try(staff, calls, parts):
    calls()
    clerk = staff("clerk")
    path = re.search(rf"{PAGE}/[0-9a-f-]+", clerk.get(PAGE).text)[0]
    token = re.search(r'csrf_token" value="([^"]+)', clerk.get(PAGE).text)[1]
    told = {"csrf_token": token, "act": "not_reached", "once": "7"}
    assert [clerk.client.post(path, data=told).status_code for _ in range(2)] == [303, 303]
    assert acts(parts) == ["call_not_reached"]


def test_a_long_list_goes_on_page_by_page_and_comes_back_where_one_was(staff, calls):
    calls(23)
    nurse = staff("nurse")
    first = nurse.get(PAGE).text
    more = re.search(rf'{PAGE}\?after=[^"]+', first)[0].replace("&amp;", "&")
    second = nurse.get(more).text
    paths = [set(re.findall(rf"{PAGE}/[0-9a-f-]{{36}}", page)) for page in (first, second)]
    assert [len(some) for some in paths] == [20, 3]
    assert not paths[0] & paths[1]
    deed = re.search(rf'{PAGE}/[0-9a-f-]{{36}}\?after=[^"]+', second)[0].replace("&amp;", "&")
    answer = nurse.post(deed, {"act": "told"}, page=more)
    assert len(set(re.findall(rf"{PAGE}/[0-9a-f-]{{36}}", nurse.get(answer.location).text))) == 2
    for wrong in ("?after=x&after=y", "?after=0001-01-01T00:00%2B14:00&after=x", "?after=1"):
        assert nurse.get(PAGE + wrong).text.count("Left no number") == 20


def test_administrators_see_the_people_of_their_sites_each_with_its_site(app, clinic, calls):
    above, _one, stranger = officers_of(app, clinic)
    calls()
    page = Browser(app).sign_in(above).get(PAGE).text
    assert "Harbour" in page
    assert "/clinic/people/" not in page  # which is for the people of the site
    assert "Nobody is to be called" in Browser(app).sign_in(stranger).get(PAGE).text
    assert PAGE in Browser(app).sign_in(above).get("/admin/").text


def test_who_takes_an_offer_on_the_telephone_is_one_click_away(staff, calls):
    calls()
    clerk = staff("clerk")
    person = re.search(r"/clinic/people/[0-9a-f-]+", clerk.get(PAGE).text)[0]
    assert "الكناري" in clerk.get(person).text


def test_programs_do_the_same(app, parts, clinic, calls):
    calls(3)
    lead = Program(app, token_of(parts, Role.LEAD, clinic.staff["lead"]))
    first = lead.get(f"{PAGE}?limit=2").json
    rest = lead.get(f"{PAGE}?cursor={first['next']}").json["items"]
    assert [len(first["items"]), len(rest)] == [2, 1]
    one = first["items"][0]
    assert (one["phone"], one["birth_date"], one["tried"]) == ("", "1980-05-17", 0)
    ask(lead, f"{PAGE}/{one['id']}/not-reached", None, 204)
    [again, *_] = lead.get(PAGE).json["items"]
    assert (again["id"], again["tried"], len(again["tries"])) == (one["id"], 1, 1)
    ask(lead, f"{PAGE}/{one['id']}/told", None, 204)
    assert ask(lead, f"{PAGE}/{one['id']}/told", None, 409)["code"] == "wrong_state"
    assert len(lead.get(PAGE).json["items"]) == 2
