"""The reference of an appointment, made to be read out on the telephone: ``HC-7K4M-2QXD``.

Seven characters of Crockford's base 32 (no I, L, O, U) hold a random number of 35 bits; the
eighth checks them. It is a sum in the field of 32 elements, each place weighed by its own power
of 2, so that one wrong character, or any two exchanged, is always seen.
"""

from functools import reduce
from operator import xor

from healthcert.errors import BadInput

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BEFORE = 32**7  # references there are

_PREFIX, _DIGITS, _POLYNOMIAL = "HC", 7, 0b100101  # x^5 + x^2 + 1
_HEARD_AS = str.maketrans("OIL", "011")
_SEPARATORS = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014\u2212.")
_LONGEST_TYPED = 40


def write(number: int) -> str:
    """Return the reference of a random number from 0 up to, not including, `BEFORE`."""
    digits = [number >> 5 * place & 31 for place in reversed(range(_DIGITS))]
    text = "".join(ALPHABET[digit] for digit in [*digits, _check(digits)])
    return f"{_PREFIX}-{text[:4]}-{text[4:]}"


def read(typed: str) -> str:
    """Return a reference as we write it, from what a person typed.

    Lower case, missing dashes or prefix, O for 0 and I or L for 1 are understood.

    Raises:
        BadInput: ``reference: missing`` or ``reference: not_a_reference``.
    """
    if not typed.strip():
        raise BadInput({"reference": "missing"})
    text = typed[:_LONGEST_TYPED].upper().translate(_SEPARATORS)
    if len(text) == len(_PREFIX) + _DIGITS + 1:
        text = text.removeprefix(_PREFIX)
    digits = [ALPHABET.find(letter) for letter in text.translate(_HEARD_AS)]
    if len(digits) != _DIGITS + 1 or min(digits) < 0 or _check(digits[:-1]) != digits[-1]:
        raise BadInput({"reference": "not_a_reference"})
    return write(reduce(lambda number, digit: number << 5 | digit, digits[:-1], 0))


def _check(digits: list[int]) -> int:
    """Return the sum of the digits, the first weighed by 2^7 and the last by 2."""
    return reduce(xor, (_weighed(digit, _DIGITS - place) for place, digit in enumerate(digits)))


def _weighed(digit: int, doublings: int) -> int:
    for _ in range(doublings):
        digit <<= 1
        if digit > len(ALPHABET) - 1:
            digit ^= _POLYNOMIAL
    return digit
