"""Signing keys: one that signs certificates for one purpose, one that signs bundles.

They are two types, so that no key can be handed to the wrong work. Source: "Electronic Health
Certificate Specification" 1.0.8 §3.3.5 and §3.3.6: a certificate lives within its signer's life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from healthcert.errors import BadInput, SignerUnavailable
from healthcert.gateways.private_key import PrivateKey, open_key, sign_checked
from healthcert.hcert.cose import ES256, PS256, sign1
from healthcert.hcert.cwt import write_claims
from healthcert.hcert.payload import kind_of, schema_faults
from healthcert.hcert.text import encode
from healthcert.hcert.trust import KID_BYTES, from_certificate


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A certificate signer (DSC) whose key lies in a file."""

    kid: bytes  # key identifier, 8 bytes, as the certificates it signs carry it
    certificate: bytes = field(repr=False)  # its own X.509 certificate, DER
    purpose: str  # the one kind it may sign: ``v`` vaccination, ``t`` test or ``r`` recovery
    algorithm: int  # COSE number: `ES256` or `PS256`
    not_before: datetime  # first moment of its life, aware
    not_after: datetime  # last moment of its life, aware
    _key: PrivateKey = field(repr=False)

    @classmethod
    def open(cls, key_file: Path, certificate_file: Path, *, passphrase: bytes) -> FileSigner:
        """Return the signer that lies in two PEM files.

        Raises:
            SignerUnavailable: A file is missing or unreadable, the passphrase is wrong, the two
                do not belong together, or the certificate is not for exactly one purpose.
        """
        key = open_key(key_file, passphrase)
        try:
            pem = load_pem_x509_certificate(certificate_file.read_bytes())
            der = pem.public_bytes(Encoding.DER)
            trusted = from_certificate(der)
        except (OSError, ValueError, BadInput):
            raise SignerUnavailable(f"no certificate in {certificate_file.name}") from None
        if trusted.key != key.public_key() or len(trusted.usages) != 1:
            raise SignerUnavailable(f"{certificate_file.name} is not this key's, for one purpose")
        return cls(
            kid=trusted.kid,
            certificate=der,
            purpose=next(iter(trusted.usages)),
            algorithm=ES256 if isinstance(key, EllipticCurvePrivateKey) else PS256,
            not_before=pem.not_valid_before_utc,
            not_after=pem.not_valid_after_utc,
            _key=key,
        )

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return a signature that was checked: ``r || s`` (64 bytes), or PSS with an RSA key.

        Raises:
            SignerUnavailable: The signature made does not verify.
        """
        return sign_checked(self._key, to_be_signed)

    def refuse_unless_fit(self, kind: str, issued_at: int, expires_at: int) -> None:
        """Refuse another purpose, or a certificate that begins before or ends after the signer.

        Args:
            kind: ``v``, ``t`` or ``r``.
            issued_at: Seconds since 1970.
            expires_at: Seconds since 1970; the last second in force.

        Raises:
            SignerUnavailable: It does not fit.
        """
        if kind != self.purpose:
            raise SignerUnavailable(f"this key signs {self.purpose}, not {kind}")
        first, last = (datetime.fromtimestamp(at, UTC) for at in (issued_at, expires_at))
        if not self.not_before <= first <= last <= self.not_after:
            raise SignerUnavailable("the certificate would not lie within its signer's life")


@dataclass(frozen=True, slots=True)
class BundleSigner:
    """The key that signs offline bundles; its public half is pinned by every verifier."""

    kid: bytes  # the first 8 bytes of the SHA-256 of its public key (DER, SubjectPublicKeyInfo)
    _key: PrivateKey = field(repr=False)

    @classmethod
    def open(cls, key_file: Path, *, passphrase: bytes) -> BundleSigner:
        """Return the bundle key that lies in a PEM file.

        Raises:
            SignerUnavailable: The file is missing or unreadable, or the passphrase is wrong.
        """
        key = open_key(key_file, passphrase)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise SignerUnavailable("a bundle key is an EC key on P-256")
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(sha256(spki).digest()[:KID_BYTES], key)

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return an ES256 signature that was checked, ``r || s``, 64 bytes.

        Raises:
            SignerUnavailable: The signature made does not verify.
        """
        return sign_checked(self._key, to_be_signed)


def issue_text(
    *,
    dcc: Mapping[str, object],
    issuer: str,
    issued_at: int,
    expires_at: int,
    signer: FileSigner,
) -> str:
    """Return the text of a new certificate, ``HC1:...``, ready for a QR code.

    Args:
        dcc: The certificate as schema 1.3.3 says, with one entry.
        issuer: Country, ISO 3166-1 alpha-2.
        issued_at: Seconds since 1970.
        expires_at: Seconds since 1970; the last second in force.
        signer: The key for this kind.

    Raises:
        SignerUnavailable: The key is for another kind, or lives too short, or signed wrongly.
        ValueError: The payload does not obey the schema; this is our mistake.
    """
    faults = schema_faults(dcc)
    if faults:
        raise ValueError(f"not a certificate by schema 1.3.3: {'; '.join(faults)}")
    signer.refuse_unless_fit(kind_of(dcc), issued_at, expires_at)
    claims = write_claims(issuer=issuer, issued_at=issued_at, expires_at=expires_at, dcc=dcc)
    return encode(sign1(claims, kid=signer.kid, algorithm=signer.algorithm, sign=signer.sign))
