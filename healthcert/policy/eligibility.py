"""Whom a phase of a programme admits, and why not yet.

A phase asks in data: a table of fields that must all fit, with ``all``, ``any`` and ``not``.
Nothing can be asked of nationality, papers or status: there is no such field. What is open in a
birth date speaks for the person, and what nobody told is not held to be so.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from healthcert.policy.ages import Reason, reaches

TOLD = ("region", "district", "occupation", "risk", "pregnant")
MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """What a phase may ask of a person on a day; `told` holds codes by field, those of `TOLD`."""

    birth_date: str
    day: date
    doses: int
    told: Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase: its code, whom it admits, from which day until which, both included."""

    code: str
    admits: Mapping[str, Any]
    opens_on: date
    closes_on: date | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a person is admitted on a day, by which phase, and why."""

    phase: str  # that admits; empty where none does
    reasons: tuple[Reason, ...]  # what the phases ask, never what is on record
    opens: tuple[str, date] | None = None  # the earliest later phase that would admit, its day


def decide(stages: Sequence[Stage], facts: Facts) -> Answer:
    """Return whether one of the phases open on the day admits a person."""
    reasons: list[Reason] = []
    in_order = sorted(stages, key=lambda stage: (stage.opens_on, stage.code))
    for stage in in_order:
        if stage.opens_on <= facts.day <= (stage.closes_on or facts.day):
            fits = admits(stage.admits, facts)
            if fits is not False:
                open_date = () if fits else (Reason("birth_date_open"),)
                return Answer(stage.code, (Reason("admitted", {"phase": stage.code}), *open_date))
            reasons += _unmet(stage, facts)
    for stage in in_order:
        on = stage.opens_on
        if on > facts.day and admits(stage.admits, replace(facts, day=on)) is not False:
            opens = Reason("opens", {"phase": stage.code, "on": str(on)})
            return Answer("", (*reasons, opens), (stage.code, on))
    return Answer("", tuple(reasons) or (Reason("no_phase_open"),))


def asked(stages: Sequence[Stage], day: date) -> dict[str, list[str]]:
    """Return what phases that are not over by a day ask people to tell: codes by field of `TOLD`.

    What is answered with yes or no has the one code ``yes``.
    """
    found: dict[str, dict[str, None]] = {field: {} for field in TOLD}  # each once, in order
    for stage in stages:
        if day <= (stage.closes_on or day):
            for field, wanted in _leaves(stage.admits):
                if field in found:
                    found[field] |= dict.fromkeys(["yes"] if isinstance(wanted, bool) else wanted)
    return {field: [*codes] for field, codes in found.items() if codes}


def admits(asked: Mapping[str, Any], facts: Facts) -> bool | None:
    """Return whether all that is asked holds; None where an open birth date leaves it open."""
    return _all(_holds(field, wanted, facts) for field, wanted in asked.items())


def _unmet(stage: Stage, facts: Facts) -> Iterator[Reason]:
    """Yield what a phase asks and does not find, a field each."""
    for field, wanted in stage.admits.items():
        if _holds(field, wanted, facts) is False:
            names = sorted({name for name, _ in _leaves({field: wanted})})
            yield from (Reason("asks", {"phase": stage.code, "field": name}) for name in names)


def _leaves(asked: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, wanted in asked.items():
        for inner in wanted if field in ("all", "any") else [wanted] if field == "not" else ():
            yield from _leaves(inner)
        if field not in ("all", "any", "not"):
            yield field, wanted


def _holds(field: str, wanted: Any, facts: Facts) -> bool | None:  # noqa: ANN401 - as the field
    if field in _HOLDS:
        return _HOLDS[field](wanted, facts)
    told = set(facts.told.get(field, ()))
    return ("yes" in told) == wanted if isinstance(wanted, bool) else bool(told & set(wanted))


def _all(found: Iterator[bool | None]) -> bool | None:
    answers = set(found)
    return False if False in answers else None if None in answers else True


def _not(found: bool | None) -> bool | None:  # noqa: FBT001 - one of three answers
    return None if found is None else not found


def _age(wanted: Mapping[str, int], facts: Facts) -> bool | None:
    least, below = age_of(wanted, "from"), age_of(wanted, "below")
    young = below is not None and _reached(facts, below)
    return _all(iter((least is None or _reached(facts, least), _not(young))))


def age_of(wanted: Mapping[str, int], end: str) -> int | None:
    """Return one end of an age range in months, None where it is open."""
    if f"{end}_months" in wanted:
        return wanted[f"{end}_months"]
    years = wanted.get(f"{end}_years")
    return None if years is None else years * MONTHS_A_YEAR


def _reached(facts: Facts, months: int) -> bool | None:
    if reaches(facts.birth_date, months, latest=True) <= facts.day:
        return True
    return None if reaches(facts.birth_date, months) <= facts.day else False


def _doses(wanted: Mapping[str, int], facts: Facts) -> bool:
    return wanted.get("at_least", 0) <= facts.doses <= wanted.get("at_most", facts.doses)


_HOLDS: Mapping[str, Callable[[Any, Facts], bool | None]] = {
    "all": lambda wanted, facts: _all(admits(each, facts) for each in wanted),
    "any": lambda wanted, facts: _not(_all(_not(admits(each, facts)) for each in wanted)),
    "not": lambda wanted, facts: _not(admits(wanted, facts)),
    "age": _age,
    "doses": _doses,
}
