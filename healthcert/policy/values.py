"""Values of CertLogic 1.3.3: which are true, which are the same, which are whole numbers.

Values are JSON as the json module reads it, and `Moment` for date-times. Three traps of writing
JavaScript's meaning in Python are met here: `True == 1`, equality of lists and dicts by content
(JavaScript: only the very same one), and integers that never round (JavaScript: beyond 2**53).
"""

from typing import Final

from healthcert.errors import RuleError
from healthcert.policy.moments import Moment
from healthcert.policy.paths import Step

EXACT: Final = 2**53  # from here on JavaScript's numbers round
NUMBERS: Final = (int, float)


def fault(message: str) -> Step:
    """A step that refuses when it is reached."""

    def refuse(_data: object, _fuel: list[int]) -> object:
        raise RuleError(message)

    return refuse


def burn(fuel: list[int], steps: int) -> None:
    """Take that many steps from the fuel; `RuleError` if there are not so many."""
    fuel[0] -= steps
    if fuel[0] < 0:
        raise RuleError("The rule takes too many steps.")


def whole_number(value: object) -> int | None:
    """The value as JavaScript's integer, rounded from 2**53 on; None if it is not an integer."""
    if type(value) is int:
        if -EXACT <= value <= EXACT:
            return value
        try:
            value = float(value)
        except OverflowError:
            return None
    return int(value) if type(value) is float and value.is_integer() else None


def truth(value: object) -> bool:
    """Whether a value is truthy: not false, null, "", 0, [] or {}; of a date-time `RuleError`."""
    if type(value) is Moment:
        raise RuleError("A date-time is neither true nor false.")
    return bool(value)


def identical(left: object, right: object) -> bool:
    """JavaScript's `===`: arrays, objects and date-times are equal to themselves alone."""
    if left is right:
        return True
    if type(left) is str:
        return left == right
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return left == right or (
            whole_number(left) is not None and whole_number(left) == whole_number(right)
        )
    return False
