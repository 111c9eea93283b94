"""An opening is judged before it stands in the data folder, and told to the audit."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, BadSettings, NotFound
from healthcert.gateways import room_files
from healthcert.gateways.room_files import Opening
from healthcert.models import AuditEvent
from healthcert.services import openings
from tests.factories import NOW, make_admin

OPENS = NOW + timedelta(days=2)


@pytest.fixture
def opening(clinic):
    return Opening("spring", clinic.programme.code, OPENS)


@pytest.fixture
def announce(clinic, tmp_path):
    """Announce an opening as the doors do: the audit, then the file."""
    with clinic.doors.transaction() as db:
        staff = make_admin(db)

    def announced(opening, now=NOW):
        deed = partial(openings.announce, data_dir=tmp_path, opening=opening, staff=staff, now=now)
        room_files.announce(tmp_path, clinic.doors.run(deed))

    announced.staff = staff
    return announced


def standing(clinic, folder):
    with clinic.doors.reading() as db:
        return openings.standing(db, data_dir=folder)


def test_what_is_announced_stands_in_the_file_and_in_the_audit(clinic, tmp_path, announce, opening):
    assert standing(clinic, tmp_path) == openings.Standing()
    announce(opening)
    assert standing(clinic, tmp_path) == openings.Standing(opening)
    told = tomllib.loads((tmp_path / "opening.toml").read_text("utf-8"))
    assert told["opens_at"] == OPENS
    with clinic.doors.reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.act == "opening_announced")).one()
    assert event.actor_id == announce.staff.id
    assert event.details == {
        "code": "spring", "programme": opening.programme, "opens_at": f"{OPENS:%Y-%m-%dT%H:%M:%SZ}",
        "room_minutes": 60, "hours": 12,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"code": "a/b"}, "not_a_code"), ({"code": ""}, "not_a_code"), ({"code": 7}, "not_a_code"),
        ({"programme": ""}, "not_a_choice"), ({"programme": "moon"}, "not_a_choice"),
        ({"opens_at": OPENS.replace(tzinfo=None)}, "not_a_time"),
        ({"opens_at": OPENS.date()}, "not_a_time"), ({"opens_at": "soon"}, "not_a_time"),
        ({"opens_at": NOW}, "is_over"), ({"room_minutes": 0}, "not_room_minutes"),
        ({"room_minutes": True}, "not_room_minutes"), ({"room_minutes": 1441}, "not_room_minutes"),
        ({"hours": 169}, "not_room_hours"), ({"hours": 1.5}, "not_room_hours"),
    ],
)  # fmt: skip
def test_what_no_room_can_be_kept_for_is_refused(tmp_path, announce, opening, wrong, why):
    with pytest.raises(BadInput) as refused:
        announce(replace(opening, **wrong))
    assert refused.value.fields == dict.fromkeys(wrong, why)
    assert not (tmp_path / "opening.toml").exists()


def test_it_is_changed_before_its_room_opens_and_only_its_end_after(
    clinic, tmp_path, announce, opening
):
    announce(opening)
    other = replace(opening, opens_at=OPENS + timedelta(hours=1), code="summer", room_minutes=30)
    announce(other)
    while_open = OPENS + timedelta(minutes=31)
    assert other.is_on(while_open)
    for name, value in (("code", "x"), ("opens_at", OPENS + timedelta(days=1)),
                        ("room_minutes", 20)):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            announce(replace(other, **{name: value}), now=while_open)
        assert refused.value.fields == {name: "room_is_open"}
    announce(replace(other, hours=2), now=while_open)
    assert standing(clinic, tmp_path).opening == replace(other, hours=2)
    over = OPENS + timedelta(hours=3)
    with pytest.raises(BadInput, match="opens_at: is_over"):
        announce(other, now=over)
    announce(replace(other, opens_at=over + timedelta(days=1)), now=over)


def test_a_code_that_is_used_again_has_another_seed(opening):
    again = replace(opening, opens_at=OPENS + timedelta(days=7))
    elsewhere = replace(opening, opens_at=OPENS.astimezone(timezone(timedelta(hours=2))))
    assert again.name != opening.name == elsewhere.name


def test_of_one_opening_nothing_is_kept_for_another(tmp_path, announce, opening):
    announce(opening)
    room = tmp_path / "room"
    room.mkdir()
    for name in ("spring.12", "line.json", "steps.json", "looked"):
        (room / name).touch()
    announce(replace(opening, hours=3))
    assert len(list(room.iterdir())) == 4
    announce(replace(opening, code="summer"))
    assert [path.name for path in room.iterdir()] == ["looked"]


def test_it_is_taken_away_broken_or_not(clinic, tmp_path, announce, opening):
    take_away = partial(
        openings.take_away, data_dir=tmp_path, staff=announce.staff, now=NOW
    )  # fmt: skip
    with pytest.raises(NotFound):
        clinic.doors.run(take_away)
    announce(opening)
    clinic.doors.run(take_away)
    room_files.take_away(tmp_path)
    assert standing(clinic, tmp_path) == openings.Standing()
    (tmp_path / "opening.toml").write_text("code = ", "utf-8")
    clinic.doors.run(take_away)
    with clinic.doors.reading() as db:
        query = select(AuditEvent.details).where(AuditEvent.act == "opening_taken_away")
        assert db.scalars(query.order_by(AuditEvent.id)).all() == [{"code": "spring"}, {}]


@pytest.mark.parametrize(
    ("text", "wrong", "says"),
    [
        ('code = "a"\nprogramme = 7\nopens_at = 2027-03-01T09:00:00\n',
         {"programme": "not_a_choice", "opens_at": "not_a_time"}, "opens_at"),
        ('code = "a"\nopens_at = 2027-03-01T09:00:00Z\nhour = 3\n',
         {"programme": "missing", "hour": "not_known"}, "programme"),
        ('code = "a\n', {}, "line 1"),
        ('code = "a"\nprogramme = "moon"\nopens_at = 2027-03-01T09:00:00Z\n',
         {"programme": "not_a_choice"}, "programme"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told(clinic, tmp_path, announce, opening, text, wrong, says):
    (tmp_path / "opening.toml").write_text(text, "utf-8")
    found = standing(clinic, tmp_path)
    assert found.wrong == wrong
    assert says in found.says
    announce(opening)  # what is broken may be replaced
    assert standing(clinic, tmp_path) == openings.Standing(opening)


def test_a_file_in_another_encoding_is_told_of_too(tmp_path):
    (tmp_path / "opening.toml").write_bytes(b'code = "\xff"')
    with pytest.raises(BadSettings, match=r"opening\.toml"):
        room_files.announced(tmp_path)


def test_a_moment_with_its_zone_comes_back_as_it_was_written(tmp_path, opening):
    zone = timezone(timedelta(hours=5, minutes=30))
    room_files.announce(tmp_path, replace(opening, opens_at=datetime(2027, 3, 1, 9, tzinfo=zone)))
    found = room_files.announced(tmp_path).opens_at
    assert (found.hour, found.astimezone(UTC).hour) == (9, 3)
