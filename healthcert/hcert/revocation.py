"""Which certificates their issuers took back, and which issuers say so at all.

A revoked certificate is named by the first 16 bytes of a SHA-256, in one of three kinds.
Source: EU DCC revocation specification (guidelines volume 7, 1.0), hash types ``UCI``,
``COUNTRYCODEUCI`` and ``SIGNATURE``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

from healthcert.hcert.cose import ES256, Sign1

HASH_BYTES = 16
HashKind = Literal["uvci", "country_uvci", "signature"]
HASH_KINDS: Final[tuple[HashKind, ...]] = ("uvci", "country_uvci", "signature")


def uvci_hash(uvci: str) -> bytes:
    """Return the hash of an identifier as it stands in the certificate, 16 bytes."""
    return sha256(uvci.encode()).digest()[:HASH_BYTES]


def country_uvci_hash(country: str, uvci: str) -> bytes:
    """Return the hash of the issuer's country (two letters) and the identifier, 16 bytes."""
    return uvci_hash(country + uvci)


def signature_hash(message: Sign1) -> bytes:
    """Return the hash of a signature, 16 bytes: for ES256 of ``r`` alone, else of all of it.

    Of a valid ``(r, s)`` anybody can make the valid ``(r, -s)``; so ``s`` says nothing.
    """
    whole = message.signature
    part = whole[: len(whole) // 2] if message.algorithm == ES256 else whole
    return sha256(part).digest()[:HASH_BYTES]


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The revoked certificates we know of, by the country of their issuer.

    Attributes:
        published: Countries whose issuers publish what they revoke.
        entries: By country and kind of hash: the hashes, sorted, one after the other. A country
            that has an entry, be it empty, is one whose list we hold.
    """

    published: frozenset[str] = frozenset()
    entries: Mapping[str, Mapping[HashKind, bytes]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, published: Iterable[str], revoked: Iterable[tuple[str, HashKind, bytes]]
    ) -> RevocationList:
        """Return the list of some hashes of 16 bytes, in any order, twice or not.

        Args:
            published: Countries that publish, and whose whole list this is.
            revoked: Country of the issuer, kind of hash, hash.
        """
        countries = frozenset(published)
        sets: dict[str, dict[HashKind, set[bytes]]] = {country: {} for country in countries}
        for country, kind, found in revoked:
            sets.setdefault(country, {}).setdefault(kind, set()).add(found)
        return cls(
            countries,
            {
                country: {kind: b"".join(sorted(hashes)) for kind, hashes in kinds.items()}
                for country, kinds in sets.items()
            },
        )

    def holds(self, country: str) -> bool:
        """Whether we hold the list of a country's issuer, be it empty."""
        return country in self.entries

    def revoked(self, country: str, uvci: str, message: Sign1) -> bool:
        """Whether a certificate is on the list of its issuer, by any kind of hash.

        Args:
            country: Of the issuer, two letters.
            uvci: The identifier in the certificate.
            message: The signed message.
        """
        listed = self.entries.get(country, {})
        return any(
            _hash(kind, country, uvci, message) in _Hashes(joined)
            for kind, joined in listed.items()
        )


def _hash(kind: HashKind, country: str, uvci: str, message: Sign1) -> bytes:
    if kind == "signature":
        return signature_hash(message)
    return uvci_hash(uvci) if kind == "uvci" else country_uvci_hash(country, uvci)


@dataclass(frozen=True, slots=True)
class _Hashes:
    """Sorted hashes that lie one after the other, searched without taking them apart."""

    joined: bytes

    def __len__(self) -> int:
        return len(self.joined) // HASH_BYTES

    def __getitem__(self, place: int) -> bytes:
        return self.joined[place * HASH_BYTES : (place + 1) * HASH_BYTES]

    def __contains__(self, wanted: bytes) -> bool:
        return self[bisect_left(self, wanted)] == wanted


def is_sorted(joined: bytes) -> bool:
    """Whether these are whole hashes in strictly rising order, as a search needs them."""
    hashes = _Hashes(joined)
    rising = all(hashes[place] < hashes[place + 1] for place in range(len(hashes) - 1))
    return len(joined) % HASH_BYTES == 0 and rising
