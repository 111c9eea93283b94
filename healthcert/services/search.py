"""Find free places, the nearest first.

Sites tell their first free slots by ids, and only those that are shown are read. The same SQL runs
on both engines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import Session

from healthcert.models import ClinicSession, Product, Site, Slot
from healthcert.services import free_slots, knowledge
from healthcert.services.free_slots import Wanted
from healthcert.services.near import Point, km, told_by_nearest
from healthcert.services.places import pools_of
from healthcert.services.scenes import place_of

_A_SITE_AT_MOST = 5  # slots of one site among the nearest, so that others show too


class Needs(NamedTuple):
    """What somebody needs of a site, and of the time of day."""

    step_free: bool = False
    language: str | None = None  # spoken there, ISO 639-1
    female_vaccinator: bool = False
    facilities: tuple[str, ...] = ()  # of `place.FACILITIES`, all of them
    hours: tuple[time, time] | None = None  # begins from .. before, on the site's clock


_NONE = Needs()


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot with places left, or adjacent slots of one session that take a party together."""

    slot_ids: tuple[UUID, ...]  # what to book, one for each person
    site: Site  # where
    distance_km: float  # as the crow flies
    day: date  # the day at the site
    starts_at: datetime  # aware
    ends_at: datetime  # aware; of the last of the slots
    places: int  # how many are left in these slots
    product: str  # what is given, its name
    product_id: UUID
    min_age: int  # years

    @property
    def slot_id(self) -> UUID:
        """The slot of the first person."""
        return self.slot_ids[0]


def nearest_free(  # noqa: PLR0913 - all that one may ask for
    db: Session,
    *,
    programme_id: UUID,
    near: Point,
    now: datetime,
    limit: int,
    birth_date: str | None = None,
    dose_number: int = 1,
    places: int = 1,
    needs: Needs = _NONE,
    days: tuple[date, date] | None = None,
    site_id: UUID | None = None,
    product_id: UUID | None = None,
    source: str = "web",
) -> list[FreeSlot]:
    """Return free slots of the nearest sites that have any, each site's earliest, a few a site.

    `days` are the first and the last. Slots that have begun are left out, and products that
    somebody of the birth date is too young for. Who books by `source`, or looks for a second
    dose, also sees the places kept for that. A party of `places` sees slots that begin a stretch
    of adjacent ones which takes it.
    """
    ages = None if birth_date is None else free_slots.ages_reached(db, birth_date, now)
    wanted = Wanted(
        programme_id, now, pools_of(source, dose_number), places, needs.hours, days, product_id,
        ages=ages,
    )  # fmt: skip
    few = free_slots.starts(wanted).limit(_A_SITE_AT_MOST).subquery()
    ids = select(func.aggregate_strings(cast(few.c.id, String), " ")).scalar_subquery()
    found: list[UUID] = []
    for told in told_by_nearest(db, near, [*_fit(needs, site_id)], ids, first=limit):
        found += [UUID(each) for each in (told or "").split()]
        if len(found) >= limit:
            break
    return _offers(db, wanted, found[:limit], near)


def second_dose(
    db: Session, *, slot_id: UUID, dose_number: int, places: int = 1, now: datetime,
    source: str = "web",
) -> FreeSlot | None:  # fmt: skip
    """Return where those who get a dose in a slot could get the next one of the same product.

    It is at the same site, on the first day from the interval to aim at on, else from the least
    one, at the nearest time of day. None where that dose ends its series, or all is full.
    `dose_number` is that of the dose given in the slot.

    Raises:
        NotFound: No such slot is open for booking.
    """
    first = place_of(db, slot_id)
    slot, session, site = first.slot, first.session, first.site
    rule = knowledge.rule_of(db, session.product_id).series
    if dose_number >= rule.doses:
        return None
    least, last = rule.days_after(session.day)
    for begins in (session.day + timedelta(rule.target_interval), least):
        wanted = Wanted(
            session.programme_id, now, pools_of(source, dose_number + 1), places,
            days=(begins, last), product_id=session.product_id, site_id=site.id,
        )  # fmt: skip
        starts = free_slots.starts(wanted).subquery()
        first_day = select(func.min(starts.c.day)).scalar_subquery()
        rows = db.execute(select(starts).where(starts.c.day == first_day)).all()
        if rows:
            wish = _minutes(slot.starts_at, site.time_zone)
            apart = [abs(_minutes(row.starts_at, site.time_zone) - wish) for row in rows]
            nearest = rows[apart.index(min(apart))].id
            return _offers(db, wanted, [nearest], (site.latitude, site.longitude))[0]
    return None


def _minutes(at: datetime, zone: str) -> int:
    local = at.astimezone(ZoneInfo(zone))
    return 60 * local.hour + local.minute


def _fit(needs: Needs, site_id: UUID | None) -> Iterator[ColumnElement[bool]]:
    """Give what a site must be; lists of codes are searched in their JSON text."""
    if site_id:
        yield Site.id == site_id
    if needs.step_free:
        yield Site.step_free.is_(True)
    if needs.female_vaccinator:
        yield Site.female_vaccinator.is_(True)
    if needs.language:
        yield cast(Site.languages, String).contains(f'"{needs.language}"', autoescape=True)
    for facility in needs.facilities:
        yield cast(Site.facilities, String).contains(f'"{facility}"', autoescape=True)


def _offers(db: Session, wanted: Wanted, ids: Sequence[UUID], near: Point) -> list[FreeSlot]:
    """Return the slots that were found in full, in their order, but those taken meanwhile."""
    if not ids:
        return []
    query = free_slots.free(wanted, Slot, ClinicSession, Product, Site)
    whole = select(Slot.session_id).where(Slot.id.in_(ids))
    these = Slot.id.in_(ids) if wanted.places == 1 else Slot.session_id.in_(whole)
    rows = db.execute(query.where(these).order_by(Slot.session_id, Slot.starts_at)).all()
    at = {row[0].id: turn for turn, row in enumerate(rows)}
    offers = (_offer(rows[at[each] :], wanted, near) for each in ids if each in at)
    return [offer for offer in offers if len(offer.slot_ids) == wanted.places]


def _offer(rows: Sequence[Any], wanted: Wanted, near: Point) -> FreeSlot:
    """Return an offer for as many people, who take the slots that follow one after the other."""
    first, session, product, site = rows[0]
    free = chain.from_iterable([row[0]] * row[0].places(wanted.pools) for row in rows)
    people = list(islice(free, wanted.places))
    taken = list(dict.fromkeys(people))
    return FreeSlot(
        tuple(slot.id for slot in people), site, km(near, site), session.day, first.starts_at,
        taken[-1].ends_at, sum(slot.places(wanted.pools) for slot in taken), product.name,
        product.id, product.min_age_years,
    )  # fmt: skip
