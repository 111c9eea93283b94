"""Wait in order for a place: by the phase that admits, the rank of a draw, and since when."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, BadInput, NotEligible, NotFound
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    EligibilityDecision,
    Offer,
    Person,
    Phase,
    Programme,
    Site,
    WaitEntry,
    new_id,
)
from healthcert.models.appointment import ACTIVE
from healthcert.policy.offers import RADII, apart
from healthcert.services import audit, eligibility, history, messages, people

IN_LINE = ("waiting", "offered")


def join(
    db: Session, *, vault: Vault, person: Person, programme_id: UUID, site_id: UUID | None,
    standby: bool, actor: audit.Actor, now: datetime, within_km: int | None = None,
) -> WaitEntry:  # fmt: skip
    """Put a person at the end of those of their phase, for a site, those around it, or any.

    Somebody whose phase opens later is given nothing before. `standby` says that they can come at
    short notice.

    Raises:
        AlreadyBooked: They wait or have an appointment already, or no dose is foreseen for them.
        BadInput: No such site, or a distance that is none of `RADII`.
        NotEligible: No phase admits them, now or later.
    """
    people.locked(db, person.id)
    if within_km not in (None, *RADII) or (site_id and db.get(Site, site_id) is None):
        raise BadInput({"site": "not_a_choice"})
    line = select(WaitEntry.id).filter_by(person_id=person.id, programme_id=programme_id)
    waits = db.scalar(line.where(WaitEntry.state.in_(IN_LINE))) is not None
    due = history.outlook(
        db, person_id=person.id, birth_date=people.details_of(vault, person).birth_date,
        programme_id=programme_id, today=now.date(),
    ).next  # fmt: skip
    if waits or due is None or active(db, person.id, programme_id):
        raise AlreadyBooked  # one word for all: a stranger learns no more
    decision = eligibility.decide(
        db, vault=vault, person=person, programme_id=programme_id, day=now.date(), actor=actor,
        now=now,
    )  # fmt: skip
    phase, turn_on = _turn(db, decision)
    entry = WaitEntry(
        id=new_id(), recorded_at=now, person_id=person.id, programme_id=programme_id,
        site_id=site_id, within_km=within_km if site_id else None, standby=standby,
        phase=phase, turn_on=turn_on, state="waiting",
    )  # fmt: skip
    db.add(entry)
    db.flush()
    tell(db, vault, entry, "waiting", now)
    note(db, actor, "waiting_joined", entry, now, standby=standby)
    return entry


def leave(
    db: Session, *, vault: Vault, entry_id: UUID, person_id: UUID, actor: audit.Actor, now: datetime
) -> None:
    """Take a person off the list, with what is offered to them.

    Raises:
        NotFound: This person waits for no such thing, or no longer.
    """
    people.locked(db, person_id)
    query = select(WaitEntry).filter_by(id=entry_id, person_id=person_id)
    entry = db.scalar(query.where(WaitEntry.state.in_(IN_LINE)))
    if entry is None:
        raise NotFound
    theirs = update(Offer).where(Offer.wait_entry_id == entry_id, Offer.state == "open")
    db.execute(theirs.values(state="declined"))
    entry.state = "left"
    db.flush()
    tell(db, vault, entry, "waiting_left", now)
    note(db, actor, "waiting_left", entry, now)


def nearest(db: Session, here: tuple[float, float]) -> Site:
    """Return the site that is nearest to a point in degrees.

    Raises:
        NotFound: There is no site at all.
    """
    sites = db.scalars(select(Site)).all()
    if not sites:
        raise NotFound
    return min(sites, key=lambda site: apart(here, (site.latitude, site.longitude)))


def active(db: Session, person_id: UUID, programme_id: UUID) -> bool:
    """Say whether a person has an appointment in a programme."""
    query = select(Appointment.id).filter_by(person_id=person_id, programme_id=programme_id)
    return db.scalar(query.where(Appointment.state.in_(ACTIVE)).limit(1)) is not None


def tell(
    db: Session, vault: Vault, entry: WaitEntry, template: str, now: datetime, **fields: object
) -> None:
    """Queue what one who waits is told; `fields` beside the name of the programme."""
    names = db.get_one(Programme, entry.programme_id).names
    messages.queue(
        db, vault=vault, person=db.get_one(Person, entry.person_id), template=template,
        fields={"programme": names, **fields}, time_zone=str(fields.get("zone", "UTC")),
        due_at=now, now=now,
    )  # fmt: skip


def note(
    db: Session, actor: audit.Actor, act: str, entry: WaitEntry, now: datetime,
    **details: audit.Detail,
) -> None:  # fmt: skip
    """Write down what was done to a wait."""
    subject = audit.Subject("wait_entry", entry.id)
    audit.note(db, actor=actor, act=act, subject=subject, details=details, now=now)


def _turn(db: Session, decision: EligibilityDecision) -> tuple[str, date]:
    """Return the phase that admits somebody, now or later, and the day on which it opens."""
    if decision.phase_id:
        phase = db.get_one(Phase, decision.phase_id)
        return phase.code, phase.opens_on
    later = [each["about"] for each in decision.reasons if each["code"] == "opens"]
    if not later:
        raise NotEligible(by_phase=True)
    return later[0]["phase"], date.fromisoformat(later[0]["on"])
