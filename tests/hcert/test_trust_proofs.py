"""Lists that their publisher signed: the signature before one, and the proof in a DID document."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from healthcert.errors import BadTrustList
from healthcert.hcert.trust_proofs import signed_body
from tests.hcert.barcodes import KEY, LONG_KEY, RSA_KEY, STRANGER

LISTED = b'{"certificates": []}'


def forms_of(key, body):
    """A signature in both of its forms: DER, and r || s."""
    der = key.sign(body, ECDSA(SHA256()))
    r, s = decode_dss_signature(der)
    return der, r.to_bytes(32) + s.to_bytes(32)


def before(key, body, form=1):
    return b64encode(forms_of(key, body)[form])


@pytest.mark.parametrize("form", [0, 1])
def test_a_list_behind_its_publishers_signature_is_what_was_signed(form):
    data = before(KEY, LISTED, form) + b"\n" + LISTED
    assert signed_body(data, key=KEY.public_key()) == LISTED


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (LISTED, KEY),
        (b"", KEY),
        (b"no base64, \xff\n" + LISTED, KEY),
        (before(KEY, LISTED), KEY),
        (before(STRANGER, LISTED) + b"\n" + LISTED, KEY),
        (before(KEY, LISTED, 0) + b"\n" + LISTED + b" ", KEY),
        (before(KEY, LISTED, 0) + b"\n" + LISTED, RSA_KEY),
    ],
    ids=range(7),
)
def test_a_list_that_its_publisher_did_not_sign_is_refused(data, key):
    with pytest.raises(BadTrustList):
        signed_body(data, key=key.public_key())


# The quads of DOCUMENT and PROOF, sorted, as a JSON-LD processor writes them.
QUADS = """\
<did:web:x:v2#a%2B> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#JsonWebKey2020> .
<did:web:x:v2#a%2B> <https://w3id.org/security#controller> <did:web:x> .
<did:web:x:v2#a%2B> <https://w3id.org/security#publicKeyJwk> "{\\"crv\\":\\"P-256\\",\\"kty\\":\\"EC\\",\\"x5c\\":[\\"MII+/=\\",\\"MIIB\\"]}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> .
<did:web:x:v2> <https://w3id.org/security#controller> <did:web:x> .
<did:web:x:v2> <https://w3id.org/security#verificationMethod> <did:web:x:v2#a%2B> .
<did:web:x:v2> <https://w3id.org/security#verificationMethod> <did:web:x:v2:b#c> .
"""  # noqa: E501 - one line each
QUADS_OF_PROOF = """\
_:c14n0 <http://purl.org/dc/terms/created> "2026-03-02T12:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#JsonWebSignature2020> .
_:c14n0 <https://w3id.org/security#nonce> "ft94 1zU0" .
_:c14n0 <https://w3id.org/security#proofPurpose> <https://w3id.org/security#assertionMethod> .
_:c14n0 <https://w3id.org/security#verificationMethod> <did:web:x:signing> .
"""  # noqa: E501 - one line each
METHOD = {
    "type": "JsonWebKey2020",
    "id": "did:web:x:v2#a%2B",
    "controller": "did:web:x",
    "publicKeyJwk": {"kty": "EC", "crv": "P-256", "x5c": ["MII+/=", "MIIB"]},
}
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
    "id": "did:web:x:v2",
    "controller": "did:web:x",
    "verificationMethod": ["did:web:x:v2:b#c", METHOD],
}
PROOF = {
    "type": "JsonWebSignature2020",
    "created": "2026-03-02T12:00:00Z",
    "nonce": "ft94 1zU0",
    "proofPurpose": "assertionMethod",
    "verificationMethod": "did:web:x:signing",
}
HEADER = {"b64": False, "crit": ["b64"], "alg": "ES256"}


def url_safe(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


def proved(
    document=DOCUMENT,
    proof=PROOF,
    *,
    key=KEY,
    form=0,
    header=HEADER,
    quads=QUADS,
    quads_of_proof=QUADS_OF_PROOF,
):
    """A document with a proof over these quads."""
    protected = url_safe(json.dumps(header, separators=(",", ":")).encode())
    hashes = b"".join(sha256(text.encode()).digest() for text in (quads_of_proof, quads))
    signature = forms_of(key, protected.encode() + b"." + hashes)[form]
    jws = {"jws": f"{protected}..{url_safe(signature)}"}
    return json.dumps({**document, "proof": {**proof, **jws}}).encode()


@pytest.mark.parametrize("form", [0, 1])
def test_a_document_whose_proof_holds_is_what_was_signed(form):
    data = proved(form=form)
    assert signed_body(data, key=KEY.public_key()) == data


def test_a_proof_needs_no_nonce():
    proof = {name: value for name, value in PROOF.items() if name != "nonce"}
    quads = "".join(
        line for line in QUADS_OF_PROOF.splitlines(keepends=True) if "#nonce" not in line
    )
    data = proved(proof=proof, quads_of_proof=quads)
    assert signed_body(data, key=KEY.public_key()) == data


def with_method(**changes):
    return DOCUMENT | {"verificationMethod": ["did:web:x:v2:b#c", METHOD | changes]}


def with_key(**changes):
    return with_method(publicKeyJwk=METHOD["publicKeyJwk"] | changes)


NOT_PROVED = {
    "another's key": proved(key=STRANGER),
    "another controller": proved(DOCUMENT | {"controller": "did:web:y"}),
    "another document": proved(DOCUMENT | {"id": "did:web:x:v3"}),
    "a method less": proved(DOCUMENT | {"verificationMethod": [METHOD]}),
    "a method more": proved(
        DOCUMENT | {"verificationMethod": [*DOCUMENT["verificationMethod"], "did:web:y#k"]}
    ),
    "another's method": proved(with_method(controller="did:web:y")),
    "another certificate": proved(with_key(x5c=["MII+/=", "MIIC"])),
    "another order of certificates": proved(with_key(x5c=["MIIB", "MII+/="])),
    "a quotation mark in a key": proved(with_key(kty='EC","crv":"P')),
    "a number in a key": proved(with_key(x=1)),
    "another moment": proved(proof=PROOF | {"created": "2026-03-03T12:00:00Z"}),
    "another nonce": proved(proof=PROOF | {"nonce": "ft941zU0"}),
    "a nonce that ends its quad": proved(proof=PROOF | {"nonce": 'ft94 1zU0" .\n'}),
    "another signing key": proved(proof=PROOF | {"verificationMethod": "did:web:y:signing"}),
    "another suite": proved(proof=PROOF | {"type": "Ed25519Signature2020"}),
    "another purpose": proved(proof=PROOF | {"proofPurpose": "authentication"}),
    "a member of the proof that is not signed": proved(proof=PROOF | {"domain": "x"}),
    "a member that is not signed": proved(DOCUMENT | {"service": []}),
    "a member of a method that is not signed": proved(with_method(extra=1)),
    "another kind of key": proved(with_method(type="X509Key")),
    "another context": proved(DOCUMENT | {"@context": DOCUMENT["@context"][:1]}),
    "a name that is none": proved(DOCUMENT | {"id": "did:web:x> <y"}),
    "another algorithm": proved(header=HEADER | {"alg": "none"}),
    "a payload in base64": proved(header={"alg": "ES256"}),
    "no proof": json.dumps(DOCUMENT).encode(),
    "a proof without a signature": json.dumps(DOCUMENT | {"proof": PROOF}).encode(),
    "a proof that is a text": json.dumps(DOCUMENT | {"proof": "x"}).encode(),
    "a list": b" [{}]",
    "no JSON": b"{",
    "too deep": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("data", NOT_PROVED.values(), ids=NOT_PROVED)
def test_a_document_that_was_not_signed_as_it_stands_is_refused(data):
    with pytest.raises(BadTrustList):
        signed_body(data, key=KEY.public_key())


@pytest.mark.parametrize("key", [RSA_KEY, LONG_KEY])
def test_a_proof_is_not_checked_with_another_kind_of_key(key):
    with pytest.raises(BadTrustList):
        signed_body(proved(), key=key.public_key())
