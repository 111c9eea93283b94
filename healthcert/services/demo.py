"""A fictitious country at work: sites, open days, staff, lots, people and what they had done.

It is the same for the same seed and first day. Populating again adds the days that came since
and brings people for today; nothing that is there changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, ClinicSession, Dose, Person, Programme, Site, Slot, Staff
from healthcert.models.appointment import ACTIVE
from healthcert.services import (
    audit,
    booking,
    clinic,
    fiction,
    history,
    knowledge,
    people,
    planning,
    sessions,
    vaccination,
)
from healthcert.services.facts import Told
from healthcert.services.fiction import ENDED_LOT, SERIES, SINGLE, Scene

DAYS_AHEAD = 14  # on which people are booked; the sessions go as far as those of the country
EXPECTED_TODAY, EXPECTED_LATER = 8, 1  # people a site and day
_ARRIVED = 2  # people at each site, whatever the hour
_IS_ACTIVE = Appointment.state.in_(ACTIVE)

# What people had before the first day: (booked as dose, product, lot, days before), by person.
_BOTH = ((1, SERIES, "CM4821", 56), (2, SERIES, "CM4821", 35))
_PAST: Mapping[int, tuple[tuple[int, str, str, int], ...]] = {
    **dict.fromkeys(range(14), _BOTH),
    **dict.fromkeys(range(14, 26), ((1, SERIES, "CM4821", 28),)),
    **dict.fromkeys(range(26, 31), ((1, SINGLE, "JC1307", 28),)),
    31: ((1, SERIES, "CM4821", 35), (3, SERIES, "CM4821", 28)),  # too early
    32: ((1, SERIES, "CM9999", 35),),  # a lot that nobody knows
    33: ((1, SERIES, ENDED_LOT, 35),),  # out of date
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Whom to be in the demonstration: a citizen with a certificate, and the staff."""

    reference: str
    birth_date: str
    staff: list[tuple[str, str]]


