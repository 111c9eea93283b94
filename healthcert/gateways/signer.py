"""Signing keys: one that signs certificates for one purpose, one that signs bundles.

Two types, so that no key can be handed to the wrong work. Source: "Electronic Health
Certificate Specification" 1.0.8 §3.3.5 and §3.3.6: a certificate lives within its signer's life.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from healthcert.errors import BadInput, SignerUnavailable
from healthcert.gateways.private_key import PrivateKey, open_key, sign_checked
from healthcert.hcert.cose import ES256, PS256, sign1
from healthcert.hcert.cwt import write_claims
from healthcert.hcert.payload import kind_of, schema_faults
from healthcert.hcert.text import encode
from healthcert.hcert.trust import KID_BYTES, TrustedKey, from_certificate


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate signer (DSC) whose key lies in a file, encrypted and its owner's alone."""

    kid: bytes  # 8 bytes, as the certificates it signs carry it
    certificate: bytes = field(repr=False)  # its own X.509 certificate, DER
    purpose: str  # the one kind it may sign: ``v`` vaccination, ``t`` test or ``r`` recovery
    _key: PrivateKey = field(repr=False)

    @classmethod
    def open(cls, key_file: Path, certificate_file: Path, *, passphrase: bytes) -> Self:
        """Return the signer that lies in two PEM files.

        Raises:
            SignerUnavailable: A file is missing or unreadable, the passphrase is wrong, the two
                do not belong together, or the certificate is not for exactly one purpose.
        """
        key = open_key(key_file, passphrase)
        der, trusted, purpose = read_certificate(certificate_file)
        if trusted.key != key.public_key():
            raise SignerUnavailable(f"{certificate_file.name} is not this key's")
        return cls(trusted.kid, der, purpose, key)

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return a checked ``r || s``, 64 bytes, or PSS; `SignerUnavailable` if it is false."""
        return sign_checked(self._key, to_be_signed)


def read_certificate(path: Path) -> tuple[bytes, TrustedKey, str]:
    """Return a signer's certificate (DER), key and one purpose; `SignerUnavailable` if not so."""
    try:
        der = load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
        trusted = terms(der)
    except (OSError, ValueError, BadInput):
        raise SignerUnavailable(f"no certificate in {path.name}") from None
    if len(trusted.usages) != 1:
        raise SignerUnavailable(f"{path.name} is not for one purpose")
    return der, trusted, next(iter(trusted.usages))


@lru_cache(maxsize=64)
def terms(certificate: bytes) -> TrustedKey:
    """Return what a certificate (DER) says: key, purposes, life; `BadInput` if it is none."""
    return from_certificate(certificate)


@dataclass(frozen=True, slots=True)
class BundleSigner:
    """The key that signs offline bundles; its public half is pinned by every verifier."""

    kid: bytes  # the first 8 bytes of the SHA-256 of its public key (DER, SubjectPublicKeyInfo)
    _key: PrivateKey = field(repr=False)

    @classmethod
    def open(cls, key_file: Path, *, passphrase: bytes) -> Self:
        """Return the bundle key of a PEM file; `SignerUnavailable` if it does not open."""
        key = open_key(key_file, passphrase)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise SignerUnavailable("a bundle key is an EC key on P-256")
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(sha256(spki).digest()[:KID_BYTES], key)

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return a checked ES256 ``r || s``, 64 bytes; `SignerUnavailable` if it is false."""
        return sign_checked(self._key, to_be_signed)


def issue_text(
    *, dcc: Mapping[str, object], issuer: str, issued_at: int, expires_at: int, signer: Signer
) -> str:
    """Return the text of a new certificate, ``HC1:...``, ready for a QR code.

    `dcc` is of schema 1.3.3 with one entry, `issuer` a country (ISO 3166-1 alpha-2); times are
    seconds since 1970, `expires_at` the last in force.

    Raises:
        SignerUnavailable: The key is for another kind, or lives too short, or signed wrongly.
        ValueError: The payload does not obey the schema; this is our mistake.
    """
    faults = schema_faults(dcc)
    if faults:
        raise ValueError(f"not a certificate by schema 1.3.3: {'; '.join(faults)}")
    said = terms(signer.certificate)
    _refuse_unfit(said, kind_of(dcc), issued_at, expires_at)
    algorithm = PS256 if isinstance(said.key, RSAPublicKey) else ES256
    claims = write_claims(issuer=issuer, issued_at=issued_at, expires_at=expires_at, dcc=dcc)
    return encode(sign1(claims, kid=signer.kid, algorithm=algorithm, sign=signer.sign))


def _refuse_unfit(said: TrustedKey, kind: str, issued_at: int, expires_at: int) -> None:
    """Refuse another purpose, or a certificate that begins before or ends after its signer."""
    if said.usages != {kind}:
        raise SignerUnavailable(f"this key does not sign {kind} alone")
    first, last = (datetime.fromtimestamp(at, UTC) for at in (issued_at, expires_at))
    if not (
        said.not_before and said.not_after and said.not_before <= first <= last <= said.not_after
    ):
        raise SignerUnavailable("the certificate would not lie within its signer's life")
