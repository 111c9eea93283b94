"""What programs do for administrators: the tree, what is handed on, what waits for a release."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.models import CertificateHold, SiteProbation
from healthcert.services import holds
from tests import factories as make
from tests.certificates import NOW
from tests.web.api.conftest import Program, token_of
from tests.web.api.test_clinic import ask
from tests.web.conftest import officers_of

ON = "sqlite"  # the services are tested on both engines


@pytest.fixture
def officers(app, clinic, parts):
    """Programs of two officers above the clinic, and of one of another organisation."""
    return [Program(app, token_of(parts, "admin", each)) for each in officers_of(app, clinic)]


def test_an_act_is_handed_to_an_organisation_below_and_taken_back(officers):
    one, _two, stranger = officers
    bodies = {each["level"]: each for each in one.get("/organisations?limit=200").json["items"]}
    [*_, above, below] = (bodies[level] for level in sorted(bodies))
    assert below["parent_id"] == above["id"]
    before = {each["id"] for each in one.get("/delegations").json["items"]}
    told = {"taker_id": below["id"], "act": "close_site", "days": 30}
    made = ask(one, "/delegations", told, 201)["id"]
    found = {each["id"]: each["act"] for each in one.get("/delegations").json["items"]}
    assert found.keys() - before == {made}
    assert found[made] == "close_site"
    assert made not in stranger.get("/delegations").text
    ask(stranger, f"/delegations/{made}/revoke", status=404)
    ask(one, f"/delegations/{made}/revoke", status=204)
    assert {each["id"] for each in one.get("/delegations").json["items"]} == before
    wrong = ask(one, "/delegations", told | {"act": "record_dose"}, 400)
    assert wrong["fields"] == {"act": "not_a_choice"}


def test_what_waits_is_seen_and_released_by_two_in_whose_reach_it_is(parts, clinic, officers):
    one, two, stranger = officers
    with parts.doors.transaction() as db:
        db.add(SiteProbation(recorded_at=NOW, site_id=clinic.site_id))
        author = make.make_staff(db, site_id=clinic.site_id).id
        holds.hold(db, [make.make_test(db, recorded_by=author)], why="cap", now=NOW)
    waits = one.get("/held").json["items"]
    assert {(each["why"], each["of"]) for each in waits} == {
        ("probation", str(clinic.site_id)), ("cap", str(author)),
    }  # fmt: skip
    first = one.get("/held?limit=1").json
    rest = one.get(f"/held?limit=1&cursor={first['next']}").json
    assert first["items"] + rest["items"] == waits
    assert stranger.get("/held").json["items"] == []
    site, why = f"/held/{clinic.site_id}/release", {"why": "probation"}
    ask(stranger, site, why, 404)
    ask(one, site, {"why": "cap"}, 404)
    ask(one, site, why, 204)
    assert ask(one, site, why, 409)["code"] == "needs_another"
    ask(two, site, why, 204)
    ask(two, f"/held/{author}/release", {"why": "cap"}, 204)
    assert one.get("/held").json["items"] == []
    with parts.doors.reading() as db:
        assert all(row.released_by for row in db.scalars(select(CertificateHold)))
