"""Who is known to us cannot be told from how long an answer takes."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from statistics import median

import pytest

from healthcert.policy import reference
from healthcert.services import access
from tests.factories import NOW
from tests.services.clinic import PEPPER

BORN = "1980-05-17"
PAIRS = int(os.environ.get("HEALTHCERT_PAIRS", "60"))  # 2,000 by night
MOST_APART = 0.005  # seconds between the medians


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("deed", ["asking", "entering"])
def test_known_and_unknown_take_the_same_time(clinic, deed, say):
    """The time of this thread alone: SQLite works in it, and what else runs is left out."""
    mine = clinic.book(clinic.slot()).reference
    crowd = {
        "known": (mine, BORN),
        "another birth date": (mine, "1991-01-01"),
        "unknown": (reference.write(1), BORN),
    }
    took: dict[str, list[float]] = {name: [] for name in crowd}
    for turn in range(PAIRS):
        now = NOW + timedelta(days=turn)
        for name, (which, born) in crowd.items():
            began = time.thread_time()
            attempt(clinic, deed, which, born, now)
            took[name].append(time.thread_time() - began)
    middle = {name: median(times) for name, times in took.items()}
    apart = max(middle.values()) - min(middle.values())
    told = ", ".join(f"{name} {value * 1000:.2f} ms" for name, value in middle.items())
    say(f"{deed}, {PAIRS} times each, medians: {told}; apart {apart * 1000:.2f} ms")
    assert apart < MOST_APART


def attempt(clinic, deed, which, born, now) -> None:
    asked = {
        "vault": clinic.vault, "pepper": PEPPER, "claim": access.Claim(which, born), "now": now,
    }  # fmt: skip
    if deed == "asking":
        clinic.doors.run(lambda db: access.request_code(db, **asked))
    else:
        clinic.doors.run(lambda db: access.redeem(db, code="000000", **asked))