def populate(
    db: Session, *, vault: Vault, country: Country, seed: int, today: date, now: datetime
) -> None:
    """Bring the demonstration to the day at the sites; the towns of the country have them."""
    scene = Scene(db, vault, country, seed, today, now, fiction.texts())
    knowledge.load(db, now=now)
    first = not db.scalar(select(exists().where(Staff.role == "admin")))
    sites = fiction.sites(scene) if first else list(db.scalars(select(Site).order_by(Site.code)))
    known = fiction.known(scene)
    if first:
        fiction.staff(scene, sites)
        fiction.stock_up(scene, sites)
        known = fiction.enrolled(scene)
        _past(scene, sites, known)
        _plan(scene, sites)
    _make(scene)
    for ahead in range(1, DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if db.scalar(_of_day(day).limit(1)) is None:
            _expect(scene, sites, day, known, EXPECTED_LATER)
    came = Appointment.state.in_(("arrived", "vaccinated", "not_vaccinated"))
    if db.scalar(_of_day(today).where(came).limit(1)) is None:
        _expect(scene, sites, today, known, EXPECTED_TODAY)
        _arrivals(scene, sites)


def shown(db: Session, *, vault: Vault) -> Shown:
    """Return whom a visitor of the demonstration may play."""
    held = (
        select(Appointment, Person)
        .join(Dose, Dose.appointment_id == Appointment.id)
        .join(Person, Person.id == Appointment.person_id)
        .order_by(Dose.id)
        .limit(1)
    )
    appointment, person = db.execute(held).one()
    return Shown(
        reference=appointment.reference,
        birth_date=people.details_of(vault, person).birth_date,
        staff=[(staff["role"], staff["name"]) for staff in fiction.texts()["staff"]],
    )


def _past(scene: Scene, sites: list[Site], known: list[Person]) -> None:
    """Give the doses that people had before the first day, as the clinics recorded them."""
    nurses, products = scene.nurses, scene.products
    slots: dict[tuple[UUID, date, str], Iterator[Slot]] = {}
    for number, doses in _PAST.items():
        site = sites[number % 2]
        for dose_number, code, lot, before in doses:
            day = scene.today - timedelta(days=before)
            key = (site.id, day, code)
            if key not in slots:
                opened = fiction.opened(scene, site, products[code], day, day)
                slots[key] = (slot for slot in opened for _ in range(slot.places()))
            slot = next(slots[key])
            appointment = booking.take(
                scene.db, vault=scene.vault, person_id=known[number].id, slot_id=slot.id,
                dose_number=dose_number, source="web",
                actor=audit.SYSTEM, now=slot.starts_at - timedelta(days=2),
            )  # fmt: skip
            vaccination.record(
                scene.db, vault=scene.vault, appointment_id=appointment.id,
                product_id=products[code].id, told=Told(lot, "LA", slot.starts_at),
                staff=nurses[site.id], country=scene.country,
                now=slot.starts_at + timedelta(minutes=5),
            )  # fmt: skip


def _plan(scene: Scene, sites: list[Site]) -> None:
    """Plan the series at every site, and the single at the first and the last."""
    products = scene.products
    last = scene.today + sessions.LONGEST
    for site in sites:
        fiction.planned(scene, site, products[SERIES], scene.today, last)
    for site in (sites[0], sites[-1]):
        fiction.planned(scene, site, products[SINGLE], scene.today, last)


def _make(scene: Scene) -> None:
    """Make the sessions that the worker would make."""
    until = sessions.horizon(scene.country, scene.today)
    for template_id in sessions.behind(scene.db, until=until):
        sessions.make(
            scene.db, template_id=template_id, country=scene.country, until=until, now=scene.now
        )


def _expect(scene: Scene, sites: list[Site], day: date, known: list[Person], number: int) -> None:
    """Book free people for a day, so that each site expects at least so many."""
    chance = scene.chance("day", day)
    product = scene.products[SERIES]
    busy = set(scene.db.scalars(select(Appointment.person_id).where(_IS_ACTIVE)))
    free = [person for person in known if person.id not in busy]
    chance.shuffle(free)
    for site in sites:
        slots = planning.slots_of(scene.db, site_id=site.id, product_id=product.id, day=day)
        for turn in range(max(0, number - _expected(scene, site, day)) if slots else 0):
            slot = slots[(turn * 2 + chance.randrange(2)) % len(slots)]
            _book_one(scene, free, slot, day)


def _book_one(scene: Scene, free: list[Person], slot: Slot, day: date) -> None:
    """Book the first of the free people whose next dose of a series may be given that day."""
    programme_id = scene.db.scalars(select(Programme.id).order_by(Programme.code)).one()
    for person in free:
        birth_date = people.details_of(scene.vault, person).birth_date
        due = history.outlook(
            scene.db, person_id=person.id, birth_date=birth_date,
            programme_id=programme_id, today=day,
        ).next  # fmt: skip
        if due and not due.booster and due.earliest <= day:
            free.remove(person)
            booking.take(
                scene.db, vault=scene.vault, person_id=person.id, slot_id=slot.id,
                dose_number=due.number, source="web", actor=audit.SYSTEM,
                now=slot.starts_at - timedelta(days=1),
            )  # fmt: skip
            return


def _arrivals(scene: Scene, sites: list[Site]) -> None:
    """Let half of those whose time has come arrive, and two of each site in any case."""
    nurses = scene.nurses
    for site in sites:
        expected = clinic.day_list(scene.db, vault=scene.vault, site_id=site.id, day=scene.today)
        for turn, line in enumerate(expected):
            if line.state == "booked" and (
                turn < _ARRIVED or (line.starts_at <= scene.now and turn % 2)
            ):
                clinic.arrive(
                    scene.db, appointment_id=line.appointment_id, site_id=site.id,
                    staff_id=nurses[site.id].id, now=scene.now,
                )  # fmt: skip


def _expected(scene: Scene, site: Site, day: date) -> int:
    query = _of_day(day).where(ClinicSession.site_id == site.id, _IS_ACTIVE)
    return scene.db.scalar(select(func.count()).select_from(query.subquery())) or 0


def _of_day(day: date) -> Select[UUID]:
    return (
        select(Appointment.id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(ClinicSession.day == day)
    )
