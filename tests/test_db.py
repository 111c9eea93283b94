"""The doors: what a deed may rely on, and which databases are refused."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from healthcert.db import Doors, at_head, make_engine, migrate, refuse_unready
from healthcert.errors import NotReady
from healthcert.models import Person, Slot
from tests import factories as make
from tests.postgres import Server
from tests.threads import at_once

HOW_MANY = select(func.count()).select_from(Person)


def test_a_reader_sees_one_snapshot(doors: Doors):
    with doors.reading() as db:
        assert db.scalar(HOW_MANY) == 0
        with doors.transaction() as other:
            make.make_person(other)
        assert db.scalar(HOW_MANY) == 0
    with doors.reading() as db:
        assert db.scalar(HOW_MANY) == 1


def test_a_reader_cannot_write_and_the_next_writer_can(doors: Doors):
    with pytest.raises(DBAPIError, match=r"(?i)read-?only"), doors.reading() as db:
        make.make_person(db)
    with doors.transaction() as db:
        make.make_person(db)
    with doors.reading() as db:
        assert db.scalar(HOW_MANY) == 1


def test_a_deed_is_done_whole_or_not_at_all(doors: Doors):
    def fail(db: Session) -> None:
        make.make_person(db)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        doors.run(fail)
    with doors.reading() as db:
        assert db.scalar(HOW_MANY) == 0


def test_what_was_loaded_is_readable_after_the_commit(doors: Doors):
    with doors.transaction() as db:
        person = make.make_person(db)
    assert person.birth_year == 1980


def test_a_savepoint_goes_back_alone(doors: Doors):
    with doors.transaction() as db:
        person = make.make_person(db)
        with pytest.raises(IntegrityError), db.begin_nested():
            make.make_appointment(db, person=person, reference=None)
        make.make_person(db)
    with doors.reading() as db:
        assert db.scalar(HOW_MANY) == 2


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_every_sqlite_connection_is_set_up(doors: Doors):
    expected = {
        "foreign_keys": 1, "journal_mode": "wal", "synchronous": 2, "busy_timeout": 30000,
        "recursive_triggers": 1,
    }  # fmt: skip
    with doors.transaction() as one, doors.reading() as two:
        for db in (one, two):
            found = {name: db.scalar(text(f"PRAGMA {name}")) for name in expected}
            assert found == expected
        assert [db.scalar(text("PRAGMA query_only")) for db in (one, two)] == [0, 1]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_postgresql_isolates_writers_and_readers(doors: Doors):
    isolation = text("SELECT current_setting('transaction_isolation')")
    with doors.transaction() as one, doors.reading() as two:
        assert [db.scalar(isolation) for db in (one, two)] == ["read committed", "repeatable read"]


def test_a_statement_alone_is_kept_and_leaves_nothing_to_the_next(doors: Doors):
    def fail(db: Session) -> None:
        db.execute(update(Person).values(birth_year=1960))
        raise ZeroDivisionError  # too late, were the connection still without transactions

    with doors.transaction() as db:
        make.make_person(db)
    with doors.alone() as db:
        db.execute(update(Person).values(birth_year=1950))
    with pytest.raises(ZeroDivisionError):
        doors.run(fail)
    with doors.reading() as db:
        assert db.scalar(select(Person.birth_year)) == 1950


def test_work_that_ran_into_a_deadlock_runs_again(doors: Doors, engine_name):
    with doors.transaction() as db:
        session = make.make_session(db)
        slots = [
            make.make_slot(db, session=session, starts_at=make.NOW.replace(hour=hour)).id
            for hour in (8, 9)
        ]
    meet, runs = threading.Barrier(2), []

    def cross(turn: int) -> int:
        def work(db: Session) -> int:
            runs.append(turn)
            first_time = runs.count(turn) == 1
            for position, slot in enumerate(slots if turn else reversed(slots)):
                db.execute(update(Slot).where(Slot.id == slot).values(booked=Slot.booked + 1))
                if position == 0 and first_time and engine_name == "postgresql":
                    meet.wait(10)
            return turn

        return doors.run(work)

    assert at_once(2, cross) == [0, 1]
    with doors.reading() as db:
        assert db.scalars(select(Slot.booked)).all() == [2, 2]
    assert len(runs) == (3 if engine_name == "postgresql" else 2)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_work_is_tried_three_times_and_no_more(doors: Doors):
    runs: list[int] = []

    def work(db: Session) -> None:
        runs.append(1)
        db.execute(text("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"))

    with pytest.raises(DBAPIError):
        doors.run(work)
    assert len(runs) == 3


def test_work_that_is_refused_is_not_tried_again(doors: Doors):
    runs: list[int] = []

    def work(db: Session) -> None:
        runs.append(1)
        make.make_slot(db, capacity=0, booked=1)

    with pytest.raises(IntegrityError):
        doors.run(work)
    assert runs == [1]


def test_a_migrated_database_is_ready(doors: Doors):
    refuse_unready(doors.engine)
    assert at_head(doors.engine)


def test_a_database_without_tables_is_refused(empty_url):
    engine = make_engine(empty_url)
    assert not at_head(engine)
    with pytest.raises(NotReady, match="no tables yet: run `healthcert db migrate`"):
        refuse_unready(engine)
    engine.dispose()


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [("9999", "a newer one made it"), ("0000", "a newer one made it")],
)
def test_a_database_of_an_unknown_version_is_refused(
    doors: Doors, database_url, revision, sentence
):
    with doors.transaction() as db:
        db.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    assert not at_head(doors.engine)
    with pytest.raises(NotReady, match=sentence):
        refuse_unready(doors.engine)
    with pytest.raises(NotReady, match=sentence):
        migrate(database_url)


@pytest.mark.parametrize("name", ["fsync", "synchronous_commit"])
def test_a_postgresql_that_forgets_is_refused(postgres: Server, postgresql_template, name):
    if "HEALTHCERT_TEST_POSTGRES" in os.environ:
        pytest.skip("a server that is not ours keeps its settings")
    engine = make_engine(postgres.url(postgresql_template))
    with postgres.setting(name, "off"), pytest.raises(NotReady, match=f"{name} = off"):
        refuse_unready(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://nobody@127.0.0.1:1/none", "sqlite:////proc/none/healthcert.db"]
)
def test_a_database_that_cannot_be_opened_is_refused(url):
    engine = make_engine(url)
    for look in (refuse_unready, at_head):
        with pytest.raises(NotReady, match="HEALTHCERT_DATABASE_URL"):
            look(engine)
    with pytest.raises(NotReady, match="HEALTHCERT_DATABASE_URL"):
        migrate(url)
    engine.dispose()


def test_a_file_that_cannot_be_written_is_refused(sqlite_template: Path):
    engine = make_engine(f"sqlite:///file:{sqlite_template}?mode=ro&uri=true")
    with pytest.raises(NotReady, match="cannot be opened and written"):
        refuse_unready(engine)
    engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    path = tmp_path / "letter.db"
    path.write_text("Dear nurse, " * 100, encoding="utf-8")
    engine = make_engine(f"sqlite:///{path}")
    with pytest.raises(NotReady, match="not a database"):
        refuse_unready(engine)
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://x/y", "oracle+none://x", "no address at all"])
def test_an_address_without_rules_is_refused(url):
    with pytest.raises(NotReady):
        make_engine(url)


def test_migrating_makes_the_folder(tmp_path: Path):
    migrate(f"sqlite:///{tmp_path}/var/new/healthcert.db")
    assert (tmp_path / "var" / "new" / "healthcert.db").exists()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_two_that_migrate_at_once_wait_for_each_other(empty_url):
    assert at_once(2, lambda _turn: migrate(empty_url)) == [None, None]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_connection_that_died_while_it_lay_is_not_handed_out(doors: Doors, database_url):
    own = text("SELECT pg_backend_pid()")
    with doors.reading() as db:
        one = db.scalar(own)
    other = make_engine(database_url)
    with other.connect() as db:
        db.execute(text("SELECT pg_terminate_backend(:one)"), {"one": one})
    other.dispose()
    time.sleep(1.1)
    with doors.reading() as db:
        assert db.scalar(own) != one


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_work_that_is_refused_is_undone_and_leaves_statements_prepared(doors: Doors):
    prepared = text("SELECT statement FROM pg_prepared_statements ORDER BY 1")

    def refused(db: Session) -> None:
        db.execute(update(Person).values(birth_year=1960))
        raise ZeroDivisionError

    with doors.transaction() as db:
        make.make_person(db)
        for _ in range(8):
            db.execute(prepared).all()
        before = db.execute(prepared).all()
    with pytest.raises(ZeroDivisionError):
        doors.run(refused)
    with doors.transaction() as db:
        assert db.execute(prepared).all() == before != []
        assert db.scalar(select(Person.birth_year)) != 1960


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_work_whose_connection_dies_is_told_so_and_the_next_gets_another(doors: Doors):
    with pytest.raises(DBAPIError), doors.transaction() as db:
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with doors.transaction() as db:
        assert db.scalar(HOW_MANY) == 0
