"""Base45 both ways, beside the package of that name: `python -m bench.base45_text`."""

from __future__ import annotations

import sys
from random import Random

import base45 as package

from bench._turns import compared, turns
from healthcert.hcert import b45decode, b45encode


def main() -> int:
    """Return 1 if the two differ, or ours is not at least four times as fast."""
    data = Random(45).randbytes(385)  # noqa: S311 - the size of a certificate, the same each time
    text = package.b45encode(data).decode()
    if b45encode(data) != text or b45decode(text) != data:
        print("base45: a wrong answer")
        return 1
    times = turns(
        {
            "encode": lambda: b45encode(data),
            "the package base45": lambda: package.b45encode(data).decode(),
            "decode": lambda: b45decode(text),
            "base45, decoding": lambda: package.b45decode(text),
        }
    )
    held = compared("base45, writing", times, ("encode", "the package base45"), 0.25)
    return int(
        not (compared("base45, reading", times, ("decode", "base45, decoding"), 0.25) and held)
    )


if __name__ == "__main__":
    sys.exit(main())
