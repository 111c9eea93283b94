"""Makers of certificates, signers and keys for the codec's tests; each names only what matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from healthcert.hcert import ES256, PS256, encode, key_identifier, sign1, write_claims

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

KEY = ec.generate_private_key(ec.SECP256R1())
LONG_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
STRANGER = ec.generate_private_key(ec.SECP256R1())

ISSUED, EXPIRES = 1_770_000_000, 1_800_000_000
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

EKU = "1.3.6.1.4.1.1847.2021.1."
MISTAKEN_EKU = "1.3.6.1.4.1.0.1847.2021.1."

VACCINATION = {
    "tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2,
    "sd": 2, "dt": "2026-01-20", "co": "LB", "is": "Ministry of Health",
    "ci": "URN:UVCI:01:LB:7Q2KX9#A",
}  # fmt: skip
TEST = {
    "tg": "840539006", "tt": "LP6464-4", "sc": "2026-03-01T08:00:00Z", "tr": "260415000",
    "co": "LB", "is": "Ministry of Health", "ci": "URN:UVCI:01:LB:8R3LY0#B",
}  # fmt: skip
RECOVERY = {
    "tg": "840539006", "fr": "2026-01-01", "co": "LB", "is": "Ministry of Health",
    "df": "2026-01-12", "du": "2026-06-30", "ci": "URN:UVCI:01:LB:9S4MZ1#C",
}  # fmt: skip


def dcc(**members: Any) -> dict[str, Any]:
    """A vaccination certificate of the newest schema, with these members changed or added."""
    whole = {
        "ver": "1.3.3", "nam": {"fn": "Khoury", "fnt": "KHOURY", "gn": "Maya", "gnt": "MAYA"},
        "dob": "1988-04-21", "v": [VACCINATION],
    }  # fmt: skip
    return {**whole, **members}


def without(whole: Mapping[str, Any], *members: str) -> dict[str, Any]:
    """The same object without some of its members."""
    return {name: value for name, value in whole.items() if name not in members}


def signer_certificate(
    key: PrivateKey = KEY, *, usages: tuple[str, ...] = (), raw_usage: bytes | None = None
) -> bytes:
    """A self-signed certificate (DER) of a Lebanese signer; its key is what matters.

    `raw_usage` is what stands, encoded or not, for its extended key usage.
    """
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "LB"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Signer of tests"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2028, 1, 1, tzinfo=UTC))
    )
    if usages:
        oids = [x509.ObjectIdentifier(usage) for usage in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    if raw_usage is not None:
        raw = x509.UnrecognizedExtension(ExtensionOID.EXTENDED_KEY_USAGE, raw_usage)
        builder = builder.add_extension(raw, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


SIGNER = signer_certificate()
KID = key_identifier(SIGNER)


def signing(key: PrivateKey) -> Callable[[bytes], bytes]:
    """What `sign1` asks for: the signature of some bytes as COSE writes it."""

    def sign(data: bytes) -> bytes:
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
        half = key.curve.key_size // 8
        numbers = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
        return b"".join(number.to_bytes(half, "big") for number in numbers)

    return sign


def signed(payload: bytes, *, key: PrivateKey = KEY, kid: bytes = KID) -> bytes:
    """A COSE_Sign1 as an issuer writes it."""
    algorithm = PS256 if isinstance(key, rsa.RSAPrivateKey) else ES256
    return sign1(payload, kid=kid, algorithm=algorithm, sign=signing(key))


def sealed(
    header: bytes, payload: bytes, *, unprotected: Mapping[Any, Any] | None = None
) -> list[Any]:
    """The four parts of a message with any header at all, truly signed."""
    to_be_signed = cbor2.dumps(["Signature1", header, b"", payload])
    return [header, dict(unprotected or {}), payload, signing(KEY)(to_be_signed)]


def claims_of(certificate: object, **changed: Any) -> bytes:
    """A payload: the claims around a certificate."""
    times = {"issued_at": ISSUED, "expires_at": EXPIRES, "issuer": "LB"} | changed
    return write_claims(dcc=certificate, **times)  # type: ignore[arg-type]


def barcode(certificate: object = None, *, key: PrivateKey = KEY, kid: bytes = KID) -> str:
    """The text of a code, truly signed."""
    return encode(signed(claims_of(certificate or dcc()), key=key, kid=kid))
