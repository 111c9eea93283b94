"""Sessions and their slots, made ahead from templates: within the hours of a site, on its days.

What is there already stays as it is, so that making them again adds only what is missing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound, there
from healthcert.models import Base, ClinicSession, Site, Staff, new_id, upsert
from healthcert.models.place import KEPT, SessionTemplate
from healthcert.policy import timetable
from healthcert.policy.timetable import Times
from healthcert.services import audit, hours, knowledge, resting
from healthcert.services.hours import Version
from healthcert.services.part import Part

LONGEST = timedelta(days=731)  # of a template
MOST = 1000  # people in a slot
PLACES = ("capacity", *(f"kept_{pool}" for pool in KEPT))
_DAY = timedelta(days=1)
ALONE = {"key_share": True}  # how a site is locked, so that nobody else plans or closes a day there


def refuse_wrong(db: Session, template: SessionTemplate) -> None:
    """Refuse a template that cannot be.

    Raises:
        BadInput: Some of it cannot be.
        NotFound: The programme does not give the product.
    """
    kept = {f"kept_{pool}": getattr(template, f"kept_{pool}") or 0 for pool in KEPT}
    named = (min if min(kept.values()) < 0 else max)(kept, key=lambda name: kept[name])
    last = template.first_day + LONGEST
    right = {
        ("weekdays", "not_a_choice"): 0 < template.weekdays < 1 << 7,
        ("last_day", "not_a_span"): template.first_day <= template.last_day <= last,
        ("minutes", "not_a_length"): 5 <= template.minutes <= 60,  # noqa: PLR2004 - of an hour
        ("capacity", "not_a_count"): 1 <= template.capacity <= MOST,
        (named, "kept_too_many"): kept[named] >= 0 and sum(kept.values()) <= template.capacity,
    }
    if not all(right.values()):
        raise BadInput(dict(wrong for wrong, fits in right.items() if not fits))
    given = [(one.id, product.id) for one, product in knowledge.offered(db)]
    if (template.programme_id, template.product_id) not in given:
        raise NotFound


def begin(
    db: Session, template: SessionTemplate, *, staff: Staff | None, now: datetime
) -> SessionTemplate:
    """Return a template that is now on record; nothing is made by it yet. Refuses what is wrong."""
    refuse_wrong(db, template)
    template.recorded_at = now
    db.add(template)
    db.flush()
    audit.done(db, "template_begun", template, {"site": template.site_id}, by=staff, now=now)
    return template


def templates(db: Session, *, site_ids: Collection[UUID], part: Part) -> Sequence[SessionTemplate]:
    """Return the templates of some sites, in the order in which they were begun."""
    query = select(SessionTemplate).where(SessionTemplate.site_id.in_(site_ids))
    return db.scalars(part.of(query, SessionTemplate.id)).all()


def foreseen(
    db: Session, template: SessionTemplate, *, country: Country, until: date,
    since: date = date.min, known: Sequence[Version] | None = None,
) -> dict[date, list[Times]]:  # fmt: skip
    """Return what making a template's sessions would add: by day, when each slot begins and ends.

    Left out are days on which the site is closed, the country rests or a holiday is declared, and
    those that have a session of the product, or had one that was given up since the template was
    begun. The hours are those in force on each day, of those `known`, else of those on record.
    """
    site = db.get_one(Site, template.site_id)
    taken = select(ClinicSession.day).filter_by(site_id=site.id, product_id=template.product_id)
    given_up = ClinicSession.given_up_at >= template.recorded_at
    taken = taken.where((ClinicSession.state != "cancelled") | given_up)
    rests = free_days(db, site, country) | {*db.scalars(taken)}
    known = hours.versions(db, site_id=site.id) if known is None else known
    length, zone, found = timedelta(minutes=template.minutes), ZoneInfo(site.time_zone), {}
    ended = template.ended_from or date.max
    first, last = max(since, template.first_day), min(until, template.last_day, ended - _DAY)
    for day in (first + timedelta(days=ahead) for ahead in range((last - first).days + 1)):
        if day not in rests and template.weekdays >> day.isoweekday() - 1 & 1:
            when = timetable.opened(day, hours.in_force(known, day), zone)
            found[day] = [*timetable.slots(when, length)]
    return {day: times for day, times in found.items() if times}


def free_days(db: Session, site: Site, country: Country) -> set[date]:
    """Return the days on which a site is closed, the country rests or a holiday is declared."""
    declared = (each.day for each in resting.at(db, site))
    return {*hours.closed_days(db, site.id), *country.holidays, *declared}


def make(
    db: Session, *, template_id: UUID, country: Country, until: date, now: datetime
) -> list[date]:
    """Make the sessions of a template that are missing up to a day; return the days they are on.

    Raises:
        NotFound: No such template.
    """
    template = there(db.get(SessionTemplate, template_id))
    db.get_one(Site, template.site_id, with_for_update=ALONE)
    db.refresh(template)
    days = foreseen(db, template, country=country, until=until)
    added = publish(db, template, days, now=now)
    # Of a holiday that the worker has still to close nobody knows yet whether it is withdrawn.
    here = [template.site_id]
    open_still = [day for _, day, _ in resting.to_close(db, now=now, site_ids=here)]
    made = min([until, *(day - _DAY for day in open_still)])
    template.made_until = max(made, template.made_until or made)
    db.flush()
    return added


def publish(
    db: Session, template: SessionTemplate, days: Mapping[date, Sequence[Times]], *, now: datetime
) -> list[date]:
    """Write sessions of a template with these slots, where there are none; return their days."""
    same = {
        "recorded_at": now, "site_id": template.site_id, "programme_id": template.programme_id,
        "product_id": template.product_id, "template_id": template.id, "state": "published",
    }  # fmt: skip
    added: dict[date, UUID] = {}
    if days:
        made = upsert(db, "clinic_session").on_conflict_do_nothing()
        made = made.values([{"id": new_id(), "day": day, **same} for day in days])
        added = dict(db.execute(made.returning(ClinicSession.day, ClinicSession.id)).all())
    add(db, [(added[day], template, days[day]) for day in added], now=now)
    return sorted(added)


def add(db: Session, added: Iterable[tuple[UUID, Any, Iterable[Times]]], *, now: datetime) -> None:
    """Write slots of sessions, each with as many places as a template, or another slot, has."""
    rows = [
        {
            "id": new_id(), "recorded_at": now, "session_id": session_id, "starts_at": starts,
            "ends_at": ends, **{name: getattr(like, name) for name in PLACES},
        }
        for session_id, like, times in added
        for starts, ends in times
    ]  # fmt: skip
    if rows:
        db.execute(insert(Base.metadata.tables["slot"]), rows)


def horizon(country: Country, today: date) -> date:
    """Return the day up to which a country has its sessions made."""
    return today + timedelta(weeks=country.weeks_ahead)


def behind(db: Session, *, until: date) -> Sequence[UUID]:
    """Return the templates of which sessions up to a day are still to be made."""
    made = SessionTemplate.made_until
    ends = func.coalesce(SessionTemplate.ended_from, SessionTemplate.last_day)
    query = select(SessionTemplate.id).where(SessionTemplate.first_day <= until)
    return db.scalars(query.where(made.is_(None) | ((made < until) & (made < ends)))).all()
