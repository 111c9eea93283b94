"""Erase a person, all but what the law keeps, and say which is which.

What is kept is sealed anew under a new key, so everything else that lay under the old one, such
as texts of messages and certificates, is gone with it wherever it lies. `retention` destroys the
new key when the law's time is over. The database holds the outcome (`erased_for_good`).
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from healthcert.data.retention import retention
from healthcert.errors import NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Base, Certificate, Dose, Message, Person, Proxy, Recovery, TestResult
from healthcert.models.appointment import ACTIVE, Appointment
from healthcert.models.waiting import Offer, WaitEntry
from healthcert.services import audit, booking, issuing, people, places
from healthcert.services.my_record import GOES
from healthcert.services.people import IdentityDetails

# Days from which the law counts; a new kind of fact is an entry here.
_FACTS = (Dose.given_on, TestResult.sampled_at, Recovery.first_positive_on)
GONE = (
    "contact", "identities", "finding", "messages", "codes", "appointments", "certificate_texts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that erasure leaves: what, until which day (None: for good), on which basis."""

    what: str
    until: date | None
    basis: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure takes away, codes out of `GONE`, and what it leaves."""

    gone: tuple[str, ...]
    kept: tuple[Kept, ...]


def foreseen(db: Session, *, person_id: UUID) -> Erased:
    """Return what an erasure would take away and leave now; nothing is changed.

    Raises:
        NotFound: No such person, or they were erased before.
    """
    person = db.get(Person, person_id)
    if person is None or person.erased_at is not None:
        raise NotFound
    return _told(db, person_id)


def erase(
    db: Session, *, vault: Vault, person_id: UUID, actor: audit.Actor, reason: str, now: datetime
) -> Erased:
    """Erase a person; return what is gone and what is kept, until when and why.

    Booked appointments are cancelled first and their places freed. Certificates in people's
    hands stay what they are; we keep their identifiers alone, to withdraw them if a dose was
    entered in error.

    `actor` is the person, or staff on their behalf; `reason` a stable code, kept in the audit.

    Raises:
        NotFound: No such person.
        WrongState: They were erased before, or are at a clinic at this moment.
    """
    person = people.locked(db, person_id)
    if person.erased_at is not None:
        raise WrongState
    told = _told(db, person_id)
    _give_places_back(db, person_id, actor, now)
    _end_intents(db, person_id, now)
    _end_standing(db, person_id, now)
    for table in reversed(Base.metadata.sorted_tables):  # those that point before others
        if table.name in GOES:
            db.execute(delete(table).where(table.c.person_id == person_id))
    until = _law_keeps_until(db, person_id)
    person.erased_at, person.kept_until = now, until
    person.region, person.nationality_group = None, "unknown"
    if until is None or until <= now.date():
        person.wrapped_key, person.sealed, person.key_gone_on = None, None, now.date()
    else:
        kept = replace(
            people.details_of(vault, person), phone="", mail="", identity=IdentityDetails("none")
        )
        person.wrapped_key, person.wrapped_by = vault.new_key(), vault.master_name
        person.sealed = vault.seal(person.wrapped_key, person.id, asdict(kept))
    db.flush()
    audit.note(
        db, actor=actor, act="person_erased", subject=audit.Subject("person", person_id),
        details={"reason": reason, "kept_until": until.isoformat() if until else None}, now=now,
    )  # fmt: skip
    return told


def _told(db: Session, person_id: UUID) -> Erased:
    kept = [Kept("counting", None, "statistics"), Kept("audit", None, "accountability")]
    ends = select(func.max(Certificate.expires_at)).filter_by(person_id=person_id, state="issued")
    if (end := db.scalar(ends)) is not None:
        kept.insert(0, Kept("certificates", end.date(), "withdrawal"))
    if (until := _law_keeps_until(db, person_id)) is not None:
        kept.insert(0, Kept("doses", until, "treatment_record"))
    return Erased(GONE, tuple(kept))


def _law_keeps_until(db: Session, person_id: UUID) -> date | None:
    days = [
        db.scalar(select(func.max(day)).where(day.class_.person_id == person_id)) for day in _FACTS
    ]
    known = [day.date() if isinstance(day, datetime) else day for day in days if day is not None]
    last = max(known, default=None)
    return None if last is None else last + retention()["dose"].time


def _give_places_back(db: Session, person_id: UUID, actor: audit.Actor, now: datetime) -> None:
    active = select(Appointment).filter_by(person_id=person_id).order_by(Appointment.slot_id)
    for appointment in db.scalars(active.where(Appointment.state.in_(ACTIVE))).all():
        if appointment.state == "arrived":
            raise WrongState
        places.give_back(db, appointment, "cancelled")
        booking.note(db, actor, "appointment_cancelled", appointment, now)


def _end_standing(db: Session, person_id: UUID, now: datetime) -> None:
    """End what would go on by itself: notices to send, waiting, offers, proxies both ways."""
    waits = WaitEntry.person_id == person_id, WaitEntry.state.in_(("waiting", "offered"))
    either = or_(Proxy.person_id == person_id, Proxy.proxy_person_id == person_id)
    for end in (
        update(Message).filter_by(person_id=person_id, state="queued").values(state="failed"),
        update(Offer).filter_by(person_id=person_id, state="open").values(state="withdrawn"),
        update(WaitEntry).where(*waits).values(state="left"),
        update(Proxy).where(either, Proxy.revoked_at.is_(None)).values(revoked_at=now),
    ):
        db.execute(end)


def _end_intents(db: Session, person_id: UUID, now: datetime) -> None:
    intents = select(Certificate).filter_by(person_id=person_id, state="intended")
    for certificate in db.scalars(intents.order_by(Certificate.id)).all():
        certificate.state, certificate.standing_counts = "revoked", None
        certificate.revoked_at, certificate.revoked_reason = now, "holder_erased"
        issuing.note(db, certificate, "certificate_revoked", "holder_erased", now)
