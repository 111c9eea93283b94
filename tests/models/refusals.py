"""How the tests say that the database refused, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.models.broken import broken_rule


@contextmanager
def refused(db: Session, *rules: str) -> Iterator[None]:
    """Expect that one of the named rules refuses what is done within; the rest stays."""
    with pytest.raises(IntegrityError) as caught, db.begin_nested():
        yield
    assert broken_rule(caught.value) in rules
