"""Thirty days of booking, coming, not coming, doses, mistakes and corrections.

Every deed is a transaction of its own through the services, as the doors do it. The same seed
gives the same month. What people and clinics do wrong is part of it: unknown and expired lots,
doses too early, wrong products, records of the wrong person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.db import Doors
from healthcert.errors import NotEligible, Refusal
from healthcert.gateways.signer import FileSigner
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Dose, Product, Site, Slot, Staff
from healthcert.services import (
    booking,
    clinic,
    fiction,
    issuing,
    knowledge,
    moving,
    opening,
    sweeping,
    vaccination,
)
from healthcert.services.fiction import ENDED_LOT, LOTS, SERIES, SINGLE, Scene
from healthcert.services.people import Details, IdentityDetails

DAYS = 30
FIRST = date(2026, 3, 2)
_BOOKED_AHEAD = 3  # days
_WAITS = (21, 28, 14)  # days until the second dose; the last is too early, given all the same
_OPENS = time(8)

T = TypeVar("T")


@dataclass
class Month:
    """What the month is played with, and what came of it.

    Attributes:
        tally: Deeds done and refusals met, by name.
    """

    doors: Doors
    vault: Vault
    country: Country
    signers: Mapping[str, FileSigner]
    people: int
    sites: int
    seed: int
    tally: Counter[str] = field(default_factory=Counter)
    _slots: dict[tuple[date, UUID, str], list[Slot]] = field(default_factory=dict)
    _due: dict[date, list[tuple[Details, int]]] = field(default_factory=dict)
    _who: dict[UUID, Details] = field(default_factory=dict)

    def play(self) -> None:
        """Play the whole month."""
        self.chance = Random(self.seed)
        self.zone = ZoneInfo(self.country.time_zone)
        self._open()
        for number in range(DAYS):
            self._day(FIRST + timedelta(days=number), number)

    def _open(self) -> None:
        now = self._at(FIRST, _OPENS)

        def work(db: Session) -> None:
            knowledge.load(db, now=now)
            scene = Scene(db, self.vault, self.country, self.seed, FIRST, now, fiction.texts())
            fiction.sites(scene)
            sites = list(db.scalars(select(Site).order_by(Site.code)))[: self.sites]
            fiction.staff(scene, sites)
            fiction.stock_up(scene, sites)

        self.doors.run(work)
        with self.doors.reading() as db:
            self.places = list(db.scalars(select(Site).order_by(Site.code)))[: self.sites]
            self.products = {product.code: product for product in db.scalars(select(Product))}
            self.nurses = {
                staff.site_id: staff for staff in db.scalars(select(Staff).filter_by(role="nurse"))
            }

    def _day(self, day: date, number: int) -> None:
        now = self._at(day, _OPENS)
        new = self.people * (number + 1) // DAYS - self.people * number // DAYS
        first = self.people * number // DAYS
        for turn in range(new):
            self._book(self._somebody(first + turn), 1, day + timedelta(days=_BOOKED_AHEAD), now)
        for who, dose_number in self._due.pop(day, []):
            self._book(who, dose_number, day, now)
        self._change_of_mind(day, now)
        for place in self.places:
            self._clinic_day(place, day)
        self._evening(self._at(day, time(22)))

    def _book(self, who: Details, dose_number: int, day: date, now: datetime) -> None:
        place = self.chance.choice(self.places)
        code = SINGLE if dose_number == 1 and self.chance.random() < 0.1 else SERIES
        slots = self._slots_on(day, place, code)
        slot = self.chance.choice(slots)
        asked: dict[str, Any] = {
            "vault": self.vault, "slot_id": slot.id, "details": who, "source": "web", "now": now,
        }  # fmt: skip
        found = self._try("booked", lambda db: booking.book(db, dose_number=dose_number, **asked))
        if found is not None:
            self._who[found.person_id] = who

    def _change_of_mind(self, day: date, now: datetime) -> None:
        ahead = self._of_day(day + timedelta(days=1), "booked")
        for appointment in self.chance.sample(ahead, len(ahead) // 12):
            mine = {"appointment_id": appointment.id, "person_id": appointment.person_id}
            if self.chance.random() < 0.5:
                self._try("cancelled", lambda db, mine=mine: booking.cancel(
                    db, vault=self.vault, now=now, **mine))  # fmt: skip
            else:
                later = self._slots_on(day + timedelta(days=4), self.places[0], SERIES)
                to = self.chance.choice(later)
                self._try("moved", lambda db, mine=mine, to=to: moving.move(
                    db, vault=self.vault, slot_id=to.id, now=now, **mine))  # fmt: skip

    def _clinic_day(self, place: Site, day: date) -> None:
        for appointment in self._of_day(day, "booked", place):
            came = self.chance.random()
            if came < 0.08:
                continue  # the sweep gives them up
            now = appointment.starts_at + timedelta(minutes=self.chance.randrange(20))
            nurse = self.nurses[place.id]
            self._try("arrived", lambda db, a=appointment, now=now: clinic.arrive(
                db, appointment_id=a.id, site_id=place.id, staff_id=nurse.id, now=now))  # fmt: skip
            if came < 0.12:
                self._try("not_vaccinated", lambda db, a=appointment, now=now:
                    clinic.not_vaccinated(db, appointment_id=a.id, reason="unwell",
                                          staff=nurse, now=now))  # fmt: skip
                continue
            self._give(appointment, nurse, now + timedelta(minutes=5))

    def _give(self, appointment: Appointment, nurse: Staff, now: datetime) -> None:
        luck = self.chance.random()
        code = SINGLE if luck < 0.01 else SERIES
        lot = "NOBODY1" if luck > 0.98 else ENDED_LOT if luck > 0.97 else LOTS[code]
        dose = self._try("dose", lambda db: vaccination.record(
            db, vault=self.vault, appointment_id=appointment.id,
            product_id=self.products[code].id, lot_text=lot, body_site="LA", given_at=now,
            staff=nurse, country=self.country, now=now))  # fmt: skip
        if dose is None:
            return
        self._next(appointment, dose)
        if luck < 0.03:
            self._try("marked_in_error", lambda db: vaccination.mark_in_error(
                db, vault=self.vault, dose_id=dose.id, reason="wrong_person", staff=nurse,
                country=self.country, now=now + timedelta(hours=1)))  # fmt: skip

    def _next(self, appointment: Appointment, dose: Dose) -> None:
        if appointment.dose_number == 1 and appointment.person_id in self._who:
            wait = self.chance.choices(_WAITS, (6, 3, 1))[0]
            due = self._due.setdefault(dose.given_on + timedelta(days=wait), [])
            due.append((self._who[appointment.person_id], 2))

    def _evening(self, now: datetime) -> None:
        while True:
            with self.doors.reading() as db:
                waiting = issuing.pending(db, limit=500, today=now.date())
            for one in waiting:
                self._try("signed", lambda db, one=one: issuing.issue(
                    db, vault=self.vault, signers=self.signers, certificate_id=one,
                    country=self.country, now=now))  # fmt: skip
            if not waiting:
                break
        self.tally["swept"] += self.doors.run(lambda db: sweeping.sweep(db, now=now))

    def _try(self, name: str, work: Callable[[Session], T]) -> T | None:
        try:
            done = self.doors.run(work)
        except NotEligible:
            self.tally[f"{name} refused: not_eligible"] += 1
        except Refusal as refusal:
            self.tally[f"{name} refused: {refusal.code}"] += 1
        else:
            self.tally[name] += 1
            return done
        return None

    def _slots_on(self, day: date, place: Site, code: str) -> list[Slot]:
        key = (day, place.id, code)
        if key not in self._slots:
            now = self._at(FIRST, _OPENS)

            def work(db: Session) -> list[Slot]:
                scene = Scene(db, self.vault, self.country, self.seed, FIRST, now, {})
                return opening.open_one(scene, place, self.products[code], day)

            self._slots[key] = self.doors.run(work)
        return self._slots[key]

    def _of_day(self, day: date, state: str, place: Site | None = None) -> list[Appointment]:
        slots = [
            slot.id
            for (on, site_id, _), slots in self._slots.items()
            for slot in slots
            if on == day and (place is None or site_id == place.id)
        ]
        query = select(Appointment).where(
            Appointment.slot_id.in_(slots), Appointment.state == state
        )
        with self.doors.reading() as db:
            return list(db.scalars(query.order_by(Appointment.starts_at, Appointment.id)))

    def _somebody(self, number: int) -> Details:
        year, month = 1940 + number * 7 % 66, 1 + number % 12
        return Details(
            family="الخوري", given="ليلى", family_latin="Khoury", given_latin="Layla",
            birth_date=f"{year}-{month:02}-{1 + number % 28:02}", language="ar",
            identity=IdentityDetails("national", self.country.code, f"MONTH{number:07}"),
            sex="female", mail=f"month{number}@example.org",
        )  # fmt: skip

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone)
