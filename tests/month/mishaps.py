"""What goes beyond an ordinary visit: doses of elsewhere, tests, mistakes, a lot that is bad."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.models import Dose, Person, Staff, Stock
from healthcert.services import (
    audit,
    erasure,
    finding,
    findings,
    lots,
    requests,
    safety,
    stock,
    vaccination,
)
from healthcert.services.elsewhere import Elsewhere, Evidence
from healthcert.services.facts import Told
from healthcert.services.fiction import LOTS, SERIES
from healthcert.services.findings import ToldRecovery, ToldTest
from healthcert.services.stock import Shelf
from tests.factories import COVID, NEGATIVE, POSITIVE
from tests.services.clinic import elsewhere_of

if TYPE_CHECKING:
    from tests.month.simulation import Month

NUCLEIC_ACID = "LP6464-4"
BAD_LOT = "CM4900"
ARRIVES, RECALLED, COUNTED = 8, 16, 20  # days of the month
_ERASED_FROM = 18
# What speaks for a dose of elsewhere, where it was, and how many days before the visit.
_ELSEWHERE = {3: ("seen", "FR", 70), 4: ("verified", "XX", 9), 5: ("stated", "FR", 60)}


def colleague(db: Session, *, of: Staff, now: datetime) -> Staff:
    """Return one more of a member of staff's role, at the same place."""
    row = {"role": of.role, "site_id": of.site_id, "organisation_id": of.organisation_id}
    other = Staff(recorded_at=now, name=f"Colleague of {of.name}", **row)
    db.add(other)
    return other


