"""Deeds that take turns, and the row of the table that a figure gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import thread_time_ns

Times = dict[str, list[float]]


def turns(deeds: Mapping[str, Callable[[], object]], *, rounds: int = 80, calls: int = 20) -> Times:
    """Return microseconds of processor time a call, turn by turn, after a few to warm up."""
    times: Times = {name: [] for name in deeds}
    for turn in range(-5, rounds):
        for name, deed in deeds.items():
            begin = thread_time_ns()
            for _ in range(calls):
                deed()
            took = (thread_time_ns() - begin) / 1000 / calls
            if turn >= 0:
                times[name].append(took)
    return times


def ratio(ours: list[float], other: list[float]) -> float:
    """Return how many times the other's time ours takes: the median over turns side by side."""
    return median(one / two for one, two in zip(ours, other, strict=True))


def microseconds(times: list[float]) -> str:
    """Return the median in words."""
    middle = median(times)
    return f"{middle / 1000:.2f} ms" if middle > 1000 else f"{middle:.1f} us"  # noqa: PLR2004


def row(path: str, ours: str, other: str, figure: str, found: float, wanted: str) -> None:
    """Print one row of the table: what was measured, beside its limit or peer."""
    print(f"| {path} | {ours} | {other} | {figure} | {found:.2f} | {wanted} |")


def compared(path: str, times: Times, names: tuple[str, str], most: float) -> bool:
    """Print the row of two deeds, ours first; return whether ours takes at most so many times."""
    ours, other = (times[name] for name in names)
    found = ratio(ours, other)
    row(path, microseconds(ours), names[1], microseconds(other), found, f"at most {most:.2f}")
    return found <= most
