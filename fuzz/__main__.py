"""Try to break the verdict and CertLogic: `python -m fuzz [--codes N] [--rules N] [--seed S]`.

Every case comes from a seed and its number, so any of them can be looked at again:
`python -m fuzz --seed S --only codes:NUMBER` shows one and how it ends.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from fuzz import codes, logic
from fuzz.trial import Found, Kind, case_of, run

KINDS = {
    "codes": Kind("codes", codes.make, codes.attempt, 0.001),  # its journey included
    "rules": Kind("rules", logic.make, logic.attempt, 0.005),
}
_PART = 25_000


def main() -> int:
    """Return 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description="Hostile codes and rules, by seed and number.")
    parser.add_argument("--codes", type=int, default=500_000)
    parser.add_argument("--rules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", metavar="KIND:NUMBER")
    wanted = parser.parse_args()
    if wanted.only:
        name, _, number = wanted.only.partition(":")
        case = case_of(KINDS[name], wanted.seed, int(number))
        print(case)
        print(KINDS[name].attempt(case))
        return 0
    broken = [
        told(KINDS[name], getattr(wanted, name), wanted.seed, wanted.processes) for name in KINDS
    ]
    return int(any(broken))


def told(kind: Kind, count: int, seed: int, processes: int) -> list[str]:
    """Return the broken promises of a run, having printed what it came to."""
    begin = perf_counter()
    found = many(kind, count, seed, processes)
    took = perf_counter() - begin
    for fault in found.unhandled[:5]:
        print(fault)
    print(report(kind, found, seed), f"in {took:.0f} s", flush=True)
    faults = found.faults(kind.most_p99)
    for broken in faults:
        print(f"  BROKEN: {broken}")
    return faults


def many(kind: Kind, count: int, seed: int, processes: int) -> Found:
    """Return what that many attempts came to, shared among processes."""
    parts = [range(start, min(start + _PART, count)) for start in range(0, count, _PART)]
    found = Found()
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(run, [kind] * len(parts), [seed] * len(parts), parts):
            found.add(part)
    return found


def report(kind: Kind, found: Found, seed: int) -> str:
    """Return the figures in words."""
    worst, number = found.worst
    endings = ", ".join(f"{name} {count:,}" for name, count in found.endings.most_common())
    return (
        f"{kind.name}: {len(found.times):,} tried with seed {seed}: {len(found.unhandled)} "
        f"unhandled, p99 {found.p99 * 1000:.2f} ms, worst {worst * 1000:.1f} ms (number {number}), "
        f"memory at most {found.traced / 1e6:.1f} MB a case, {found.grown / 1e6:.1f} MB grown\n"
        f"  {endings}\n "
    )


if __name__ == "__main__":
    sys.exit(main())
