"""Paths of CertLogic's `var`: `payload.v.0.dt`, read as JavaScript reads members of JSON values.

A fragment that begins with an integer is an index (`1x` is 1, as parseInt has it). Texts and arrays
have a `length`; an index into a text gives one UTF-16 unit.
"""

import re
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from healthcert.errors import RuleError

LONGEST_TEXT: Final = 80  # characters beyond ASCII that an index or a length is taken of

_KEPT: Final = 1_024  # paths read last: all published rules together name some fifty
_NO_INDEX: Final = -1
_INDEX: Final = re.compile(  # white space, a sign, digits; then anything
    r"[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*([+-]?[0-9]+)"
)

Step = Callable[[object, list[int]], object]


@lru_cache(_KEPT)
def reader(path: str) -> Step:
    """A step that gives what lies at the path; null where nothing does."""
    if not path:
        return lambda data, _fuel: data
    fragments = [_fragment(text) for text in path.split(".")]
    walk = _walk(fragments)
    shape = [index >= 0 for _, index in fragments]
    if shape == [False]:
        return _name(fragments[0][0], walk)
    if shape == [False, False]:
        return _member(fragments[0][0], fragments[1][0], walk)
    if shape in ([False, False, True], [False, False, True, False]):
        return _entry(fragments, walk)
    return walk


def _name(name: str, walk: Step) -> Step:
    """The quick way for `accumulator`."""
    return lambda data, fuel: data.get(name) if type(data) is dict else walk(data, fuel)


def _member(first: str, second: str, walk: Step) -> Step:
    """The quick way for `payload.dob` and the like."""

    def run(data: object, fuel: list[int]) -> object:
        if type(data) is dict:
            inner = data.get(first)
            if type(inner) is dict:
                return inner.get(second)
        return walk(data, fuel)

    return run


def _entry(fragments: list[tuple[str, int]], walk: Step) -> Step:
    """The quick way for `payload.v.0` and `payload.v.0.dt`, which rules ask most."""
    (root, _), (group, _), (_, index) = fragments[:3]
    name = fragments[3][0] if len(fragments) > 3 else None  # noqa: PLR2004 - the two shapes

    def run(data: object, fuel: list[int]) -> object:
        if type(data) is dict:
            inner = data.get(root)
            if type(inner) is dict:
                entries = inner.get(group)
                if entries is None:
                    return None
                if type(entries) is list and index < len(entries):
                    entry = entries[index]
                    if name is None:
                        return entry
                    if type(entry) is dict:
                        return entry.get(name)
        return walk(data, fuel)

    return run


def _walk(fragments: list[tuple[str, int]]) -> Step:
    def run(data: object, _fuel: list[int]) -> object:
        for key, index in fragments:
            if type(data) is dict:
                data = data.get(key)
            elif data is None:
                return None
            elif type(data) is list and 0 <= index < len(data):
                data = data[index]
            else:
                data = _inside(data, key, index)
        return data

    return run


def _fragment(text: str) -> tuple[str, int]:
    """The member and the index that a fragment of a path names, as JavaScript's parseInt has it."""
    found = _INDEX.match(text)
    if not found:
        return text, _NO_INDEX
    number = float(found[1])
    if abs(number) < 1e21:  # noqa: PLR2004 - ECMA-262: from here on with an exponent
        return str(int(number)), int(number)
    return repr(number).replace("inf", "Infinity"), _NO_INDEX


def _inside(data: object, key: str, index: int) -> object:
    """Of a text one character, of a text or an array its length; null of anything else."""
    if not isinstance(data, (str, list)):
        return None
    units = _units(data) if isinstance(data, str) else data
    if key == "length":
        return len(units)
    return units[index] if isinstance(data, str) and 0 <= index < len(units) else None


def _units(text: str) -> Sequence[str]:
    """The UTF-16 units of a text, each as a text."""
    if text.isascii():
        return text
    if len(text) > LONGEST_TEXT:
        raise RuleError(f"Only texts of at most {LONGEST_TEXT} characters are looked into.")
    packed = text.encode("utf-16-le", "surrogatepass")
    units = struct.unpack(f"<{len(packed) // 2}H", packed)
    return [chr(unit) for unit in units]
