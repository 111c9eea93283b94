"""Say what belongs into the next offline bundle, make it, put it where every verifier reads it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadBundle
from healthcert.gateways import bundle_files
from healthcert.gateways.files import alone, write_whole
from healthcert.gateways.signer import BundleSigner
from healthcert.hcert.batches import Batch, in_batches
from healthcert.hcert.bundle import Bundle, read, write
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.prefix_building import bits_for, build
from healthcert.hcert.revocation import HashKind, RevocationList
from healthcert.hcert.trust import TrustList
from healthcert.models import Certificate

LIFE = timedelta(days=30)
PACKED_UP_TO = 2**20  # bytes of lists that go with every download
KIND: HashKind = "uvci"
_AT_ONCE = 10_000  # rows


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle; see `Bundle` for each."""

    trust: TrustList
    revocation: RevocationList
    rules: Sequence[Mapping[str, Any]] = ()
    value_sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    audit_head: bytes | None = None


def publish(
    path: Path, contents: Contents, *, signer: BundleSigner, pins: Collection[PublicKey],
    now: datetime, full: bool | None = None,
) -> Bundle:  # fmt: skip
    """Return the bundle that was made; it has taken the place of the one before, at once.

    The revocation lists it names lie beside it by their hash, with what changed since the one
    before; and behind it in the same file, where `full` says so or, if it is None, they are small.

    Its version is higher than that of the one before and than any made from an emptied folder:
    the seconds since 1970, or one more than before. Two who publish at once follow each other.

    Raises:
        BadBundle: There would be no key in it, a list is to be in the file and is not at hand,
            or `signer` is none of `pins`: a bundle nobody can use never replaces a good one.
    """
    if not any(not key.training for key in contents.trust):
        raise BadBundle("a bundle without keys is not published")
    path.parent.mkdir(parents=True, exist_ok=True)
    issued = now.replace(microsecond=0)
    with alone(path.parent):
        before, previous = held(path, pins=pins)
        published = before.revocation if before else RevocationList()
        listed = contents.revocation.with_tables(published.tables)
        missing = bool(listed.missing())
        size = sum(part.file.size for parts in listed.lists.values() for part in parts)
        packs = not missing and size <= PACKED_UP_TO if full is None else full
        if packs and missing:
            raise BadBundle("a revocation list that is to be in the file is not at hand")
        made = Bundle(
            version=max(int(issued.timestamp()), before.version + 1 if before else 0),
            issued=issued, expires=issued + LIFE, previous=previous, trust=contents.trust,
            revocation=bundle_files.store(path.parent, listed, published), rules=contents.rules,
            value_sets=contents.value_sets, audit_head=contents.audit_head,
        )  # fmt: skip
        data = write(made, kid=signer.kid, sign=signer.sign, full=packs)
        read(data, pinned=pins)
        write_whole(path, data)
        bundle_files.forget(path.parent, [made.revocation, published])
    return made


def held(
    path: Path, *, pins: Collection[PublicKey], whole: bool = True
) -> tuple[Bundle | None, bytes]:
    """Return the bundle in a file, and the SHA-256 of the file.

    None and nothing where there is no file, or one that none of the pinned keys signed. Lists
    beside it are read with the `whole`, which may take a second.
    """
    try:
        return bundle_files.load(path, pins=pins, whole=whole)
    except (FileNotFoundError, BadBundle):
        return None, b""


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
