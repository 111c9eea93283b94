"""Slots in the time a site is open, in UTC: more or fewer of them on the day the clock changes."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Times = tuple[datetime, datetime]  # when something begins and ends; aware


def opened(day: date, spans: Iterable[tuple[int, time, time]], zone: ZoneInfo) -> list[Times]:
    """Return when hours (ISO weekday, from, until) on the clock of a zone open and close a day."""
    return [
        (_utc(day, opens, zone), _utc(day, closes, zone))
        for weekday, opens, closes in spans
        if weekday == day.isoweekday()
    ]


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def slots(
    when: Iterable[Times], length: timedelta, there: Collection[Times] = ()
) -> Iterator[Times]:
    """Give slots one after the other while it is open, around those that are `there`, in order.

    They are as long by the clock that never changes, also when the clock on the wall does.
    """
    for opens, closes in when:
        at = opens
        for begins, ends in (*there, (closes, closes)):
            while at + length <= min(begins, closes):
                yield at, at + length
                at += length
            at = max(at, ends)


def within(slot: Times, when: Sequence[Times]) -> bool:
    """Say whether it is open all the time of a slot; hours may touch each other."""
    parts = (min(slot[1], closes) - max(slot[0], opens) for opens, closes in when)
    return sum((each for each in parts if each > timedelta()), timedelta()) == slot[1] - slot[0]
