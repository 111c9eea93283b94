"""The migrations make what the models say, and the comparison is not blind."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from healthcert import migrations
from healthcert.db import Doors, make_engine, migrate
from healthcert.models import Base, Person, triggers
from tests import factories as make
from tests.models.catalogue import snapshot


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    engine = make_engine(empty_url, foreign_keys=False)
    yield engine
    engine.dispose()


def seen(engine: Engine) -> set[str]:
    with engine.begin() as connection:
        return snapshot(connection)


def test_the_migrations_make_what_the_models_say(engine: Engine, doors: Doors):
    Base.metadata.create_all(engine)
    assert seen(engine) ^ seen(doors.engine) == set()


def test_the_snapshot_sees_every_part(doors: Doors, engine_name):
    lines = "\n".join(seen(doors.engine))
    for name, sql in triggers.texts(engine_name).items():
        refusals = re.findall(r"'\w+: [^']+'", sql)
        assert refusals, name
        assert all(refusal in lines for refusal in refusals), name
    for table in Base.metadata.tables.values():
        rules = table.constraints | table.indexes
        ours = {r for r in rules if not r._ddl_if or r._ddl_if.dialect == engine_name}  # noqa: SLF001
        expected = {str(rule.name) for rule in ours}
        assert {str(rule.name) for rule in rules if str(rule.name) in lines} == expected
        assert all(column.name in lines for column in table.columns)


def test_both_engines_have_the_same_rules():
    assert set(triggers.texts("sqlite")) == set(triggers.texts("postgresql"))


LOSSES = {
    "postgresql": [
        "DROP INDEX one_counted_dose",
        "DROP TRIGGER dose_interval ON dose_standing",
        "ALTER TABLE dose DISABLE TRIGGER append_only",
        "ALTER TABLE dose_judgement DROP CONSTRAINT ck_dose_judgement_valid_lot",
        "ALTER TABLE certificate DROP CONSTRAINT fk_certificate_standing",
        "ALTER TABLE dose ALTER given_on DROP NOT NULL",
        "ALTER TABLE dose_judgement ALTER valid_disease DROP EXPRESSION",
        "ALTER TABLE dose ALTER source SET DEFAULT 'foreign'",
        (
            "CREATE OR REPLACE FUNCTION append_only_dose() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'"
        ),
        "ALTER FUNCTION dose_interval() RESET search_path",
        (
            "ALTER TABLE slot DROP CONSTRAINT ck_slot_booked_fits,"
            " ADD CONSTRAINT ck_slot_booked_fits CHECK (booked >= 0)"
        ),
    ],
    "sqlite": [
        "DROP INDEX one_counted_dose",
        "DROP TRIGGER dose_interval_update",
        "DROP TRIGGER append_only_audit_event_delete",
        "CONSTRAINT ck_dose_judgement_valid_lot",
        "CONSTRAINT fk_certificate_standing",
        "given_on DATE NOT NULL",
        "valid_disease VARCHAR GENERATED",
        "CONSTRAINT ck_slot_capacity_type",
    ],
}
CASES = [pytest.param(name, sql, id=f"{name}-{sql}") for name in LOSSES for sql in LOSSES[name]]


@pytest.mark.parametrize(("engine_name", "loss"), CASES, indirect=["engine_name"])
def test_the_comparison_sees_every_loss(doors: Doors, loss):
    whole = seen(doors.engine)
    with doors.engine.begin() as connection:
        if re.match("DROP|ALTER|CREATE", loss):
            connection.exec_driver_sql(loss)
        else:
            table, line = _line_with(loss, whole)
            cut = text("UPDATE sqlite_master SET sql = replace(sql, :line, '') WHERE name = :table")
            connection.exec_driver_sql("PRAGMA writable_schema = ON")
            assert connection.execute(cut, {"line": line, "table": table}).rowcount == 1
    assert seen(doors.engine) != whole


def _line_with(part: str, lines: set[str]) -> tuple[str, str]:
    found = next(line for line in lines if part in line and ": " in line)
    table, _, clause = found.partition(": ")
    return table, clause[: len(part)]


def test_what_was_disabled_and_forgotten_is_put_right_by_migrating(doors: Doors, database_url):
    whole = seen(doors.engine)
    dialect = doors.engine.dialect.name
    on = " ON dose_standing" if dialect == "postgresql" else ""
    name = "dose_interval" if on else "dose_interval_insert"
    with doors.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
        triggers.run(connection, FORGOTTEN[dialect])
    migrate(database_url)
    assert seen(doors.engine) == whole


FORGOTTEN = {
    "sqlite": "CREATE TRIGGER forgotten BEFORE INSERT ON dose BEGIN SELECT 1; END;",
    "postgresql": """
        CREATE FUNCTION forgotten() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER forgotten BEFORE INSERT ON dose FOR EACH ROW EXECUTE FUNCTION forgotten();
    """,
}


def test_going_down_and_up_again_loses_nothing(engine: Engine, doors: Doors, empty_url):
    migrate(empty_url)
    with engine.begin() as connection:
        migrations.move(connection, "base")
    assert seen(engine) == set()
    migrate(empty_url)
    assert seen(engine) == seen(doors.engine)


def test_each_step_can_be_told_in_the_log(empty_url, caplog):
    caplog.set_level("INFO", "alembic")
    migrate(empty_url)
    assert len([each for each in caplog.messages if "upgrade" in each]) == len(
        migrations.revisions()
    )


def test_migrating_again_keeps_the_rows(doors: Doors, database_url):
    with doors.transaction() as db:
        person = make.make_person(db)
        make.make_counted_dose(db, person=person)
    migrate(database_url)
    with doors.reading() as db:
        assert db.scalars(select(Person.id)).all() == [person.id]


def test_a_migration_that_fails_leaves_all_as_it_was(engine: Engine, empty_url):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE visit (ours text)")
    before = seen(engine)
    with pytest.raises(DBAPIError, match="exists"):
        migrate(empty_url)
    assert seen(engine) == before


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_rows_that_point_nowhere_stop_a_migration(doors: Doors, database_url):
    with doors.transaction() as db:
        dose = make.make_counted_dose(db)
    off = make_engine(database_url, foreign_keys=False)
    with off.begin() as connection:
        triggers.drop(connection)
        connection.execute(text("DELETE FROM lot"))
    off.dispose()
    with pytest.raises(RuntimeError, match="point nowhere"):
        migrate(database_url)
    assert dose.lot_id


def test_the_head_is_the_newest_of_the_known_revisions():
    assert migrations.head() == max(migrations.revisions())
