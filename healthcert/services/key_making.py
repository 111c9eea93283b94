"""New keys and the X.509 certificates around them.

Sources: "Electronic Health Certificate Specification" 1.0.8 §5 (an authority signs each signer,
which carries its key identifier) and appendix A.4 (extended key usage); RFC 5280.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

MARK = "DEVELOPMENT"

YEAR = timedelta(days=365)
_USAGES = {kind: f"1.3.6.1.4.1.1847.2021.1.{n}" for n, kind in enumerate("tvr", start=1)}


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority's certificate and its private key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    @classmethod
    def open(cls, certificate: bytes, key: bytes, passphrase: bytes) -> Authority:
        """Return the authority in two PEM files.

        Raises:
            ValueError: They cannot be opened, or the key is not an EC key.
        """
        opened = load_pem_private_key(key, passphrase)
        if not isinstance(opened, EllipticCurvePrivateKey):
            raise ValueError("an authority of ours has an EC key")  # noqa: TRY004 - as the rest
        return cls(x509.load_pem_x509_certificate(certificate), opened)


def new_key() -> EllipticCurvePrivateKey:
    """Return a new private key on P-256."""
    return generate_private_key(SECP256R1())


def pem_of(key: EllipticCurvePrivateKey | EllipticCurvePublicKey, passphrase: bytes = b"") -> bytes:
    """Return a key as PEM: a private one encrypted (PKCS#8), a public one plain.

    Raises:
        ValueError: A private key without a passphrase.
    """
    if isinstance(key, EllipticCurvePublicKey):
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    locked = BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


def named(country: str, organisation: str, words: str) -> x509.Name:
    """Return the subject of a certificate; one for development says so: see `MARK`."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, words),
        ]
    )


def certificate_authority(key: EllipticCurvePrivateKey, name: x509.Name, start: datetime) -> bytes:
    """Return the certificate of an authority (CSCA), PEM; it lives four years."""
    unsigned = _certificate(name, name, key, start, start + 4 * YEAR)
    return _signed(
        unsigned.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True),
        key,
        _usage(signs_certificates=True),
    )


def signer(
    key: EllipticCurvePrivateKey,
    kind: str,
    name: x509.Name,
    start: datetime,
    *,
    authority: Authority,
    used_for: timedelta,
) -> bytes:
    """Return the certificate of a signer (DSC) for one kind, PEM; it lives two years.

    Args:
        key: The signer's key.
        kind: ``v``, ``t`` or ``r``.
        name: Its subject.
        start: When its life begins.
        authority: Who signs it.
        used_for: How long from its beginning on it signs (RFC 3280 §4.2.1.4).
    """
    parent = authority.certificate
    of_parent = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    link = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(of_parent)
    used = x509.PrivateKeyUsagePeriod(
        start.replace(tzinfo=None), (start + used_for).replace(tzinfo=None)
    )
    usage = x509.ExtendedKeyUsage([ObjectIdentifier(_USAGES[kind])])
    unsigned = _certificate(name, parent.subject, key, start, start + 2 * YEAR)
    for extension in (link, usage, used):
        unsigned = unsigned.add_extension(extension, critical=False)
    return _signed(unsigned, authority.key, _usage(signs_certificates=False))


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    start: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(ski, critical=False)
    )


def _signed(
    unsigned: x509.CertificateBuilder, key: EllipticCurvePrivateKey, usage: x509.KeyUsage
) -> bytes:
    signed = unsigned.add_extension(usage, critical=True).sign(key, SHA256())
    return signed.public_bytes(Encoding.PEM)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
