"""Known answers: does the codec, on this machine with these libraries, still do its work?

A damaged installation or a changed library must not be found out at a border.
"""

from collections.abc import Callable
from hashlib import sha256

import base45
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from healthcert.errors import BadCertificate, BadSignature, MalformedCbor, NotReady
from healthcert.hcert import cose, safe_cbor, text

# A message signed once with a key that was then thrown away.
_POINT = bytes.fromhex("0376cf6576b81916850918db61f6a5c66cfec3c12f1e6fb2594dc678b22effaa13")
_KID = sha256(_POINT).digest()[:8]
_PAYLOAD = b"known answer"
_BARCODE = (
    "HC1:NCF$70O30FFWTWGSLKC 4I99I2C5ZLFD4O8WXT9B/DJ4F944F/DA4FMKEQ68L5BSAH5RH%CVJ:IAQDTD2D8GS4C"
    "/9JB71RX4CDO.8Q  K3R1AVQCZFTH3ID2NMA8O2V DRC9E0WK9DD2AOH6C31JWJ4BIZ90USL14"
)
_BASE45 = {b"AB": "BB8", b"Hello!!": "%69 VD92EX0", b"base-45": "UJCLQE7W581"}  # RFC 9285 §4.3
_TAG_35 = b"\xd8\x23\x61a"  # a regular expression: what the guard is there for


def self_test() -> None:
    """Return if every known answer still comes out; to be called when a service starts.

    Raises:
        NotReady: One does not. Nothing the codec says can be relied on.
    """
    keys = {_KID: [EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _POINT)]}
    try:
        message = text.decode(_BARCODE)
        forged = message[:-1] + bytes((message[-1] ^ 1,))
        answers = {
            "signature": cose.verify1(message, keys=keys) == _PAYLOAD,
            "text": text.decode(text.encode(message)) == message,
            "base45": all(map(_base45_agrees, *zip(*_BASE45.items(), strict=True))),
            "forgery": _refuses(BadSignature, lambda: cose.verify1(forged, keys=keys)),
            "guard": _refuses(
                MalformedCbor, lambda: safe_cbor.loads(_TAG_35, tags=safe_cbor.OUTER)
            ),
        }
    except BadCertificate as refusal:
        answers = {refusal.code: False}
    wrong = [name for name, right in answers.items() if not right]
    if wrong:
        raise NotReady(f"the certificate codec fails its self-test: {', '.join(wrong)}")


def _base45_agrees(data: bytes, known: str) -> bool:
    ours = text.b45encode(data), text.b45decode(known)
    return ours == (known, data) == (base45.b45encode(data).decode(), base45.b45decode(known))


def _refuses(refusal: type[BadCertificate], read: Callable[[], object]) -> bool:
    try:
        read()
    except refusal:
        return True
    return False
