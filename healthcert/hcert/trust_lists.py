"""Lists of trusted signers: read, joined, written, and never replaced by a worse one.

The key is always that of the certificate: the coordinates beside it in a DID document have a
byte too many in the network's own example. An entry that cannot be used is passed over and
named, so that one country's slip does not cost the keys of all others.

Source: reference verifier service, /signercertificateStatus; for the others see `trust_forms`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from healthcert.errors import BadInput, BadTrustList
from healthcert.hcert.trust import TrustedKey, TrustList, from_certificate
from healthcert.hcert.trust_chain import Authorities
from healthcert.hcert.trust_forms import Entry, base64_of, brought, bytes_of, entries, text_of

LEAST_KEPT: Final = 0.5
"""The part of the keys held that an update must still have; less is a list cut short."""

_ALPHA_2 = re.compile(r"[A-Z]{2}")
_OF_SIGNERS = {"", "DSC"}  # and not of authorities (CSCA, SCA) or of connections (TLS, UP)


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer of a list: its key, and the certificate that it was read from (DER)."""

    key: TrustedKey
    certificate: bytes


@dataclass(frozen=True, slots=True)
class SignerList:
    """The signers that a list names, each certificate once, and why others are not among them."""

    signers: tuple[Signer, ...]
    passed_over: tuple[str, ...] = ()

    def trust(self) -> TrustList:
        """Return their keys."""
        return TrustList(signer.key for signer in self.signers)

    def only(self, kids: Collection[bytes]) -> SignerList:
        """Return the list without the keys that a list of valid identifiers does not name."""
        kept = tuple(signer for signer in self.signers if signer.key.kid in kids)
        gone = (
            f"{base64_of(each.key.kid)}: no longer valid"
            for each in self.signers
            if each.key.kid not in kids
        )
        return SignerList(kept, (*self.passed_over, *gone))


def read(
    data: bytes,
    *,
    source: str = "",
    training: bool = False,
    authorities: Authorities | None = None,
) -> SignerList:
    """Return the signers of a list in any of the forms of `trust_forms`.

    Usage, name and life are those of the certificate; the country is the list's where it names
    one, else the certificate's.

    Args:
        data: A whole file or reply.
        source: Where it comes from; a list of our own (`write`) says it of each entry.
        training: Whether these sign only certificates made for practice.
        authorities: Who must have certified them, as `Authorities` says; None where that was
            judged before, as of a list of our own.

    Raises:
        BadTrustList: The data are none of these forms, or no entry can be used.
    """
    found: dict[bytes, Signer] = {}
    passed_over = []
    listed = entries(data)
    known = authorities and authorities.and_those_of(brought(listed))
    for entry in listed:
        if entry.usage not in _OF_SIGNERS:
            continue
        try:
            signer = _signer(entry, source, training=training)
            if known:
                known.judge(signer.certificate, country=signer.key.country)
        except (BadInput, ValueError) as fault:
            passed_over.append(f"{entry.kid or 'an entry'}: {fault}")
        else:
            found.setdefault(signer.certificate, signer)
    if not found:
        raise BadTrustList(f"no signer in {source or 'the list'}{_because(passed_over)}")
    return SignerList(tuple(found.values()), tuple(passed_over))


def joined(lists: Sequence[SignerList]) -> SignerList:
    """Return several lists as one; of a certificate in two of them the first counts."""
    found: dict[bytes, Signer] = {}
    for each in (signer for one in lists for signer in one.signers):
        found.setdefault(each.certificate, each)
    passed_over = tuple(words for one in lists for words in one.passed_over)
    return SignerList(tuple(found.values()), passed_over)


def read_status(data: bytes) -> frozenset[bytes]:
    """Return the valid key identifiers of a reply to ``/signercertificateStatus``.

    Raises:
        BadTrustList: It is another thing, or it names none: a broken gateway tells verifiers so,
            and they must not drop every key.
    """
    try:
        kids = json.loads(data)
        found = frozenset(bytes_of(text_of(kid)) for kid in kids if isinstance(kids, list))
    except (ValueError, TypeError):
        found = frozenset()
    if not any(found):
        raise BadTrustList("no list of valid key identifiers")
    return found


def write(listed: SignerList) -> bytes:
    """Return a list in the national form, as `read` takes it, the same bytes for the same list."""
    rows = [
        {
            "kid": base64_of(signer.key.kid),
            "country": signer.key.country,
            "certificateType": "DSC",
            "source": signer.key.source,
            "rawData": base64_of(signer.certificate),
        }
        for signer in sorted(listed.signers, key=lambda each: (each.key.country, each.key.kid))
    ]
    return json.dumps({"certificates": rows}, indent=1, ensure_ascii=False).encode() + b"\n"


def replaced(held: SignerList | None, update: SignerList) -> SignerList:
    """Return the update, if it may take the place of the list that is held.

    Raises:
        BadTrustList: It has no signer, or less than half as many: rather a reply cut short than
            half the world's keys withdrawn.
    """
    before, after = len(held.signers) if held else 0, len(update.signers)
    if not after or after < before * LEAST_KEPT:
        raise BadTrustList(f"{after} signers in place of {before}: the list held stays")
    return update


def _signer(entry: Entry, source: str, *, training: bool) -> Signer:
    """Return the signer that an entry names.

    Raises:
        BadInput: Its certificate cannot be read, or the identifier is not this certificate's.
        ValueError: It is not base64.
    """
    der = bytes_of(entry.data)
    country = entry.country if _ALPHA_2.fullmatch(entry.country) else ""
    key = from_certificate(der, training=training, country=country, source=entry.source or source)
    if entry.kid and bytes_of(entry.kid) != key.kid:
        raise BadInput({"kid": "not_of_this_certificate"})
    return Signer(key, der)


def _because(passed_over: Sequence[str]) -> str:
    return f" ({'; '.join(passed_over[:3])})" if passed_over else ""
