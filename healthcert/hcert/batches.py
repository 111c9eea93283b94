"""Revocations as the EU gateway hands them on: batches of hashes, in JSON.

Source: EU DCC revocation specification (guidelines volume 7, 1.0) and the gateway's batch form:
country, end, key identifier, kind of hash, and at most a thousand hashes of 16 bytes in base64.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, TypeVar

from healthcert.errors import BadInput
from healthcert.hcert.prefixes import HASH_BYTES
from healthcert.hcert.revocation import HashKind
from healthcert.hcert.trust import KID_BYTES

MOST_ENTRIES: Final = 1_000
MOST_BYTES: Final = 256 * 1_024
T = TypeVar("T")
_NO_KID = "UNKNOWN_KID"
_KINDS: Final[Mapping[str, HashKind]] = {
    "UCI": "uvci",
    "COUNTRYCODEUCI": "country_uvci",
    "SIGNATURE": "signature",
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Batch:
    """Some certificates that an issuer took back."""

    country: str  # of the issuer, two letters
    expires: datetime  # after this the batch counts no more, aware
    kid: bytes | None  # key identifier of the signer, 8 bytes; None where it is not said
    kind: HashKind  # what the hashes are of
    hashes: tuple[bytes, ...]  # 16 bytes each


def read_batch(data: bytes) -> Batch:
    """Return the batch in a JSON object; members it does not know are passed over.

    Raises:
        BadInput: It is none. All that is wrong is said at once, an entry by its place, the
            first being ``entries[0].hash``.
    """
    found = _object(data)
    wrong: dict[str, str] = {}
    country = found.get("country")
    if not isinstance(country, str) or not re.fullmatch("[A-Z]{2}", country):
        wrong["country"] = "not_a_country"
    expires = _moment(found.get("expires"))
    if expires is None:
        wrong["expires"] = "not_a_time"
    kid = found.get("kid")
    if kid != _NO_KID and _bytes(kid, KID_BYTES) is None:
        wrong["kid"] = "not_a_key_identifier"
    kind = found.get("hashType")
    if not isinstance(kind, str) or kind not in _KINDS:
        wrong["hashType"] = "not_a_kind_of_hash"
    hashes = _hashes(found.get("entries"), wrong)
    if wrong or expires is None:
        raise BadInput(wrong)
    return Batch(str(country), expires, _bytes(kid, KID_BYTES), _KINDS[str(kind)], tuple(hashes))


def write_batch(batch: Batch) -> bytes:
    """Return a batch as the gateway takes it, UTF-8."""
    return json.dumps(
        {
            "country": batch.country,
            "expires": f"{batch.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "kid": _NO_KID if batch.kid is None else b64encode(batch.kid).decode(),
            "hashType": _NAMES[batch.kind],
            "entries": [{"hash": b64encode(found).decode()} for found in batch.hashes],
        },
        indent=1,
    ).encode()


def in_batches(entries: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """Give entries in pieces, each as many as one batch may have."""
    rest = iter(entries)
    while piece := tuple(islice(rest, MOST_ENTRIES)):
        yield piece


def _object(data: bytes) -> Mapping[str, Any]:
    if len(data) > MOST_BYTES:
        raise BadInput({"batch": "too_large"})
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise BadInput({"batch": "not_json"}) from None
    if not isinstance(found, dict):
        raise BadInput({"batch": "not_an_object"})
    return found


def _hashes(entries: object, wrong: dict[str, str]) -> list[bytes]:
    """Return the hashes of the entries; say in `wrong` which of them are none."""
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_ENTRIES:
        wrong["entries"] = f"not_1_to_{MOST_ENTRIES}"
        return []
    hashes = []
    for place, entry in enumerate(entries):
        found = _bytes(entry.get("hash") if isinstance(entry, dict) else None, HASH_BYTES)
        if found is None:
            wrong[f"entries[{place}].hash"] = f"not_{HASH_BYTES}_bytes_in_base64"
        else:
            hashes.append(found)
    return hashes


def _bytes(text: object, size: int) -> bytes | None:
    """Return so many bytes written in padded base64; None where the text says anything else."""
    try:
        found = b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return None
    return found if len(found) == size else None


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
