"""CertLogic 1.3.3: a rule's logic, compiled once, then asked about one certificate at a time.

`compile_logic` turns the JSON of a rule into nested functions; `Logic.evaluate` runs them over
plain JSON. The meaning is the specification's and, where it is silent, its reference
implementation's (certlogic-js 1.2.2): what is true, false or neither, which operand `and` gives,
JavaScript's numbers, array indexes and dates. A fault counts when it is reached, as there: a faulty
branch not taken does no harm. One thing is left out: names that JavaScript's own objects answer to
(`constructor`, `toString`) mean nothing here.

Nothing a stranger writes runs long: logic is at most `DEEPEST` deep and `LARGEST` steps large, and
an evaluation takes at most `FUEL` steps, counted where work can multiply.
"""

import math
from dataclasses import dataclass
from typing import Final

from healthcert.errors import RuleError
from healthcert.policy.moments import LENGTHS, Moment
from healthcert.policy.operations import OPERATIONS, TIMED, Operand, array, literal
from healthcert.policy.paths import Step, reader
from healthcert.policy.values import burn, fault

DEEPEST: Final = 64  # nested expressions; the deepest published rule has 15
LARGEST: Final = 4_096  # steps of one pass; the largest published rule has about 100
FUEL: Final = 50_000  # steps of one evaluation
LONGEST_PATH: Final = 512
LARGEST_RESULT: Final = 50_000  # values in a result that is written as JSON
DEEPEST_RESULT: Final = 200
_DEAR: Final = {"plusTime": 8, "dccDateOfBirth": 8, "extractFromUVCI": 24}  # in plain steps
_FURTHEST: Final = 10**6  # days or hours: from any clock, it stays within the calendar


@dataclass(frozen=True, slots=True)
class Logic:
    """The logic of a rule, ready to be asked."""

    step: Step  # the compiled function
    cost: int  # steps of one evaluation, without what `reduce` and `in` add
    reads: frozenset[str]  # every path that a `var` of it names
    # What the clock is compared with, after how many milliseconds are added to it; nothing else
    # asks the clock. None where something does.
    awaits: tuple[tuple[int, Step], ...] | None

    def evaluate(self, data: object, fuel: list[int] | None = None) -> object:
        """The value of the logic for this data: JSON, or a `Moment` for a date-time.

        Args:
            data: JSON as the json module reads it: dict, list, str, int, float, bool, None.
            fuel: The steps left, as a list of one, where several evaluations share them.

        Raises:
            RuleError: The logic gives no answer for this data, which means "not passed".
        """
        if fuel is None:
            return self.step(data, [FUEL])
        burn(fuel, self.cost)
        return self.step(data, fuel)


def compile_logic(logic: object) -> Logic:
    """The logic of a rule, given as JSON, ready to be asked.

    Raises:
        RuleError: It is deeper or larger than this module allows. Any other fault shows when it
            is reached; `wellformed.faults` lists them beforehand.
    """
    compiler = _Compiler()
    step = compiler.compile(logic, 1)
    awaits = tuple(compiler.awaits) if compiler.by_days == compiler.by_the_clock() else None
    return Logic(step, compiler.cost, frozenset(compiler.reads), awaits)


def access(data: object, path: str) -> object:
    """What lies at a dotted path of the data, as `var` has it; None where nothing can be read."""
    try:
        return reader(path)(data, [])
    except RuleError:
        return None


def as_json(value: object) -> object:
    """A result as JSON has it: date-times as `YYYY-MM-DDThh:mm:ss.SSSZ`, what has no JSON as null.

    Raises:
        RuleError: The result is too large or too deep to be written.
    """
    return _plain(value, [LARGEST_RESULT], DEEPEST_RESULT)


class _Compiler:
    def __init__(self) -> None:
        self.cost = self.by_days = 0
        self.reads: list[str] = []
        self.awaits: list[tuple[int, Step]] = []

    def compile(self, logic: object, depth: int) -> Step:
        if depth > DEEPEST:
            raise RuleError(f"The rule is nested more than {DEEPEST} deep.")
        self.charge(1)
        if isinstance(logic, list):
            return array([self.compile(item, depth + 1) for item in logic])
        if not isinstance(logic, dict):
            return literal(logic)
        if len(logic) != 1:
            return fault("An operation has exactly one member.")
        ((name, operands),) = logic.items()
        return self.var(operands) if name == "var" else self.operation(name, operands, depth + 1)

    def var(self, path: object) -> Step:
        if not isinstance(path, str):
            return fault("A var names its path by one text.")
        if len(path) > LONGEST_PATH:
            raise RuleError(f"The rule has a path of more than {LONGEST_PATH} characters.")
        self.charge(2 * path.count("."))
        self.reads.append(path)
        return reader(path)

    def operation(self, name: str, operands: object, depth: int) -> Step:
        if name not in OPERATIONS or not isinstance(operands, list) or not operands:
            return fault("That is no operation of CertLogic, or it has no operands.")
        self.charge(_DEAR.get(name, 0))
        compiled = [self.operand(logic, depth) for logic in operands]
        for place, ahead in enumerate(map(_ahead, operands) if name in TIMED else ()):
            if ahead is not None:
                self.by_days += 1
                others = (*compiled[:place], *compiled[place + 1 :])
                self.awaits += [(ahead, other.step) for other in others]
        return OPERATIONS[name](compiled)

    def by_the_clock(self) -> int:
        """How often the clock is read, alone or within a larger part."""
        return sum(
            x in {"", "external"} or f"{x}.".startswith("external.validationClock.")
            for x in self.reads
        )

    def operand(self, logic: object, depth: int) -> Operand:
        before = self.cost
        step = self.compile(logic, depth)
        return Operand(logic, step, self.cost - before)

    def charge(self, steps: int) -> None:
        self.cost += steps
        if self.cost > LARGEST:
            raise RuleError(f"The rule is larger than {LARGEST} steps.")


def _ahead(logic: object) -> int | None:
    """Milliseconds that some logic, if well-formed, adds to the clock; None of anything else."""
    match logic:
        case {"plusTime": [{"var": "external.validationClock"}, int(amount), str(unit)]}:
            return amount * LENGTHS[unit] if unit in LENGTHS and abs(amount) <= _FURTHEST else None
    return None


def _plain(value: object, left: list[int], depth: int) -> object:
    burn(left, 1)
    if depth == 0:
        raise RuleError("The result is too deep to be written.")
    if isinstance(value, list):
        return [_plain(item, left, depth - 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, left, depth - 1) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Moment) else value
