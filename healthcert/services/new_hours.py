"""Other hours of a site from a day on: what they change is foreseen, then done at once.

Slots that lie within them stay as they are, and nobody there is told. Those outside go over to a
cancelled session beside their own, with whoever is booked in them: so nobody finds them any more,
and the worker books their people anew (`services.rebooking`), as on a day that is closed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.models import Base, ClinicSession, SessionTemplate, Site, Slot, Staff, new_id
from healthcert.models.place import CANCELLABLE
from healthcert.policy import timetable
from healthcert.policy.timetable import Times
from healthcert.services import audit, cancelling, messages, sessions
from healthcert.services import hours as site_hours
from healthcert.services.hours import Version

_Slot = Any  # a row: a slot, and of which session it is
_SESSION, _SLOT = (Base.metadata.tables[name] for name in ("clinic_session", "slot"))
_OF_SESSION = ("site_id", "programme_id", "product_id", "day", "template_id")


@dataclass(frozen=True, slots=True)
class Changed:
    """A session that is planned, and how its slots are brought into line with other hours."""

    about: _Slot  # one of them; what is told of their session is the same in all
    goes: Sequence[_Slot]
    comes: Sequence[Times]
    like: Any  # what has as many places as a slot that comes
    is_over: bool  # whether nothing is left of it


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What other hours change of what is planned."""

    version: Version
    sessions: Sequence[Changed]
    added: Sequence[tuple[SessionTemplate, Mapping[date, Sequence[Times]]]]  # whole sessions
    changed: int  # sessions that have other times
    cancelled: int  # sessions that are over as a whole
    made: int  # sessions on days that had none
    gone: int  # places
    come: int  # places, beside those that stay
    booked: int  # people in what goes


def foreseen(
    db: Session, *, site_id: UUID, hours: str, since: date, country: Country, now: datetime
) -> Foreseen:
    """Return what hours of a site, none for closed, would change from a day on, and change nothing.

    Sessions that have begun keep the times that are past. There are slots of the new hours as far
    as plans have made their sessions; later ones follow when they are made.

    Raises:
        BadInput: The hours cannot be read, or the day is over by the site's clock.
    """
    site, new = db.get_one(Site, site_id), Version(since, tuple(site_hours.read(hours)))
    cancelling.still_to_come(site, "since", since, now)
    known = {one.since: one for one in site_hours.versions(db, site_id=site_id)}
    after = sorted((known | {since: new}).values())
    query = select(SessionTemplate).filter_by(site_id=site_id).order_by(SessionTemplate.id)
    plans = db.scalars(query.execution_options(populate_existing=True)).all()
    rests = sessions.free_days(db, site, country)
    changed = [
        one
        for slots in _planned(db, site_id, since)
        for one in [_changed(slots, site, plans, rests, after, now)]
        if one.goes or one.comes
    ]
    added = [*_added(db, plans, country, since, after, now)]
    over = sum(one.is_over for one in changed)
    gone = [slot for one in changed for slot in one.goes]
    more = [(one.like, one.comes) for one in changed if one.comes]
    more += [(plan, some) for plan, days in added for some in days.values()]
    return Foreseen(
        new, changed, added, changed=len(changed) - over, cancelled=over,
        made=sum(len(days) for _plan, days in added), booked=sum(slot.booked for slot in gone),
        gone=sum(slot.capacity for slot in gone),
        come=sum(like.capacity * len(times) for like, times in more),
    )  # fmt: skip


def begin(
    db: Session, *, site_id: UUID, hours: str, since: date, country: Country, staff: Staff,
    now: datetime,
) -> Foreseen:  # fmt: skip
    """Let hours of a site hold from a day on, and bring what is planned into line; return how.

    Raises:
        BadInput: The hours cannot be read, or the day is over by the site's clock.
    """
    site = db.get_one(Site, site_id, with_for_update=sessions.ALONE)
    its = select(ClinicSession.id).filter_by(site_id=site_id).where(ClinicSession.day >= since)
    its = its.where(ClinicSession.state.in_(CANCELLABLE))
    db.execute(its.with_for_update(key_share=True)).all()
    found = foreseen(db, site_id=site_id, hours=hours, since=since, country=country, now=now)
    before = site_hours.written(site_hours.of(db, site_id, since))
    _take_out(db, [one for one in found.sessions if one.goes and not one.is_over], staff, now)
    over = [one.about.session_id for one in found.sessions if one.is_over]
    cancelling.cancel_all(db, over, staff, now)
    more = [(one.about.session_id, one.like, one.comes) for one in found.sessions]
    sessions.add(db, more, now=now)
    for plan, days in found.added:
        sessions.publish(db, plan, days, now=now)
    site_hours.begin(db, site_id=site_id, spans=found.version.spans, since=since, now=now)
    was = filter(None, re.sub("[ ,]", "/", before).split(";/"))  # a detail is a code
    details = {f"hours_{number}": days[:64] for number, days in enumerate(was)}
    counts = {name: getattr(found, name) for name in ("gone", "come", "booked")}
    details = {"since": since.isoformat(), **details, **counts}
    audit.done(db, "hours_begun", site, details, by=staff, now=now)
    db.flush()
    return found


