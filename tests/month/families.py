"""Two who book together: held, then confirmed, let go, or forgotten and confirmed too late."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.services import enrolment, parties, search
from healthcert.services.audit import Actor
from healthcert.services.fiction import SERIES
from healthcert.services.parties import Party, Wish
from healthcert.services.people import Details

if TYPE_CHECKING:
    from tests.month.simulation import Month

_INTERVAL = timedelta(days=21)
_SECOND_UNTIL = 6  # days of the month whose second doses are within it


class Families:
    """What is booked together in a month.

    Attributes:
        planned: Who has the second dose booked with the first.
    """

    def __init__(self, month: Month) -> None:
        """Take the month they book in."""
        self.month = month
        self.planned: set[UUID] = set()

    def book(self, family: tuple[Details, ...], number: int, day: date, now: datetime) -> None:
        """Hold places side by side, by the search; what comes of it goes by the day's number."""
        month = self.month
        place = month.chance.choice(month.sites)
        month.slots_on(day, place, SERIES, now)
        if number < _SECOND_UNTIL:
            month.slots_on(day + _INTERVAL, place, SERIES, now)
        held = month.deed("held", self._hold, family=family, site_id=place.id, day=day, now=now)
        if held is None:
            return
        month.who |= {one.person_id: who for one, who in zip(
            held.appointments, (*family, *family), strict=False)}  # fmt: skip
        actor = Actor("citizen", held.appointments[0].person_id)
        told = {"party_id": held.id, "actor": actor}
        if number % 5 == 1:
            month.deed("hold let go", parties.let_go, now=now, **told)
        elif number % 5 == 2:  # the evening lets it go meanwhile
            month.later(now.date() + timedelta(days=1), lambda at: self._confirm_late(held, at))
        else:
            month.deed("confirmed", parties.confirm, vault=month.vault, now=now, **told)
            if len(held.appointments) > len(family):
                self.planned |= {one.person_id for one in held.appointments}
                month.tally["held with the second dose"] += 1

    def _confirm_late(self, held: Party, now: datetime) -> None:
        month = self.month
        if all(one.person_id in month.who for one in held.appointments):
            actor = Actor("citizen", held.appointments[0].person_id)
            month.deed(
                "confirmed late", parties.confirm, vault=month.vault, party_id=held.id, actor=actor,
                now=now,
            )  # fmt: skip

    def _hold(
        self, db: Session, *, family: tuple[Details, ...], site_id: UUID, day: date, now: datetime
    ) -> Party:
        month, many = self.month, len(family)
        offer = search.nearest_free(
            db, programme_id=month.programme.id, near=(33.9, 35.5), now=now, limit=1, places=many,
            days=(day, day), site_id=site_id, product_id=month.products[SERIES].id,
        )[0]  # fmt: skip
        second = search.second_dose(db, slot_id=offer.slot_id, dose_number=1, places=many, now=now)
        persons = [enrolment.enrol(db, vault=month.vault, details=who, now=now) for who in family]
        offers = [offer] if second is None else [offer, second]
        wishes = [
            Wish(person, slot_id, number)
            for number, its in enumerate(offers, start=1)
            for person, slot_id in zip(persons, its.slot_ids, strict=True)
        ]
        return parties.hold(
            db, vault=month.vault, wishes=wishes, source="web", now=now,
            actor=Actor("citizen", persons[0].id),
        )  # fmt: skip
