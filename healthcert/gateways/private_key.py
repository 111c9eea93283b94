"""Private keys in files, and signatures in the form that COSE gives them.

Sources: "Electronic Health Certificate Specification" 1.0.8 §3.3.2 (algorithms);
RFC 9053 §2.1 (r || s); RFC 8230 (RSASSA-PSS).
"""

import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from healthcert.errors import SignerUnavailable

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey

_HALF = 32  # bytes of r, and of s, on P-256; also the salt of PS256
_LEAST_RSA_BITS = 2048
_ECDSA = ECDSA(SHA256())
_PSS = PSS(MGF1(SHA256()), _HALF)


def passphrase_of(secret: bytes) -> bytes:
    """Return what opens the key files of a secret: derived, so the secret itself opens nothing."""
    derive = HKDF(SHA256(), length=32, salt=None, info=b"healthcert key files")
    return derive.derive(secret).hex().encode()


def open_key(path: Path, passphrase: bytes) -> PrivateKey:
    """Return the private key in an encrypted PKCS#8 PEM file: EC on P-256, or RSA of 2048 bits.

    Raises:
        SignerUnavailable: The file is missing, is not its owner's alone or not encrypted, the
            passphrase is wrong, or it is another key.
    """
    try:
        refuse_shared(path)
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise SignerUnavailable(f"no key that opens in {path.name}") from None
    match key:
        case EllipticCurvePrivateKey() if isinstance(key.curve, SECP256R1):
            return key
        case RSAPrivateKey() if key.key_size >= _LEAST_RSA_BITS:
            return key
    raise SignerUnavailable(f"the key in {path.name} is neither EC on P-256 nor RSA of 2048 bits")


def refuse_shared(path: Path) -> None:
    """Refuse a secret file that others than its owner can read or change.

    Raises:
        SignerUnavailable: They can.
        OSError: It is not there.
    """
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SignerUnavailable(f"{path.name} can be read or changed by others: chmod 600")


def sign_checked(key: PrivateKey, data: bytes) -> bytes:
    """Return a signature in COSE form that was checked in that form before it left.

    Returns:
        ``r || s``, 64 bytes, for an EC key (ES256); the PSS signature for an RSA key (PS256).

    Raises:
        SignerUnavailable: The signature made does not verify.
    """
    try:
        if isinstance(key, RSAPrivateKey):
            signature = key.sign(data, _PSS, SHA256())
            key.public_key().verify(signature, data, _PSS, SHA256())
            return signature
        r, s = decode_dss_signature(key.sign(data, _ECDSA))
        signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        halves = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
        key.public_key().verify(encode_dss_signature(*halves), data, _ECDSA)
    except InvalidSignature:
        raise SignerUnavailable("a signature was made that does not verify") from None
    return signature
