"""What ten million revocations take: `python -m bench.revocation [COUNT]`.

Wanted, for ten million: a download of at most 35 MB; in memory at most a seventh of a Python set
of the same hashes, and at most four times its time for a look; of our own good certificates none
taken for a revoked one. A smaller count runs in seconds and holds to everything but the time of
a look, which a set that lies in the processor's cache wins.

The limits, for comparison: an approximate set that knows nothing of the good needs
log2(1 / chance) bits an entry; one that knows which n of N issued are revoked, log2(N over n).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from math import lgamma, log, log2
from statistics import median
from time import perf_counter

from bench._turns import row
from healthcert.hcert.prefix_building import RATE, bits_for, build
from healthcert.hcert.prefix_changes import changed, changes
from healthcert.hcert.prefixes import PrefixTable, read_table

WHOLE = 10_000_000
_ISSUED = 50  # good certificates for each revoked one, in the limit
_LOOKS, _ROUNDS = 20_000, 15
_SIZE = 16  # bytes of a hash


def main(count: int) -> int:
    """Print what was measured beside what is wanted; exit code 1 if something is missed."""
    good = _good(count)
    begin = perf_counter()
    table = build(lambda: _hashes(count), bits=bits_for(count), good=good)
    built = perf_counter() - begin
    data = table.as_bytes()
    begin = perf_counter()
    table = read_table(data)
    loaded = perf_counter() - begin
    peer = set(_hashes(count))
    memory = _memory(table) / (sys.getsizeof(peer) + count * sys.getsizeof(bytes(_SIZE)))
    missing, present = _ratios(table, peer, count)
    wrong = sum(found in table for found in good)
    print(f"revocation, {count:,} entries; {len(good):,} of our own good ones looked up")
    print(f"  built in {built:.1f} s, streaming; taken in from the file in {loaded:.2f} s")
    print(f"  download {len(data) / 1e6:.2f} MB, {8 * len(data) / count:.2f} bits an entry")
    print(f"    limits: {count * log2(1 / RATE) / 8e6:.2f} MB; {_entropy(count):.2f} MB")
    print(f"  memory 1/{1 / memory:.1f} of a set, without what its allocator adds")
    print(f"  a look, times a set: {missing:.2f} where there is none, {present:.2f} where there is")
    print(f"  good ones taken for revoked: {wrong}")
    followed = _follow(table, count)
    label, worst = f"revocation, {count:,} entries", max(missing, present)
    limit, size = _entropy(count), len(data) / 1e6
    row(f"{label}: a look", f"{worst:.2f}", "a Python set", "1", worst, "at most 4.00")
    row(f"{label}: memory", f"{memory:.3f}", "a Python set", "1", memory, "at most 0.14")
    row(f"{label}: file", f"{size:.1f} MB", "entropy", f"{limit:.1f} MB", size / limit, "35 MB")
    print("  wanted: 35 MB, 1/7, 4.00, 0, and changes that lead to the same file")
    late = count >= WHOLE and max(missing, present) > 4  # noqa: PLR2004 - as wanted above
    bulky = 8 * len(data) / count > (28 if count >= WHOLE else 30)  # 28 bits make 35 MB
    return int(late or bulky or memory > 1 / 7 or wrong > 0 or not followed)


def _hashes(count: int) -> Iterator[bytes]:
    """Give about so many hashes, rising, the same each time, few of them in memory at once."""
    chance = random.Random(1)  # noqa: S311 - the same each time
    parts = min(count, 1 << 16)
    for part in range(parts):
        start, end = (65_536 * edge // parts for edge in (part, part + 1))
        many = (part + 1) * count // parts - part * count // parts
        drawn = chance.randbytes(_SIZE * many)
        yield from sorted(
            chance.randrange(start, end).to_bytes(2) + drawn[place + 2 : place + _SIZE]
            for place in range(0, len(drawn), _SIZE)
        )


def _good(count: int) -> list[bytes]:
    """Return hashes that were not revoked, some of which a table alone would take for such.

    The last bytes of a hash are not in the table, so changing them makes a perfect double.
    """
    chance = random.Random(2)  # noqa: S311 - the same each time
    doubles = [found[:8] + bytes(8) for found in islice(_hashes(count), min(1_000, count // 500))]
    return doubles + [chance.randbytes(_SIZE) for _ in range(min(count, 1_000_000))]


def _memory(table: PrefixTable) -> int:
    """Return the bytes that a table takes, all its pieces together."""
    return sum(sys.getsizeof(getattr(table, name)) for name in table.__slots__)


def _ratios(table: PrefixTable, peer: set[bytes], count: int) -> tuple[float, float]:
    """Return how many times a set's time a look takes, for hashes not in it and in it."""
    chance = random.Random(3)  # noqa: S311 - the same each time
    every = max(1, count // (_LOOKS * _ROUNDS))
    present = [found for place, found in enumerate(_hashes(count)) if place % every == 0]
    chance.shuffle(present)
    missing = [chance.randbytes(_SIZE) for _ in present]
    return _ratio(table, peer, missing), _ratio(table, peer, present)


def _ratio(table: PrefixTable, peer: set[bytes], wanted: list[bytes]) -> float:
    """Return the median over turns side by side, each turn with hashes of its own."""
    ratios = []
    for start in range(0, len(wanted), _LOOKS):
        turn = wanted[start : start + _LOOKS]
        ours = _time(table, [bytes([*one]) for one in turn])
        ratios.append(ours / _time(peer, [bytes([*one]) for one in turn]))
    return median(ratios)


def _time(where: PrefixTable | set[bytes], wanted: list[bytes]) -> float:
    begin = perf_counter()
    for one in wanted:
        one in where  # noqa: B015 - its time is what counts
    return perf_counter() - begin


def _follow(old: PrefixTable, count: int) -> bool:
    """Say what it takes to follow a thousand changes; return whether they lead to the same."""
    leave = {1_000 + place * max(1, count // 600) for place in range(500)}
    chance = random.Random(4)  # noqa: S311 - the same each time
    come = {chance.randbytes(_SIZE) for _ in range(500)}

    def hashes() -> Iterator[bytes]:
        stay = (found for place, found in enumerate(_hashes(count)) if place not in leave)
        return merge(stay, sorted(come))

    new = build(hashes, bits=old.bits, good=_good(count))
    begin = perf_counter()
    data = changes(old, new)
    made = perf_counter() - begin
    if data is None:
        print("  a thousand changes: no smaller than the list")
        return True
    begin = perf_counter()
    followed = changed(old, data).as_bytes() == new.as_bytes()
    took = perf_counter() - begin
    print(f"  a thousand changes: {len(data):,} bytes, made in {made:.1f} s, taken in {took:.1f} s")
    return followed


def _entropy(revoked: int) -> float:
    """Return the fewest megabytes that tell the revoked from all that were issued."""
    issued = revoked * _ISSUED
    choices = lgamma(issued + 1) - lgamma(revoked + 1) - lgamma(issued - revoked + 1)
    return choices / log(2) / 8e6


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else WHOLE))
