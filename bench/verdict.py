"""What a whole verdict costs beside one ECDSA P-256 verification: `python bench/verdict.py`.

Wanted: at most 2.2 times, from the text of a code to the verdict: text, signature, schema,
revocation, a country's entry rules. All deeds take turns call by call, so that a busy machine
slows them alike and none finds the processor's caches warm from its own last call, as none does
at a border. The certificate is a vaccination that meets every rule; beside it stand one without a
country, and one that fails a rule, which is also told the day from which it is met. No certificate
comes twice in a row, and the list of revocations has ten million entries: no cache holds them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter_ns

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from bench._turns import row
from healthcert.data import value_sets
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.cose import ES256, sign1
from healthcert.hcert.cwt import write_claims
from healthcert.hcert.prefixes import TAG_BYTES, PrefixTable
from healthcert.hcert.revocation import RevocationList
from healthcert.hcert.text import encode
from healthcert.hcert.trust import TrustedKey, TrustList
from healthcert.policy.entry import judge
from healthcert.policy.rulebook import Journey, RuleBook
from healthcert.services.rules import held

WANTED = 2.2
_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_ROUNDS, _TURNS = 60, 40
_KEY = ec.generate_private_key(ec.SECP256R1())
_KID = b"12345678"
_OTHERS = 64  # certificates, one after the other
_BITS, _REVOKED = 23, 5 << 21  # ten million of the same country, five in every four buckets
_PATTERN = bytes.fromhex("d56ab55aad56ab55aa")  # 110 10 10 10, eight times


def main() -> int:
    """Print what was measured; exit code 1 if the limit is missed."""
    bundle = _bundle()
    journey = Journey("XX", RuleBook.of(held(Path("/nonexistent"), "XX"), value_sets()))
    early, others = _text("2026-02-27"), [_text("2026-02-01", n) for n in range(_OTHERS)]
    told = (judge(text, bundle=bundle, time=_NOW, journey=journey) for text in (others[0], early))
    good = cycle(others)
    outcomes = [verdict.outcome for verdict in told]
    if outcomes != ["valid", "check"]:
        print(f"verdict: wrong verdicts: {outcomes}")
        return 1
    signature, message = _KEY.sign(b"x" * 400, ec.ECDSA(SHA256())), b"x" * 400
    public = _KEY.public_key()
    deeds: dict[str, Callable[[], object]] = {
        "one ECDSA P-256 verification": lambda: public.verify(
            signature, message, ec.ECDSA(SHA256())
        ),
        "verdict with a country's rules": lambda: judge(
            next(good), bundle=bundle, time=_NOW, journey=journey
        ),
        "verdict without a country": lambda: judge(next(good), bundle=bundle, time=_NOW),
        "verdict and the day it is met": lambda: judge(
            early, bundle=bundle, time=_NOW, journey=journey
        ),
        "the same as JSON": lambda: judge(
            next(good), bundle=bundle, time=_NOW, journey=journey
        ).as_json(),
    }
    return _report(_measured(deeds))


def _measured(deeds: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return microseconds of each deed, the median of each round."""
    times: dict[str, list[float]] = {name: [] for name in deeds}
    for _ in range(_ROUNDS):
        turns: dict[str, list[int]] = {name: [] for name in deeds}
        for _ in range(_TURNS):
            for name, deed in deeds.items():
                begin = perf_counter_ns()
                deed()
                turns[name].append(perf_counter_ns() - begin)
        for name, found in turns.items():
            times[name].append(median(found) / 1000)
    return times


def _report(times: dict[str, list[float]]) -> int:
    (_, floor), *others = times.items()
    print(f"one ECDSA P-256 verification: {median(floor):.1f} us")
    ratios = {
        name: median(one / base for one, base in zip(found, floor, strict=True))
        for name, found in others
    }
    for name, found in others:
        print(f"{name}: {median(found):.1f} us, ratio {ratios[name]:.2f}")
    ratio = next(iter(ratios.values()))
    first = median(others[0][1])
    figure = f"{median(floor):.1f} us"
    wanted = f"at most {WANTED:.2f}"
    row("whole verdict", f"{first:.1f} us", "one P-256 verification", figure, ratio, wanted)
    return int(ratio > WANTED)


def _bundle() -> Bundle:
    key = TrustedKey(_KID, _KEY.public_key(), "XX", frozenset("v"), "Signer", None, None)
    tags = Random(1).randbytes(TAG_BYTES * _REVOKED)  # noqa: S311 - the same each time
    table = PrefixTable(_BITS, _REVOKED, _PATTERN * (1 << _BITS - 5), tags)
    lists = RevocationList(frozenset({"XX"})).with_list("XX", {"uvci": (_REVOKED, table)})
    return Bundle(1, _NOW, _NOW + timedelta(days=30), b"", TrustList([key]), lists)


def _text(given: str, number: int = 0) -> str:
    entry = {
        "tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215",
        "dn": 2, "sd": 2, "dt": given, "co": "XX", "is": "Ministry of Health",
        "ci": f"URN:UVCI:01:XX:HC/G4YTGMJWHA3DMNBY{number:02}#Z",
    }  # fmt: skip
    names = {"fn": "Müller", "fnt": "MUELLER", "gn": "Zoë", "gnt": "ZOE"}
    dcc = {"ver": "1.3.3", "nam": names, "dob": "1990-05-17", "v": [entry]}
    seconds = int(_NOW.timestamp())
    payload = write_claims(issuer="XX", issued_at=seconds - 9, expires_at=seconds + 9, dcc=dcc)
    return encode(sign1(payload, kid=_KID, algorithm=ES256, sign=_sign))


def _sign(data: bytes) -> bytes:
    r, s = decode_dss_signature(_KEY.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


if __name__ == "__main__":
    sys.exit(main())
