"""How much faster two processes issue than one: `python -m bench.bulk`.

Counts only where the machine gave both processes their time: each tells the share it got. Where it
did not, processor time still says what the two take from each other, and the clock what is lost
outside of both.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from time import perf_counter, process_time

from bench._certificate import DCC, KEY, KID, issue, signer
from bench._turns import row
from healthcert.hcert import dcc_of, decode, read_claims, verify1

_COUNT, _ROUNDS, _WANTED, _SHARE = 4_000, 5, 1.8, 0.95


def main() -> int:
    """Return 1 if an answer is wrong, or two processes that had the machine were too slow."""
    ratios, rates, shares, by_processor = [], [], [], []
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_issue, [100, 100]))
        for _ in range(_ROUNDS):
            one, *_ = pool.map(_issue, [_COUNT])
            begin = perf_counter()
            two = list(pool.map(_issue, [_COUNT, _COUNT]))
            took = perf_counter() - begin
            if not all(right for *_, right in (one, *two)):
                print("bulk: what was issued does not read back")
                return 1
            rates.append((_COUNT / one[0], 2 * _COUNT / took))
            ratios.append(rates[-1][1] / rates[-1][0])
            shares += [cpu / wall for wall, cpu, _ in two]
            inside = max(wall for wall, *_ in two) / took
            by_processor.append(inside * sum(one[1] / cpu for _, cpu, _ in two))
    found, share = median(ratios), median(shares)
    alone, together = (median(rate[place] for rate in rates) for place in (0, 1))
    figures = (f"{together:,.0f}/s", "one process", f"{alone:,.0f}/s")
    row("bulk issue, 2 processes", *figures, found, f"at least {_WANTED:.2f}")
    if share < _SHARE:
        print(
            f"bulk: not judged, the processes got only {share:.0%} of a processor each; "
            f"by processor time they issue {median(by_processor):.2f} times as much as one"
        )
    return int(found < _WANTED and share >= _SHARE)


def _issue(count: int) -> tuple[float, float, bool]:
    """Return seconds, seconds of processor time, and whether the last one reads back."""
    by = signer()
    wall, cpu = perf_counter(), process_time()
    text = ""
    for _ in range(count):
        text = issue(by)
    took = perf_counter() - wall, process_time() - cpu
    payload = verify1(decode(text), keys={KID: [KEY.public_key()]})
    return *took, dcc_of(read_claims(payload)) == DCC


if __name__ == "__main__":
    sys.exit(main())