class Mishaps:
    """The unusual deeds of a month, by the turn of a visit or by the day."""

    def __init__(self, month: Month) -> None:
        """Take the month they happen in."""
        self.month = month

    def before_the_needle(self, turn: int, person_id: UUID, nurse: Staff, now: datetime) -> bool:
        """Do what comes before a dose; return whether there is to be none today."""
        month = self.month
        if turn in _ELSEWHERE:
            self._elsewhere(turn, person_id, nurse, now)
        if turn in (1, 2):
            month.deed(
                "consent", safety.consent, vault=month.vault, person_id=person_id,
                programme_id=month.programme.id, decision="given", decided_by="self",
                staff=nurse, now=now,
            )  # fmt: skip
        if turn in (10, 11, 12, 14):
            self._test(turn, person_id, nurse, now)
        return turn in (10, 12, 15)

    def _elsewhere(self, turn: int, person_id: UUID, nurse: Staff, now: datetime) -> None:
        month, (kind, country, days) = self.month, _ELSEWHERE[turn]
        day = (now - timedelta(days=days)).date().isoformat()
        month.deed(
            "dose elsewhere", elsewhere_of, vault=month.vault,
            person_id=person_id, programme_id=month.programme.id,
            product_id=month.products[SERIES].id,
            told=Elsewhere(day, Evidence(kind, country, "carnet de vaccination"), lot="FR0815"),
            staff=nurse, country=month.country, now=now,
        )  # fmt: skip

    def _test(self, turn: int, person_id: UUID, nurse: Staff, now: datetime) -> None:
        """Test somebody; who is positive has recovered eleven days later, or the test was wrong."""
        month = self.month
        how = {"vault": month.vault, "staff": nurse, "country": month.country}
        result = POSITIVE if turn in (10, 12) else NEGATIVE
        told = ToldTest(COVID, NUCLEIC_ACID, result, now, centre="Test centre", name="RT-PCR")
        test = month.deed(
            "test", findings.record_test, person_id=person_id, told=told, now=now, **how
        )
        if test is None:
            return
        day = now.date()
        if turn == 14:
            month.later(day + timedelta(days=1), lambda at: month.deed(
                "test marked in error", findings.mark_in_error,
                finding_id=test.id, reason="wrong_person", now=at, **how))  # fmt: skip
        if turn in (10, 12):
            founded = ToldRecovery(COVID, day, test.id)
            month.later(day + timedelta(days=2), lambda at: self._recovered(
                turn, person_id, founded, at, how))  # fmt: skip

    def _recovered(
        self, turn: int, person_id: UUID, told: ToldRecovery, now: datetime, how: dict[str, object]
    ) -> None:
        month = self.month
        found = month.deed(
            "recovery", findings.record_recovery, person_id=person_id, told=told, now=now, **how
        )
        if turn == 12 and found is not None:
            day = now.date() + timedelta(days=1)
            if len(month.who) % 2:  # before its certificate is signed: the intent ends too
                month.later(day, lambda at: self._erase(person_id, at))
                return
            month.later(day, lambda at: month.deed(
                "recovery marked in error", findings.mark_in_error,
                finding_id=found.id, reason="wrong_day", now=at, **how))  # fmt: skip

    def after_the_needle(self, turn: int, dose: Dose, nurse: Staff, now: datetime) -> None:
        """Do what is found wrong with a dose afterwards."""
        month = self.month
        how = {
            "vault": month.vault, "dose_id": dose.id, "staff": nurse, "country": month.country,
        }  # fmt: skip
        if turn == 7:
            told = Told(month.usual_lot(dose.product_id), "RA", dose.given_at)
            right = month.deed(
                "corrected", vaccination.correct, product_id=dose.product_id, told=told,
                reason="wrong_lot", now=now, **how,
            )  # fmt: skip
            if right is not None:
                month.took(right, 1)
        elif turn == 20:
            month.deed(
                "marked in error", vaccination.mark_in_error, reason="not_given", now=now, **how
            )
            month.took(dose, -1)
        elif turn in (21, 22):
            month.deed(
                "subpotent", vaccination.judge_by_hand, found="subpotent", reason="too_warm",
                now=now, **how,
            )  # fmt: skip
        if turn == 22:
            month.later((now + timedelta(days=2)).date(), lambda at: month.deed(
                "found potent", vaccination.judge_by_hand, found="", reason="found_potent",
                now=at, **how))  # fmt: skip

    def of_day(self, number: int, now: datetime) -> None:
        """Do what happens once that day, beside the visits."""
        for person_id in self.month.chance.sample(sorted(self.month.who), number > 2):
            self._look_for(person_id, now)
        if number == ARRIVES:
            self._bad_lot_arrives(now)
        elif number == RECALLED:
            self._bad_lot_is_recalled(now)
        elif number == COUNTED:
            self._count(now)
        if number >= _ERASED_FROM:
            for person_id in self.month.chance.sample(sorted(self.month.who), 1):
                self._erase(person_id, now)

    def _look_for(self, person_id: UUID, now: datetime) -> None:
        """Look for somebody by a misspelt name; they are among those who are shown."""
        month, who = self.month, self.month.who[person_id]
        typed = f"{who.given_latin} {who.family_latin.replace('l', 'll')}"
        nurse = month.nurse(month.sites[0].id)
        shown = month.deed(
            "looked for", finding.find, vault=month.vault, staff=nurse, reason="registration",
            now=now, text=typed, born=who.birth_date,
        )  # fmt: skip
        met = person_id in {candidate.person_id for candidate in shown or ()}
        month.tally["found by name" if met else "not found by name"] += 1

    def _erase(self, person_id: UUID, now: datetime) -> None:
        month = self.month
        if month.who.pop(person_id, None) is not None:
            month.deed(
                "erased", erasure.erase, vault=month.vault, person_id=person_id,
                actor=audit.Actor("citizen", person_id), reason="asked", now=now,
            )  # fmt: skip

    def _bad_lot_arrives(self, now: datetime) -> None:
        """One takes the lot in, another releases it."""
        month = self.month
        clerk = month.staff[month.sites[0].id, "clerk"]
        lot = month.deed(
            "lot entered", lots.enter, product_id=month.products[SERIES].id, number=BAD_LOT,
            expires_on=now.date() + timedelta(days=200), since=now.date(), staff=clerk, now=now,
        )  # fmt: skip
        assert lot is not None
        how = {"lot_id": lot.id, "state": "released", "since": now.date(), "reason": "released"}
        how["country"] = month.country
        month.deed("lot released by who took it in", lots.order, staff=clerk, now=now, **how)
        month.deed("lot released", lots.order, staff=month.admin, now=now, **how)
        month.lots[BAD_LOT], month.bad_lot = lot, BAD_LOT
        for place in month.sites:
            month.move(Shelf(place.id, lot.id), "received", month.box, now)

    def _bad_lot_is_recalled(self, now: datetime) -> None:
        """The clerk asks, an administrator approves, another carries out; the rest is waste."""
        month = self.month
        first, lot = month.sites[0].id, month.lots[BAD_LOT]
        with month.parts.doors.reading() as db:
            ill = select(Person).join(Dose, Dose.person_id == Person.id)
            person = db.scalars(ill.where(Dose.lot_id == lot.id).limit(1)).one()
        asked = month.deed(
            "recall asked for", requests.submit, vault=month.vault, country=month.country.code,
            kind="recall", person=person, asked={"lot": BAD_LOT}, subject={"lot": lot.id},
            reason="cold_chain", staff=month.staff[first, "clerk"], now=now,
        )  # fmt: skip
        other = month.deed("colleague", colleague, of=month.admin, now=now)
        assert asked is not None
        for act, staff in (("approve", month.admin), ("carry_out", other)):
            month.deed(
                f"recall: {act}", requests.act, request_id=asked.id, act=act, reason="",
                staff=staff, now=now,
            )  # fmt: skip
        month.deed(
            "lot recalled", lots.order, lot_id=lot.id, state="recalled", since=None,
            reason="cold_chain", staff=month.nurse(first), country=month.country, now=now,
        )  # fmt: skip
        month.bad_lot = ""
        for place in month.sites:
            shelf = Shelf(place.id, lot.id)
            month.move(shelf, "wasted", month.shelves[shelf], now, reason="recalled")

    def _count(self, now: datetime) -> None:
        """Count what lies there: at the first site a dose is gone, and the books follow."""
        month = self.month
        month.shelves[Shelf(month.sites[0].id, month.lots[LOTS[SERIES]].id)] -= 1
        with month.parts.doors.reading() as db:
            kept = list(db.scalars(select(Stock)))
        for row in kept:
            shelf = Shelf(row.site_id, row.lot_id)
            month.deed(
                "counted", stock.count_again, shelf=shelf, found=month.shelves[shelf],
                staff=month.admin, confirmed_by=month.nurse(row.site_id), now=now,
            )  # fmt: skip
