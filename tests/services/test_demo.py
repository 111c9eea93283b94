"""The demonstration: the same for the same seed, brought to today, never undone."""

from __future__ import annotations

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select

from healthcert.db import Doors, make_engine
from healthcert.models import (
    Appointment,
    ClinicSession,
    Dose,
    DoseStanding,
    Identity,
    Person,
    Slot,
    Staff,
)
from healthcert.services import clinic, demo, people
from healthcert.services.reconciling import differences
from tests.factories import NOW

ZONE = ZoneInfo("Asia/Beirut")


def populate(doors, vault, country, now=NOW) -> None:
    with doors.transaction() as db:
        demo.populate(
            db, vault=vault, country=country, seed=1, today=now.astimezone(ZONE).date(), now=now
        )


def story(doors, vault) -> list[tuple]:
    """Return what can be told apart without identifiers: who has what where, when."""
    query = (
        select(Person, Appointment.starts_at, Appointment.dose_number, Appointment.state)
        .join(Appointment, Appointment.person_id == Person.id)
        .order_by(Appointment.starts_at, Person.birth_year)
    )
    with doors.reading() as db:
        return sorted(
            (people.details_of(vault, person).identity.value, *rest)
            for person, *rest in db.execute(query)
        )


def count(doors, table) -> int:
    with doors.reading() as db:
        return db.scalar(select(func.count()).select_from(table)) or 0


def test_a_whole_country_is_there_in_fifteen_seconds_and_again_in_one(doors, vault, country):
    begun = time.monotonic()
    populate(doors, vault, country)
    middle = time.monotonic()
    populate(doors, vault, country)
    assert middle - begun < 15
    assert time.monotonic() - middle < 1
    assert count(doors, Person) == demo.PEOPLE
    with doors.reading() as db:
        roles = set(db.scalars(select(Staff.role)))
        worth = set(db.scalars(select(DoseStanding.counts)))
        assert differences(db) == []
    assert roles == {"clerk", "nurse", "admin"}
    assert {"valid", "too_early", "unknown", "expired_lot"} <= worth


def test_every_site_expects_people_today_and_some_have_come(doors, vault, country):
    populate(doors, vault, country)
    with doors.reading() as db:
        nurses = db.scalars(select(Staff).filter_by(role="nurse")).all()
        assert len(nurses) == 5
        for nurse in nurses:
            today = clinic.day_list(
                db, vault=vault, site_id=nurse.site_id, day=NOW.astimezone(ZONE).date()
            )
            states = {line.state for line in today}
            assert len(today) >= demo.EXPECTED_TODAY
            assert states == {"booked", "arrived"}


def test_the_next_day_adds_what_is_new_and_keeps_what_was(doors, vault, country):
    populate(doors, vault, country)
    before, sessions, doses = story(doors, vault), count(doors, ClinicSession), count(doors, Dose)
    populate(doors, vault, country, NOW + timedelta(days=1))
    after = story(doors, vault)
    assert [each[:3] for each in before if each[:3] not in {a[:3] for a in after}] == []
    assert len(after) > len(before)
    assert count(doors, ClinicSession) == sessions + 7
    assert count(doors, Dose) == doses


def test_the_same_seed_tells_the_same_story(doors, vault, country, sqlite_template, tmp_path):
    populate(doors, vault, country)
    other = tmp_path / "other.db"
    other.write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{other}")
    populate(Doors(engine), vault, country)
    assert story(Doors(engine), vault) == story(doors, vault)
    engine.dispose()


def test_everybody_is_fictitious(doors, vault, country):
    populate(doors, vault, country)
    with doors.reading() as db:
        for person in db.scalars(select(Person)):
            told = people.details_of(vault, person)
            assert told.mail.endswith("@example.org")
            assert told.phone == "" or told.phone.startswith("+447700900")
        shown = demo.shown(db, vault=vault)
    assert shown.reference.startswith("HC-")
    assert [role for role, _ in shown.staff] == ["clerk", "nurse", "admin"]


def test_a_sum_that_does_not_come_out_is_told(doors, vault, country):
    populate(doors, vault, country)
    with doors.transaction() as db:
        slot = db.scalars(select(Slot).where(Slot.booked == 0).limit(1)).one()
        slot.booked = 1
        db.execute(delete(Identity))
    with doors.reading() as db:
        assert [(each.check, each.rows) for each in differences(db)] == [
            ("slot counters are their appointments", 1)
        ]


@pytest.mark.parametrize("hours", [0, 8, 14])
def test_the_hour_of_the_first_start_does_not_matter(doors, vault, country, hours):
    populate(doors, vault, country, NOW.replace(hour=0) + timedelta(hours=hours))
    assert count(doors, Person) == demo.PEOPLE
