"""When a site is open: its hours by weekday, on its own clock, and the days it is closed.

Hours hold from a day until newer ones begin; those that no longer hold stay on record.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import SiteClosure, SiteHours

ALWAYS = date.min  # since when the first hours of a site hold
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


class Span(NamedTuple):
    """One stretch of a weekday on which a site is open."""

    weekday: int  # ISO 8601
    opens: time
    closes: time


class Version(NamedTuple):
    """The hours of a site from a day on; where there are no spans, it is closed from then on."""

    since: date
    spans: tuple[Span, ...]

    @property
    def hours(self) -> str:
        """Return them as `read` reads them."""
        return written(self.spans)


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


def _told(span: Span) -> str:
    return f"{span.opens:%H:%M}-{span.closes:%H:%M}"


def written(spans: Iterable[Span]) -> str:
    """Return hours as `read` reads them; alike days that follow each other are told at once."""
    told: list[tuple[int, int, str]] = []  # from which weekday to which, and the times
    for day, those in groupby(spans, attrgetter("weekday")):
        times = ",".join(map(_told, those))
        alike = bool(told) and told[-1][1:] == (day - 1, times)
        told.append((told.pop()[0] if alike else day, day, times))
    named = ((dict.fromkeys((_DAYS[first - 1], _DAYS[last - 1])), at) for first, last, at in told)
    return "; ".join(f"{'-'.join(days)} {at}" for days, at in named)


def begin(
    db: Session, *, site_id: UUID, spans: Sequence[Span], closed: Iterable[date] = (),
    since: date = ALWAYS, now: datetime,
) -> None:  # fmt: skip
    """Write down when a site is open from a day on, and on which days it is closed.

    Hours that were to begin on the same day go; what is planned by them is not looked at.
    """
    db.execute(delete(SiteHours).where(SiteHours.site_id == site_id, SiteHours.since == since))
    row = {"recorded_at": now, "site_id": site_id}
    told = [span._asdict() for span in spans] or [dict.fromkeys(Span._fields)]
    db.add_all(SiteHours(**row, since=since, **each) for each in told)
    db.add_all(SiteClosure(**row, day=day) for day in closed)
    db.flush()


def versions(db: Session, *, site_id: UUID) -> list[Version]:
    """Return the hours of a site as they were, are and will be, in the order of their days."""
    columns = (SiteHours.since, *(getattr(SiteHours, name) for name in Span._fields))
    query = select(*columns).where(SiteHours.site_id == site_id).order_by(*columns[:3])
    return [
        Version(since, tuple(Span(*told) for _since, *told in rows if told[0]))
        for since, rows in groupby(db.execute(query), itemgetter(0))
    ]


def in_force(known: Iterable[Version], day: date) -> tuple[Span, ...]:
    """Return the hours that hold on a day, of versions in the order of their days."""
    return next((one.spans for one in reversed([*known]) if one.since <= day), ())


def of(db: Session, site_id: UUID, day: date) -> tuple[Span, ...]:
    """Return the hours of a site that hold on a day, from Monday on."""
    return in_force(versions(db, site_id=site_id), day)


def closed_days(db: Session, site_id: UUID) -> Sequence[date]:
    """Return the days on which a site is closed, in order."""
    query = select(SiteClosure.day).filter_by(site_id=site_id)
    return db.scalars(query.order_by(SiteClosure.day)).all()
