"""The operations of CertLogic 1.3.3, each built once into a function of (data, fuel left).

Each operation is a function of its operands, compiled, and gives its own step. A step that can
multiply the work of others burns fuel for it.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from healthcert.errors import RuleError
from healthcert.policy import moments
from healthcert.policy.moments import Moment
from healthcert.policy.paths import Step
from healthcert.policy.values import EXACT, NUMBERS, burn, fault, identical, truth, whole_number

LONGEST_ID: Final = 256  # characters of a certificate identifier to be split; the schema has 80
TURN_COST: Final = 4  # steps: one turn of a reduction, besides its own nodes

_SMALL: Final = 2**52  # sums of what is smaller never round
_SEEK_COST: Final = 8  # steps: comparing two values that are no texts
_SEPARATORS: Final = re.compile("[/#:]")


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand of an operation: as written, as compiled, and the steps it takes at least."""

    raw: object
    step: Step
    cost: int


Operands = list[Operand]


def literal(value: object) -> Step:
    """A text, a truth value or an integer stands for itself; nothing else is a literal."""
    whole = whole_number(value)
    constant = value if whole is None else whole
    if whole is None and not isinstance(value, (str, bool)):
        return fault("A literal is a text, a truth value or an integer.")
    return lambda _data, _fuel: constant


def array(steps: list[Step]) -> Step:
    """An array gives a new array of what its items give."""
    return lambda data, fuel: [step(data, fuel) for step in steps]


def _step(operands: Operands, index: int) -> Step:
    return operands[index].step if index < len(operands) else fault("An operand is missing.")


def _if(operands: Operands) -> Step:
    if len(operands) < 3:  # noqa: PLR2004 - guard, then, else
        return fault("An if has a guard, a then and an else.")
    guard, then, otherwise = (operand.step for operand in operands[:3])

    def run(data: object, fuel: list[int]) -> object:
        value = guard(data, fuel)
        if type(value) is Moment:
            raise RuleError("A date-time is neither true nor false.")
        return then(data, fuel) if value else otherwise(data, fuel)

    return run


def _and(operands: Operands) -> Step:
    if len(operands) < 2:  # noqa: PLR2004 - an infix operation
        return fault("An and has at least two operands.")
    steps = [operand.step for operand in operands]

    def run(data: object, fuel: list[int]) -> object:
        value: object = True
        for step in steps:
            value = step(data, fuel)
            if not truth(value):
                break
        return value

    return run


def _not(operands: Operands) -> Step:
    step = operands[0].step
    return lambda data, fuel: not truth(step(data, fuel))


def _pair(apply: Callable[[object, object, list[int]], object]) -> Callable[[Operands], Step]:
    def build(operands: Operands) -> Step:
        if len(operands) != 2:  # noqa: PLR2004 - a pair
            return fault("That operation has two operands.")
        left, right = operands[0].step, operands[1].step
        return lambda data, fuel: apply(left(data, fuel), right(data, fuel), fuel)

    return build


def _same(operands: Operands) -> Step:
    """`===`; quicker where the right side is a text or a whole number, as in nearly every rule."""
    raw = operands[1].raw if len(operands) == 2 else None  # noqa: PLR2004 - a pair
    left = operands[0].step
    if isinstance(raw, str):
        return lambda data, fuel: left(data, fuel) == raw
    if type(raw) is not int or abs(raw) >= EXACT:
        return _pair(lambda one, other, _fuel: identical(one, other))(operands)

    def run(data: object, fuel: list[int]) -> bool:
        value = left(data, fuel)
        return value == raw and type(value) in NUMBERS

    return run


def _sum(left: object, right: object, _fuel: list[int]) -> object:
    if type(left) is int and type(right) is int and -_SMALL < left < _SMALL > right > -_SMALL:
        return left + right
    first, second = whole_number(left), whole_number(right)
    if first is None or second is None:
        raise RuleError("Only integers are added.")
    total = first + second
    return total if -EXACT <= total <= EXACT else _rounded(total)


def _rounded(total: int) -> int | float:
    """A sum as a double; beyond the largest, infinity."""
    try:
        return int(float(total))
    except OverflowError:
        return float("inf") if total > 0 else float("-inf")


def _contains(item: object, items: object, fuel: list[int]) -> bool:
    if type(items) is not list:
        raise RuleError("What an item is sought in is an array.")
    if type(item) is str:
        burn(fuel, len(items))
        return item in items
    burn(fuel, _SEEK_COST * len(items))
    return any(identical(item, other) for other in items)


def _in(operands: Operands) -> Step:
    among = operands[1].raw if len(operands) == 2 else None  # noqa: PLR2004 - a pair
    if not isinstance(among, list) or not all(isinstance(text, str) for text in among):
        return _pair(_contains)(operands)
    item, texts = operands[0].step, frozenset(among)

    def run(data: object, fuel: list[int]) -> bool:
        value = item(data, fuel)
        return type(value) is str and value in texts

    return run


