"""Codes like genuine ones, harmed at every stage of their making, through the verdict.

Each is judged on a journey: to the country whose entry rules come with this version, or to one
whose rules are among the public test data.
"""

from __future__ import annotations

import json
import os
import zlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from fuzz.mutations import spoil_bytes, spoil_text, spoil_tree
from healthcert.data import value_sets
from healthcert.errors import BadCertificate, BadInput
from healthcert.hcert import ES256, TrustedKey, TrustList, b45encode, decode, from_certificate
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.cose import parse, sign1
from healthcert.hcert.cwt import write_claims
from healthcert.hcert.revocation import RevocationList
from healthcert.policy.entry import judge
from healthcert.policy.rulebook import Journey, RuleBook
from healthcert.policy.verdict import VERDICT_OF
from healthcert.services.rules import held

DATA = Path(
    os.environ.get("HEALTHCERT_CONFORMANCE")
    or Path(__file__).resolve().parents[2] / "shared" / "conformance"
)
_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_KEY = ec.derive_private_key(0x5EED, ec.SECP256R1())  # the same each time, so that a seed is all
_KID = b"fuzzfuzz"
_ALGORITHM = ec.ECDSA(SHA256(), deterministic_signing=True)
_OUTCOMES = {"valid", *VERDICT_OF.values()}
_IDENTIFIER = "URN:UVCI:01:XX:HC/7Q2KX9#A"
_OF_ANY = {"tg": "840539006", "co": "XX", "is": "Ministry of Health", "ci": _IDENTIFIER}
_ENTRIES = {
    "v": {"vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2}
    | {"dt": "2026-01-20"},
    "t": {"tt": "LP6464-4", "sc": "2026-03-01T08:00:00Z", "tr": "260415000"},
    "r": {"fr": "2026-01-01", "df": "2026-01-12", "du": "2026-06-30"},
}


class Forged(AssertionError):  # noqa: N818 - it is what happened
    """A certificate was believed that nobody signed."""


@dataclass(frozen=True, slots=True)
class Genuine:
    """A code as its issuer made it, and what is inside it."""

    text: str
    message: bytes
    protected: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Case:
    """A code to judge; `genuine` where its signature was not made anew."""

    text: str
    genuine: Genuine | None
    country: str = "XX"  # of arrival


def make(chance: Random) -> Case:
    """Return a harmed code."""
    genuine = chance.choice(_genuine())
    harm = chance.choice(_HARMS)
    text = harm(genuine, chance)
    countries = sorted(_book().countries)
    return Case(text, None if harm in _SIGNED_ANEW else genuine, chance.choice(countries))


def attempt(case: Case) -> str:
    """Return the verdict's first reason, having written the whole as JSON.

    Raises:
        Forged: Its certificate counts, though its signature is of another one.
    """
    journey = Journey(case.country, _book())
    verdict = judge(case.text, bundle=_bundle(), time=_NOW, journey=journey)
    json.dumps(verdict.as_json())
    if verdict.outcome not in _OUTCOMES:
        raise ValueError(verdict.outcome)
    if case.genuine and verdict.dcc is not None:
        told = parse(decode(case.text))
        if (told.protected, told.payload) != (case.genuine.protected, case.genuine.payload):
            raise Forged(case.text)
    return verdict.reasons[0] if verdict.reasons else "valid"


def genuine_texts() -> list[str]:
    """Return the codes that the harmed ones are made from."""
    return [genuine.text for genuine in _genuine()]


def _text_of(genuine: Genuine, chance: Random) -> str:
    return spoil_text(genuine.text, chance)


def _packed(genuine: Genuine, chance: Random) -> str:
    return "HC1:" + b45encode(spoil_bytes(zlib.compress(genuine.message, 1), chance))


def _message(genuine: Genuine, chance: Random) -> str:
    return outside(spoil_bytes(genuine.message, chance))


def _parts(genuine: Genuine, chance: Random) -> str:
    parts = [genuine.protected, {}, genuine.payload, genuine.message[-64:]]
    return outside(cbor2.dumps(spoil_tree(parts, chance)))


def _payload(genuine: Genuine, chance: Random) -> str:
    return signed(spoil_bytes(genuine.payload, chance))


def _claims(genuine: Genuine, chance: Random) -> str:
    tree = spoil_tree(cbor2.loads(genuine.payload), chance)
    for _ in range(chance.randrange(3)):
        tree = spoil_tree(tree, chance)
    return signed(cbor2.dumps(tree))


def _header(genuine: Genuine, chance: Random) -> str:
    header: Any = {1: ES256, 4: _KID}
    header = cbor2.dumps(spoil_tree(header, chance))
    header = spoil_bytes(header, chance) if chance.random() < 0.5 else header
    to_be_signed = cbor2.dumps(["Signature1", header, b"", genuine.payload])
    unprotected = spoil_tree({1: ES256, 4: _KID}, chance)
    return outside(cbor2.dumps([header, unprotected, genuine.payload, _sign(to_be_signed)]))


_SIGNED_ANEW: list[Callable[[Genuine, Random], str]] = [_payload, _claims, _header]
_HARMS = [_text_of, _packed, _message, _parts, *_SIGNED_ANEW, _claims]


def outside(message: bytes) -> str:
    """Return the code of a message, whatever it is."""
    return "HC1:" + b45encode(zlib.compress(message, 1))


def signed(payload: bytes) -> str:
    """Return the code of a payload, whatever it is, truly signed."""
    return outside(sign1(payload, kid=_KID, algorithm=ES256, sign=_sign))


def _sign(data: bytes) -> bytes:
    numbers = decode_dss_signature(_KEY.sign(data, _ALGORITHM))
    return b"".join(number.to_bytes(32, "big") for number in numbers)


@cache
def _vectors() -> list[dict[str, Any]]:
    """Return the public test data; none where they are not there."""
    path = DATA / "vectors.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


@cache
def _book() -> RuleBook:
    """Return the entry rules that come with this version, and those of the public test data."""
    path = DATA / "rules.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    public = [json.loads(line)["rule"] for line in lines]
    return RuleBook.of([*held(Path("no folder of others"), "XX"), *public], value_sets())


@cache
def _genuine() -> list[Genuine]:
    """Return our own codes of each kind, and those of the public test data that can be read."""
    moments = {"issued_at": 1_770_000_000, "expires_at": 1_800_000_000}
    names = {"fn": "Müller", "fnt": "MUELLER", "gn": "Zoë", "gnt": "ZOE"}
    dccs = [
        {"ver": "1.3.3", "nam": names, "dob": "1990-05-17", kind: [_OF_ANY | entry]}
        for kind, entry in _ENTRIES.items()
    ]
    texts = [signed(write_claims(issuer="XX", dcc=dcc, **moments)) for dcc in dccs]
    texts += [vector["barcode"] for vector in _vectors() if vector.get("barcode")]
    found = []
    for text in texts:
        try:
            message = decode(text)
            told = parse(message)
            cbor2.loads(told.payload)
        except (BadCertificate, cbor2.CBORDecodeError):
            continue
        found.append(Genuine(text, message, told.protected, told.payload))
    return found


@cache
def _bundle() -> Bundle:
    """Return what is known: our key, and the signers of the public test data."""
    keys = [TrustedKey(_KID, _KEY.public_key(), "XX", frozenset(), "Signer", None, None)]
    for certificate in sorted({vector["cert"] for vector in _vectors() if vector.get("cert")}):
        try:
            keys.append(from_certificate(b64decode(certificate)))
        except BadInput:
            continue
    lists = RevocationList.of(["XX"], [("XX", "uvci", bytes(16))])
    return Bundle(1, _NOW, _NOW + timedelta(days=30), b"", TrustList(keys), lists)
