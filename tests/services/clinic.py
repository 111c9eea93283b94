"""A clinic to try deeds in; every maker commits, so that other threads see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert import models
from healthcert.data.knowledge import Country
from healthcert.db import Doors
from healthcert.gateways.signer import Signer
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Certificate,
    Dose,
    DoseStanding,
    Lot,
    Product,
    Programme,
    Site,
    Slot,
    Staff,
)
from healthcert.services import (
    booking,
    elsewhere,
    enrolment,
    findings,
    issuing,
    knowledge,
    signing_keys,
    vaccination,
)
from healthcert.services.audit import Actor
from healthcert.services.elsewhere import Elsewhere, Evidence
from healthcert.services.facts import Told
from healthcert.services.people import Details, IdentityDetails
from tests import canaries
from tests.factories import NEGATIVE, NOW, day, make_session, make_site, make_slot, make_staff
from tests.factories import make_lot as lot_row
from tests.factories import make_validity as validity_row

PEPPER = b"p" * 32
COMIRNATY, JCOVDEN = "EU/1/20/1528", "EU/1/20/1525"
COVID = "840539006"
FIRST_POSITIVE = day(-20)
_numbers = count(1)


def details(**changes: Any) -> Details:
    """Return the details of somebody new, a canary."""
    number = next(_numbers)
    somebody = replace(
        canaries.ARABIC,
        language="en",
        identity=IdentityDetails("national", "XX", f"KANARI{number:06}"),
        phone=f"+447700900{number % 1000:03}",
        mail=f"kanari{number}@example.org",
    )
    return replace(somebody, **changes)


def book_for(
    db: Session, *, vault: Vault, details: Details, source: str, now: datetime, **wanted: Any
) -> Appointment:
    """Take a place for the person these details are of, as one that they told us themselves."""
    person = enrolment.enrol(db, vault=vault, details=details, now=now)
    actor = Actor("citizen", person.id)
    told = {"person_id": person.id, "actor": actor, "source": source, "now": now}
    return booking.take(db, vault=vault, **told, **wanted)


def elsewhere_of(
    db: Session, *, country: Country, told: Elsewhere, now: datetime, person_id: UUID,
    programme_id: UUID, product_id: UUID, **deed: Any,
) -> Dose:  # fmt: skip
    """Write down one dose that was given elsewhere, once it is read."""
    told = elsewhere.read(told, country=country, now=now)
    one = elsewhere.OfSomebody(person_id, programme_id, product_id, told)
    deed |= {"country": country, "now": now}
    return vaccination.record_elsewhere(db, doses=[one], **deed)[0]


@dataclass(frozen=True)
class Clinic:
    """One site with its staff, and what it gives."""

    doors: Doors
    vault: Vault
    country: Country
    site: Site
    nurse: Staff
    programme: Programme
    products: dict[str, Product]

    @classmethod
    def opened(
        cls, doors: Doors, vault: Vault, country: Country, signers: Iterable[Signer] = ()
    ) -> Clinic:
        """Open one in a database without knowledge and keys."""
        with doors.transaction() as db:
            knowledge.load(db, now=NOW)
            signing_keys.take_in(db, {each.certificate: "" for each in signers}, now=NOW)
        return cls.among_the_known(doors, vault, country)

    @classmethod
    def among_the_known(cls, doors: Doors, vault: Vault, country: Country) -> Clinic:
        """Open one where these are already."""
        with doors.transaction() as db:
            site = make_site(db, time_zone="Asia/Beirut")
            return cls(
                doors,
                vault,
                country,
                site,
                make_staff(db, site_id=site.id),
                db.scalars(select(Programme)).one(),
                {product.code: product for product in db.scalars(select(Product))},
            )

    def slot(
        self,
        on: date | None = None,
        *,
        product: str = COMIRNATY,
        capacity: int = 2,
        site: Site | None = None,
        **values: Any,
    ) -> Slot:
        """Return a slot at ten o'clock UTC of a day, tomorrow by default."""
        with self.doors.transaction() as db:
            session = make_session(
                db,
                site=site or self.site,
                programme=self.programme,
                product=self.products[product],
                day=on or day(1),
            )
            return make_slot(db, session=session, capacity=capacity, **values)

    def lot(self, number: str = "GOOD", *, product: str = COMIRNATY, **validity: Any) -> Lot:
        with self.doors.transaction() as db:
            lot = lot_row(db, product=self.products[product], number=number)
            validity_row(db, lot=lot, **validity)
            return lot

    def book(
        self, slot: Slot, who: Details | None = None, *, dose_number: int = 1, now: datetime = NOW
    ) -> Appointment:
        return self.doors.run(
            lambda db: book_for(
                db,
                vault=self.vault,
                slot_id=slot.id,
                dose_number=dose_number,
                details=who or details(),
                source="web",
                now=now,
            )
        )

    def record(
        self,
        appointment: Appointment,
        *,
        lot: str = "GOOD",
        product: str = COMIRNATY,
        given_at: datetime | None = None,
        **values: Any,
    ) -> Dose:
        """Record a dose at the time of its appointment."""
        at = given_at or appointment.starts_at
        wanted: dict[str, Any] = {
            "vault": self.vault,
            "appointment_id": appointment.id,
            "product_id": self.products[product].id,
            "staff": self.nurse,
            "country": self.country,
            "now": max(at, appointment.starts_at) + timedelta(minutes=1),
        }
        wanted |= values
        how = {name: wanted.pop(name) for name in ("route", "performed_by") if name in wanted}
        told = Told(wanted.pop("lot_text", lot), wanted.pop("body_site", "LA"), at, **how)
        return self.doors.run(lambda db: vaccination.record(db, told=told, **wanted))

    def vaccinated(
        self, on: date, who: Details, *, dose_number: int = 1, product: str = COMIRNATY, **how: Any
    ) -> Dose:
        """Book and record a dose on a day."""
        slot = self.slot(on, product=product)
        before = slot.starts_at - timedelta(hours=1)
        appointment = self.book(slot, who, dose_number=dose_number, now=before)
        return self.record(appointment, product=product, **how)

    def elsewhere(
        self,
        person_id: UUID,
        given_on: str = "2025-06-01",
        *,
        product: str = COMIRNATY,
        now: datetime = NOW,
        evidence: Evidence | None = None,
        **told: Any,
    ) -> Dose:
        """Record a dose that was given elsewhere, by a document that somebody saw."""
        seen = Elsewhere(given_on, evidence or Evidence("seen", "FR"), **told)
        wanted = {
            **self.deed(now), "person_id": person_id, "programme_id": self.programme.id,
            "product_id": self.products[product].id, "told": seen,
        }  # fmt: skip
        return self.doors.run(lambda db: elsewhere_of(db, **wanted))

    def tested(
        self, person_id: UUID, result: str = NEGATIVE, *, now: datetime = NOW, **values: Any
    ) -> models.TestResult:
        """Record a nucleic acid test of an hour ago."""
        at = now - timedelta(hours=1)
        aside = {key: values.pop(key) for key in ("replaces", "reason") if key in values}
        told: dict[str, Any] = {
            "disease": COVID, "test_type": "LP6464-4", "result": result, "sampled_at": at,
            "centre": "Port Azur", **values,
        }  # fmt: skip
        wanted = {**self.deed(now), "person_id": person_id, **aside}
        return self.doors.run(
            lambda db: findings.record_test(db, told=findings.ToldTest(**told), **wanted)
        )

    def recovered(
        self, person_id: UUID, first: date = FIRST_POSITIVE, *, now: datetime = NOW, **values: Any
    ) -> models.Recovery:
        """Record a recovery first found twenty days ago: on a test, or else by a paper."""
        if not values.get("test_result_id"):
            values.setdefault("evidence", Evidence("seen", self.country.code))
        aside = {key: values.pop(key) for key in ("replaces", "reason") if key in values}
        told = findings.ToldRecovery(COVID, first, **values)
        wanted = {**self.deed(now), "person_id": person_id, **aside}
        return self.doors.run(lambda db: findings.record_recovery(db, told=told, **wanted))

    def deed(self, now: datetime = NOW) -> dict[str, Any]:
        """Return what every deed of the nurse names."""
        return {"vault": self.vault, "staff": self.nurse, "country": self.country, "now": now}

    def issue(self, signers: dict[str, Signer], now: datetime = NOW) -> list[Certificate]:
        """Sign everything that is intended."""
        with self.doors.reading() as db:
            waiting = issuing.pending(db, limit=100, today=now.date())
        return [self.signed(signers, [one], now)[0] for one in waiting]

    def counts(self, dose: Dose) -> tuple[str, int | None]:
        with self.doors.reading() as db:
            standing = db.scalars(select(DoseStanding).filter_by(dose_id=dose.id)).one()
            return standing.counts, standing.number

    def certificates(self, fact: Dose | models.TestResult | models.Recovery) -> list[Certificate]:
        with self.doors.reading() as db:
            key = getattr(Certificate, f"{fact.__tablename__}_id")
            query = select(Certificate).where(key == fact.id).order_by(Certificate.id)
            return list(db.scalars(query))

    def mark_in_error(self, dose: Dose, reason: str = "wrong_person", **values: Any) -> None:
        now = dose.given_at + timedelta(hours=1)
        wanted = {**self.deed(now), "dose_id": dose.id, "reason": reason}
        self.doors.run(lambda db: vaccination.mark_in_error(db, **wanted | values))

    def signed(
        self, signers: dict[str, Signer], wanted: list[UUID], now: datetime = NOW
    ) -> list[Certificate]:
        """Sign these, and return them as they stand afterwards."""

        def work(db: Session) -> list[Certificate]:
            issuing.issue_all(
                db, vault=self.vault, signers={each.kid: each for each in signers.values()},
                certificate_ids=wanted, country=self.country, now=now,
            )  # fmt: skip
            these = select(Certificate).where(Certificate.id.in_(wanted)).order_by(Certificate.id)
            return list(db.scalars(these.execution_options(populate_existing=True)))

        return self.doors.run(work)
