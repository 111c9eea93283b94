"""An administrator announces a draw, enters the public value, or gives up: at a page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.gateways import draw_files
from healthcert.jobs import draws as job
from healthcert.models import AuditEvent, Draw, Programme, WaitEntry, new_id
from healthcert.policy.draw import differences
from tests import factories as make
from tests.certificates import NOW

CLOSES = NOW + timedelta(days=1)
RULES = {"places": "3", "closes": "2026-03-03T12:00", "source": "the lottery of 4 March"}


@pytest.fixture
def code(parts, clinic):
    with parts.doors.reading() as db:
        return db.get_one(Programme, clinic.programme_id).code


@pytest.fixture
def admin(staff):
    return staff("admin")


@pytest.fixture
def announced(admin, code):
    """Announce a draw at the page; return the address of its own."""

    def done(**changes):
        path = f"/admin/draws/new?programme={code}"
        answer = admin.post(path, RULES | changes | {"sure": "y"})
        assert answer.status_code == 303, answer.text
        return answer.location.partition("?")[0]

    return done


@pytest.fixture
def waits(parts, clinic):
    """Put some people on the waiting list."""

    def put(count):
        with parts.doors.transaction() as db:
            for _ in range(count):
                db.add(WaitEntry(
                    id=new_id(), recorded_at=NOW, person_id=make.make_person(db).id,
                    programme_id=clinic.programme_id, turn_on=make.day(-3), phase="everybody",
                    state="waiting",
                ))  # fmt: skip

    return put


def draws_of(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Draw).order_by(Draw.id)).all()


def test_the_rules_are_shown_before_they_are_committed_to(admin, parts, code):
    path = f"/admin/draws/new?programme={code}"
    assert "For which programme?" in admin.get("/admin/draws").text
    page = admin.post(path, RULES | {"share region:coast": "20", "share phase:everybody": "٣٠"})
    assert page.status_code == 200
    for told in ("Coast: 20 percent", "30 percent", "the lottery of 4 March", "3 March 2026"):
        assert told in page.text, told
    assert draws_of(parts) == []
    typed = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    answers = [admin.post(path, typed | {"sure": "y"}) for _ in range(2)]  # the same page twice
    assert {answer.status_code for answer in answers} == {303}
    [draw] = draws_of(parts)
    assert draw.rules == {
        "programme": code, "source": "the lottery of 4 March", "places": 3,
        "closes": "2026-03-03T12:00:00+02:00",
        "reserves": {"phase:everybody": 30, "region:coast": 20},
    }  # fmt: skip
    shown = admin.get(answers[0].location).text
    assert "Publish its commitment" in shown
    assert "Coast: 20 percent" in admin.get("/draws").text  # in words, not by its code
    assert draw.commitment.hex() in shown
    assert f"/admin/draws/{draw.id}" in admin.get("/admin/draws").text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"places": ""}, "drawn for: fill this in"), ({"places": "many"}, "for: enter a whole"),
        ({"places": "-3"}, "drawn for: enter a whole"), ({"closes": "soon"}, "enter a real day"),
        ({"closes": "2026-03-02T10:00"}, "over already"), ({"source": " "}, "public value be read"),
        ({"source": "x" * 501}, "500 characters"),
        ({"share region:coast": "60", "share region:north": "50"}, "100 at most"),
        ({"share region:coast": "-1"}, "whole percents"),
    ],
)  # fmt: skip
def test_rules_that_nobody_could_follow_are_refused_in_words(admin, parts, code, wrong, said):
    page = admin.post(f"/admin/draws/new?programme={code}", RULES | wrong | {"sure": "y"})
    assert page.status_code == 400
    assert said in page.text
    assert "<title>Error:" in page.text
    assert draws_of(parts) == []


def test_a_programme_that_is_not_here_has_no_draw(admin):
    assert admin.get("/admin/draws/new?programme=moon").status_code == 404
    assert admin.get("/admin/draws/new").status_code == 404


def test_from_the_announcement_to_the_ranks(admin, parts, clock, announced, waits, browser):
    address = announced()
    waits(5)
    job.keep(parts, NOW)
    assert "closes by itself" in admin.get(address).text
    value = {"public_value": " 7 12 19 ", "again": "7 12 19"}
    early = admin.post(f"{address}/run", value, page=address)
    assert early.status_code == 409  # its list is open
    clock.now = CLOSES + timedelta(hours=1)
    admin.sign_in(_admin(parts))
    job.keep(parts, clock.now)
    assert "Show the seed and draw" in admin.get(address).text
    for wrong, said in (({"again": "7 12 20"}, "are not the same"),
                        ({"public_value": "", "again": ""}, "fill this in"),
                        (dict.fromkeys(value, "7" * 501), "one line")):  # fmt: skip
        page = admin.post(f"{address}/run", value | wrong, page=address)
        assert page.status_code == 400
        assert said in page.text
    [draw] = draws_of(parts)
    assert (draw.state, draw.seed) == ("closed", None)
    answer = admin.post(f"{address}/run", value, page=address)
    assert answer.status_code == 303
    assert "ranks are written by themselves" in admin.get(answer.location).text
    [draw] = draws_of(parts)
    assert (draw.state, draw.public_value) == ("drawn", "7 12 19")
    job.keep(parts, clock.now)
    assert "compute the draw again" in admin.get(address).text
    folder = parts.settings.draws_dir / str(draw.id)
    lines, ranks = (draw_files.lines(folder, each) for each in (draw_files.LIST, draw_files.RANKS))
    assert len(ranks) == 5
    assert list(differences(draw_files.manifest(folder), lines, ranks)) == []
    assert "ranks.txt" in browser.get(f"/draws/{draw.id}").text
    again = admin.post(f"{address}/give-up", {"sure": "y"}, page=f"{address}/give-up")
    assert again.status_code == 409
    with parts.doors.reading() as db:
        acts = select(AuditEvent.act, AuditEvent.actor_kind).where(AuditEvent.act.like("draw%"))
        assert [tuple(row) for row in db.execute(acts.order_by(AuditEvent.id))] == [
            ("draw_announced", "staff"), ("draw_closed", "system"), ("draw_drawn", "staff"),
            ("draw_published", "system"),
        ]  # fmt: skip


def test_a_draw_is_given_up_only_by_who_means_it(admin, parts, announced):
    address = announced()
    assert "Give this draw up" in admin.get(address).text
    unsure = admin.post(f"{address}/give-up")
    assert unsure.status_code == 400
    assert "confirm this first" in unsure.text
    assert admin.post(f"{address}/give-up", {"sure": "y"}).status_code == 303
    assert [draw.state for draw in draws_of(parts)] == ["void"]
    assert "was given up" in admin.get(address).text
    assert admin.get(f"/admin/draws/{new_id()}").status_code == 404


def test_others_look_on_and_do_nothing(staff, announced):
    address = announced()
    inspector = staff("inspector")
    page = inspector.get("/admin/draws").text
    assert address in page
    assert "For which programme?" not in page
    assert "Give this draw up" not in inspector.get(address).text
    assert inspector.post(f"{address}/give-up", {"sure": "y"}, page=address).status_code == 403
    assert staff("lead").get("/admin/draws").status_code == 403


def test_who_proved_themselves_long_ago_proves_again_before_a_draw(admin, clock, announced, code):
    address = announced()
    clock.pass_by(minutes=6)
    assert admin.get(address).status_code == 200
    for path in (f"/admin/draws/new?programme={code}", f"{address}/give-up"):
        assert admin.get(path).location.startswith("/sign-in/again")


def _admin(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(make.Staff.id).where(make.Staff.role == "admin")).first()
