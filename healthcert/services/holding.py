"""What a person holds: their appointments, doses and certificates, opened for them alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Certificate,
    Dose,
    Person,
    Product,
)
from healthcert.policy.schedule import NextDose
from healthcert.services import history, record
from healthcert.services.people import Details, details_of, key_of
from healthcert.services.record import HeldAppointment, HeldDose


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """A certificate of one's own, without its text.

    Attributes:
        certificate_id: For `certificate_text`.
        state: ``intended`` until it is signed, then ``issued``, ``superseded`` or ``revoked``.
        uvci: Its identifier.
        dn: Dose number.
        sd: Doses in the series.
        product: What was given.
        given_on: When.
        issued_at: Aware; None before it is signed.
        expires_at: Aware; None before it is signed.
        revoked_reason: A code, or empty.
        text_gone: Whether its text went, some time after its end.
    """

    certificate_id: UUID
    state: str
    uvci: str
    dn: int
    sd: int
    product: str
    given_on: date
    issued_at: datetime | None
    expires_at: datetime | None
    revoked_reason: str
    text_gone: bool


@dataclass(frozen=True, slots=True)
class Held:
    """An issued certificate with its text, ready for a QR code, and whose it is."""

    certificate: HeldCertificate
    text: str
    details: Details


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything a person holds; `due` is the next dose of each programme they have begun."""

    person_id: UUID
    details: Details
    appointments: list[HeldAppointment]
    doses: list[HeldDose]
    certificates: list[HeldCertificate]
    due: dict[UUID, NextDose]


def overview(db: Session, *, vault: Vault, person_id: UUID, now: datetime) -> Overview:
    """Return everything a person holds, the newest first.

    Raises:
        NotFound: No such person, or one who was erased.
    """
    person = db.get(Person, person_id)
    if person is None or person.erased_at is not None:
        raise NotFound
    begun = db.scalars(select(Dose.programme_id).where(Dose.person_id == person_id).distinct())
    return Overview(
        person_id=person_id,
        details=details_of(vault, person),
        appointments=record.appointments_of(db, person_id),
        doses=record.doses_of(db, person_id),
        certificates=[_held(*row) for row in db.execute(_certificates(person_id))],
        due={
            programme_id: history.next_dose(
                db, person_id=person_id, programme_id=programme_id, today=now.date()
            )
            for programme_id in begun.all()
        },
    )


def certificate_text(db: Session, *, vault: Vault, person_id: UUID, certificate_id: UUID) -> Held:
    """Return a person's own certificate with its text.

    Raises:
        NotFound: No such certificate, or it is someone else's.
        WrongState: It is not signed yet, or no longer holds.
    """
    query = _certificates(person_id).where(Certificate.id == certificate_id)
    found = db.execute(query).one_or_none()
    if found is None:
        raise NotFound
    certificate = found[0]
    if certificate.state != "issued" or certificate.sealed is None:
        raise WrongState
    person = db.get_one(Person, person_id)
    if person.erased_at is not None:
        raise NotFound
    opened = vault.open(key_of(person), certificate.id, certificate.sealed, purpose="certificate")
    return Held(_held(*found), opened["text"], details_of(vault, person))


def _certificates(person_id: UUID) -> Select[Certificate, Dose, Product]:
    return (
        select(Certificate, Dose, Product)
        .join(Dose, Dose.id == Certificate.dose_id)
        .join(Product, Product.id == Dose.product_id)
        .where(Certificate.person_id == person_id)
        .order_by(Certificate.id.desc())
    )


def _held(certificate: Certificate, dose: Dose, product: Product) -> HeldCertificate:
    return HeldCertificate(
        certificate_id=certificate.id,
        state=certificate.state,
        uvci=certificate.uvci,
        dn=certificate.dn,
        sd=certificate.sd,
        product=product.name,
        given_on=dose.given_on,
        issued_at=certificate.issued_at,
        expires_at=certificate.expires_at,
        revoked_reason=certificate.revoked_reason,
        text_gone=certificate.blanked_at is not None,
    )
