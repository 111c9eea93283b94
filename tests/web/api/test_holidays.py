"""Programs list the holidays, foresee, declare and withdraw them as people do on the page."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select, update

from healthcert.jobs.sessions import keep_holidays
from healthcert.models import Holiday, Staff
from tests import factories as make
from tests.certificates import NOW
from tests.factories import day
from tests.web.api.test_clinic import ask
from tests.web.conftest import two_levels

ON = "sqlite"  # the services are tested on both engines

PATH = "/holidays"


@pytest.fixture
def wanted(app, clinic):
    """Return a holiday to be, of today, for the agency of the clinic's site."""
    _given, agency = two_levels(app, clinic)
    return {"organisation_id": str(agency), "region": None, "day": NOW.date().isoformat(),
            "names": {"en": "Storm"}}  # fmt: skip


def test_a_holiday_is_foreseen_declared_once_listed_and_withdrawn(parts, wanted, program):
    admin = program("admin")
    found = ask(admin, f"{PATH}/preview", wanted)
    assert found == {"sites": 1, "sessions": 1, "people": 0}
    assert admin.get(PATH).json == {"items": [], "next": None}
    key = {"Idempotency_Key": str(uuid4())}
    made = ask(admin, PATH, wanted, 201, **key)
    assert ask(admin, PATH, wanted, 201, **key) == made
    twice = ask(admin, PATH, wanted, 422)
    assert twice["fields"] == {"day": "declared_already"}
    keep_holidays(parts, NOW)
    [one] = admin.get(PATH).json["items"]
    assert (one["id"], one["sites"], one["closed"], one["people"]) == (made["id"], 1, 1, 0)
    assert (one["names"], one["region"], one["withdrawn_at"]) == ({"en": "Storm"}, None, None)
    assert program("lead").get(PATH).json["items"] == [one]
    path = f"{PATH}/{made['id']}/withdraw"
    ask(program("lead"), path, status=403)
    ask(admin, path, status=204)
    assert ask(admin, path, status=409)["code"] == "wrong_state"
    assert admin.get(PATH).json["items"][0]["withdrawn_at"]
    assert keep_holidays(parts, NOW) == 1
    assert admin.get(PATH).json["items"][0]["closed"] == 0


@pytest.mark.parametrize(
    ("changes", "status", "fields"),
    [
        ({"day": day(-2).isoformat()}, 422, {"day": "too_long_ago"}),
        ({"names": {"fr": "Tempête"}}, 422, {"names.en": "missing"}),
        ({"names": {"en": "Storm", "fr": "x" * 101}}, 422, {"names.fr": "too_long"}),
        ({"names": {"en": "Storm", "zz": "X"}}, 400, {"names.zz": "not_a_choice"}),
        ({"region": "nowhere"}, 422, {"region": "not_a_choice"}),
        ({"organisation_id": str(make.new_id())}, 404, None),
    ],
)
def test_what_cannot_be_is_refused_before_and_after_it_is_foreseen(
    parts, wanted, program, changes, status, fields
):
    admin = program("admin")
    for path in (f"{PATH}/preview", PATH):
        assert ask(admin, path, wanted | changes, status).get("fields") == fields
    with parts.doors.reading() as db:
        assert db.scalars(select(Holiday)).all() == []


def test_the_list_comes_by_the_page_and_to_whom_it_concerns(parts, clinic, wanted, program):
    admin = program("admin")
    made = [ask(admin, PATH, wanted | {"day": day(n).isoformat()}, 201)["id"] for n in (4, 2, 3)]
    listed, cursor = [], {}
    while cursor is not None:
        page = admin.get(f"{PATH}?limit=2" + (f"&cursor={cursor['cursor']}" if cursor else "")).json
        listed += [each["id"] for each in page["items"]]
        cursor = page["next"] and {"cursor": page["next"]}
    assert listed == [made[1], made[2], made[0]]
    assert [each["day"] for each in admin.get(f"{PATH}/country").json["items"]] == [
        "2026-12-25", "2027-01-01",
    ]  # fmt: skip
    with parts.doors.transaction() as db:
        other = make.make_organisation(db)
        mine = update(Staff).where(Staff.id == clinic.staff["admin"])
        db.execute(mine.values(organisation_id=other.id))
    assert admin.get(PATH).json["items"] == []
    ask(admin, f"{PATH}/{made[0]}/withdraw", status=404)
