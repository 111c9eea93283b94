"""Which certificates their issuers took back, and which issuers say so at all.

A revoked certificate is named by the first 16 bytes of a SHA-256, in one of three kinds. A list
of them is a file of its own (`prefixes`), named by its hash; whoever holds the manifest that
names it (`bundle`) may fetch it from anywhere. Source: EU DCC revocation specification
(guidelines volume 7, 1.0), hash types ``UCI``, ``COUNTRYCODEUCI`` and ``SIGNATURE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Final, Literal

from healthcert.hcert.cose import ES256, Sign1
from healthcert.hcert.prefix_building import bits_for, build
from healthcert.hcert.prefixes import HASH_BYTES, PrefixTable

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
class Named:
    """A file as a manifest names it.

    Attributes:
        sha256: Of the file, 32 bytes.
        size: Its length in bytes.
    """

    sha256: bytes
    size: int

    @classmethod
    def of(cls, data: bytes) -> Named:
        """Return the name of a file."""
        return cls(sha256(data).digest(), len(data))


@dataclass(frozen=True, slots=True)
class Part:
    """One list of an issuer, as a manifest names it.

    Attributes:
        kind: What its hashes are of.
        entries: How many certificates are on it.
        file: The list.
        changes: The file of changes that leads to it from earlier ones; None if there is none.
    """

    kind: HashKind
    entries: int
    file: Named
    changes: Named | None = None


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The revoked certificates we know of, by the country of their issuer.

    Attributes:
        published: Countries whose issuers publish what they revoke.
        lists: By country, the parts of its list; none where nothing was revoked.
        tables: The parts that are at hand, by the SHA-256 of their file.
    """

    published: frozenset[str] = frozenset()
    lists: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    tables: Mapping[bytes, PrefixTable] = field(default_factory=dict, compare=False, repr=False)

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
        made = cls(countries)
        for country, kinds in sorted(sets.items()):
            bits = bits_for(sum(map(len, kinds.values())))
            tables = {
                kind: (len(kinds[kind]), build(partial(sorted, kinds[kind]), bits=bits))
                for kind in sorted(kinds, key=HASH_KINDS.index)
            }
            made = made.with_list(country, tables)
        return made

    def with_list(
        self, country: str, tables: Mapping[HashKind, tuple[int, PrefixTable]]
    ) -> RevocationList:
        """Return the lists with another one for a country.

        Args:
            country: Of the issuer.
            tables: By kind of hash, how many certificates are on the list, and the list.
        """
        parts, held = [], dict(self.tables)
        for kind, (entries, table) in tables.items():
            file = Named.of(table.as_bytes())
            parts.append(Part(kind, entries, file))
            held[file.sha256] = table
        return replace(self, lists={**self.lists, country: tuple(parts)}, tables=held)

    def with_issuer(self, country: str, theirs: RevocationList) -> RevocationList:
        """Return the lists with all that another one says of a country, and nothing else of it."""
        lists = {name: parts for name, parts in self.lists.items() if name != country}
        lists |= {name: parts for name, parts in theirs.lists.items() if name == country}
        published = (self.published - {country}) | (theirs.published & {country})
        return RevocationList(published, lists).with_tables({**self.tables, **theirs.tables})

    def with_tables(self, tables: Mapping[bytes, PrefixTable]) -> RevocationList:
        """Return the same lists with more parts at hand, of those that are named."""
        named = {part.file.sha256 for parts in self.lists.values() for part in parts}
        more = {digest: tables[digest] for digest in named & tables.keys()}
        return replace(self, tables={**self.tables, **more})

    def table(self, country: str, kind: HashKind) -> PrefixTable | None:
        """Return one list of an issuer; None where there is none at hand."""
        parts = (part for part in self.lists.get(country, ()) if part.kind == kind)
        return next((self.tables.get(part.file.sha256) for part in parts), None)

    def missing(self) -> list[Part]:
        """Return the parts that are named and not at hand."""
        parts = (part for parts in self.lists.values() for part in parts)
        return [part for part in parts if part.file.sha256 not in self.tables]

    def holds(self, country: str) -> bool:
        """Whether all of the list of a country's issuer is at hand, be it empty."""
        parts = self.lists.get(country)
        return parts is not None and all(part.file.sha256 in self.tables for part in parts)

    def revoked(self, country: str, uvci: str, message: Sign1) -> bool:
        """Whether a certificate is on the list of its issuer, by any kind of hash.

        Args:
            country: Of the issuer, two letters.
            uvci: The identifier in the certificate.
            message: The signed message.
        """
        return any(
            _hash(part.kind, country, uvci, message) in table
            for part in self.lists.get(country, ())
            if (table := self.tables.get(part.file.sha256)) is not None
        )


def _hash(kind: HashKind, country: str, uvci: str, message: Sign1) -> bytes:
    if kind == "signature":
        return signature_hash(message)
    return uvci_hash(uvci) if kind == "uvci" else country_uvci_hash(country, uvci)
