"""Codes found by what they reach: `python -m fuzz.guided [libFuzzer's options]` (needs atheris).

The input is a signed message before compression, or, after a first byte over 127, a payload that
is then truly signed: no search guided by coverage finds a base45 text or a signature.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["healthcert.hcert", "healthcert.policy"]):
    from fuzz import codes

from healthcert.hcert import decode, parse

CORPUS = Path(__file__).resolve().parents[1] / "var" / "fuzz"


def one(data: bytes) -> None:
    """Judge one input; an error that nobody expected ends the search."""
    text = codes.signed(data[1:]) if data[:1] > b"\x7f" else codes.outside(data[1:])
    codes.attempt(codes.Case(text, None))


def main() -> None:
    """Search from the genuine codes on, until told to stop or something breaks."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(codes.genuine_texts()):
        message = decode(text)
        (CORPUS / f"message-{number}").write_bytes(b"\0" + message)
        (CORPUS / f"payload-{number}").write_bytes(b"\xff" + parse(message).payload)
    atheris.Setup([*sys.argv, "-max_len=2048", str(CORPUS)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
