"""Wait in order for a place: by the phase that admits, the rank of a draw, and since when."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, CannotWait, there
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    ClinicSession,
    Draw,
    EligibilityDecision,
    Offer,
    Person,
    Phase,
    Product,
    Programme,
    Site,
    Slot,
    WaitEntry,
    new_id,
)
from healthcert.models.appointment import ACTIVE
from healthcert.models.waiting import IN_ORDER, place_in_line
from healthcert.policy.offers import RADII
from healthcert.services import audit, booking, eligibility, history, messages, people
from healthcert.services.bearing import JUST_TOLD, Bearing

IN_LINE = ("waiting", "offered")
FURTHEST = 1_000  # one is told how many are before one, up to here


def join(  # noqa: PLR0913 - each says who waits for what, named at the call
    db: Session, *, vault: Vault, person: Person, programme_id: UUID, site_id: UUID | None,
    standby: bool, actor: audit.Actor, now: datetime, within_km: int | None = None,
    told: eligibility.Told | None = None, typed: bool = False,
) -> WaitEntry:  # fmt: skip
    """Put a person at the end of those of their phase, for a site, those around it, or any.

    Somebody whose phase opens later is given nothing before. `standby` says that they can come at
    short notice. What is `told`, or only `typed`, is judged as in `eligibility.decide`.

    Raises:
        CannotWait: They wait or have an appointment already, or no dose is foreseen for them.
        BadInput: No such site, a distance that is none of `RADII`, or what is told was not asked.
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
        raise CannotWait  # one word for all: a stranger learns no more
    decision = eligibility.decide(
        db, vault=vault, person=person, programme_id=programme_id, day=now.date(), actor=actor,
        now=now, told=told, typed=typed,
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
    query = select(WaitEntry).filter_by(id=entry_id, person_id=person_id).with_for_update()
    entry = there(db.scalar(query.where(WaitEntry.state.in_(IN_LINE))))  # nobody offers meanwhile
    theirs = update(Offer).where(Offer.wait_entry_id == entry_id, Offer.state == "open")
    db.execute(theirs.values(state="declined"))
    entry.state = "left"
    db.flush()
    tell(db, vault, entry, "waiting_left", now)
    note(db, actor, "waiting_left", entry, now)


class Waits(NamedTuple):
    """A wait as its person sees it, with what is offered just now, if anything is."""

    entry: WaitEntry
    programme: Programme
    site: Site | None  # None for any
    before: int  # people in front, `FURTHEST` for so many or more
    offer: Offer | None
    slot: Slot | None  # what is offered, and where
    place: Site | None
    product: str | None  # its name
    draw: Draw | None  # in whose list they are, unless it was given up


def of_person(db: Session, person_id: UUID) -> list[Waits]:
    """Return what a person waits for."""
    place = aliased(Site)
    query = (
        select(WaitEntry, Programme, Site, Offer, Slot, place, Product.name, Draw)
        .join(Programme, Programme.id == WaitEntry.programme_id)
        .outerjoin(Site, Site.id == WaitEntry.site_id)
        .outerjoin(Offer, (Offer.wait_entry_id == WaitEntry.id) & (Offer.state == "open"))
        .outerjoin(Slot, Slot.id == Offer.slot_id)
        .outerjoin(ClinicSession, ClinicSession.id == Slot.session_id)
        .outerjoin(place, place.id == ClinicSession.site_id)
        .outerjoin(Product, Product.id == ClinicSession.product_id)
        .outerjoin(Draw, (Draw.id == WaitEntry.draw_id) & (Draw.state != "void"))
        .where(WaitEntry.person_id == person_id, WaitEntry.state.in_(IN_LINE))
        .order_by(WaitEntry.id)
    )
    return [Waits._make([*row[:3], before(db, row[0]), *row[3:]]) for row in db.execute(query)]


def before(db: Session, entry: WaitEntry) -> int:
    """Return how many are before somebody who could be given the same places."""
    query = select(WaitEntry.id).where(
        WaitEntry.programme_id == entry.programme_id, WaitEntry.state.in_(IN_LINE),
        place_in_line(entry) > IN_ORDER,
    )  # fmt: skip
    if entry.site_id:
        near = WaitEntry.within_km.is_not(None) | (WaitEntry.site_id == entry.site_id)
        query = query.where(WaitEntry.site_id.is_(None) | near)
    return db.scalars(select(func.count()).select_from(query.limit(FURTHEST).subquery())).one()


def active(db: Session, person_id: UUID, programme_id: UUID) -> bool:
    """Say whether a person has an appointment in a programme."""
    query = select(Appointment.id).filter_by(person_id=person_id, programme_id=programme_id)
    return db.scalar(query.where(Appointment.state.in_(ACTIVE)).limit(1)) is not None


def tell(
    db: Session, vault: Vault, entry: WaitEntry, template: str, now: datetime,
    bears: Bearing = JUST_TOLD, **fields: object,
) -> None:  # fmt: skip
    """Queue what one who waits is told; `fields` beside the name of the programme."""
    names = db.get_one(Programme, entry.programme_id).names
    messages.queue(
        db, vault=vault, person=db.get_one(Person, entry.person_id), template=template,
        fields={"programme": names, **fields}, time_zone=str(fields.get("zone", "UTC")),
        due_at=now, now=now, bears=bears,
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
        booking.refuse_unless_admitted(db, decision)
    return later[0]["phase"], date.fromisoformat(later[0]["on"])
