"""Lists of signers that their publisher signed: the signature before one, or the proof in one.

Germany puts a signature before its list. The WHO's network puts a proof of the suite
JsonWebSignature2020 into its DID documents: a detached JWS (RFC 7797) over the hashes of proof and
document as sorted N-Quads. That asks for all of JSON-LD in general; the network's documents have
one fixed shape, whose quads are written here directly. A document of another shape is refused:
what is not understood is not known to be signed.

Sources: "JSON Web Signature 2020" (W3C CG report); RDF Dataset Canonicalization; RFC 8785.
"""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from healthcert.errors import BadTrustList
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.trust_forms import bytes_of

_RAW_BYTES = 64  # of a signature on P-256: r and s, 32 each
_CONTEXT = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"]
_HEADER = {"alg": "ES256", "b64": False, "crit": ["b64"]}
_SECURITY = "https://w3id.org/security#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_CREATED = "http://purl.org/dc/terms/created"
_MOMENT = "http://www.w3.org/2001/XMLSchema#dateTime"
_DOCUMENT = {"@context", "id", "controller", "verificationMethod", "proof"}
_METHOD = {"id", "type", "controller", "publicKeyJwk"}
_PROOF = {"type", "created", "nonce", "proofPurpose", "verificationMethod", "jws"}
_NAME = re.compile(r"did:[!#-;=?-\[\]_a-z~]+")  # ASCII letters that an IRI may have
_PLAIN = re.compile(r"[ !#-\[\]-~]*")  # text that needs no escape


def signed_body(data: bytes, *, key: PublicKey) -> bytes:
    """Return the list whose publisher's signature holds, before it or as a proof in it.

    Args:
        data: ECDSA with SHA-256 in base64, ``r || s`` or DER, and after it the JSON it signs; or
            a DID document with its proof.
        key: The publisher's, on P-256.

    Raises:
        BadTrustList: There is no signature, or it is not this key's.
    """
    start = data.find(b"{")
    signature, body = data[: max(start, 0)], data[start:]
    try:
        if signature.strip():
            _check(bytes_of(signature.decode("ascii")), body, key)
        else:
            _check(*_proof(json.loads(body)), key)
    except (InvalidSignature, ValueError, KeyError, TypeError, RecursionError):
        raise BadTrustList("the publisher's key did not sign this list") from None
    return body


def _check(signature: bytes, signed: bytes, key: PublicKey) -> None:
    if not isinstance(key, EllipticCurvePublicKey):
        raise InvalidSignature
    if len(signature) == _RAW_BYTES:
        half = _RAW_BYTES // 2
        r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
        signature = encode_dss_signature(r, s)
    key.verify(signature, signed, ECDSA(SHA256()))


def _proof(document: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return the signature of a DID document, and what it signs."""
    proof = document["proof"]
    header, signature = proof["jws"].split("..")
    _must(json.loads(bytes_of(header)) == _HEADER and document["@context"] == _CONTEXT)
    _must(document.keys() == _DOCUMENT and proof.keys() <= _PROOF)
    hashes = (_hash(_quads_of_proof(proof)), _hash(_quads(document)))
    return bytes_of(signature), b".".join([header.encode("ascii"), b"".join(hashes)])


def _quads_of_proof(proof: Mapping[str, Any]) -> Iterator[str]:
    _must(proof["type"] == "JsonWebSignature2020" and proof["proofPurpose"] == "assertionMethod")
    yield f'<{_CREATED}> "{_plain(proof["created"])}"^^<{_MOMENT}>'
    yield f"<{_RDF}type> <{_SECURITY}JsonWebSignature2020>"
    if "nonce" in proof:
        yield f'<{_SECURITY}nonce> "{_plain(proof["nonce"])}"'
    yield f"<{_SECURITY}proofPurpose> <{_SECURITY}assertionMethod>"
    yield f"<{_SECURITY}verificationMethod> {_iri(proof['verificationMethod'])}"


def _quads(document: Mapping[str, Any]) -> Iterator[str]:
    """Give the quads of a document, with their subjects."""
    yield f"{_iri(document['id'])} <{_SECURITY}controller> {_iri(document['controller'])}"
    for method in document["verificationMethod"]:
        name = _iri(method["id"] if isinstance(method, dict) else method)
        yield f"{_iri(document['id'])} <{_SECURITY}verificationMethod> {name}"
        if isinstance(method, dict):
            _must(method.keys() == _METHOD and method["type"] == "JsonWebKey2020")
            yield f"{name} <{_RDF}type> <{_SECURITY}JsonWebKey2020>"
            yield f"{name} <{_SECURITY}controller> {_iri(method['controller'])}"
            key = _json(method["publicKeyJwk"])
            yield f'{name} <{_SECURITY}publicKeyJwk> "{key}"^^<{_RDF}JSON>'


def _hash(quads: Iterator[str]) -> bytes:
    """Return the hash of quads as lines; those without a subject are of the one blank node."""
    lines = {quad if quad.startswith("<did:") else f"_:c14n0 {quad}" for quad in quads}
    return sha256("".join(f"{line} .\n" for line in sorted(lines)).encode()).digest()


def _json(key: Mapping[str, Any]) -> str:
    """Return a key as canonical JSON (RFC 8785), escaped; its members are texts, or lists of."""
    texts = [*key, *(text for value in key.values() for text in _texts(value))]
    _must(all(map(_PLAIN.fullmatch, texts)))
    return json.dumps(key, sort_keys=True, separators=(",", ":")).replace('"', '\\"')


def _texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload] # checked


def _iri(text: str) -> str:
    _must(_NAME.fullmatch(text) is not None)
    return f"<{text}>"


def _plain(text: str) -> str:
    _must(_PLAIN.fullmatch(text) is not None)
    return text


def _must(holds: bool) -> None:  # noqa: FBT001 - what it says is all it takes
    if not holds:
        raise InvalidSignature
