"""The demonstration: the same for the same seed, brought to today, never undone."""

from __future__ import annotations

import shutil
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
    Lot,
    Person,
    Slot,
    Staff,
    Stock,
    StockMove,
)
from healthcert.models.staff import STAFF_ROLES
from healthcert.services import clinic, demo, people
from healthcert.services.fiction import PEOPLE
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


@pytest.fixture(scope="module")
def played(tmp_path_factory, sqlite_template, vault, country):
    """A file with the demonstration as it is on its first day."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("demo") / "played.db")
    engine = make_engine(f"sqlite:///{path}")
    populate(Doors(engine), vault, country)
    engine.dispose()
    return path


@pytest.fixture
def shown(played, tmp_path):
    """The doors to a copy of the first day."""
    engine = make_engine(f"sqlite:///{shutil.copy(played, tmp_path / 'demo.db')}")
    yield Doors(engine)
    engine.dispose()


def test_a_whole_country_comes_to_work_and_its_sums_come_out(doors, vault, country):
    begun = time.process_time()
    populate(doors, vault, country)
    assert time.process_time() - begun < 15
    assert count(doors, Person) == PEOPLE
    with doors.reading() as db:
        roles = set(db.scalars(select(Staff.role)))
        worth = set(db.scalars(select(DoseStanding.counts)))
        assert differences(db) == []
        shelves = db.scalars(select(Stock)).all()
        assert sum(shelf.given for shelf in shelves) == count(doors, StockMove) - len(shelves) > 0
        assert {shelf.unexplained for shelf in shelves} == {0}
        assert set(db.scalars(select(Lot.state))) == {"released"}
    assert roles == set(STAFF_ROLES)
    assert {"valid", "too_early", "unknown", "expired_lot"} <= worth


def test_starting_again_takes_less_than_a_second_and_changes_nothing(shown, vault, country):
    before, begun = story(shown, vault), time.process_time()
    populate(shown, vault, country)
    assert time.process_time() - begun < 1
    assert story(shown, vault) == before


def test_every_site_expects_people_today_and_some_have_come(shown, vault):
    with shown.reading() as db:
        nurses = db.scalars(select(Staff).filter_by(role="nurse")).all()
        assert len(nurses) == 5
        for nurse in nurses:
            today = clinic.day_list(
                db, vault=vault, site_id=nurse.site_id, day=NOW.astimezone(ZONE).date()
            )
            states = {line.state for line in today}
            assert len(today) >= demo.EXPECTED_TODAY
            assert states == {"booked", "arrived"}


def test_the_next_day_adds_what_is_new_and_keeps_what_was(shown, vault, country):
    before, sessions, doses = story(shown, vault), count(shown, ClinicSession), count(shown, Dose)
    populate(shown, vault, country, NOW + timedelta(days=1))
    after = story(shown, vault)
    assert [each[:3] for each in before if each[:3] not in {a[:3] for a in after}] == []
    assert len(after) > len(before)
    assert count(shown, ClinicSession) == sessions + 7
    assert count(shown, Dose) == doses


def test_everybody_is_fictitious(shown, vault):
    with shown.reading() as db:
        for person in db.scalars(select(Person)):
            told = people.details_of(vault, person)
            assert told.mail.endswith("@example.org")
            assert told.phone == "" or told.phone.startswith("+447700900")
        cast = demo.shown(db, vault=vault)
    assert cast.reference.startswith("HC-")
    assert [role for role, _ in cast.staff] == [
        "clerk",
        "nurse",
        "admin",
        "lead",
        "key_officer",
        "inspector",
    ]


def test_a_sum_that_does_not_come_out_is_told(shown):
    with shown.transaction() as db:
        slot = db.scalars(select(Slot).where(Slot.booked == 0).limit(1)).one()
        slot.booked = 1
        db.execute(delete(Identity))
    with shown.reading() as db:
        assert [(each.check, each.rows) for each in differences(db)] == [
            ("slot counters are their appointments", 1)
        ]


def test_the_same_seed_tells_the_same_story(shown, vault, country, sqlite_template, tmp_path):
    engine = make_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'other.db')}")
    populate(Doors(engine), vault, country)
    assert story(Doors(engine), vault) == story(shown, vault)
    engine.dispose()


@pytest.mark.parametrize("hour", [0, 22])
def test_the_hour_of_the_first_start_does_not_matter(
    sqlite_template, tmp_path, vault, country, hour
):
    engine = make_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'other.db')}")
    populate(Doors(engine), vault, country, NOW.replace(hour=hour))
    assert count(Doors(engine), Person) == PEOPLE
    engine.dispose()
