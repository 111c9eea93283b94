"""A small dose of `make fuzz`: harmed codes and rules, the same ones each time."""

from __future__ import annotations

import pytest

from fuzz.__main__ import KINDS, report
from fuzz.trial import case_of, run

SEED = 20_260_302
TRACED = 4  # times: what measures coverage looks at every line


@pytest.mark.parametrize(("name", "count"), [("codes", 5_000), ("rules", 1_000)])
def test_nothing_a_stranger_writes_is_slow_or_large_or_unexpected(name, count, say):
    kind = KINDS[name]
    found = run(kind, SEED, range(count))
    say(report(kind, found, SEED))
    assert found.faults(kind.most_p99, slower=TRACED) == []
    assert len(found.endings) > 1


@pytest.mark.parametrize("name", KINDS)
def test_a_case_is_made_again_from_its_seed_and_number(name):
    first, second = (repr(case_of(KINDS[name], SEED, 7)) for _ in range(2))
    assert first == second != repr(case_of(KINDS[name], SEED, 8))