def _compared(holds: Callable[[float, float], bool]) -> Callable[[Operands], Step]:
    def build(operands: Operands) -> Step:
        steps = [operand.step for operand in operands]
        if len(steps) != 2:  # noqa: PLR2004 - a pair is the usual case, and quicker
            return _ordered(holds, _integer, steps)
        first, second = steps

        def pair(data: object, fuel: list[int]) -> bool:
            left, right = first(data, fuel), second(data, fuel)
            if type(left) is int and type(right) is int and -EXACT < left < EXACT:
                return holds(left, right)
            return holds(_integer(left), _integer(right))

        return pair

    return build


def _timed(holds: Callable[[float, float], bool]) -> Callable[[Operands], Step]:
    def build(operands: Operands) -> Step:
        steps = [operand.step for operand in operands]
        times = [step.since for step in steps if isinstance(step, _Time)]
        if len(steps) == len(times) == 2:  # noqa: PLR2004 - as in nearly every rule
            first, second = times
            return lambda data, fuel: holds(first(data, fuel), second(data, fuel))
        return _ordered(holds, _moment, steps)

    return build


def _ordered(
    holds: Callable[[float, float], bool], read: Callable[[object], float], steps: list[Step]
) -> Step:
    if len(steps) == 2:  # noqa: PLR2004 - a pair
        first, second = steps
        return lambda data, fuel: holds(read(first(data, fuel)), read(second(data, fuel)))
    if len(steps) != 3:  # noqa: PLR2004 - in between
        return fault("A comparison has two or three operands.")

    def run(data: object, fuel: list[int]) -> bool:
        low, middle, high = [read(step(data, fuel)) for step in steps]
        return holds(low, middle) and holds(middle, high)

    return run


def _integer(value: object) -> int:
    whole = whole_number(value)
    if whole is None:
        raise RuleError("Only integers are compared.")
    return whole


def _moment(value: object) -> Moment:
    if type(value) is not Moment:
        raise RuleError("Only date-times come before or after each other.")
    return value


@dataclass(frozen=True, slots=True)
class _Time:
    """A step that gives a date-time; whoever compares it wants its milliseconds alone."""

    since: Callable[[object, list[int]], float]

    def __call__(self, data: object, fuel: list[int]) -> Moment:
        return Moment(self.since(data, fuel))


def _plus_time(operands: Operands) -> Step:
    raws = [operand.raw for operand in operands[1:3]]
    amount = whole_number(raws[0]) if raws else None
    unit = raws[1] if len(raws) > 1 else None
    if amount is None or unit not in moments.UNITS:
        return fault("A plusTime has a date, an integer and a unit of time.")
    text, move = operands[0].step, moments.shift(amount, str(unit))

    def since(data: object, fuel: list[int]) -> float:
        value = text(data, fuel)
        if type(value) is not str:
            raise RuleError("A plusTime begins with a text.")
        return move(moments.read(value)) if amount else moments.read(value)

    return _Time(since)


def _birth_date(operands: Operands) -> Step:
    text = operands[0].step

    def since(data: object, fuel: list[int]) -> float:
        value = text(data, fuel)
        if type(value) is not str:
            raise RuleError("A date of birth is a text.")
        return moments.birth_date(value)

    return _Time(since)


def _extract(operands: Operands) -> Step:
    text = operands[0].step
    index = whole_number(operands[1].raw) if len(operands) > 1 else None
    if index is None:
        return fault("A part of an identifier is named by an integer.")

    def run(data: object, fuel: list[int]) -> str | None:
        value = text(data, fuel)
        if value is None:
            return None
        if type(value) is not str or len(value) > LONGEST_ID:
            raise RuleError(f"An identifier is a text of at most {LONGEST_ID} characters.")
        parts = _SEPARATORS.split(value.removeprefix("URN:UVCI:"))
        return parts[index] if 0 <= index < len(parts) else None

    return run


def _reduce(operands: Operands) -> Step:
    items, turn, initial = (_step(operands, index) for index in range(3))
    cost = TURN_COST + (operands[1].cost if len(operands) > 1 else 0)

    def run(data: object, fuel: list[int]) -> object:
        found = items(data, fuel)
        if found is not None and type(found) is not list:
            raise RuleError("Only an array is reduced.")
        value = initial(data, fuel)
        if found:
            burn(fuel, cost * len(found))
            for item in found:
                value = turn({"accumulator": value, "current": item}, fuel)
        return value

    return run


TIMED: Final[Mapping[str, Callable[[Operands], Step]]] = {  # what compares date-times
    "before": _timed(operator.lt),
    "after": _timed(operator.gt),
    "not-after": _timed(operator.le),
    "not-before": _timed(operator.ge),
}
OPERATIONS: Final[Mapping[str, Callable[[Operands], Step]]] = {
    **TIMED,
    "if": _if,
    "and": _and,
    "!": _not,
    "===": _same,
    "in": _in,
    "+": _pair(_sum),
    "<": _compared(operator.lt),
    ">": _compared(operator.gt),
    "<=": _compared(operator.le),
    ">=": _compared(operator.ge),
    "plusTime": _plus_time,
    "dccDateOfBirth": _birth_date,
    "reduce": _reduce,
    "extractFromUVCI": _extract,
}
