"""A signer and a certificate, alike in every benchmark."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from healthcert.gateways.signer import Signer, issue_text

KEY = ec.derive_private_key(0xBE4C, ec.SECP256R1())
KID = b"benchkey"
ECDSA = ec.ECDSA(SHA256())
_LIFE = {"issued_at": 1_770_000_000, "expires_at": 1_800_000_000}
DCC: dict[str, Any] = {
    "ver": "1.3.3",
    "nam": {"fn": "Müller", "fnt": "MUELLER", "gn": "Zoë", "gnt": "ZOE"},
    "dob": "1990-05-17",
    "v": [
        {"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215"}
        | {"dn": 2, "sd": 2, "dt": "2026-02-01", "co": "XX", "is": "Ministry of Health"}
        | {"ci": "URN:UVCI:01:XX:HC/G4YTGMJWHA3DMNBYGQ#Z"}
    ],
}


class Unchecked(Signer):
    """A signer that does not verify what it signed: the check is counted apart."""

    __slots__ = ()

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return the signature, ``r || s``."""
        r, s = decode_dss_signature(KEY.sign(to_be_signed, ECDSA))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signer(kind: type[Signer] = Signer) -> Signer:
    """Return the signer, checking what it signs or not."""
    name, usage = x509.Name([]), ObjectIdentifier("1.3.6.1.4.1.1847.2021.1.2")
    begins, ends = datetime(2025, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    unsigned = x509.CertificateBuilder(name, name, KEY.public_key(), 1, begins, ends)
    unsigned = unsigned.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    certificate = unsigned.sign(KEY, SHA256()).public_bytes(Encoding.DER)
    return kind(KID, certificate, "v", KEY)


def issue(by: Signer) -> str:
    """Return the text of a new certificate."""
    return issue_text(dcc=DCC, issuer="XX", signer=by, **_LIFE)
