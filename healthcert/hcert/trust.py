"""Whose signatures count, for which kinds of certificate.

Sources: "Electronic Health Certificate Specification" 1.0.8, appendix A.1 (key identifier) and
A.4 (extended key usage); the second arc of numbers is a slip that most issuers' keys carry.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from asn1crypto.x509 import Certificate
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from healthcert.errors import BadInput
from healthcert.hcert.cose import PublicKey

KID_BYTES = 8
_ARCS = ("1.3.6.1.4.1.1847.2021.1.", "1.3.6.1.4.1.0.1847.2021.1.")
_KINDS = {"1": "t", "2": "v", "3": "r"}
_USAGES = {arc + last: kind for arc in _ARCS for last, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key that may sign certificates."""

    kid: bytes  # key identifier: the first 8 bytes of the SHA-256 of the signer's DER certificate
    key: PublicKey  # a public key on an elliptic curve, or an RSA one
    country: str  # ISO 3166-1 alpha-2 as the certificate says it; empty where it says none
    usages: frozenset[str]  # what it may sign, of ``t``, ``v`` and ``r``; empty: any
    name: str  # who holds it, in words; may be empty
    not_before: datetime | None  # first moment of the signer's life; None if not known
    not_after: datetime | None  # last moment of the signer's life; None if not known
    training: bool = False  # whether it signs only certificates made for practice
    source: str = ""  # where we have it from: the name of a file or a list; may be empty

    def allows(self, kind: str) -> bool:
        """Whether the key may sign this kind: ``t``, ``v`` or ``r``."""
        return not self.usages or kind in self.usages

    def told(self) -> dict[str, object]:
        """Return what is to be known of the key, as JSON has it."""
        return {
            "kid": self.kid.hex(),
            "country": self.country,
            "kinds": "".join(sorted(self.usages)) or "any",
            "name": self.name,
            "not_before": f"{self.not_before:%Y-%m-%d}" if self.not_before else None,
            "not_after": f"{self.not_after:%Y-%m-%d}" if self.not_after else None,
            "training": self.training,
            "source": self.source,
        }


class TrustList:
    """The trusted keys by key identifier; one identifier may name several."""

    def __init__(self, keys: Iterable[TrustedKey] = ()) -> None:
        """Hold these keys, in this order."""
        self._keys: dict[bytes, tuple[TrustedKey, ...]] = {}
        for key in keys:
            self._keys[key.kid] = (*self._keys.get(key.kid, ()), key)

    def __iter__(self) -> Iterator[TrustedKey]:
        """Every key, those of one identifier together."""
        return (key for same_kid in self._keys.values() for key in same_kid)

    def __len__(self) -> int:
        """How many keys there are."""
        return sum(map(len, self._keys.values()))

    def find(self, kid: bytes) -> tuple[TrustedKey, ...]:
        """Return the keys with this identifier; empty if there is none."""
        return self._keys.get(kid, ())


def key_identifier(der: bytes) -> bytes:
    """Return the key identifier of a DER certificate: 8 bytes (HCERT 1.0.8 appendix A.1)."""
    return sha256(der).digest()[:KID_BYTES]


def from_certificate(
    der: bytes, *, training: bool = False, country: str = "", source: str = ""
) -> TrustedKey:
    """Return the key of a signer's certificate, read leniently.

    Real signers' certificates break rules that a strict reader holds (an explicit default, an
    empty list of usages); what matters here is the key, whose it is, and what it may sign.
    Neither the certificate's own signature nor its dates are judged.

    Args:
        der: An X.509 certificate.
        training: Whether the key signs only certificates made for practice.
        country: Whose it is by the list that it stands in; if empty, as the certificate says.
        source: Where we have it from.

    Raises:
        BadInput: The bytes are not a certificate, or its key is neither EC nor RSA.
    """
    try:
        certificate = Certificate.load(der)
        body = certificate["tbs_certificate"]
        key = load_der_public_key(body["subject_public_key_info"].dump())
        subject = _words(body["subject"])
        issuer = _words(body["issuer"])
        not_before = body["validity"]["not_before"].native
        not_after = body["validity"]["not_after"].native
    except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
        # The parser knows kinds of text whose values it cannot give: it looks for them in vain.
        raise BadInput({"certificate": "not_a_certificate"}) from None
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise BadInput({"certificate": "neither_ec_nor_rsa"})
    return TrustedKey(
        kid=key_identifier(der),
        key=key,
        country=country or subject.get("country_name") or issuer.get("country_name", ""),
        usages=_usages(body),
        name=subject.get("common_name") or subject.get("organization_name", ""),
        not_before=not_before,
        not_after=not_after,
        training=training,
        source=source,
    )


def _words(name: Any) -> dict[str, str]:  # noqa: ANN401 - the parser has no types
    """Return the parts of a distinguished name; of repeated parts the first."""
    native = name.native or {}
    return {part: str(word if isinstance(word, str) else word[0]) for part, word in native.items()}


def _usages(body: Any) -> frozenset[str]:  # noqa: ANN401 - the parser has no types
    """Return the kinds the extended key usage names; unreadable counts as absent."""
    try:
        usages = [
            usage
            for extension in body["extensions"]
            if extension["extn_id"].native == "extended_key_usage"
            for usage in extension["extn_value"].parsed.native
        ]
    except (ValueError, TypeError):
        usages = []
    return frozenset(_USAGES[usage] for usage in usages if usage in _USAGES)
