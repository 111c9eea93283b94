"""Plan doses anew that fit no more: after another one was given, found to count, or moved."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import SlotFull, TimesOverlap
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    ClinicSession,
    Dose,
    DoseStanding,
    Person,
    Programme,
    Slot,
    new_id,
)
from healthcert.policy import schedule
from healthcert.policy.schedule import NextDose
from healthcert.services import audit, booking, history, knowledge, people, places, scenes

_WINDOW = timedelta(days=42)  # to look for a dose that may be given at any time from a day on
_TRIED = 5  # of the times nearest to the one that was agreed


def take_along(
    db: Session, *, vault: Vault, first: Appointment, place: scenes.Place, now: datetime,
    give_back: bool = True,
) -> bool:  # fmt: skip
    """Move the next dose that is booked where it does not fit after the `first` one, taken now.

    Where there is no place for it and it would come too early, False is returned; it is given back,
    unless that is not wanted.
    """
    later = booking.next_of(db, first)
    if later is None:
        return True
    person = db.get_one(Person, first.person_id)
    at = scenes.place_of(db, later.slot_id, states=None)
    due = _due_after(db, vault, person, place, at.session.day)
    if due is None or due.number != later.dose_number:
        return True
    fits = due.earliest <= at.session.day <= (due.until or at.session.day)
    if fits and at.product.id == place.product.id:
        return True
    plan = _Plan(at, due, place.product.id)
    return _replan(db, vault, person, later, plan, now, give_back=give_back)


def _due_after(
    db: Session, vault: Vault, person: Person, place: scenes.Place, by: date
) -> NextDose | None:
    """Return when the dose after one is due that will have been given at a place."""
    born, disease = people.details_of(vault, person).birth_date, place.programme.disease
    past = history.past_doses(db, person_ids=[person.id], disease=disease)[person.id]
    rule = knowledge.rule_of(db, place.product.id).series
    day = place.session.day
    taken = [one.counted(born) for one in past if one.counts == "valid"]
    return schedule.outlook([*taken, (day, rule.at(born, day))], rule, born, max(by, day)).next


def replan(db: Session, *, vault: Vault, persons: Collection[Person], now: datetime) -> None:
    """Move booked doses that no longer fit what is on record of people whom the caller locked.

    Each goes to the time in its new window that is nearest to the one agreed, at the same site.
    Where there is none, one that would come too early is given back, and one too late is kept.
    Nothing here refuses what was recorded.
    """
    known = {person.id: person for person in persons}
    query = select(Appointment).where(
        Appointment.person_id.in_(known), Appointment.state == "booked",
        Appointment.dose_number > 1, Appointment.starts_at > now,
    )  # fmt: skip
    for old in db.scalars(query.order_by(Appointment.starts_at)).all():
        plan = _unfit(db, vault, known[old.person_id], old)
        if plan is not None:
            _replan(db, vault, known[old.person_id], old, plan, now)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A dose whose appointment does not fit: where that is, when it is due, of which product."""

    place: scenes.Place
    due: NextDose
    product_id: UUID


def _unfit(db: Session, vault: Vault, person: Person, old: Appointment) -> _Plan | None:
    """Return what is due instead of an appointment; None where it fits, or no rule says."""
    place = scenes.place_of(db, old.slot_id, states=None)
    day, planned = place.session.day, place.product.id
    for product_id in dict.fromkeys((planned, _last_product(db, person, old) or planned)):
        due = history.outlook(
            db, person_id=person.id, birth_date=people.details_of(vault, person).birth_date,
            programme_id=old.programme_id, today=day, product_id=product_id,
        ).next  # fmt: skip
        if due is not None and due.number == old.dose_number:
            if product_id == planned and due.earliest <= day <= (due.until or day):
                return None
            return _Plan(place, due, product_id)
    return None


def _last_product(db: Session, person: Person, old: Appointment) -> UUID | None:
    query = (
        select(Dose.product_id)
        .join(DoseStanding, DoseStanding.dose_id == Dose.id)
        .join(Programme, Programme.disease == DoseStanding.disease)
        .where(Programme.id == old.programme_id, DoseStanding.counts == "valid")
        .where(Dose.person_id == person.id)
    )
    return db.scalar(query.order_by(Dose.given_on.desc()).limit(1))


def _replan(
    db: Session, vault: Vault, person: Person, old: Appointment, plan: _Plan, now: datetime,
    *, give_back: bool = True,
) -> bool:  # fmt: skip
    """Move a dose to where it fits; where that is nowhere and `give_back`, it is cancelled."""
    for slot_id in _nearest(db, old, plan, now):
        place = scenes.place_of(db, slot_id)
        try:
            with db.begin_nested():
                appointment = exchange(db, old, place, now)
        except (SlotFull, TimesOverlap):
            db.refresh(old)
            continue
        if appointment.state == "booked":
            booking.tell(db, vault, person, "replanned", appointment, place, now)
        booking.note(db, audit.SYSTEM, "appointment_replanned", appointment, now)
        return True
    if plan.place.session.day >= plan.due.earliest:
        return True  # it comes late, which is better than not
    if give_back:
        was_held = old.state == "held"
        places.give_back(db, old, "cancelled")
        if not was_held:
            booking.tell(db, vault, person, "too_early", old, plan.place, now)
        booking.note(db, audit.SYSTEM, "appointment_cancelled", old, now)
    return False


def _nearest(db: Session, old: Appointment, plan: _Plan, now: datetime) -> list[UUID]:
    """Return the slots in the window of a dose that are nearest to the time agreed."""
    session, due = plan.place.session, plan.due
    until = due.until or due.earliest + _WINDOW
    wished = old.starts_at + (min(max(session.day, due.earliest), until) - session.day)
    query = (
        select(Slot.id, Slot.starts_at)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(ClinicSession.site_id == session.site_id, ClinicSession.state.in_(scenes.BOOKABLE))
        .where(ClinicSession.programme_id == old.programme_id, Slot.starts_at > now)
        .where(ClinicSession.product_id == plan.product_id, Slot.id != old.slot_id)
        .where(ClinicSession.day.between(due.earliest, until))
        .where(Slot.places(places.pools_of(old.source, old.dose_number)) > 0)
    )
    found = sorted(db.execute(query), key=lambda each: abs(each.starts_at - wished))
    return [each.id for each in found[:_TRIED]]


def exchange(db: Session, old: Appointment, place: scenes.Place, now: datetime) -> Appointment:
    """Take a place and let go of another, which stays held as long as the one before."""
    places.lock(db, (old.slot_id, place.slot.id))
    pools = places.pools_of(old.source, old.dose_number)
    pool = places.take_place(db, place.slot, pools, now=now)
    hold = places.Hold(new_id(), old.party_id, old.held_until) if old.state == "held" else None
    places.give_back(db, old, "cancelled" if hold else "rescheduled")
    return places.hold_place(
        db, person_id=old.person_id, slot=place.slot, pool=pool, hold=hold,
        programme_id=place.session.programme_id, dose_number=old.dose_number, source=old.source,
        now=now, exception_reason=old.exception_reason,
    )  # fmt: skip
