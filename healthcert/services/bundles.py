"""Make the next bundle and put it where every verifier reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from healthcert.errors import BadBundle
from healthcert.gateways.files import alone, write_whole
from healthcert.gateways.signer import BundleSigner
from healthcert.hcert.bundle import Bundle, read, write
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.revocation import RevocationList
from healthcert.hcert.trust import TrustList

LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle; see `Bundle` for each."""

    trust: TrustList
    revocation: RevocationList
    rules: Sequence[Mapping[str, Any]] = ()
    value_sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    audit_head: bytes | None = None


def publish(
    path: Path,
    contents: Contents,
    *,
    signer: BundleSigner,
    pins: Collection[PublicKey],
    now: datetime,
) -> Bundle:
    """Return the bundle that was made; it has taken the place of the one before, at once.

    Its version is higher than that of the one before and than any made from an emptied folder:
    the seconds since 1970, or one more than before. Two who publish at once follow each other.

    Raises:
        BadBundle: There would be no key in it, or `signer` is none of `pins`: a list nobody can
            use never replaces a good one.
    """
    if not any(not key.training for key in contents.trust):
        raise BadBundle("a bundle without keys is not published")
    path.parent.mkdir(parents=True, exist_ok=True)
    issued = now.replace(microsecond=0)
    with alone(path.parent):
        before, previous = held(path, pins=pins)
        made = Bundle(
            version=max(int(issued.timestamp()), before.version + 1 if before else 0),
            issued=issued,
            expires=issued + LIFE,
            previous=previous,
            trust=contents.trust,
            revocation=contents.revocation,
            rules=contents.rules,
            value_sets=contents.value_sets,
            audit_head=contents.audit_head,
        )
        data = write(made, kid=signer.kid, sign=signer.sign)
        read(data, pinned=pins)
        write_whole(path, data)
    return made


def held(path: Path, *, pins: Collection[PublicKey]) -> tuple[Bundle | None, bytes]:
    """Return the bundle in a file, and the SHA-256 of the file.

    None and nothing where there is no file, or one that none of the pinned keys signed.
    """
    try:
        data = path.read_bytes()
        return read(data, pinned=pins), sha256(data).digest()
    except (FileNotFoundError, BadBundle):
        return None, b""
