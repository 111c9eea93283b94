"""A crowd that books and, beside it, a few who check certificates."""

from __future__ import annotations

from collections import Counter
from statistics import median, quantiles
from typing import NamedTuple

from tests.load.knocking import Answer, Plan, started, told
from tests.load.serving import House, request

CHECKS_A_SECOND = 20


class Phase(NamedTuple):
    """What was seen: bookings a second, what the crowd and the others were told, how quickly."""

    goodput: float
    booked: int
    statuses: Counter[int]
    checks: Counter[int]
    check_p50: float
    check_p99: float
    refused_p99: float


def phase(house: House, crowd: list[bytes], seconds: float, **how: float) -> Phase:
    """Let the crowd knock, and take those who have booked out of it."""
    checks = Plan([request("GET", "/verify")], seconds, rate=CHECKS_A_SECOND, again=True)
    beside = started(house.port, checks)
    answers = told(started(house.port, Plan(crowd, seconds, **how))) if crowd else []
    seen = told(beside)
    booked = {answer.which for answer in answers if answer.status == 303}
    crowd[:] = [one for which, one in enumerate(crowd) if which not in booked]
    refused = [answer.took for answer in answers if answer.status == 503]
    took = [check.took for check in seen]
    return Phase(
        len(booked) / _span(answers), len(booked), Counter(each.status for each in answers),
        Counter(each.status for each in seen), median(took), _p99(took), _p99(refused),
    )  # fmt: skip


def _span(answers: list[Answer]) -> float:
    if not answers:
        return 1.0
    return max(each.at for each in answers) - min(each.at - each.took for each in answers)


def _p99(took: list[float]) -> float:
    return quantiles(took, n=100)[98] if len(took) > 1 else 0.0
