"""A statement that is sent straight does and refuses what it does through the toolkit."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from healthcert.models import Base
from healthcert.models.straight import Straight
from tests.factories import NOW, make_person, make_site
from tests.statements import sent

_OWN = select(func.pg_backend_pid())
TABLES = Base.metadata.tables


def test_rows_are_those_of_the_toolkit(db):
    one = make_site(db, names={"en": "50 % off", "ar": "ميناء"})
    query = select(*TABLES["site"].c).where(TABLES["site"].c.id == bindparam("site"))
    [row] = Straight(query).rows(db, site=one.id)
    assert row == tuple(db.execute(query, {"site": one.id}).one())
    assert row[1].utcoffset() == NOW.utcoffset()


def test_what_the_session_has_not_written_is_written_before(db):
    site = make_site(db)
    site.code = "changed"
    [row] = Straight(select(TABLES["site"].c.code)).rows(db)
    assert row == ("changed",)


def test_a_refusal_is_the_same_error(db):
    row = {each.name: bindparam(each.name) for each in TABLES["person"].c}
    statement = Straight(insert(TABLES["person"]).values(row).returning(TABLES["person"].c.id))
    told = dict.fromkeys(row) | {
        "id": make_person(db).id, "recorded_at": NOW, "birth_year": 1980, "sex": "other",
        "wrapped_by": "", "indexed_by": "", "nationality_group": "unknown", "language": "en",
        "erased_at": NOW, "key_gone_on": NOW.date(),
    }  # fmt: skip
    with pytest.raises(IntegrityError):
        statement.rows(db, **told)


def test_a_moment_without_a_zone_is_refused(db):
    site = TABLES["site"].c
    later = Straight(select(site.id).where(site.recorded_at > bindparam("since")))
    with pytest.raises((ValueError, StatementError), match="zone"):
        later.rows(db, since=NOW.replace(tzinfo=None))


def test_who_listens_hears_of_it(doors):
    with doors.reading() as db, sent(doors.engine) as told:
        Straight(select(TABLES["site"].c.id)).rows(db)
    assert told[-1].startswith("SELECT site.id")


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_connection_that_was_lost_is_not_used_again(doors):
    ids = Straight(select(TABLES["site"].c.id))
    with doors.transaction() as other:
        with pytest.raises(OperationalError):
            doors.run(lambda db: (_ended(other, db.scalar(_OWN)), ids.rows(db)))
        with doors.transaction() as db:
            assert ids.rows(db) == []


def _ended(db, pid):
    db.execute(select(func.pg_terminate_backend(pid)))
