"""The page of opening hours: as they were and will be, what others change, and the deed itself."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from healthcert.jobs.sessions import rebook
from healthcert.models import ClinicSession, SiteHours, Slot
from healthcert.services import hours
from tests import factories as make
from tests.certificates import NOW
from tests.factories import TODAY, day
from tests.web.conftest import two_levels
from tests.web.test_supply import another_session


@pytest.fixture
def path(app, parts, clinic):
    """The address of the hours of the clinic's site, which is open all week from eight to noon."""
    two_levels(app, clinic)
    with parts.doors.transaction() as db:
        spans = hours.read("Mo-Su 08:00-12:00")
        hours.begin(db, site_id=clinic.site_id, spans=spans, now=NOW)
    return f"/admin/sites/{clinic.site_id}/hours"


def versions(parts, clinic):
    with parts.doors.reading() as db:
        return [(one.since, one.hours) for one in hours.versions(db, site_id=clinic.site_id)]


def test_what_changes_is_said_before_it_is_done_and_the_worker_moves_who_is_outside(
    parts, clinic, staff, book, path
):
    book(0)
    another_session(parts, clinic)
    admin, told = staff("admin"), {"hours": "Mo-Su 08:00-09:00", "since": TODAY.isoformat()}
    shown = admin.get(path, query_string=told).text
    assert "1 person is booked outside of these hours and gets another time." in shown
    assert re.search(r"Sessions that are cancelled\s*</dt>\s*<dd[^>]*>\s*<bdi[^>]*>2<", shown)
    assert [hours for _since, hours in versions(parts, clinic)] == ["Mo-Su 08:00-12:00"]
    answer = admin.post(path, told)
    assert answer.status_code == 303
    after = admin.get(answer.location).text
    assert "The new hours hold from" in after
    assert [after.count(word) for word in ("In force", "Past")] == [1, 1]
    assert versions(parts, clinic)[1:] == [(TODAY, "Mo-Su 08:00-09:00")]
    with parts.doors.transaction() as db:
        assert set(db.scalars(select(ClinicSession.state))) == {"cancelled"}
        old = db.scalars(select(ClinicSession)).first()
        new = make.make_session(
            db, site=db.get_one(make.Site, clinic.site_id), day=day(3),
            programme=db.get_one(make.Programme, clinic.programme_id),
            product=db.get_one(make.Product, old.product_id),
        )  # fmt: skip
        make.make_slot(db, session=new)
    assert rebook(parts, NOW) == 1
    with parts.doors.reading() as db:
        booked = select(Slot.session_id).where(Slot.booked > 0)
        assert db.scalars(booked).all() == [new.id]


def test_a_lead_reaches_the_hours_of_their_own_site_from_the_sessions(parts, clinic, staff, path):
    lead = staff("lead")
    assert f'href="{path}"' in lead.get("/admin/sessions").text
    shown = lead.get(path).text
    assert 'value="Mo-Su 08:00-12:00"' in shown
    assert "The beginning" in shown
    assert 'href="/admin/sessions" class="govuk-back-link"' in shown
    later = {"hours": "", "since": day(40).isoformat()}
    assert ">Thesiteisclosed<" in re.sub(r"\s", "", lead.get(path, query_string=later).text)
    assert lead.post(path, later).status_code == 303
    assert "Later" in lead.get(path).text
    assert versions(parts, clinic)[1:] == [(day(40), "")]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"since": ""}, "From which day on: fill this in"),
        ({"since": "soon"}, "From which day on: "),
        ({"since": day(-1).isoformat()}, "From which day on: this is too long ago"),
        ({"hours": "always"}, "Opening hours: write it such as"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_what_was_typed_stays(
    parts, staff, path, told, words
):
    lead, told = staff("lead"), {"hours": "Mo 09:00-10:00", "since": day(3).isoformat()} | told
    for answer in (lead.get(path, query_string=told), lead.post(path, told)):
        assert answer.status_code == 400
        assert words in answer.text
        assert f'value="{told["hours"]}"' in answer.text
    bare = {"since": day(3).isoformat()}
    for answer in (lead.get(path, query_string=bare), lead.post(path, bare)):
        assert answer.status_code == 400
        assert "Opening hours: fill this in" in answer.text
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(SiteHours)) == 7


def test_who_changes_hours_proves_again_who_they_are(parts, clinic, staff, path, clock):
    lead = staff("lead")
    told = {"hours": "", "since": day(3).isoformat()}
    token = re.search(r'csrf_token" value="([^"]+)', lead.get("/admin/sessions").text)[1]
    clock.pass_by(minutes=6)
    for answer in (
        lead.get(path, query_string=told), lead.client.post(path, data=told | {"csrf_token": token})
    ):  # fmt: skip
        assert answer.status_code == 303
        assert answer.location.startswith("/sign-in/again")
    assert len(versions(parts, clinic)) == 1


@pytest.mark.usefixtures("path")
def test_nobody_reaches_the_hours_of_anothers_site(parts, staff):
    with parts.doors.transaction() as db:
        theirs = make.make_site(db, organisation_id=make.make_organisation(db).id).id
    told = {"hours": "", "since": (TODAY + timedelta(days=3)).isoformat()}
    for role in ("lead", "admin"):
        who = staff(role)
        there = f"/admin/sites/{theirs}/hours"
        assert who.get(there).status_code == who.get(there, query_string=told).status_code == 404
        assert who.post(there, told, page="/admin/sessions").status_code == 404
    for role in ("nurse", "clerk", "inspector"):
        assert staff(role).get(f"/admin/sites/{theirs}/hours").status_code == 403
