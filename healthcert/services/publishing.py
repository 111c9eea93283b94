"""Say what belongs into the next offline bundle."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.hcert.batches import Batch, in_batches
from healthcert.hcert.prefix_building import bits_for, build
from healthcert.hcert.revocation import HashKind, RevocationList
from healthcert.models import Certificate

KIND: HashKind = "uvci"
_AT_ONCE = 10_000  # rows


def revoked_count(db: Session) -> int:
    """Return how many certificates this country took back after they were signed.

    It never falls: a revocation stands. So an equal count means an equal list.
    """
    return db.scalar(select(func.count()).where(_revoked(), _signed())) or 0


def revocations(db: Session, *, country: Country) -> RevocationList:
    """Return what this country took back; nothing where it does not publish it.

    None of the certificates it has issued and not taken back is among them, not even by chance:
    each is looked up. An intent that was taken back before it was signed is in nobody's hands
    and not published. Rows are read as they are needed, never all at once.
    """
    if not country.revocation_published:
        return RevocationList()
    none = RevocationList(frozenset([country.code]), {country.code: ()})
    count = revoked_count(db)
    if not count:
        return none
    revoked = partial(_hashes, db, _revoked())
    table = build(revoked, bits=bits_for(count), good=_hashes(db, ~_revoked()))
    return none.with_list(country.code, {KIND: (count, table)})


def batches(db: Session, *, country: Country, now: datetime) -> Iterator[Batch]:
    """Give what this country took back as batches of the EU's form, those past their end left out.

    Each is of one signer and counts until the last of its certificates ends.
    """
    query = (
        select(Certificate.kid, Certificate.uvci_hash, Certificate.expires_at)
        .where(_revoked(), _signed(), Certificate.expires_at >= now)
        .order_by(Certificate.kid, Certificate.uvci_hash)
        .execution_options(yield_per=_AT_ONCE)
    )
    whole = ((kid, found, ends) for kid, found, ends in db.execute(query) if found and ends)
    for kid, rows in groupby(whole, key=itemgetter(0)):
        for piece in in_batches(rows):
            ends = max(end for _, _, end in piece)
            yield Batch(country.code, ends, kid, KIND, tuple(found for _, found, _ in piece))


def _hashes(db: Session, condition: ColumnElement[bool]) -> Iterator[bytes]:
    """Give the hashes of signed certificates that fulfil a condition, rising."""
    query = select(Certificate.uvci_hash).where(condition, _signed())
    query = query.order_by(Certificate.uvci_hash).execution_options(yield_per=_AT_ONCE)
    return (found for found in db.scalars(query) if found is not None)


def _revoked() -> ColumnElement[bool]:
    return Certificate.state == "revoked"


def _signed() -> ColumnElement[bool]:
    return Certificate.uvci_hash.is_not(None)
