"""Signers and the authorities that certify them, as certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.hcert.barcodes import KEY, LONG_KEY, STRANGER

ROOT_KEY = ec.generate_private_key(ec.SECP256R1())
START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Holder:
    """Somebody with a key, a name and a certificate."""

    key: ec.EllipticCurvePrivateKey
    name: x509.Name
    der: bytes


def named(country: str, common: str) -> x509.Name:
    parts = {NameOID.COUNTRY_NAME: country, NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items() if value])


def certificate(
    subject: Holder, *, issuer: Holder | None = None, start: datetime = START, end: datetime = END,
    certifies: bool | None = None,
) -> bytes:  # fmt: skip
    issuer = issuer or subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(issuer.name)
        .public_key(subject.key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if certifies is not None:
        builder = builder.add_extension(x509.BasicConstraints(certifies, None), critical=True)
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)


def authority(
    country: str = "LB", *, key: ec.EllipticCurvePrivateKey = ROOT_KEY, common: str = "Authority",
    certifies: bool | None = True, **life: datetime,
) -> Holder:  # fmt: skip
    """An authority with a certificate that it signed itself."""
    bare = Holder(key, named(country, common), b"")
    return Holder(key, bare.name, certificate(bare, certifies=certifies, **life))


def signer(by: Holder, country: str = "LB", **life: datetime) -> bytes:
    """The certificate of a signer, made by an authority."""
    return certificate(Holder(KEY, named(country, "Signer"), b""), issuer=by, **life)


FORGER = authority(key=STRANGER)  # the authority's name, and another key
ANOTHER = authority(key=LONG_KEY, common="Another authority")
