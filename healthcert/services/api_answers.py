"""One deed for one key: what a program was answered, kept in the transaction of its deed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import DataError, IntegrityError, NoResultFound
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotFound, StillRunning, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import ApiAnswer
from healthcert.models.broken import FOREIGN_KEY, broken_rule

LIFE = timedelta(days=1)


@contextmanager
def judged() -> Iterator[None]:
    """Turn what the database holds back of what a program sent into an answer: it is the judge.

    Raises:
        NotFound: What is named is not there.
        BadInput: A CHECK or a foreign key refuses what was sent, or it is too long or too far.
        WrongState: The same is there already.
    """
    try:
        yield
    except NoResultFound:
        raise NotFound from None
    except (DataError, OverflowError):  # a day or an hour that no calendar reaches
        raise BadInput({"body": "not_valid"}) from None
    except IntegrityError as error:
        rule = broken_rule(error)
        if rule.startswith("uq_"):
            raise WrongState from None
        if rule != FOREIGN_KEY and not rule.startswith("ck_"):
            raise
        raise BadInput({"body": "not_known" if rule == FOREIGN_KEY else rule}) from None


def before(
    db: Session, *, vault: Vault, key: bytes, asked: bytes, now: datetime
) -> Mapping[str, Any] | None:
    """Return what was answered to a key before; None where it is new.

    Until this transaction ends nobody else works with the key: on SQLite there is one writer.

    Args:
        db: The transaction of the deed.
        vault: Opens the answer.
        key: SHA-256 of who asks and their key.
        asked: SHA-256 of the whole request.
        now: After a day a key is new again.

    Raises:
        BadInput: The key came with another request.
        StillRunning: Another transaction works with it.
    """
    if db.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(key[:8], "big", signed=True)
        if not db.scalar(select(func.pg_try_advisory_xact_lock(number))):
            raise StillRunning
    db.execute(delete(ApiAnswer).where(ApiAnswer.key_hash == key, ApiAnswer.ends_at <= now))
    found = db.get(ApiAnswer, key)
    if found is None:
        return None
    if found.asked_hash != asked:
        raise BadInput({"Idempotency-Key": "used_otherwise"})
    return vault.service_open(key, found.sealed)


def keep(
    db: Session, *, vault: Vault, key: bytes, asked: bytes, answer: Mapping[str, Any], now: datetime
) -> None:
    """Keep what is answered to a key, beside the deed."""
    sealed = vault.service_seal(key, answer)
    db.add(ApiAnswer(key_hash=key, asked_hash=asked, sealed=sealed, ends_at=now + LIFE))
    db.flush()
