"""COSE_Sign1 with ES256 and PS256, as the EU health certificate uses it.

Sources: RFC 9052 (structures), RFC 9053 section 2.1 (ECDSA), RFC 8230 (RSASSA-PSS);
"Electronic Health Certificate Specification" 1.0.8, sections 3.3.1 to 3.3.3.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from cbor2 import CBORTag
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from healthcert.errors import BadSignature, MalformedCose, UnknownIssuer
from healthcert.hcert import safe_cbor

PublicKey = EllipticCurvePublicKey | RSAPublicKey

ES256, PS256 = -7, -37
"""COSE algorithm numbers: ECDSA with SHA-256, and RSASSA-PSS with SHA-256."""

_TAG_SIGN1, _TAG_CWT, _FOUR = 18, 61, 4
_ALGORITHM, _CRITICAL, _KID = 1, 2, 4  # header labels
_UNDERSTOOD = (_ALGORITHM, _CRITICAL, _KID)
_SHORT = 64  # bytes of a protected header worth remembering
_CURVES = (SECP256R1, SECP384R1)
_MIN_RSA_BITS = 2048
_ECDSA = ECDSA(SHA256())
_PSS = PSS(MGF1(SHA256()), SHA256.digest_size)

# What every message begins with, laid out once (RFC 9052 section 4.4, and tag 18 around four).
_CONTEXT = b"\x84\x6aSignature1"
_NOTHING_EXTERNAL = b"\x40"
_NO_UNPROTECTED = b"\xa0"
_SIGN1_OF_FOUR = b"\xd2\x84"
_LEAST_USUAL = 70  # bytes; all but payload and protected header

_Parts = tuple[bytes, Mapping[object, object], bytes, bytes]


class Sign1(NamedTuple):
    """A signed message taken apart; nothing in it is trusted until a key fits."""

    protected: bytes  # the protected header as it was encoded; may be empty
    algorithm: int  # `ES256` or `PS256`
    kid: bytes  # key identifier, 8 bytes in a lawful certificate; empty where the message has none
    payload: bytes  # what is signed: for a certificate, CBOR of CWT claims
    signature: bytes  # ``r || s``, each as long as the curve's numbers, or an RSASSA-PSS signature

    def fits(self, key: PublicKey) -> bool:
        """Whether the algorithm belongs to this key and the signature holds under it.

        ES256 is taken on P-256 and on P-384 (issuers use both), the length of the signature
        following from the curve; PS256 on RSA keys of at least 2,048 bits.
        """
        try:
            if isinstance(key, RSAPublicKey):
                return self._fits_rsa(key)
            return self._fits_curve(key)
        except InvalidSignature:
            return False

    def _fits_rsa(self, key: RSAPublicKey) -> bool:
        if self.algorithm != PS256 or key.key_size < _MIN_RSA_BITS:
            return False
        key.verify(self.signature, _to_be_signed(self.protected, self.payload), _PSS, SHA256())
        return True

    def _fits_curve(self, key: EllipticCurvePublicKey) -> bool:
        half = key.key_size // 8
        known = isinstance(key.curve, _CURVES)
        if self.algorithm != ES256 or not known or len(self.signature) != 2 * half:
            return False
        r, s = self.signature[:half], self.signature[half:]
        der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        key.verify(der, _to_be_signed(self.protected, self.payload), _ECDSA)
        return True


def parse(message: bytes) -> Sign1:
    """Return the parts of a COSE_Sign1: with tag 18, with tags 61 and 18, or bare.

    Algorithm and key identifier may stand in the protected or in the unprotected header; the
    protected one wins (HCERT 1.0.8 section 3.3.3).

    Raises:
        MalformedCbor: The message or its protected header is not CBOR as the guard allows it.
        MalformedCose: It is not a COSE_Sign1, or names an algorithm other than ES256 or PS256.
    """
    protected, unprotected, payload, signature = _usual_parts(message) or _parts(
        safe_cbor.loads(message, tags=safe_cbor.OUTER)
    )
    shown = (_short_header if len(protected) <= _SHORT else _header)(protected)
    algorithm = shown.get(_ALGORITHM, unprotected.get(_ALGORITHM))
    if type(algorithm) is not int or algorithm not in (ES256, PS256):
        raise MalformedCose("the algorithm is neither ES256 nor PS256")
    kid = shown.get(_KID, unprotected.get(_KID, b""))
    if not isinstance(kid, bytes):
        raise MalformedCose("the key identifier is not bytes")
    return Sign1(protected, algorithm, kid, payload, signature)


def verify1(message: bytes, *, keys: Mapping[bytes, Collection[PublicKey]]) -> bytes:
    """Return the payload of a message whose signature holds.

    There is no way to get the payload from here without the check, and no boolean to forget.

    Args:
        message: A COSE_Sign1, as `parse` takes it.
        keys: Trusted public keys by key identifier. An identifier may name several keys, being
            a shortened hash; each is tried.

    Returns:
        The payload, exactly as it was signed.

    Raises:
        MalformedCbor: The message is not CBOR as the guard allows it.
        MalformedCose: It is not a COSE_Sign1 with a known algorithm.
        UnknownIssuer: No trusted key has its key identifier.
        BadSignature: No key with that identifier fits.
    """
    found = parse(message)
    candidates = keys.get(found.kid)
    if not candidates:
        raise UnknownIssuer("no trusted key has this key identifier")
    if not any(map(found.fits, candidates)):
        raise BadSignature("the signature fits no key with this key identifier")
    return found.payload


def sign1(payload: bytes, *, kid: bytes, algorithm: int, sign: Callable[[bytes], bytes]) -> bytes:
    """Return a COSE_Sign1 with tag 18, algorithm and key identifier in the protected header.

    Args:
        payload: The bytes to sign; for a certificate, CBOR of CWT claims.
        kid: 8 bytes: the start of the SHA-256 of the signer's DER certificate.
        algorithm: `ES256` or `PS256`; must be what `sign` does.
        sign: Given the bytes to be signed, gives the signature as `Sign1.signature` is written.
    """
    protected = _signers_header(algorithm, kid)
    return _laid_out(protected, payload, sign(_to_be_signed(protected, payload)))


def _laid_out(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """Return a message of these parts, with tag 18 and nothing unprotected."""
    parts = (_bytes(protected), _NO_UNPROTECTED, _bytes(payload), _bytes(signature))
    return _SIGN1_OF_FOUR + b"".join(parts)


@lru_cache(maxsize=16)
def _signers_header(algorithm: int, kid: bytes) -> bytes:
    """Return the protected header of every message of one signer."""
    return safe_cbor.dumps({_ALGORITHM: algorithm, _KID: kid})


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052 section 4.4, put together without an encoder."""
    return _CONTEXT + _bytes(protected) + _NOTHING_EXTERNAL + _bytes(payload)


