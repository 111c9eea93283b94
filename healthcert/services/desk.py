"""What the desk shows after a dose: what it counts as, and what became of its certificate."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from healthcert.errors import there
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Certificate, Message, Person, Screening, Site, Staff
from healthcert.models.dose import Dose, DoseStanding
from healthcert.models.supply import Knowledge, Product, Programme
from healthcert.services import looks, safety
from healthcert.services.people import details_of


@dataclass(frozen=True, slots=True)
class Worth:
    """What a dose counts as toward one disease, and the state of its newest certificate."""

    counts: str  # one of `models.dose.COUNTS`
    number: int | None  # which counted dose it is; None where it does not count
    certificate: str  # ``intended``, ``issued``, ``superseded``, ``revoked``, or empty for none


@dataclass(frozen=True, slots=True)
class RecordedDose:
    """A dose as the desk shows it, with its appointment: which, and in what state, or empty."""

    dose_id: UUID
    person_id: UUID
    product_id: UUID
    programme_id: UUID
    appointment_id: UUID | None
    appointment_state: str
    name: str
    product: str
    lot: str
    body_site: str
    route: str
    given_at: datetime
    time_zone: str
    worth: list[Worth]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work that is still to be done: messages to send, failed ones, certificates to sign."""

    queued: int
    failed: int
    unsigned: int
    oldest: datetime | None  # when the first of the messages to send was written


def dose_at_site(
    db: Session, *, vault: Vault, dose_id: UUID, staff: Staff, reason: str, now: datetime
) -> RecordedDose:
    """Return a dose given at one's site, with what it is worth; the look is written down.

    Raises:
        BadInput: The reason is none of `looks.REASONS`.
        NotFound: No such dose at the site of this member of staff.
    """
    query = (
        select(Dose, Person, Product, Site, Appointment.state)
        .outerjoin(Appointment, Appointment.id == Dose.appointment_id)
        .join(Person, Person.id == Dose.person_id)
        .join(Product, Product.id == Dose.product_id)
        .join(Site, Site.id == Dose.site_id)
        .where(Dose.id == dose_id, Dose.site_id == staff.site_id)
    )
    found = there(db.execute(query).one_or_none())
    dose, person, product, site, state = found
    details = details_of(vault, person)
    looks.seen(
        db, staff=staff, person_id=person.id, reason=reason, details={"dose": dose.id}, now=now
    )
    return RecordedDose(
        dose_id=dose.id, person_id=person.id, product_id=product.id,
        programme_id=dose.programme_id, appointment_id=dose.appointment_id,
        appointment_state=state or "",
        name=f"{details.given} {details.family}".strip(), product=product.name,
        lot=dose.lot_text, body_site=dose.body_site or "", route=dose.route or "",
        given_at=dose.given_at or dose.recorded_at,  # a dose of a site has its moment
        time_zone=site.time_zone, worth=_worth(db, dose.id),
    )  # fmt: skip


def unchecked(db: Session, *, dose_id: UUID) -> list[str]:
    """Return what was not checked before a dose given here: ``consent``, ``screening``."""
    dose, told, given = db.get_one(Dose, dose_id), aliased(Knowledge), aliased(Knowledge)
    if dose.source != "point_of_care":
        return []
    # The questions of what was given: another product was planned, and has its own.
    asked = select(Screening.id).join(told, told.id == Screening.questions_id)
    asked = asked.join(given, given.name == told.name).limit(1)
    asked = asked.join(Product, Product.knowledge_id == given.id)
    asked = asked.where(Product.id == dose.product_id)
    first = dose  # what was corrected was asked for
    while first.replaces:
        first = db.get_one(Dose, first.replaces)
    asked = asked.where(safety.of_visit(
        person_id=dose.person_id, programme_id=dose.programme_id, at=first.recorded_at,
        appointment_id=dose.appointment_id,
    ))  # fmt: skip
    agreed = safety.current_consent(db, person_id=dose.person_id, programme_id=dose.programme_id)
    missing = {"consent": agreed is None, "screening": db.scalar(asked) is None}
    return [name for name, is_missing in missing.items() if is_missing]


def intended_of(db: Session, *, person_id: UUID) -> list[UUID]:
    """Return all certificates still to be signed of a person: one dose may change others'."""
    query = select(Certificate.id).filter_by(person_id=person_id, state="intended")
    return list(db.scalars(query.order_by(Certificate.id)))


def programmes(db: Session) -> list[Programme]:
    """Return the programmes that people can book for, by code."""
    return list(db.scalars(select(Programme).order_by(Programme.code)))


def waiting(db: Session) -> Waiting:
    """Count the work that is still to be done."""
    is_sent = Message.channel != "call"  # whom nobody could write to, those look after who call
    query = select(Message.state, func.count()).where(is_sent).group_by(Message.state)
    states = {state: count for state, count in db.execute(query)}  # noqa: C416 - rows, not pairs
    unsigned = db.scalar(select(func.count()).where(Certificate.state == "intended")) or 0
    first = select(func.min(Message.recorded_at)).where(Message.state == "queued", is_sent)
    oldest = db.scalar(first)
    return Waiting(states.get("queued", 0), states.get("failed", 0), unsigned, oldest)


def _worth(db: Session, dose_id: UUID) -> list[Worth]:
    standings = select(DoseStanding).filter_by(dose_id=dose_id).order_by(DoseStanding.disease)
    made = select(Certificate).filter_by(dose_id=dose_id).order_by(Certificate.id)
    states = {each.disease: each.state for each in db.scalars(made)}
    return [
        Worth(each.counts, each.number, states.get(each.disease, ""))
        for each in db.scalars(standings)
    ]
