"""What a person holds: their appointments, doses and certificates, opened for them alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import Certificate, Dose, Person, Product, Recovery, TestResult
from healthcert.policy.schedule import Outlook
from healthcert.services import history, record
from healthcert.services.people import Details, details_of, key_of
from healthcert.services.record import HeldAppointment, HeldDose


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """A certificate of one's own, without its text."""

    certificate_id: UUID  # for `certificate_text`
    kind: str  # ``v`` of a vaccination, ``t`` of a test, ``r`` of a recovery
    state: str  # ``intended`` until it is signed, then ``issued``, ``superseded`` or ``revoked``
    uvci: str
    dn: int | None  # dose number; None of a test or recovery
    sd: int | None  # doses in the series; None of a test or recovery
    product: str  # what was given; empty of a test or recovery
    day: date  # when it was given, sampled, or first found
    told: Mapping[str, object]  # what of a test or recovery, by member of the EU schema
    issued_at: datetime | None  # aware; None before it is signed
    expires_at: datetime | None  # aware; None before it is signed
    revoked_reason: str  # a code, or empty
    text_gone: bool  # whether its text went, some time after its end


@dataclass(frozen=True, slots=True)
class Held:
    """An issued certificate with its text, ready for a QR code, and whose it is."""

    certificate: HeldCertificate
    text: str
    details: Details


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything a person holds; `due` is where they stand in each programme begun."""

    person_id: UUID
    details: Details
    appointments: list[HeldAppointment]
    doses: list[HeldDose]
    certificates: list[HeldCertificate]
    due: dict[UUID, Outlook]


def overview(db: Session, *, vault: Vault, person_id: UUID, now: datetime) -> Overview:
    """Return everything a person holds: what comes soonest first, then what is newest.

    Raises:
        NotFound: No such person, or one who was erased.
    """
    person = db.get(Person, person_id)
    if person is None or person.erased_at is not None:
        raise NotFound
    begun = db.scalars(select(Dose.programme_id).where(Dose.person_id == person_id).distinct())
    details = details_of(vault, person)
    return Overview(
        person_id=person_id,
        details=details,
        appointments=record.appointments_of(db, person_id)[person_id],
        doses=record.doses_of(db, person_id),
        certificates=[_held(*row) for row in db.execute(_certificates(person_id))],
        due={
            programme_id: history.outlook(
                db, person_id=person_id, birth_date=details.birth_date, programme_id=programme_id,
                today=now.date(),
            )
            for programme_id in begun.all()
        },
    )  # fmt: skip


def certificate_text(db: Session, *, vault: Vault, person_id: UUID, certificate_id: UUID) -> Held:
    """Return a person's own certificate with its text.

    Raises:
        NotFound: No such certificate, or it is someone else's.
        WrongState: It is not signed yet, or no longer holds.
    """
    query = _certificates(person_id).where(Certificate.id == certificate_id)
    found = there(db.execute(query).one_or_none())
    certificate = found[0]
    if certificate.state != "issued" or certificate.sealed is None:
        raise WrongState
    person = db.get_one(Person, person_id)
    if person.erased_at is not None:
        raise NotFound
    opened = vault.open(key_of(person), certificate.id, certificate.sealed, purpose="certificate")
    return Held(_held(*found), opened["text"], details_of(vault, person))


def _certificates(
    person_id: UUID,
) -> Select[Certificate, Dose | None, Product | None, TestResult | None, Recovery | None]:
    return (
        select(Certificate, Dose, Product, TestResult, Recovery)
        .outerjoin(Dose, Dose.id == Certificate.dose_id)
        .outerjoin(Product, Product.id == Dose.product_id)
        .outerjoin(TestResult, TestResult.id == Certificate.test_result_id)
        .outerjoin(Recovery, Recovery.id == Certificate.recovery_id)
        .where(Certificate.person_id == person_id)
        .order_by(Certificate.id.desc())
    )


def _held(
    certificate: Certificate, dose: Dose | None, product: Product | None, test: TestResult | None,
    recovery: Recovery | None,
) -> HeldCertificate:  # fmt: skip
    day, told = certificate.recorded_at.date(), dict[str, object]()
    if dose is not None:
        day = dose.given_on
    elif test is not None:
        day = test.sampled_at.date()
        told = {
            "tt": test.test_type, "tr": test.result, "sc": test.sampled_at, "tc": test.centre,
        }  # fmt: skip
    elif recovery is not None:
        day, until = recovery.first_positive_on, recovery.valid_until
        told = {"fr": day, "df": recovery.valid_from, "du": until}
    return HeldCertificate(
        certificate_id=certificate.id, kind=certificate.kind, state=certificate.state,
        uvci=certificate.uvci, dn=certificate.dn, sd=certificate.sd,
        product=product.name if product else "", day=day, told=told,
        issued_at=certificate.issued_at, expires_at=certificate.expires_at,
        revoked_reason=certificate.revoked_reason, text_gone=certificate.blanked_at is not None,
    )  # fmt: skip
