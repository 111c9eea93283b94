"""When a site is open: its hours by weekday, on its own clock, and the days it is closed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import SiteClosure, SiteHours

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


class Span(NamedTuple):
    """One stretch of a weekday on which a site is open."""

    weekday: int  # ISO 8601
    opens: time
    closes: time


def read(text: str) -> list[Span]:
    """Return hours, written as ``Mo-Fr 08:30-12:30,13:30-16:00; Sa 09:00-12:00``, in order.

    This is the part of the ``opening_hours`` of OpenStreetMap that says weekdays and times.

    Raises:
        BadInput: ``hours: not_hours``.
    """
    try:
        parts = [part.split() for part in text.split(";") if part.strip()]
        found = sorted(span for days, times in parts for span in _spans(days, times))
    except ValueError:
        raise BadInput({"hours": "not_hours"}) from None
    if any(one[0] == other[0] and one[2] > other[1] for one, other in pairwise(found)):
        raise BadInput({"hours": "not_hours"})
    return found


def _spans(days: str, times: str) -> Iterator[Span]:
    first, _, last = days.partition("-")
    for weekday in range(_DAYS.index(first), _DAYS.index(last or first) + 1):
        for each in times.split(","):
            opens, closes = map(time.fromisoformat, each.split("-"))
            span = Span(weekday + 1, opens, closes)
            if _told(span) != each or opens >= closes:  # with seconds, or a zone
                raise ValueError
            yield span


def _told(span: Span | SiteHours) -> str:
    return f"{span.opens:%H:%M}-{span.closes:%H:%M}"


def written(spans: Iterable[Span | SiteHours]) -> str:
    """Return hours as `read` reads them; alike days that follow each other are told at once."""
    told: list[tuple[int, int, str]] = []  # from which weekday to which, and the times
    for day, those in groupby(spans, attrgetter("weekday")):
        times = ",".join(map(_told, those))
        alike = bool(told) and told[-1][1:] == (day - 1, times)
        told.append((told.pop()[0] if alike else day, day, times))
    named = ((dict.fromkeys((_DAYS[first - 1], _DAYS[last - 1])), at) for first, last, at in told)
    return "; ".join(f"{'-'.join(days)} {at}" for days, at in named)


def begin(
    db: Session, *, site_id: UUID, spans: Iterable[Span], closed: Iterable[date], now: datetime
) -> None:
    """Write down when a site is open for what is planned from now on, and on which days closed."""
    db.execute(delete(SiteHours).where(SiteHours.site_id == site_id))
    row = {"recorded_at": now, "site_id": site_id}
    db.add_all(SiteHours(**row, **span._asdict()) for span in spans)
    db.add_all(SiteClosure(**row, day=day) for day in closed)
    db.flush()


def of(db: Session, site_id: UUID) -> Sequence[SiteHours]:
    """Return the hours of a site, from Monday on."""
    query = select(SiteHours).filter_by(site_id=site_id)
    return db.scalars(query.order_by(SiteHours.weekday, SiteHours.opens)).all()


def closed_days(db: Session, site_id: UUID) -> Sequence[date]:
    """Return the days on which a site is closed, in order."""
    query = select(SiteClosure.day).filter_by(site_id=site_id)
    return db.scalars(query.order_by(SiteClosure.day)).all()
