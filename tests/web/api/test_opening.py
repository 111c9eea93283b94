"""What a program does for opening day: draws, and the opening that stands in the data folder."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from healthcert.gateways import room_files
from healthcert.jobs import draws as job
from healthcert.models import AuditEvent, Programme, new_id
from tests.certificates import NOW
from tests.web.api.conftest import Program
from tests.web.api.test_clinic import ask

ON = "sqlite"  # the services are tested on both engines

CLOSES = NOW + timedelta(minutes=4)


@pytest.fixture
def code(parts, clinic):
    with parts.doors.reading() as db:
        return db.get_one(Programme, clinic.programme_id).code


@pytest.fixture
def admin(program):
    return program("admin")


@pytest.fixture
def rules(code):
    return {"programme": code, "source": "the lottery", "closes": CLOSES.isoformat(), "places": 3,
            "reserves": {"region:coast": 20}}  # fmt: skip


def tag(who, path):
    return who.get(path).headers["ETag"]


def test_a_draw_is_announced_run_and_told_to_everybody(app, admin, parts, clock, rules):
    made = ask(admin, "/draws", {"rules": rules}, 201)
    assert made["manifest"]["reserves"] == {"region:coast": 20}
    path, value = f"/draws/{made['id']}", {"public_value": "7 12 19"}
    assert Program(app).get(path).json == made
    ask(admin, f"{path}/run", value, 428)
    ask(admin, f"{path}/run", value, 409, If_Match=tag(admin, path))
    clock.now = CLOSES
    seen = tag(admin, path)
    job.keep(parts, CLOSES)
    ask(admin, f"{path}/run", value, 412, If_Match=seen)
    wrong = ask(admin, f"{path}/run", {"public_value": "7\n"}, 422, If_Match=tag(admin, path))
    assert wrong["fields"] == {"public_value": "not_a_line"}
    drawn = ask(admin, f"{path}/run", value, 200, If_Match=tag(admin, path))
    assert (drawn["state"], drawn["manifest"]["public_value"]) == ("drawn", "7 12 19")
    job.keep(parts, CLOSES)
    assert Program(app).get(path).json["state"] == "published"
    ask(admin, f"{path}/give-up", None, 409, If_Match=tag(admin, path))


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"programme": "moon"}, {"programme": "not_a_choice"}),
        ({"closes": "2026-03-03"}, {"closes": "not_a_time"}),
        ({"closes": NOW.isoformat()}, {"closes": "is_over"}),
        ({"places": 0}, {"places": "not_a_count"}),
        ({"reserves": {"region:moon": 9}}, {"reserves": "not_known"}),
        ({"reserves": {"moon": 9}}, {"reserves": "not_percents"}),
    ],
)
def test_rules_that_nobody_could_follow_are_refused_by_field(admin, rules, wrong, fields):
    told = ask(admin, "/draws", {"rules": rules | wrong}, 422)["fields"]
    assert told == {f"rules.{name}": code for name, code in fields.items()}
    assert admin.get("/draws").json["items"] == []


def test_a_draw_is_given_up_and_stays(admin, rules):
    path = f"/draws/{ask(admin, '/draws', {'rules': rules}, 201)['id']}"
    told = ask(admin, f"{path}/give-up", None, 200, If_Match=tag(admin, path))
    assert told["state"] == "void"
    ask(admin, f"/draws/{new_id()}/give-up", None, 404, If_Match="*")


def test_an_opening_is_set_as_it_was_seen_changed_and_taken_away(admin, parts, code):
    folder = parts.settings.data_dir
    opens_at = NOW + timedelta(days=1)
    opening = {"code": "spring", "programme": code, "opens_at": opens_at.isoformat()}
    none = {"opening": None, "wrong": {}, "says": ""}
    assert admin.get("/opening").json == none
    put = {"opening": opening}
    assert admin.ask("PUT", "/opening", put).status_code == 428
    empty = tag(admin, "/opening")
    answer = admin.ask("PUT", "/opening", put, If_Match=empty)
    assert answer.status_code == 200, answer.text
    assert answer.json["opening"] == {
        "code": "spring", "programme": code, "opens_at": f"{opens_at:%Y-%m-%dT%H:%M:%SZ}",
        "room_minutes": 60, "hours": 12,
    }  # fmt: skip
    assert admin.get("/opening").json == answer.json
    assert room_files.announced(folder).opens_at == opens_at
    assert admin.ask("PUT", "/opening", put, If_Match=empty).status_code == 412
    seen = tag(admin, "/opening")
    wrong = {"opening": opening | {"code": "a b", "hours": 0}}
    refused = admin.ask("PUT", "/opening", wrong, If_Match=seen)
    assert (refused.status_code, refused.json["fields"]) == (
        422, {"opening.code": "not_a_code", "opening.hours": "not_room_hours"}
    )  # fmt: skip
    told = admin.get("/opening/state").json
    assert (told["room"], told["left"], told["waiting"]) == ("soon", 6, 0)
    gone = admin.ask("DELETE", "/opening", If_Match=seen)
    assert (gone.status_code, gone.data) == (204, b"")
    assert room_files.announced(folder) is None
    again = admin.ask("DELETE", "/opening", If_Match=tag(admin, "/opening"))
    assert again.status_code == 404
    with parts.doors.reading() as db:
        acts = select(AuditEvent.act).where(AuditEvent.act.like("opening%"))
        found = db.scalars(acts.order_by(AuditEvent.id)).all()
    assert found == ["opening_announced", "opening_taken_away"]


def test_of_two_programs_at_the_same_moment_one_is_told_of_the_other(admin, parts, code):
    opening = {"code": "a", "programme": code, "opens_at": (NOW + timedelta(days=1)).isoformat()}
    put = partial(
        admin.ask, "PUT", "/opening", {"opening": opening}, If_Match=tag(admin, "/opening")
    )
    with ThreadPoolExecutor(2) as pool:
        with room_files.alone(parts.settings.data_dir):
            answers = [pool.submit(put) for _each in "ab"]
            assert not wait(answers, 0.5).done, "what is being done was not waited for"
        assert sorted(each.result().status_code for each in answers) == [200, 412]


def test_the_same_key_sets_an_opening_once(admin, parts, code):
    opening = {"code": "a", "programme": code, "opens_at": (NOW + timedelta(days=1)).isoformat()}
    key = {"Idempotency_Key": "once", "If_Match": tag(admin, "/opening")}
    first = admin.ask("PUT", "/opening", {"opening": opening}, **key)
    room_files.take_away(parts.settings.data_dir)
    again = admin.ask("PUT", "/opening", {"opening": opening}, **key)
    assert (again.status_code, again.json) == (200, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert room_files.announced(parts.settings.data_dir) is None, "it was done a second time"


def no_room(_file):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_same_key_sets_what_could_not_be_written(admin, parts, code):
    opening = {"code": "a", "programme": code, "opens_at": (NOW + timedelta(days=1)).isoformat()}
    told = {"Idempotency_Key": "again", "If_Match": tag(admin, "/opening")}
    put = partial(admin.ask, "PUT", "/opening", {"opening": opening}, **told)
    with pytest.MonkeyPatch.context() as disk:
        disk.setattr(os, "fsync", no_room)
        assert put().status_code == 500
    assert room_files.announced(parts.settings.data_dir) is None
    assert put().status_code == 200
    assert room_files.announced(parts.settings.data_dir).code == "a"


def test_what_was_broken_by_hand_is_told_and_replaced(admin, parts, code):
    (parts.settings.data_dir / "opening.toml").write_text("hours = 3", "utf-8")
    told = admin.get("/opening").json
    assert told["wrong"] == dict.fromkeys(("code", "programme", "opens_at"), "missing")
    opening = {"code": "a", "programme": code, "opens_at": (NOW + timedelta(days=1)).isoformat()}
    answer = admin.ask("PUT", "/opening", {"opening": opening}, If_Match=tag(admin, "/opening"))
    assert answer.status_code == 200


def test_others_see_and_change_nothing_and_old_tokens_prove_again(program, clock, rules):
    inspector = program("inspector")
    assert inspector.get("/opening").status_code == 200
    ask(inspector, "/draws", {"rules": rules}, 403)
    assert inspector.ask("DELETE", "/opening", If_Match="*").status_code == 403
    assert program("lead").get("/opening/state").status_code == 403
    old = program("admin")
    clock.pass_by(minutes=6)
    assert ask(old, "/draws", {"rules": rules}, 403)["code"] == "prove_again"
