"""An administrator announces an opening day at a page, changes it, and takes it away."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.gateways import room_files
from healthcert.jobs import room as job
from healthcert.models import AuditEvent, Draw, Programme
from tests import factories as make
from tests.certificates import NOW
from tests.web.conftest import Browser

TOLD = {"opens_at": "2026-03-03T12:00", "code": "spring-26", "room_minutes": "60", "hours": "12"}
OPENS = NOW.replace(day=3, hour=10)  # noon by the clock of the country


@pytest.fixture
def wanted(parts, clinic):
    with parts.doors.reading() as db:
        return TOLD | {"programme": db.get_one(Programme, clinic.programme_id).code}


@pytest.fixture
def admin(staff):
    return staff("admin")


@pytest.fixture
def at(parts, clock, clinic, admin):
    """Let it be a moment, with the worker at work and the administrator just signed in."""

    def be(moment):
        clock.now = moment
        job.keep(parts, moment, probe=lambda _settings: 0.0)
        admin.sign_in(clinic.staff["admin"])

    return be


def announce(admin, **told):
    return admin.post("/admin/opening/change", {"shown": shown(admin)} | told)


def shown(admin, path="/admin/opening/change"):
    """Return the mark of what a form shows."""
    return re.search(r'name="shown" value="(\w+)"', admin.get(path).text)[1]


def take_away(admin, **told):
    path = "/admin/opening/take-away"
    return admin.post(path, {"shown": shown(admin, path), "sure": "y"} | told)


def announced(parts):
    return room_files.announced(parts.settings.data_dir)


def test_an_opening_is_announced_and_stands_in_the_file(admin, parts, wanted, app):
    page = admin.get("/admin/opening").text
    assert "No opening is announced" in page
    assert "No worker has looked" in page
    answer = announce(admin, **wanted)
    assert answer.status_code == 303
    found = announced(parts)
    assert (found.code, found.opens_at, found.hours) == ("spring-26", OPENS, 12)
    page = admin.get(answer.location).text
    for told in ("The opening is announced", "spring-26", "3 March 2026", "Free places"):
        assert told in page, told
    assert Browser(app).get("/room").status_code == 200
    with parts.doors.reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.act == "opening_announced")).one()
    assert event.details["code"] == "spring-26"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"opens_at": ""}, "fill this in"), ({"opens_at": "noon"}, "enter a real day and time"),
        ({"opens_at": "2026-03-01T12:00"}, "over already"), ({"code": "a/b"}, "letters, digits"),
        ({"programme": "moon"}, "choose one of"), ({"room_minutes": "2000"}, "1 to 1440"),
        ({"hours": "x"}, "whole number"), ({"hours": "200"}, "1 to 168"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_written(admin, parts, wanted, wrong, said):
    page = announce(admin, **wanted | wrong)
    assert page.status_code == 400
    assert said in page.text
    assert announced(parts) is None


def test_it_is_changed_until_its_room_opens_and_then_only_its_end(admin, parts, wanted, at, app):
    announce(admin, **wanted)
    form = admin.get("/admin/opening/change").text
    assert 'value="2026-03-03T12:00"' in form
    assert announce(admin, **wanted | {"room_minutes": "30"}).status_code == 303
    at(OPENS - timedelta(minutes=29))
    form = admin.get("/admin/opening/change").text
    assert "all else stands" in form
    assert 'name="opens_at"' not in form
    assert announce(admin, **wanted | {"hours": "3", "code": "other"}).status_code == 303
    found = announced(parts)
    assert (found.code, found.hours, found.room_minutes) == ("spring-26", 3, 30)
    for name in ("ann", "bob", "cat"):
        Browser(app).client.post("/room", data={"identity": name})
    at(OPENS - timedelta(minutes=20))
    line = room_files.held(parts.settings.room_dir / "line.json")
    page = admin.get("/admin/opening").text
    assert line["commitment"] in page
    assert _figures(page) == {"People who wait": "3", "People let in, still choosing": "0",
                              "Let in per minute": "0", "Free places": "0"}  # fmt: skip
    assert "No worker has looked" not in page


def test_who_is_let_in_is_counted(admin, parts, clock, wanted, at, app):
    opens = NOW + timedelta(minutes=5)
    announce(admin, **wanted | {"opens_at": "2026-03-02T" + f"{opens + timedelta(hours=2):%H:%M}"})
    for name in ("ann", "bob", "cat"):
        Browser(app).client.post("/room", data={"identity": name})
    job.keep(parts, clock.now, probe=lambda _settings: 0.0)
    at(opens)
    at(opens + timedelta(seconds=5))
    figures = _figures(admin.get("/admin/opening").text)
    assert (figures["People who wait"], figures["People let in, still choosing"]) == ("0", "3")
    assert figures["Free places"] == "6"


def test_it_is_taken_away_only_by_who_means_it(admin, parts, wanted, at, app):
    path = "/admin/opening/take-away"
    assert admin.get(path).status_code == 404
    announce(admin, **wanted)
    at(OPENS - timedelta(minutes=10))
    Browser(app).client.post("/room", data={"identity": "ann"})
    at(OPENS - timedelta(minutes=9))
    assert "1 person waits in the room now" in admin.get(path).text
    assert "confirm this first" in take_away(admin, sure="").text
    assert announced(parts) is not None
    assert take_away(admin).status_code == 303
    assert announced(parts) is None
    assert {each.name for each in parts.settings.room_dir.iterdir()} == {
        "availability.json", "looked"
    }  # fmt: skip
    assert Browser(app).get("/room").status_code == 404


def test_what_somebody_else_announced_meanwhile_is_shown_and_not_replaced(
    admin, staff, parts, wanted
):
    other, mark = staff("admin"), shown(admin)
    assert announce(other, **wanted | {"code": "theirs", "hours": "7"}).status_code == 303
    page = announce(admin, **wanted | {"code": "mine", "shown": mark})
    assert page.status_code == 409
    for told in ("Somebody else changed this", "theirs", "7 hours after", 'value="mine"'):
        assert told in page.text, told
    assert announced(parts).code == "theirs"
    again = re.search(r'name="shown" value="(\w+)"', page.text)[1]
    assert announce(admin, **wanted | {"code": "mine", "shown": again}).status_code == 303
    assert announced(parts).code == "mine"
    assert admin.post("/admin/opening/change", wanted).status_code == 409, "nothing was shown"


def test_of_a_form_from_before_the_room_opened_nothing_is_taken(admin, parts, wanted, at):
    announce(admin, **wanted)
    mark = shown(admin)
    at(OPENS - timedelta(minutes=59))
    page = announce(admin, **wanted | {"hours": "3", "code": "other", "shown": mark})
    assert page.status_code == 409
    assert "all else stands" in page.text
    assert 'value="3"' in page.text
    assert announced(parts).hours == 12


def test_another_opening_than_was_shown_is_not_taken_away(admin, parts, wanted):
    announce(admin, **wanted)
    mark = shown(admin, "/admin/opening/take-away")
    announce(admin, **wanted | {"code": "theirs"})
    page = take_away(admin, shown=mark)
    assert page.status_code == 409
    assert "Somebody else changed this" in page.text
    assert "theirs" in page.text
    assert announced(parts).code == "theirs"


def test_of_two_who_send_at_the_same_moment_one_is_told_of_the_other(admin, staff, parts, wanted):
    told = wanted | {"shown": shown(admin)}
    both = [admin, staff("admin")]
    with ThreadPoolExecutor(2) as pool:
        with room_files.alone(parts.settings.data_dir):
            answers = [pool.submit(announce, one, **told) for one in both]
            assert not wait(answers, 0.5).done, "what is being done was not waited for"
        assert sorted(each.result().status_code for each in answers) == [303, 409]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('code = "a"\nopens_at = 2027-03-01T09:00:00', "</bdi>: fill this in"),
        ('code = "a"\nprogramme = "p"\nopens_at = 2027-03-01T09:00:00', "enter a real day"),
        ('code = "a"\nprogramme = "moon"\nopens_at = 2027-03-01T09:00:00Z', "choose one of"),
        ('code = "a\n', "line 1"),
    ],
)  # fmt: skip
def test_a_file_that_was_broken_by_hand_is_shown_and_can_be_mended(
    admin, parts, wanted, text, said
):
    (parts.settings.data_dir / "opening.toml").write_text(text, "utf-8")
    page = admin.get("/admin/opening").text
    assert "cannot be used" in page
    assert said in page
    assert announce(admin, **wanted).status_code == 303
    assert "cannot be used" not in admin.get("/admin/opening").text


def test_files_of_draws_that_lie_elsewhere_are_told_of(admin, parts):
    assert "newest files of a draw" not in admin.get("/admin/opening").text
    with parts.doors.transaction() as db:
        programme = db.scalars(select(Programme)).one()
        make.add(db, Draw(
            recorded_at=NOW, programme_id=programme.id, state="announced", commitment=b"c" * 32,
            public_source="",
        ))  # fmt: skip
    assert "newest files of a draw" in admin.get("/admin/opening").text


def test_others_look_on(staff, wanted, admin):
    announce(admin, **wanted)
    page = staff("inspector").get("/admin/opening").text
    assert "spring-26" in page
    assert "/admin/opening/change" not in page
    assert staff("inspector").get("/admin/opening/change").status_code == 403
    assert staff("lead").get("/admin/opening").status_code == 403


def _figures(page):
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>\s*(.*?)\s*</dd>", page, re.DOTALL)
    return {words: re.sub(r"<[^>]+>", "", value).strip() for words, value in found}
