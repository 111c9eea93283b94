"""Trusted keys as they lie in a bundle; `docs/bundle.md` has the form."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from healthcert.hcert.trust import TrustedKey


def plain(key: TrustedKey) -> dict[str, object]:
    """Return a key as a bundle holds it: numbers, texts and bytes."""
    return {
        "kid": key.kid,
        "spki": key.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "country": key.country,
        "usages": sorted(key.usages),
        "name": key.name,
        "not_before": _seconds(key.not_before),
        "not_after": _seconds(key.not_after),
        "source": key.source,
    }


def trusted(key: Mapping[str, Any], *, training: bool) -> TrustedKey:
    """Return the key that a bundle holds; `LookupError`, `TypeError` or `ValueError` if none."""
    public = load_der_public_key(key["spki"])
    if not isinstance(public, EllipticCurvePublicKey | RSAPublicKey):
        raise TypeError("a key that is neither EC nor RSA")
    return TrustedKey(
        kid=key["kid"],
        key=public,
        country=key["country"],
        usages=frozenset(key["usages"]),
        name=key["name"],
        not_before=_moment(key["not_before"]),
        not_after=_moment(key["not_after"]),
        training=training,
        source=key.get("source", ""),
    )


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
