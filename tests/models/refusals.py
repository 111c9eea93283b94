"""How the tests say that the database refused, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.models.broken import broken_rule


@contextmanager
def refused(db: Session, *rules: str) -> Iterator[None]:
    """Expect that one of the named rules refuses what is done within; the rest stays."""
    with pytest.raises(IntegrityError) as caught, db.begin_nested():
        yield
    assert broken_rule(caught.value) in rules


def take_lock_away(db: Session, rule: str) -> None:
    """Put a rule of PostgreSQL in force without its lock on the person, as a control."""
    whole = db.scalars(select(func.pg_get_functiondef(text(f"'{rule}'::regproc")))).one()
    lock = "PERFORM FROM person WHERE id = NEW.person_id FOR NO KEY UPDATE;"
    assert lock in whole
    db.connection().exec_driver_sql(whole.replace(lock, ""))