def _bytes(data: bytes) -> bytes:
    """Return a CBOR byte string (RFC 8949 section 3.1, major type 2)."""
    size = len(data)
    if size < 1 << 8:
        return (bytes((0x58, size)) if size > 23 else bytes((0x40 | size,))) + data  # noqa: PLR2004 - as the RFC lays it out
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2, "big") + data
    return b"\x5a" + size.to_bytes(4, "big") + data


def _usual_parts(message: bytes) -> _Parts | None:
    """Return the parts of a message that has the layout of ours with ES256; None of any other.

    They are cut out where they must lie then, and are the parts if they give the same message.
    """
    if len(message) < _LEAST_USUAL:
        return None
    end = 3 + (message[2] & 31)  # of the protected header
    start = end + (3 if len(message) - end - 3 - 66 < 1 << 8 else 4)  # 66 are the signature's
    protected, payload, signature = message[3:end], message[start:-66], message[-64:]
    same = message == _laid_out(protected, payload, signature)
    return (protected, {}, payload, signature) if same else None


def _parts(tree: object) -> _Parts:
    if isinstance(tree, CBORTag) and tree.tag == _TAG_CWT:
        tree = tree.value
        if not isinstance(tree, CBORTag):
            raise MalformedCose("tag 61 without tag 18")
    if isinstance(tree, CBORTag) and tree.tag == _TAG_SIGN1:
        tree = tree.value
    if not isinstance(tree, tuple | list) or len(tree) != _FOUR:
        raise MalformedCose("not an array of four")
    protected, unprotected, payload, signature = tree
    if (
        isinstance(protected, bytes)
        and isinstance(unprotected, Mapping)
        and isinstance(payload, bytes)
        and isinstance(signature, bytes)
    ):
        return protected, unprotected, payload, signature
    raise MalformedCose("a part of the wrong type")


def _header(protected: bytes) -> Mapping[object, object]:
    """Return the protected header; an empty one may be no bytes at all (RFC 9052 section 3)."""
    header = safe_cbor.loads(protected, tags=safe_cbor.OUTER) if protected else {}
    if not isinstance(header, Mapping):
        raise MalformedCose("the protected header is not a map")
    critical = header.get(_CRITICAL, [])
    if not isinstance(critical, list) or not all(label in _UNDERSTOOD for label in critical):
        raise MalformedCose("a critical header that is not understood")
    return header


# An issuer's messages all carry the same few bytes; long headers are not kept, nor are refusals.
_short_header = lru_cache(maxsize=256)(_header)
