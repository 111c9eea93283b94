"""A draw that anybody can compute again: who comes first, with places reserved for groups.

`docs/draw/README.md` specifies it; its program in another language and this one must agree.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, pairwise, zip_longest
from typing import Any

from healthcert.errors import BadInput
from healthcert.transparency.merkle import Edge, leaf_hash

FORMAT = "healthcert draw 1"
TOKEN_LENGTH = 32  # hexadecimal digits
_LINE = re.compile(r"[0-9a-f]{32}(?: \S+)?")
_GROUP = re.compile(r"(?:phase|region):[A-Za-z0-9_-]{1,40}")
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f\x85\u2028\u2029]{1,500}")
_WRONG = {"source": "not_a_line", "places": "not_a_count", "reserves": "not_percents"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is announced of a draw before anybody knows how it ends."""

    programme: str  # its code
    source: str  # where the public value will be read, in words, one line
    closes: str  # when the list closes, such as 2026-03-02T09:00:00Z
    places: int
    reserves: Mapping[str, int]  # percent of the places by group, ``phase:…`` or ``region:…``

    def __post_init__(self) -> None:
        """Refuse (`BadInput`) a line that is none, no places, or reserves over 100 percent."""
        lines = (self.programme, self.source, self.closes)
        right = {
            "source": all(map(is_line, lines)),
            "places": type(self.places) is int and self.places > 0,
            "reserves": all(
                _GROUP.fullmatch(group) and type(share) is int and share > 0
                for group, share in self.reserves.items()
            ) and sum(self.reserves.values()) <= 100,  # noqa: PLR2004 - percent
        }  # fmt: skip
        if not all(right.values()):
            raise BadInput({name: _WRONG[name] for name, is_so in right.items() if not is_so})

    def commitment(self, seed: bytes) -> bytes:
        """Return the 32 bytes that bind these rules and a seed nobody has seen yet."""
        told = {
            "programme": self.programme, "source": self.source, "closes": self.closes,
            "places": self.places,
        }  # fmt: skip
        lines = [FORMAT, *(f"{name} {value}" for name, value in told.items())]
        lines += [f"reserve {group} {share}" for group, share in sorted(self.reserves.items())]
        lines.append(f"seed {seed.hex()}")
        return sha256("".join(f"{line}\n" for line in lines).encode()).digest()

    def ranked(self, lines: Sequence[str], *, seed: bytes, public_value: str) -> list[str]:
        """Return the tokens of a list, the first first: every entrant has exactly one rank.

        The best of each group take its reserve, as far as they go; who comes next takes the rest.
        """
        key = hmac.digest(seed, root(lines) + public_value.encode(), "sha256")
        order = sorted(lines, key=_turns(key))
        left = {group: self.places * share // 100 for group, share in self.reserves.items()}
        placed = set[str]()
        for line in order if left else ():
            group = line[TOKEN_LENGTH + 1 :]
            if left.get(group):
                left[group] -= 1
                placed.add(line)
        others = (line for line in order if line not in placed)
        placed.update([*islice(others, self.places - len(placed))])
        order.sort(key=lambda line: line not in placed)  # who has a place, then who has none
        return [line[:TOKEN_LENGTH] for line in order]


def is_line(text: object) -> bool:
    """Say whether something is a text of one line, up to 500 characters, and not empty."""
    return isinstance(text, str) and _ONE_LINE.fullmatch(text) is not None


def root(lines: Sequence[str]) -> bytes:
    """Return the root of the Merkle tree (RFC 9162) over a list, each line a leaf."""
    return Edge().grown(leaf_hash(line.encode()) for line in lines).root


def line_of(token: bytes, group: str) -> str:
    """Return the line of the list for an entrant: the token, and a group where there is one."""
    return f"{token.hex()} {group}" if group else token.hex()


def differences(
    told: Mapping[str, Any], lines: Sequence[str], ranks: Sequence[str]
) -> Iterator[str]:
    """Yield in words where what was published of a draw is not what the rules make of it.

    `told` is the manifest, `lines` the list and `ranks` the tokens by rank, as far as there are.
    """
    try:
        rules = Rules(**{name: told[name] for name in Rules.__slots__})
        commitment = bytes.fromhex(told["commitment"])
        seed, public_value = bytes.fromhex(told.get("seed", "")), str(told.get("public_value", ""))
        listed = told.get("list_root")
    except (AttributeError, BadInput, KeyError, TypeError, ValueError) as wrong:
        yield f"the manifest cannot be read: {wrong!r}"
        return
    if listed is not None:
        yield from _list(told, rules, lines)
    if seed and rules.commitment(seed) != commitment:
        yield "the seed, or a rule, is not the one that was committed to"
    if seed:
        yield from _ranks(rules.ranked(lines, seed=seed, public_value=public_value), ranks)


def _list(told: Mapping[str, Any], rules: Rules, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not _LINE.fullmatch(line) or line[TOKEN_LENGTH + 1 :] not in {"", *rules.reserves}:
            yield f"a line of the list cannot be read: {line[:80]!r}"
            return
    if any(one[:TOKEN_LENGTH] >= other[:TOKEN_LENGTH] for one, other in pairwise(lines)):
        yield "the list is not in order, or names somebody twice"
    if len(lines) != told.get("entries"):
        yield f"the list has {len(lines)} entrants, and not {told.get('entries')}"
    if root(lines).hex() != told["list_root"]:
        yield "the list is not the one that was closed"


def _ranks(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[str]:
    pairs = zip_longest(ours, theirs, fillvalue="nobody")
    wrong = [(rank, *pair) for rank, pair in enumerate(pairs, 1) if pair[0] != pair[1]]
    if wrong:
        rank, one, other = wrong[0]
        yield f"{len(wrong)} ranks differ; the first is {rank}: it is {one}'s, and not {other}'s"


def _turns(key: bytes) -> Callable[[str], bytes]:
    """Return HMAC-SHA-256 of a line's token under a key (RFC 2104), its two ends worked once."""
    block = key.ljust(64, b"\0")
    begun, ending = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def turn(line: str) -> bytes:
        inner, outer = begun.copy(), ending.copy()
        inner.update(line[:TOKEN_LENGTH].encode())
        outer.update(inner.digest())
        return outer.digest()

    return turn
