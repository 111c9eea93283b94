"""A fictitious country at work: sites, open days, staff, lots, people and what they had done.

It is the same for the same seed and first day. Populating again adds the days that came since
and brings people for today; nothing that is there changes.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, func, insert, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Base,
    ClinicSession,
    Dose,
    Identity,
    Lot,
    LotValidity,
    Person,
    Product,
    Programme,
    Site,
    Slot,
    Staff,
    new_id,
)
from healthcert.models.appointment import ACTIVE
from healthcert.services import audit, booking, clinic, history, knowledge, people, vaccination
from healthcert.services.people import Details, IdentityDetails

PEOPLE = 200
DAYS_AHEAD = 14
EXPECTED_TODAY, EXPECTED_LATER = 8, 1  # people a site and day
SERIES, SINGLE = "EU/1/20/1528", "EU/1/20/1525"
LOTS = {SERIES: "CM4821", SINGLE: "JC1307"}
ENDING_LOT, ENDED_LOT = "CM4702", "CM4410"
_ARRIVED = 2  # people at each site, whatever the hour
_SLOT, _CAPACITY = timedelta(minutes=30), 6
_OPENS, _SLOTS_A_DAY = time(8, 30), 15
_LANGUAGES = ("ar", "ar", "fr", "en")

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


@dataclass(frozen=True, slots=True)
class _Scene:
    """What every step of populating needs."""

    db: Session
    vault: Vault
    country: Country
    seed: int
    today: date
    now: datetime
    texts: Mapping[str, Any]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.country.time_zone)

    def chance(self, *what: object) -> random.Random:
        """Return a source of chance that is the same for the same seed and purpose."""
        return random.Random(f"{self.seed}:{what}")  # noqa: S311 - it must be foreseeable


def populate(
    db: Session, *, vault: Vault, country: Country, seed: int, today: date, now: datetime
) -> None:
    """Bring the demonstration to today.

    Args:
        db: A transaction; everything is written or nothing.
        vault: Seals.
        country: Where it plays; its towns have the sites.
        seed: The same gives the same people.
        today: The day at the sites.
        now: The moment written into new rows.
    """
    scene = _Scene(db, vault, country, seed, today, now, _texts())
    knowledge.load(db, now=now)
    first = not db.scalar(select(exists().where(Staff.role == "admin")))
    sites = _sites(scene) if first else list(db.scalars(select(Site).order_by(Site.code)))
    known = _known(scene)
    if first:
        _staff(scene, sites)
        _lots(scene)
        known = _enrolled(scene)
        _past(scene, sites, known)
    days = [today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)]
    for day in _days_to_open(scene, days):
        _open(scene, sites, day)
        if day != today:
            _expect(scene, sites, day, known, EXPECTED_LATER)
    if not _anybody_arrived(scene, today):
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
        staff=[(staff["role"], staff["name"]) for staff in _texts()["staff"]],
    )


@cache
def _texts() -> Mapping[str, Any]:
    text = files("healthcert").joinpath("data", "demo", "people.toml").read_text("utf-8")
    return tomllib.loads(text)


def _sites(scene: _Scene) -> list[Site]:
    names, address = scene.texts["site"]["names"], scene.texts["site"]["address"]
    sites = [
        Site(
            recorded_at=scene.now,
            code=town.code,
            names={lang: names[lang] % town.names[lang] for lang in names},
            address={lang: address[lang] % town.names[lang] for lang in address},
            region=town.region,
            latitude=town.latitude + 0.004,
            longitude=town.longitude + 0.003,
            time_zone=scene.country.time_zone,
            step_free=number % 2 == 0,
        )
        for number, town in enumerate(sorted(scene.country.towns, key=lambda town: town.code))
    ]
    scene.db.add_all(sites)
    scene.db.flush()
    return sites


def _staff(scene: _Scene, sites: list[Site]) -> None:
    """Put one of each role at the first site, and a nurse at each other."""
    roles = [*scene.texts["staff"]]
    roles += [
        {"name": f"Nurse of {site.names['en']}", "role": "nurse", "site": site}
        for site in sites[1:]
    ]
    for person in roles:
        site = person.get("site", sites[0])
        scene.db.add(
            Staff(
                recorded_at=scene.now,
                name=person["name"],
                role=person["role"],
                site_id=None if person["role"] == "admin" else site.id,
            )
        )
        scene.db.flush()


def _lots(scene: _Scene) -> None:
    """Bring in lots: two for a long time, one about to end, one that has ended."""
    ends = {ENDING_LOT: 3, ENDED_LOT: -40}
    products = {product.code: product for product in scene.db.scalars(select(Product))}
    for code, number in [*LOTS.items(), (SERIES, ENDING_LOT), (SERIES, ENDED_LOT)]:
        product = products[code]
        lot = Lot(recorded_at=scene.now, product_id=product.id, number=number, state="released")
        scene.db.add(lot)
        scene.db.flush()
        scene.db.add(
            LotValidity(
                recorded_at=scene.now,
                lot_id=lot.id,
                product_id=product.id,
                since=scene.today - timedelta(days=200),
                released_on=scene.today - timedelta(days=200),
                expires_on=scene.today + timedelta(days=ends.get(number, 400)),
                state="released",
            )
        )
    scene.db.flush()


def _details(scene: _Scene, number: int) -> Details:
    """Return the details of one of the people: numbers kept for fiction, mail to nowhere."""
    chance = scene.chance("person", number)
    sex = chance.choice(("female", "male"))
    given, family = chance.choice(scene.texts[sex]), chance.choice(scene.texts["families"])
    born = date(1938, 1, 1) + timedelta(days=chance.randrange(365 * 68))
    return Details(
        family=family[0],
        given=given[0],
        family_latin=family[1],
        given_latin=given[1],
        birth_date=born.isoformat(),
        sex=sex,
        phone=f"+447700900{number:03}" if number % 5 else "",
        mail=f"{given[1].lower()}.{number}@example.org",
        language=chance.choice(_LANGUAGES),
        identity=IdentityDetails("national", scene.country.code, f"DEMO{number:06}"),
    )


def _enrolled(scene: _Scene) -> list[Person]:
    return [
        people.enrol(scene.db, vault=scene.vault, details=_details(scene, number), now=scene.now)
        for number in range(PEOPLE)
    ]


def _known(scene: _Scene) -> list[Person]:
    """Return the people of the demonstration who are on record, whatever else is."""
    blinds = [
        scene.vault.blind("identity", "national", scene.country.code, f"DEMO{number:06}")
        for number in range(PEOPLE)
    ]
    query = select(Identity.blind, Person).join(Person).where(Identity.blind.in_(blinds))
    found = {row.blind: row.Person for row in scene.db.execute(query)}
    return [found[blind] for blind in blinds if blind in found]


def _past(scene: _Scene, sites: list[Site], known: list[Person]) -> None:
    """Give the doses that people had before the first day, as the clinics recorded them."""
    nurses = {
        staff.site_id: staff for staff in scene.db.scalars(select(Staff).filter_by(role="nurse"))
    }
    products = {product.code: product for product in scene.db.scalars(select(Product))}
    slots: dict[tuple[UUID, date, str], Iterator[Slot]] = {}
    for number, doses in _PAST.items():
        site = sites[number % 2]
        for dose_number, code, lot, before in doses:
            day = scene.today - timedelta(days=before)
            key = (site.id, day, code)
            if key not in slots:
                slots[key] = _places(_open_one(scene, site, products[code], day))
            slot = next(slots[key])
            appointment = booking.take(
                scene.db, vault=scene.vault, person=known[number], slot_id=slot.id,
                dose_number=dose_number, source="web",
                actor=audit.SYSTEM, now=slot.starts_at - timedelta(days=2),
            )  # fmt: skip
            vaccination.record(
                scene.db, vault=scene.vault, appointment_id=appointment.id,
                product_id=products[code].id, lot_text=lot, body_site="LA",
                given_at=slot.starts_at, staff=nurses[site.id], country=scene.country,
                now=slot.starts_at + timedelta(minutes=5),
            )  # fmt: skip


def _days_to_open(scene: _Scene, days: list[date]) -> list[date]:
    query = select(ClinicSession.day).where(ClinicSession.day.in_(days)).distinct()
    opened = set(scene.db.scalars(query))
    return [day for day in days if day not in opened]


def _open(scene: _Scene, sites: list[Site], day: date) -> None:
    """Open every site for a day: all with the series, the first and the last with the single."""
    products = {product.code: product for product in scene.db.scalars(select(Product))}
    for site in sites:
        _open_one(scene, site, products[SERIES], day)
    for site in (sites[0], sites[-1]):
        _open_one(scene, site, products[SINGLE], day)


def _open_one(scene: _Scene, site: Site, product: Product, day: date) -> list[Slot]:
    """Open one site for a day with one product; return its slots."""
    programme_id = scene.db.scalars(select(Programme.id).order_by(Programme.code)).first()
    session = ClinicSession(
        id=new_id(), recorded_at=scene.now, site_id=site.id, programme_id=programme_id,
        product_id=product.id, day=day, state="published",
    )  # fmt: skip
    scene.db.add(session)
    scene.db.flush()
    opens = datetime.combine(day, _OPENS, scene.zone)
    rows = [
        {
            "id": new_id(), "recorded_at": scene.now, "session_id": session.id,
            "starts_at": opens + turn * _SLOT, "ends_at": opens + (turn + 1) * _SLOT,
            "capacity": _CAPACITY, "booked": 0,
        }
        for turn in range(_SLOTS_A_DAY)
    ]  # fmt: skip
    scene.db.execute(insert(Base.metadata.tables["slot"]), rows)
    query = select(Slot).where(Slot.session_id == session.id).order_by(Slot.starts_at)
    return list(scene.db.scalars(query))


def _places(slots: list[Slot]) -> Iterator[Slot]:
    """Yield slots, each as often as it has places."""
    return (slot for slot in slots for _ in range(slot.capacity))


def _expect(scene: _Scene, sites: list[Site], day: date, known: list[Person], number: int) -> None:
    """Book free people for a day, so that each site expects at least so many."""
    chance = scene.chance("day", day)
    free = _free_people(scene, known)
    chance.shuffle(free)
    for site in sites:
        slots = _slots_of(scene, site, day)
        for turn in range(max(0, number - _expected(scene, site, day))):
            slot = slots[(turn * 2 + chance.randrange(2)) % len(slots)]
            _book_one(scene, free, slot, day)


def _book_one(scene: _Scene, free: list[Person], slot: Slot, day: date) -> None:
    """Book the first of the free people whose next dose of a series may be given that day."""
    programme_id = scene.db.scalars(select(Programme.id).order_by(Programme.code)).one()
    for person in free:
        due = history.next_dose(scene.db, person_id=person.id, programme_id=programme_id, today=day)
        if not due.booster and due.earliest <= day:
            free.remove(person)
            booking.take(
                scene.db, vault=scene.vault, person=person, slot_id=slot.id,
                dose_number=due.number, source="web", actor=audit.SYSTEM,
                now=slot.starts_at - timedelta(days=1),
            )  # fmt: skip
            return


def _arrivals(scene: _Scene, sites: list[Site]) -> None:
    """Let half of those whose time has come arrive, and two of each site in any case."""
    nurses = {
        staff.site_id: staff for staff in scene.db.scalars(select(Staff).filter_by(role="nurse"))
    }
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


def _anybody_arrived(scene: _Scene, day: date) -> bool:
    query = _of_day(day).where(Appointment.state.in_(("arrived", "vaccinated", "not_vaccinated")))
    return scene.db.scalar(query.limit(1)) is not None


def _expected(scene: _Scene, site: Site, day: date) -> int:
    query = _of_day(day).where(ClinicSession.site_id == site.id, Appointment.state.in_(ACTIVE))
    return scene.db.scalar(select(func.count()).select_from(query.subquery())) or 0


def _of_day(day: date) -> Select[UUID]:
    return (
        select(Appointment.id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(ClinicSession.day == day)
    )


def _slots_of(scene: _Scene, site: Site, day: date) -> list[Slot]:
    query = (
        select(Slot)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .where(ClinicSession.site_id == site.id, ClinicSession.day == day)
        .where(Product.code == SERIES)
        .order_by(Slot.starts_at)
    )
    return list(scene.db.scalars(query))


def _free_people(scene: _Scene, known: list[Person]) -> list[Person]:
    active = select(Appointment.person_id).where(Appointment.state.in_(ACTIVE))
    busy = set(scene.db.scalars(active))
    return [person for person in known if person.id not in busy]
