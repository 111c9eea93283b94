"""Thirty days of booking, coming, not coming, doses, mistakes and corrections.

Every deed is a transaction of its own through the services, as the doors do it, and the evening's
work is the worker's own jobs. The same seed gives the same month. What people and clinics do wrong
is part of it; `mishaps` has what goes beyond an ordinary visit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial
from random import Random
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import Refusal
from healthcert.jobs import certificates, keys, lots, outbox, retention, sealing
from healthcert.models import (
    Appointment,
    Dose,
    Lot,
    Product,
    Programme,
    Site,
    Slot,
    Staff,
    Stock,
)
from healthcert.parts import Parts
from healthcert.services import (
    booking,
    clinic,
    fiction,
    knowledge,
    moving,
    stock,
    sweeping,
    vaccination,
)
from healthcert.services.facts import Told
from healthcert.services.fiction import ENDED_LOT, LOTS, SERIES, SINGLE, Scene
from healthcert.services.people import Details, IdentityDetails
from healthcert.services.stock import Shelf
from tests.month.families import Families
from tests.month.mishaps import Mishaps
from tests.services.clinic import book_for

DAYS = 30
FIRST = date(2026, 3, 2)
NO_LOT = "NOBODY1"
_BOOKED_AHEAD = 3  # days
_WAITS = (21, 28, 14)  # days until the second dose; the last is too early, given all the same
_OPENS, _EVENING = time(8), time(22)
_AFTER = 40  # days after the first: when texts of the month's first days are let go

T = TypeVar("T")


@dataclass
class Month:
    """What the month is played with, and what came of it.

    Attributes:
        tally: Deeds done and refusals met, by name.
        shelves: What really lies at each site of each lot, counted by hand.
        who: The people on record, as they told of themselves.
    """

    parts: Parts
    people: int
    site_count: int
    seed: int
    tally: Counter[str] = field(default_factory=Counter)
    shelves: Counter[Shelf] = field(default_factory=Counter)
    who: dict[UUID, Details] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    bad_lot: str = ""
    _visits: int = 0
    _codes: dict[UUID, str] = field(default_factory=dict)  # product of each slot
    _slots: dict[tuple[date, UUID, str], list[Slot]] = field(default_factory=dict)
    _due: dict[date, list[Callable[[datetime], object]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make what follows from the parts."""
        self.chance = Random(self.seed)
        self.zone = ZoneInfo(self.parts.country.time_zone)
        self.vault, self.country = self.parts.vault, self.parts.country
        self.mishaps, self.families = Mishaps(self), Families(self)
        self.box = max(100, self.people // 10)  # doses of a delivery

    def play(self) -> None:
        """Play the whole month, and the days after it in which the worker works alone."""
        self._open()
        for number in range(DAYS):
            self._day(number)
            self._evening(number)
        for number in range(DAYS, _AFTER + 1):
            self._evening(number)

    def _open(self) -> None:
        """Make sites, staff, lots and stock, as the demonstration has them."""
        now = self.at(FIRST, _OPENS)

        def work(db: Session) -> list[Site]:
            knowledge.load(db, now=now)
            scene = self._scene(db, now)
            sites = fiction.sites(scene)[: self.site_count]
            fiction.staff(scene, sites)
            fiction.stock_up(scene, sites)
            return sites

        self.sites = self.parts.doors.run(work)
        with self.parts.doors.reading() as db:
            self.products = {product.code: product for product in db.scalars(select(Product))}
            self.programme = db.scalars(select(Programme)).one()
            self.staff = {(one.site_id, one.role): one for one in db.scalars(select(Staff))}
            self.lots = {lot.number: lot for lot in db.scalars(select(Lot))}
            for row in db.scalars(select(Stock)):
                self.shelves[Shelf(row.site_id, row.lot_id)] = row.remaining

    @cached_property
    def admin(self) -> Staff:
        """Who releases lots and orders stock."""
        return self.staff[None, "admin"]

    def nurse(self, site_id: UUID) -> Staff:
        """Return the nurse of a site."""
        return self.staff[site_id, "nurse"]

    def _day(self, number: int) -> None:
        """Play the day of a number, from the first bookings to the last visit."""
        day = FIRST + timedelta(days=number)
        now = self.at(day, _OPENS)
        for place in self.sites:
            self._receive(place, now)
        on = day + timedelta(days=_BOOKED_AHEAD)
        first, last = (self.people * each // DAYS for each in (number, number + 1))
        family = self._somebody(first), self._somebody(first + 1)
        self.families.book(family, number, on, now)
        for turn in range(first + 2, last):
            self.book(self._somebody(turn), 1, on, now)
        self.mishaps.of_day(number, now)
        for deed in self._due.pop(day, []):
            deed(now)
        self._change_of_mind(day, now)
        for place in self.sites:
            for appointment in self._of_day(day, place):
                self._visit(appointment, place)

    def later(self, day: date, deed: Callable[[datetime], object]) -> None:
        """Have something done on the morning of a day to come."""
        self._due.setdefault(day, []).append(deed)

    def book(self, who: Details, dose_number: int, day: date, now: datetime) -> None:
        """Book somebody for a day, anywhere."""
        place = self.chance.choice(self.sites)
        code = SINGLE if dose_number == 1 and self.chance.random() < 0.1 else SERIES
        slot = self.chance.choice(self.slots_on(day, place, code, now))
        found = self.deed(
            "booked", book_for, dose_number=dose_number, slot_id=slot.id, details=who,
            source="web", now=now, vault=self.vault,
        )  # fmt: skip
        if found is not None:
            self.who[found.person_id] = who

    def _evening(self, number: int) -> None:
        """Let the worker do its jobs once the sites have closed."""
        now = self.at(FIRST + timedelta(days=number), _EVENING)
        keys.keep(self.parts, now)
        self.tally["lots judged again"] += lots.judge(self.parts, now)
        for name, job in (("signed", certificates.sign_pending), ("sent", outbox.send_due)):
            while done := job(self.parts, now):
                self.tally[name] += done
        self.tally["swept"] += self.parts.doors.run(partial(sweeping.sweep, now=now))
        self.tally["let go"] += retention.let_go(self.parts, now)
        self.tally["seals"] += sealing.seal(self.parts, now)

    def deed(self, name: str, work: Callable[..., T], **how: Any) -> T | None:
        """Return what a deed returns, done in a transaction of its own; None where refused."""
        try:
            done = self.parts.doors.run(partial(work, **how))
        except Refusal as refusal:
            self.tally[f"{name} refused: {refusal.code}"] += 1
            return None
        self.tally[name] += 1
        return done

    def at(self, day: date, clock: time) -> datetime:
        """Return a moment on the country's clock."""
        return datetime.combine(day, clock, self.zone)

    def _receive(self, place: Site, now: datetime) -> None:
        """Have what runs low delivered."""
        for number in LOTS.values():
            shelf = Shelf(place.id, self.lots[number].id)
            if self.shelves[shelf] < self.box:
                self.move(shelf, "received", self.box, now)

    def move(self, shelf: Shelf, kind: str, count: int, now: datetime, **why: str) -> None:
        """Bring doses to a shelf or take them away, in truth and in the books."""
        self.shelves[shelf] += count if kind == "received" else -count
        self.deed(
            f"stock {kind}", stock.move, shelf=shelf, kind=kind, quantity=count,
            staff=self.admin, now=now, **why,
        )  # fmt: skip

    def _change_of_mind(self, day: date, now: datetime) -> None:
        ahead = self._of_day(day + timedelta(days=1))
        for turn, mine in enumerate(self.chance.sample(ahead, -(-len(ahead) // 12))):
            how = {"appointment_id": mine.id, "person_id": mine.person_id, "now": now}
            if (turn + day.day) % 2:
                self.deed("cancelled", booking.cancel, vault=self.vault, **how)
            else:
                later = self.slots_on(day + timedelta(days=4), self.sites[0], SERIES, now)
                to = self.chance.choice(later).id
                self.deed("moved", moving.move, vault=self.vault, slot_id=to, **how)

    def _visit(self, appointment: Appointment, place: Site) -> None:
        """Let somebody come, or not; every fortieth visit is alike in what goes wrong."""
        turn, self._visits = self._visits % 40, self._visits + 1
        if turn in (0, 13, 26):
            return  # the sweep gives them up
        now = appointment.starts_at + timedelta(minutes=self.chance.randrange(20))
        nurse = self.nurse(place.id)
        how = {"appointment_id": appointment.id, "now": now}
        if turn == 30:  # by their telephone, in front of the nurse
            mine = {"person_id": appointment.person_id, "vault": self.vault}
            self.deed("cancelled before the needle", booking.cancel, **mine, **how)
        self.deed("arrived", clinic.arrive, site_id=place.id, staff_id=nurse.id, **how)
        if turn == 1:
            self.deed("seen", clinic.patient, vault=self.vault, staff=nurse, reason="care", **how)
        if self.mishaps.before_the_needle(turn, appointment.person_id, nurse, now):
            self.deed("not_vaccinated", clinic.not_vaccinated, reason="unwell", staff=nurse, **how)
            return
        self._give(turn, appointment, nurse, now + timedelta(minutes=5))

    def _give(self, turn: int, appointment: Appointment, nurse: Staff, now: datetime) -> None:
        code = self._codes[appointment.slot_id]
        wrong = {7: NO_LOT, 8: NO_LOT, 9: ENDED_LOT}
        usual = self.bad_lot if self.bad_lot and code == SERIES and turn % 4 == 3 else LOTS[code]
        lot = wrong.get(turn, usual)
        dose = self.deed(
            "dose", vaccination.record, vault=self.vault, appointment_id=appointment.id,
            product_id=self.products[code].id, told=Told(lot, "LA", now),
            staff=nurse, country=self.country, now=now,
        )  # fmt: skip
        if dose is None:
            return
        self.took(dose, 1)
        self.mishaps.after_the_needle(turn, dose, nurse, now + timedelta(hours=1))
        planned = dose.person_id in self.families.planned
        if appointment.dose_number == 1 and code == SERIES and not planned:
            wait = self.chance.choices(_WAITS, (6, 3, 1))[0]
            day, who = dose.given_on + timedelta(days=wait), self.who[dose.person_id]
            self.later(day, lambda now: self.book(who, 2, day, now))

    def usual_lot(self, product_id: UUID) -> str:
        """Return the number of the lot that is in use of a product."""
        return LOTS[next(code for code, one in self.products.items() if one.id == product_id)]

    def took(self, dose: Dose, count: int) -> None:
        """Take a dose off its shelf, or put it back."""
        if dose.lot_id is not None and dose.site_id is not None:
            self.shelves[Shelf(dose.site_id, dose.lot_id)] -= count

    def _scene(self, db: Session, now: datetime) -> Scene:
        return Scene(db, self.vault, self.country, self.seed, FIRST, now, fiction.texts())

    def slots_on(self, day: date, place: Site, code: str, now: datetime) -> list[Slot]:
        """Return the slots of a day at a place, opened when they are first asked for."""
        key = (day, place.id, code)
        if key not in self._slots:
            product = self.products[code]
            self._slots[key] = self.parts.doors.run(
                lambda db: fiction.opened(self._scene(db, now), place, product, day, day)
            )
            self._codes |= dict.fromkeys((slot.id for slot in self._slots[key]), code)
        return self._slots[key]

    def _of_day(self, day: date, place: Site | None = None) -> list[Appointment]:
        slots = [
            slot.id
            for (on, site_id, _), slots in self._slots.items()
            for slot in slots
            if on == day and (place is None or site_id == place.id)
        ]
        booked = select(Appointment).where(Appointment.state == "booked")
        query = booked.where(Appointment.slot_id.in_(slots))
        with self.parts.doors.reading() as db:
            return list(db.scalars(query.order_by(Appointment.starts_at, Appointment.id)))

    def _somebody(self, number: int) -> Details:
        names = fiction.texts()
        sex = ("female", "male")[number % 2]
        family = names["families"][number % 20]
        given = names[sex][number // 20 % 10]
        born = date(1940 + number * 7 % 66, 1 + number % 12, 1 + number % 28)
        return Details(
            family=family[0], given=given[0], family_latin=family[1], given_latin=given[1],
            birth_date=born.isoformat(), language=("ar", "fr", "en")[number % 3], sex=sex,
            identity=IdentityDetails("national", self.country.code, f"MONTH{number:07}"),
            mail=f"month{number}@example.org",
        )  # fmt: skip
