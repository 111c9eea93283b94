"""Date-times as CertLogic counts them: JavaScript's UTC calendar, in milliseconds.

The reference implementation of CertLogic 1.3.3 is written in JavaScript, and member states wrote
and tested their rules against it. So a month too long runs over (one year after 2020-02-29 is
2021-03-01), years pass 9999, fractions are cut to milliseconds, and a well-formed text that names
no day (2021-13-01) gives an *invalid* moment, to which every comparison answers no.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from healthcert.errors import RuleError

UNITS: Final = ("year", "month", "day", "hour")
LONGEST_TEXT: Final = 64  # no date-time anybody writes is longer; bounds the work on a hostile one

_HOUR: Final = 3_600_000
DAY: Final = 24 * _HOUR  # milliseconds
LENGTHS: Final = {"hour": _HOUR, "day": DAY}  # of the units that are always as long
_FURTHEST: Final = 8.64e15  # ECMA-262: a time value is at most 100,000,000 days from 1970
_FURTHEST_AMOUNT: Final = 10**10  # in any unit, this leaves the calendar
_KEPT: Final = 1_024  # texts read last: every rule asks for the same clock and the same few dates
_EPOCH: Final = date(1970, 1, 1).toordinal()
_EPOCH_TIME: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - compared with other zoneless UTC times
_CYCLE_YEARS: Final = 400  # after which the Gregorian calendar repeats itself ...
_CYCLE_DAYS: Final = 146_097  # ... to the day
_PLAIN_ZONES: Final = frozenset({"Z", "", ".000Z", "+00:00"})
_DATE_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(?:Z|([+-])([0-9]{1,2}):?([0-9]{2})?)?)?"
)
_PARTIAL: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")


class Moment(float):
    """Milliseconds since 1970-01-01T00:00:00Z; NaN is JavaScript's invalid date.

    A kind of its own, so that a date-time is neither a number nor true or false to a rule.
    """

    __slots__ = ()

    def __str__(self) -> str:
        """The moment as JavaScript's `toISOString` writes it, or "Invalid Date"."""
        if math.isnan(self):
            return "Invalid Date"
        days, rest = divmod(int(self), DAY)
        year, month, day = _calendar(days)
        seconds, thousandths = divmod(rest, 1000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        era = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"  # noqa: PLR2004 - ISO 8601
        return f"{era}-{month:02}-{day:02}T{clock}.{thousandths:03}Z"


INVALID: Final = math.nan


@lru_cache(_KEPT)
def read(text: str) -> float:
    """Milliseconds since 1970 of a date or date-time, in UTC if it has no zone.

    YYYY and YYYY-MM mean their last day.

    Raises:
        RuleError: The text has none of the forms of CertLogic 1.3.3.
    """
    if len(text) > LONGEST_TEXT:
        raise RuleError("That text is too long for a date-time.")
    quick = _quick(text)
    if quick is not None:
        return quick
    partial = _PARTIAL.fullmatch(text)
    return _last_day(partial) if partial else _full(text)


def birth_date(text: str) -> float:
    """Milliseconds since 1970 of a date of birth in the EU DCC: YYYY, YYYY-MM or YYYY-MM-DD.

    Raises:
        RuleError: The text has another form.
    """
    if len(text) > len("YYYY-MM-DD"):
        raise RuleError("A date of birth is YYYY, YYYY-MM or YYYY-MM-DD.")
    return read(text)


def shift(amount: int, unit: str) -> Callable[[float], float]:
    """What moves milliseconds by that many of a unit of `UNITS`, running over as JavaScript."""
    if abs(amount) > _FURTHEST_AMOUNT:
        return lambda _since: INVALID
    if unit in LENGTHS:
        length = amount * LENGTHS[unit]
        return lambda since: (
            then if -_FURTHEST <= (then := since + length) <= _FURTHEST else INVALID
        )
    months = amount if unit == "month" else 12 * amount
    return lambda since: _months_on(since, months)


def _months_on(since: float, months: int) -> float:
    if math.isnan(since):
        return INVALID
    days, rest = divmod(int(since), DAY)
    year, month, day = _calendar(days)
    carry, month = divmod(month - 1 + months, 12)
    then = _day_number(year + carry, month + 1, day) * DAY + rest
    return then if abs(then) <= _FURTHEST else INVALID


def _quick(text: str) -> int | None:
    """Milliseconds of the forms nearly every certificate uses; None where care is needed."""
    try:
        if len(text) == 10 and text[7] == "-":  # noqa: PLR2004 - YYYY-MM-DD
            return (date.fromisoformat(text).toordinal() - _EPOCH) * DAY
        if text[19:] in _PLAIN_ZONES and text[7:17:3] == "-T::":
            since = datetime.fromisoformat(text[:19]) - _EPOCH_TIME
            return since.days * DAY + since.seconds * 1000
    except ValueError:  # such as 2021-02-30, which runs over
        pass
    return None


def _last_day(partial: re.Match[str]) -> float:
    month = int(partial[2] or 12)
    if not 1 <= month <= 12:  # noqa: PLR2004 - months
        return INVALID
    return (_day_number(int(partial[1]), month + 1, 1) - 1) * DAY


def _full(text: str) -> float:
    found = _DATE_TIME.fullmatch(text)
    if not found:
        raise RuleError("That text is neither a date nor a date-time.")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    thousandths = int((found[7] or ".").ljust(4, "0")[1:4])
    ahead_hours, ahead_minutes = int(found[9] or 0), int(found[10] or 0)
    rest = (hour * 60 + minute) * 60_000 + second * 1000 + thousandths
    if not (
        1 <= month <= 12  # noqa: PLR2004 - months
        and 1 <= day <= 31  # noqa: PLR2004 - V8 lets the 31st of a short month run over
        and rest <= DAY
        and max(minute, second, ahead_minutes) < 60  # noqa: PLR2004 - minutes, seconds
        and ahead_hours < 24  # noqa: PLR2004 - hours
    ):
        return INVALID
    ahead = (ahead_hours * 60 + ahead_minutes) * (-60_000 if found[8] == "-" else 60_000)
    return _day_number(year, month, day) * DAY + rest - ahead


def _day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of any year and any day; month is 1 to 13, and 13 runs over."""
    carry, month = divmod(month - 1, 12)
    cycles, year = divmod(year + carry, _CYCLE_YEARS)
    first = date(2000 + year, month + 1, 1).toordinal() - _EPOCH
    return first + (cycles - 5) * _CYCLE_DAYS + day - 1


def _calendar(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01."""
    cycles, within = divmod(days + _EPOCH - 1, _CYCLE_DAYS)
    found = date.fromordinal(within + 1)
    return found.year + cycles * _CYCLE_YEARS, found.month, found.day