def _planned(db: Session, site_id: UUID, since: date) -> Iterator[list[_Slot]]:
    """Give the slots of each session that is open from a day on, in their order."""
    its = (getattr(ClinicSession, name) for name in _OF_SESSION)
    told = ("id", "session_id", "starts_at", "ends_at", "booked", *sessions.PLACES)
    query = (
        select(*its, *(getattr(Slot, name) for name in told))
        .join(Slot, Slot.session_id == ClinicSession.id)
        .where(ClinicSession.site_id == site_id, ClinicSession.day >= since)
        .where(ClinicSession.state.in_(CANCELLABLE))
        .order_by(ClinicSession.day, ClinicSession.id, Slot.starts_at)
    )
    for _id, slots in groupby(db.execute(query), attrgetter("session_id")):
        yield list(slots)


def _changed(
    slots: Sequence[_Slot], site: Site, plans: Sequence[SessionTemplate], rests: set[date],
    after: Sequence[Version], now: datetime,
) -> Changed:  # fmt: skip
    about = slots[0]
    spans = site_hours.in_force(after, about.day)
    when = timetable.opened(about.day, spans, ZoneInfo(site.time_zone))
    stays, goes = list[_Slot](), list[_Slot]()
    for slot in slots:
        holds = slot.starts_at <= now or timetable.within((slot.starts_at, slot.ends_at), when)
        (stays if holds else goes).append(slot)
    plan = next((each for each in plans if each.id == about.template_id), None)
    comes: list[Times] = []
    if plan and about.day not in rests:
        there = [(slot.starts_at, slot.ends_at) for slot in stays]
        added = timetable.slots(when, timedelta(minutes=plan.minutes), there)
        comes = [each for each in added if each[0] > now]
    return Changed(about, goes, comes, stays[-1] if stays else plan, not stays and not comes)


def _added(
    db: Session, plans: Sequence[SessionTemplate], country: Country, since: date,
    after: Sequence[Version], now: datetime,
) -> Iterator[tuple[SessionTemplate, dict[date, list[Times]]]]:  # fmt: skip
    """Give what plans have on days without a session, as far as they were made; once a product."""
    taken = set[tuple[UUID, date]]()
    for plan in plans:
        until = plan.made_until or date.min
        days = sessions.foreseen(
            db, plan, country=country, until=until, since=since, known=after
        )  # fmt: skip
        days = {day: [each for each in some if each[0] > now] for day, some in days.items()}
        free = {day for day, some in days.items() if some and (plan.product_id, day) not in taken}
        taken |= {(plan.product_id, day) for day in free}
        yield plan, {day: days[day] for day in sorted(free)}


def _take_out(db: Session, these: Sequence[Changed], staff: Staff, now: datetime) -> None:
    """Put slots into a cancelled session beside their own, in the order of their ids."""
    beside = {one.about.session_id: new_id() for one in these}
    events: list[Mapping[str, object]] = []
    rows = []
    for one in these:
        its, other = one.about.session_id, beside[one.about.session_id]
        same = {name: getattr(one.about, name) for name in _OF_SESSION}
        rows.append({"id": other, "recorded_at": now, "state": "cancelled", **same})
        audit.note(
            db, actor=audit.Actor("staff", staff.id), act="session_narrowed", now=now, rows=events,
            subject=audit.Subject("clinic_session", its), details={"into": other},
        )  # fmt: skip
    out = sorted((slot.id, beside[slot.session_id]) for one in these for slot in one.goes)
    if out:
        db.execute(insert(_SESSION), rows)
        moved = update(_SLOT).where(_SLOT.c.id == bindparam("one"))
        moved = moved.values(session_id=bindparam("other"))
        db.execute(moved, [{"one": one, "other": other} for one, other in out])
        messages.write(db, audit_event=events)
