"""Codes found by what they reach: `python -m fuzz.guided [libFuzzer's options]` (needs atheris).

The input is a signed message before compression, or, after a first byte that is odd, a payload
that is then truly signed: no search guided by coverage finds a base45 text or a signature.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["healthcert.hcert", "healthcert.policy"]):
    from fuzz import codes

from healthcert.hcert import decode, parse


def one(data: bytes) -> None:
    """Judge one input; an error that nobody expected ends the search."""
    text = codes.signed(data[1:]) if data[:1] > b"\x7f" else codes.outside(data[1:])
    codes.attempt(codes.Case(text, None))


def main() -> None:
    """Search from the genuine codes on, until told to stop or something breaks."""
    atheris.Setup(sys.argv, one, custom_mutator=None)
    for text in codes.genuine_texts():
        message = decode(text)
        one(b"\0" + message)
        one(b"\xff" + parse(message).payload)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
