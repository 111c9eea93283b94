"""Sessions and their slots, made ahead from templates: within the hours of a site, on its days.

What is there already stays as it is, so that making them again adds only what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound
from healthcert.models import (
    Base,
    ClinicSession,
    Product,
    SessionTemplate,
    Site,
    SiteHours,
    Staff,
    new_id,
    upsert,
)
from healthcert.models.place import KEPT
from healthcert.services import audit, hours, knowledge

LONGEST = timedelta(days=731)  # of a template
MOST = 1000  # people in a slot
_MINUTES = range(5, 61)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a template is to say."""

    site_id: UUID
    programme_id: UUID
    product_id: UUID
    weekdays: Collection[int]  # ISO 8601: 1 is Monday
    first: date
    last: date
    minutes: int = 15  # of a slot
    capacity: int = 4  # of a slot
    kept: Mapping[str, int] = field(default_factory=dict)  # places of each of `KEPT`
    published: bool = True  # whether what is made may be booked at once


def begin(db: Session, wanted: Wanted, *, staff: Staff | None, now: datetime) -> SessionTemplate:
    """Return a new template, of which nothing is made yet.

    Raises:
        BadInput: Some of it cannot be.
        NotFound: The site, programme or product is not there, or the programme gives another.
    """
    _refuse_wrong(wanted)
    products = knowledge.programme_content(db, wanted.programme_id)["products"]
    product = db.get(Product, wanted.product_id)
    if product is None or product.code not in products or db.get(Site, wanted.site_id) is None:
        raise NotFound
    template = SessionTemplate(
        recorded_at=now, site_id=wanted.site_id, programme_id=wanted.programme_id,
        product_id=wanted.product_id, weekdays=sum(1 << day - 1 for day in set(wanted.weekdays)),
        first_day=wanted.first, last_day=wanted.last, minutes=wanted.minutes,
        capacity=wanted.capacity, published=wanted.published,
        **{f"kept_{pool}": wanted.kept.get(pool, 0) for pool in KEPT},
    )  # fmt: skip
    db.add(template)
    db.flush()
    audit.done(db, "template_begun", template, {"site": template.site_id}, by=staff, now=now)
    return template


def _refuse_wrong(wanted: Wanted) -> None:
    kept = wanted.kept.values()
    wrong = {
        "weekdays": not wanted.weekdays or not set(wanted.weekdays) <= set(range(1, 8)),
        "last": not wanted.first <= wanted.last <= wanted.first + LONGEST,
        "minutes": wanted.minutes not in _MINUTES,
        "capacity": not 1 <= wanted.capacity <= MOST,
        "kept": any(places < 0 for places in kept) or sum(kept) > wanted.capacity,
    }
    if any(wrong.values()):
        raise BadInput({name: "not_a_choice" for name, bad in wrong.items() if bad})


def foreseen(
    db: Session, template: SessionTemplate, *, country: Country, until: date
) -> dict[date, list[tuple[datetime, datetime]]]:
    """Return what making a template's sessions would add: by day, when each slot begins and ends.

    Left out are days on which the site is closed or the country rests, and those that have a
    session of the product. Slots are as long by the clock that never changes, also on the days
    on which the clock on the wall does.
    """
    site = db.get_one(Site, template.site_id)
    taken = select(ClinicSession.day).filter_by(site_id=site.id, product_id=template.product_id)
    rests = {*hours.closed_days(db, site.id), *country.holidays, *db.scalars(taken)}
    spans, zone = hours.of(db, site.id), ZoneInfo(site.time_zone)
    length, found = timedelta(minutes=template.minutes), {}
    first, last = template.first_day, min(until, template.last_day)
    for day in (first + timedelta(days=ahead) for ahead in range((last - first).days + 1)):
        if day in rests or not template.weekdays >> day.isoweekday() - 1 & 1:
            continue
        times = [_times(day, span, zone) for span in spans if span.weekday == day.isoweekday()]
        found[day] = [
            (opens + length * n, opens + length * (n + 1))
            for opens, closes in times
            for n in range((closes - opens) // length)
        ]
    return {day: slots for day, slots in found.items() if slots}


def _times(day: date, span: SiteHours, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opens, closes = (datetime.combine(day, at, zone) for at in (span.opens, span.closes))
    return opens.astimezone(UTC), closes.astimezone(UTC)


def make(
    db: Session, *, template_id: UUID, country: Country, until: date, now: datetime
) -> list[date]:
    """Make the sessions of a template that are missing up to a day; return the days they are on.

    Raises:
        NotFound: No such template.
    """
    template = db.get(SessionTemplate, template_id, with_for_update=True, populate_existing=True)
    if template is None:
        raise NotFound
    days = foreseen(db, template, country=country, until=until)
    same = {
        "recorded_at": now, "site_id": template.site_id, "programme_id": template.programme_id,
        "product_id": template.product_id, "template_id": template.id,
        "state": "published" if template.published else "draft",
    }  # fmt: skip
    places = {f"kept_{pool}": getattr(template, f"kept_{pool}") for pool in KEPT}
    rows = [{"id": new_id(), "day": day, **same} for day in days]
    added: dict[date, UUID] = {}
    if rows:  # what another template makes meanwhile is left to it
        made = upsert(db, "clinic_session").values(rows).on_conflict_do_nothing()
        added = dict(db.execute(made.returning(ClinicSession.day, ClinicSession.id)).all())
    slots = [
        {
            "id": new_id(), "recorded_at": now, "session_id": session_id, "starts_at": starts,
            "ends_at": ends, "capacity": template.capacity, **places,
        }
        for day, session_id in added.items()
        for starts, ends in days[day]
    ]  # fmt: skip
    if slots:
        db.execute(insert(Base.metadata.tables["slot"]), slots)
    template.made_until = max(until, template.made_until or until)
    db.flush()
    return sorted(added)


def horizon(country: Country, today: date) -> date:
    """Return the day up to which a country has its sessions made."""
    return today + timedelta(weeks=country.weeks_ahead)


def behind(db: Session, *, until: date) -> Sequence[UUID]:
    """Return the templates of which sessions up to a day are still to be made."""
    made = SessionTemplate.made_until
    query = select(SessionTemplate.id).where(or_(made.is_(None), made < until))
    query = query.where(or_(made.is_(None), made < SessionTemplate.last_day))
    return db.scalars(query.where(SessionTemplate.first_day <= until)).all()
