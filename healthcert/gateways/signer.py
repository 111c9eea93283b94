"""Signing keys: one that signs certificates for one purpose, one that signs bundles.

They are two types, so that no key can be handed to the wrong work. A key is an encrypted
PKCS#8 PEM file. Sources: "Electronic Health Certificate Specification" 1.0.8 §3.3.2 (algorithms),
§3.3.5 and §3.3.6 (a certificate lives within its signer's life); RFC 9053 §2.1 (r || s).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate

from healthcert.errors import BadInput, SignerUnavailable
from healthcert.hcert.cose import ES256, PS256, sign1
from healthcert.hcert.cwt import write_claims
from healthcert.hcert.payload import kind_of, schema_faults
from healthcert.hcert.text import encode
from healthcert.hcert.trust import KID_BYTES, from_certificate

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey

_HALF = 32  # bytes of r, and of s, on P-256; also the salt of PS256
_LEAST_RSA_BITS = 2048
_PSS = PSS(MGF1(SHA256()), _HALF)


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A certificate signer (DSC) whose key lies in a file.

    Attributes:
        kid: Key identifier, 8 bytes, as the certificates it signs carry it.
        certificate: Its own X.509 certificate, DER.
        purpose: The one kind it may sign: ``v`` vaccination, ``t`` test or ``r`` recovery.
        algorithm: COSE number: `ES256` or `PS256`.
        not_before: First moment of its life, aware.
        not_after: Last moment of its life, aware.
    """

    kid: bytes
    certificate: bytes = field(repr=False)
    purpose: str
    algorithm: int
    not_before: datetime
    not_after: datetime
    _key: PrivateKey = field(repr=False)

    @classmethod
    def open(cls, key_file: Path, certificate_file: Path, *, passphrase: bytes) -> FileSigner:
        """Return the signer that lies in two PEM files.

        Raises:
            SignerUnavailable: A file is missing or unreadable, the passphrase is wrong, the two
                do not belong together, or the certificate is not for exactly one purpose.
        """
        key = _read_key(key_file, passphrase)
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
        return _sign(self._key, to_be_signed)

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
    """The key that signs offline bundles; its public half is pinned by every verifier.

    Attributes:
        kid: The first 8 bytes of the SHA-256 of its public key (DER, SubjectPublicKeyInfo).
    """

    kid: bytes
    _key: PrivateKey = field(repr=False)

    @classmethod
    def open(cls, key_file: Path, *, passphrase: bytes) -> BundleSigner:
        """Return the bundle key that lies in a PEM file.

        Raises:
            SignerUnavailable: The file is missing or unreadable, or the passphrase is wrong.
        """
        key = _read_key(key_file, passphrase)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise SignerUnavailable("a bundle key is an EC key on P-256")
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(sha256(spki).digest()[:KID_BYTES], key)

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return an ES256 signature that was checked, ``r || s``, 64 bytes.

        Raises:
            SignerUnavailable: The signature made does not verify.
        """
        return _sign(self._key, to_be_signed)


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


def _read_key(path: Path, passphrase: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise SignerUnavailable(f"no key that opens in {path.name}") from None
    match key:
        case EllipticCurvePrivateKey() if isinstance(key.curve, SECP256R1):
            return key
        case RSAPrivateKey() if key.key_size >= _LEAST_RSA_BITS:
            return key
    raise SignerUnavailable(f"the key in {path.name} is neither EC on P-256 nor RSA of 2048 bits")


def _sign(key: PrivateKey, data: bytes) -> bytes:
    """Return a signature in COSE form; it is checked in that form before it leaves."""
    try:
        if isinstance(key, RSAPrivateKey):
            signature = key.sign(data, _PSS, SHA256())
            key.public_key().verify(signature, data, _PSS, SHA256())
            return signature
        r, s = decode_dss_signature(key.sign(data, ECDSA(SHA256())))
        signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        halves = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
        key.public_key().verify(encode_dss_signature(*halves), data, ECDSA(SHA256()))
    except InvalidSignature:
        raise SignerUnavailable("a signature was made that does not verify") from None
    return signature
