"""Make the next bundle and put it where every verifier reads it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from healthcert.errors import BadBundle
from healthcert.gateways import bundle_files
from healthcert.gateways.files import alone, write_whole
from healthcert.gateways.signer import BundleSigner
from healthcert.hcert.bundle import Bundle, read, write
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.revocation import RevocationList
from healthcert.hcert.trust import TrustList

LIFE = timedelta(days=30)
PACKED_UP_TO = 2**20  # bytes of lists that go with every download


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
