"""Every page that lists something asks the database a few times, however much there is to list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthcert.models import ClinicSession, Person, Programme, Slot
from healthcert.services import enrolment, proxies
from healthcert.services.audit import Actor
from tests import factories as make
from tests.certificates import NOW
from tests.services.clinic import details
from tests.statements import sent
from tests.web.test_calls import call_for
from tests.web.test_guards import routes, visitors

ON = "sqlite"  # what is asked is the same on each engine

__all__ = ["visitors"]  # a fixture

MOST = 5
ROWS = 9
ASKED = {"places.slots": "?programme={programme}&dose=1&town=port-azur"}


@pytest.fixture
def crowded(parts, clinic, visitors):
    """The clinic with many of everything that a page may list."""
    with parts.doors.transaction() as db:
        programme = db.get_one(Programme, clinic.programme_id)
        session = db.get_one(ClinicSession, db.get_one(Slot, clinic.slots[0]).session_id)
        citizen = db.query(Person).one()
        for number in range(ROWS):
            person = enrolment.enrol(db, vault=parts.vault, details=details(), now=NOW)
            slot = make.make_slot(
                db, session=session, starts_at=NOW + timedelta(hours=3, minutes=20 * number),
                capacity=3, booked=2,
            )  # fmt: skip
            make.make_appointment(db, slot=slot, person=person, programme=programme)
            call_for(parts, clinic.site_id, db)
            told = make.make_knowledge(db, kind="programme", content={"products": []})
            other = make.make_programme(db, knowledge_id=told.id)
            make.make_appointment(db, slot=slot, person=citizen, programme=other, state="no_show")
            deed = proxies.Deed(db, parts.vault, parts.country, NOW)
            until = NOW + timedelta(days=1)
            proxies.grant(deed, person.id, Actor("citizen", citizen.id), "carer", ("view",), until)
            body = make.make_organisation(db)
            site = make.make_site(db, organisation_id=body.id, latitude=33.9, longitude=35.5)
            make.make_staff(db, role="nurse", site_id=clinic.site_id)
            make.make_staff(db, role="nurse", site_id=site.id)
            make.make_slot(db, session=make.make_session(
                db, site=site, programme=programme, day=make.day(2)
            ))  # fmt: skip
    return visitors


@pytest.mark.walk
def test_no_page_that_lists_asks_more_than_a_few_times(app, parts, clinic, crowded, say):
    told = []
    for rule, method in routes(app):
        if method != "GET" or rule.arguments:
            continue
        path = rule.rule + ASKED.get(rule.endpoint, "").format(programme=clinic.programme_id)
        for role, browser in crowded.items():
            with sent(parts.doors.engine) as statements:
                answer = browser.get(path)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                told.append((len(own(statements)), rule.rule, str(role), own(statements)))
    worst = {path: f"{number} {path} as {role}" for number, path, role, _sent in sorted(told)}
    say(f"{len(worst)} pages, the worst: " + "; ".join([*worst.values()][-8:]))
    assert len(worst) > 15
    assert [each for each in told if each[0] > MOST] == []


def own(statements):
    """Leave out what opens a transaction, and the two that find who asks: visit and staff."""
    asked = [each for each in statements if not each.startswith(("BEGIN", "PRAGMA"))]
    for known in ("SELECT visit.", "SELECT staff."):
        if asked and asked[0].startswith(known):
            asked = asked[1:]
    return asked
