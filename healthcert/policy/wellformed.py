"""Whether a rule's logic is well-formed CertLogic 1.3.3, before anybody relies on it.

Evaluation forgives a faulty branch that is never taken; whoever publishes a rule should not. These
are the checks of the specification's validation suite: the form of every operation, not its types.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from healthcert.policy.certlogic import DEEPEST, LARGEST
from healthcert.policy.moments import UNITS
from healthcert.policy.values import whole_number

_PATH: Final = re.compile(r"(?:[^.]+(?:\.[^.]+)*)?")
_MOST: Final = 10**6
_COUNTS: Final[Mapping[str, tuple[int, int]]] = {  # operation: fewest and most operands
    "if": (3, 3),
    "and": (2, _MOST),
    "!": (1, 1),
    **dict.fromkeys(("===", "in", "+", "extractFromUVCI"), (2, 2)),
    **dict.fromkeys(("<", ">", "<=", ">=", "before", "after", "not-before", "not-after"), (2, 3)),
    **dict.fromkeys(("plusTime", "reduce"), (3, 3)),
    "dccDateOfBirth": (1, 1),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an expression: which expression, and what."""

    expression: object
    message: str


def faults(logic: object) -> list[Fault]:
    """Everything wrong with the form of a rule's logic, given as JSON; [] = well-formed.

    At most `LARGEST` expressions are looked at, at most `DEEPEST` deep; more is a fault.
    """
    return list(_Check().expression(logic, 1))


class _Check:
    def __init__(self) -> None:
        self.left = LARGEST

    def expression(self, logic: object, depth: int) -> Iterator[Fault]:
        self.left -= 1
        if depth > DEEPEST or self.left < 0:
            yield Fault(None, "The logic is too deep or too large.")
        elif isinstance(logic, list):
            yield from self.each(logic, depth)
        elif isinstance(logic, dict):
            yield from self.operation(logic, depth)
        elif not isinstance(logic, (str, bool)) and whole_number(logic) is None:
            yield Fault(logic, "A literal is a text, a truth value or an integer.")

    def each(self, expressions: list[object], depth: int) -> Iterator[Fault]:
        for logic in expressions[: max(self.left, 0) + 1]:
            yield from self.expression(logic, depth + 1)

    def operation(self, logic: dict[str, object], depth: int) -> Iterator[Fault]:
        if len(logic) != 1:
            yield Fault(logic, f"An operation has exactly one member, this has {len(logic)}.")
            return
        ((name, operands),) = logic.items()
        if name == "var":
            yield from _var(logic, operands)
        elif not isinstance(operands, list):
            yield Fault(logic, "An operation has a list of operands.")
        elif name not in _COUNTS:
            yield Fault(logic, f"There is no operation {name[:40]!r}.")
        else:
            yield from self.operands(logic, name, operands, depth)

    def operands(
        self, logic: object, name: str, operands: list[object], depth: int
    ) -> Iterator[Fault]:
        fewest, most = _COUNTS[name]
        if not fewest <= len(operands) <= most:
            yield Fault(logic, f"{name!r} does not take {len(operands)} operands.")
        if name == "plusTime" and not all(unit in UNITS for unit in operands[2:3]):
            yield Fault(logic, f"The unit is none of {', '.join(UNITS)}.")
        if name in {"plusTime", "extractFromUVCI"}:
            if any(whole_number(number) is None for number in operands[1:2]):
                yield Fault(logic, "The second operand is no integer.")
            most = 1
        yield from self.each(operands[:most], depth)


def _var(logic: object, path: object) -> Iterator[Fault]:
    if not isinstance(path, str):
        yield Fault(logic, "A var names its path by one text.")
    elif not _PATH.fullmatch(path):
        yield Fault(logic, "A path is names and numbers, with single dots between them.")
