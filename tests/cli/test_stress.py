"""`healthcert stress booking`: what anybody can repeat on their own server."""

from __future__ import annotations

import json

from click.testing import CliRunner
from sqlalchemy import text

from healthcert.cli import main
from tests.factories import make_person


def test_nothing_is_given_twice_and_the_database_that_was_named_stays_as_it_was(
    doors, database_url, engine_name
):
    with doors.transaction() as db:
        make_person(db)
    words = ["stress", "booking", "--clients", "8", "--each", "5", "--json"]
    told = CliRunner().invoke(main, words, env={"HEALTHCERT_DATABASE_URL": database_url})
    assert told.exit_code == 0, told.output
    spread, hot, control = (json.loads(line) for line in told.output.splitlines())
    assert (spread["booked"], spread["full"], spread["overbooked"]) == (40, 0, 0)
    assert (hot["booked"], hot["full"], hot["overbooked"]) == (20, 20, 0)
    assert control["overbooked"] == 0 or engine_name == "postgresql"
    with doors.reading() as db:
        tables = "person", "slot", "appointment"
        counts = [db.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]
        assert counts == [1, 0, 0]
        if engine_name == "postgresql":
            left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'healthcert_stress%'"
            assert db.scalar(text(left)) == 0


def test_a_server_where_none_can_be_made_is_told():
    address = "postgresql://nobody@127.0.0.1:1/none"
    told = CliRunner().invoke(main, ["stress", "booking"], env={"HEALTHCERT_DATABASE_URL": address})
    assert told.exit_code == 1
    assert "no database can be made" in told.output
