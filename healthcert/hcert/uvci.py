"""The identifier that every certificate carries: issue it with its check character.

Sources: "Guidelines on verifiable vaccination certificates: basic interoperability elements"
release 2, annex 2 (UVCI, option 2: issuer and opaque unique string); EU DCC schema FAQ, "UVCI
checksum" (Luhn mod N). Issuers disagree about the check character: we write it and refuse
nothing because of it.
"""

import re
from base64 import b32encode

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"
_N = len(ALPHABET)
_COUNTRY, _ISSUER = re.compile("[A-Z]{2}"), re.compile("[A-Z0-9]{1,20}")
_LEAST_RANDOM = 10  # bytes: 80 bits, so that nobody meets an id by trying


def new(country: str, issuer: str, random: bytes) -> str:
    """Return a new identifier, ``URN:UVCI:01:<country>:<issuer>/<random>#<check character>``.

    It tells nothing about the person, the place or the order of issue.

    Args:
        country: ISO 3166-1 alpha-2, upper case.
        issuer: Who issues, 1 to 20 of ``A-Z0-9``.
        random: Fresh bytes from the system's random source, at least 10; written in base32.

    Raises:
        ValueError: An argument has another shape; this is our mistake, never a person's.
    """
    if not _COUNTRY.fullmatch(country) or not _ISSUER.fullmatch(issuer):
        raise ValueError(f"not a country and an issuer: {country!r}, {issuer!r}")
    if len(random) < _LEAST_RANDOM:
        raise ValueError(f"at least {_LEAST_RANDOM} random bytes are needed")
    opaque = b32encode(random).decode("ascii").rstrip("=")
    identifier = f"URN:UVCI:01:{country}:{issuer}/{opaque}"
    return f"{identifier}#{check_character(identifier)}"


def check_character(identifier: str) -> str:
    """Return the Luhn mod 38 check character of an identifier, given without its ``#``.

    It runs over the whole text, ``URN:UVCI:`` included: from the right every other
    character counts twice, a sum of two digits to the base 38 by the sum of its digits.

    Raises:
        ValueError: A character is not in `ALPHABET`.
    """
    total = 0
    for place, character in enumerate(reversed(identifier)):
        weighed = ALPHABET.index(character) * (1 + (place + 1) % 2)
        total += weighed // _N + weighed % _N
    return ALPHABET[-total % _N]
