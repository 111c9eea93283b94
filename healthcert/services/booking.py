"""Book a place, and give it back.

One guarded UPDATE takes a place in the same transaction as the row that holds it, so two people
never share the last one. Every deed locks the person first and slots after, in the order of
their ids. Whoever calls has said who the person is; what only the record knows is answered to a
stranger with one word, `AlreadyBooked`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import NotEligible, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    ClinicSession,
    EligibilityDecision,
    Person,
    Phase,
    Slot,
    plain,
)
from healthcert.models.appointment import ACTIVE
from healthcert.models.place import OPEN
from healthcert.policy import schedule
from healthcert.services import (
    audit,
    eligibility,
    enrolment,
    knowledge,
    messages,
    people,
    places,
    scenes,
)
from healthcert.services.bearing import Bearing
from healthcert.services.people import Details

Written = list[Mapping[str, object]]


class Planned(NamedTuple):
    """A dose that has an appointment, or is to get one."""

    dose_number: int
    day: date
    product_id: UUID


def take(  # noqa: PLR0913 - each says what is booked, named at the call
    db: Session,
    *,
    vault: Vault,
    person_id: UUID,
    slot_id: UUID,
    dose_number: int,
    source: str,
    actor: audit.Actor,
    now: datetime,
    exception_reason: str = "",
    pools: Collection[str] = (),
    told: eligibility.Told | None = None,
) -> Appointment:
    """Take one place of a slot for a person whom the caller knows.

    A nurse who gives one of `eligibility.EXCEPTION_REASONS` takes them out of turn. Places kept
    for these `pools` go before those of the way it is booked: an offer takes from ``waiting``.
    What is `told` is judged as in `eligibility.decide`.

    Raises:
        NotFound: No such person, or no such slot is open for booking.
        WrongState: The slot has begun.
        NotEligible: Not of the age on that day, no phase open then admits, or that dose is not
            due then.
        BadInput: The reason for an exception is none, or what is told was not asked.
        NotAllowed: An exception is asked for by someone who is no nurse.
        SlotFull: No place is left.
        AlreadyBooked: The person has an appointment for this dose.
        TimesOverlap: The person has another appointment at that time.
    """
    person = people.all_read(db, [person_id])[person_id]
    scene = scenes.scene_of(db, vault, person, slot_id)
    decided: Written = []
    refuse_unfit(
        db, vault=vault, person=person, scene=scene, dose_number=dose_number, actor=actor,
        now=now, exception_reason=exception_reason, told=told, rows=decided,
    )  # fmt: skip
    place = scene.place

    def written(appointment: Appointment) -> dict[str, Written]:
        told: Written = []
        noted: Written = []
        tell(db, vault, person, "booked", appointment, place, now, told, scene.details)
        note(db, actor, "appointment_booked", appointment, now, noted)
        return {"message": told, "audit_event": noted}

    return placed(
        db, place.slot, written, decided, pools=pools, person_id=person_id, source=source,
        programme_id=place.programme.id, dose_number=dose_number, now=now,
        exception_reason=exception_reason,
    )  # fmt: skip


def placed(
    db: Session, slot: Any, written: Callable[[Appointment], dict[str, Written]],  # noqa: ANN401
    decided: Written, *, pools: Collection[str] = (), now: datetime, **wanted: Any,  # noqa: ANN401
) -> Appointment:  # fmt: skip
    """Take a place as `take` does, and write the decision, and by table what tells of it.

    That is one statement where no pool goes before the open places; `wanted` as `places.row_of`.
    """
    pools = (*pools, *places.pools_of(wanted["source"], wanted["dose_number"]))
    kept = any(getattr(slot, f"kept_{pool}") for pool in pools)
    if not kept and slot.open_places > 0 and places.is_postgresql(db):
        row = places.row_of(slot=slot, pool=OPEN, now=now, **wanted)
        made = plain(Appointment, row)
        more = written(made) | {"eligibility_decision": decided}
        if places.at_once(db, slot, appointment=[row], **more):
            return made
    pool = places.take_place(db, slot, pools, now=now)  # where it is full nothing is written before
    messages.write(db, eligibility_decision=decided)
    appointment = places.hold_place(db, slot=slot, pool=pool, now=now, **wanted)
    messages.write(db, **written(appointment))
    return appointment


def cancel(
    db: Session, *, vault: Vault, appointment_id: UUID, person_id: UUID, now: datetime,
    actor: audit.Actor | None = None,
) -> None:  # fmt: skip
    """Give a person's own appointment back, by themselves or an `actor`; its place is free at once.

    Raises:
        NotFound: No such appointment of this person.
        WrongState: It is no longer booked.
    """
    person = people.locked(db, person_id)
    appointment = own(db, appointment_id=appointment_id, person_id=person_id)
    if appointment.state not in ("booked", "held"):
        raise WrongState
    places.give_back(db, appointment, "cancelled")
    place = scenes.place_of(db, appointment.slot_id, states=None)
    tell(db, vault, person, "cancelled", appointment, place, now)
    actor = actor or audit.Actor("citizen", person_id)
    note(db, actor, "appointment_cancelled", appointment, now)


def own(db: Session, *, appointment_id: UUID, person_id: UUID) -> Appointment:
    """Return a person's own appointment.

    Raises:
        NotFound: No such appointment, or it is someone else's.
    """
    query = select(Appointment).filter_by(id=appointment_id, person_id=person_id)
    return there(db.scalar(query.execution_options(populate_existing=True)))


def next_of(db: Session, first: Appointment) -> Appointment | None:
    """Return the appointment for the dose after one, or the next there is."""
    query = select(Appointment).where(
        Appointment.person_id == first.person_id, Appointment.programme_id == first.programme_id,
        Appointment.dose_number > first.dose_number, Appointment.state.in_(("booked", "held")),
    )  # fmt: skip
    return db.scalar(query.order_by(Appointment.dose_number).limit(1))


class NotDue(NotEligible):
    """The record says that another dose is due, or later: no word of it to a stranger."""


class PutOff(NotDue):
    """A clinician put the person off until a day: no word of it to a stranger."""

    code = "put_off"


def refuse_unfit(  # noqa: PLR0913 - each says what is judged, named at the call
    db: Session, *, vault: Vault, person: Person, scene: scenes.Scene, dose_number: int,
    actor: audit.Actor, now: datetime, exception_reason: str = "",
    told: eligibility.Told | None = None, again: Appointment | None = None,
    planned: Sequence[Planned] = (), rows: audit.Rows = None, typed: bool = False,
) -> None:  # fmt: skip
    """Refuse a slot that has begun, is not for this person, or not for the dose that is due.

    The decision whether a phase admits them, by what is `told`, is kept, or put to `rows`, as in
    `eligibility.decide`; the exception of what is judged `again` holds.

    Doses of the same product that are `planned`, or have an appointment, are taken as given then.
    A higher number than is due is taken: the doses before it may have been given elsewhere.

    Raises:
        WrongState: The slot has begun.
        NotEligible: Not of the age on that day, or no phase open then admits.
        NotDue: The dose counts already, is due later, or is not to be given with this product.
        PutOff: A clinician said to come later, and nobody takes them out of turn.
        BadInput: What is told was not asked.
    """
    place, day = scene.place, scene.place.session.day
    if place.slot.starts_at <= now:
        raise WrongState
    birth_date = scene.details.birth_date
    rule = knowledge.series_of(db, place.product.knowledge_id)
    if not rule.at(birth_date, day).suits(birth_date, day):
        raise NotEligible
    if scene.put_off and day < scene.put_off and not exception_reason:
        raise PutOff(opens_on=scene.put_off)
    before = _before(db, person, place, dose_number, planned)
    coming = _due(db, scene, rule, before)
    if (
        coming is None
        or coming.number > dose_number
        or (coming.number == dose_number and day < coming.earliest)
    ):
        raise NotDue
    doses = max(len(scene.counted), *(each.dose_number for each in before), 0)
    decision = eligibility.decide(
        db, vault=vault, person=person, programme_id=place.session.programme_id, day=day,
        actor=actor, now=now, told=told, exception_reason=exception_reason, again=again,
        typed=typed, known=eligibility.Known(place.programme, scene.last, birth_date, doses, rows),
    )  # fmt: skip
    refuse_unless_admitted(db, decision)


def due(
    db: Session, *, vault: Vault, person_id: UUID, slot_id: UUID, dose_number: int
) -> schedule.NextDose | None:
    """Return which dose of the product of a slot is due to a person, and when; None for none.

    Doses before `dose_number` that have an appointment are taken as given then.

    Raises:
        NotFound: No such person, or no such slot is open for booking.
    """
    person = there(db.get(Person, person_id))
    scene = scenes.scene_of(db, vault, person, slot_id)
    rule = knowledge.series_of(db, scene.place.product.knowledge_id)
    return _due(db, scene, rule, _before(db, person, scene.place, dose_number, ()))


def _due(
    db: Session, scene: scenes.Scene, rule: schedule.Series, before: Collection[Planned]
) -> schedule.NextDose | None:
    birth_date, day = scene.details.birth_date, scene.place.session.day
    given = [(on, knowledge.series_of(db, version)) for on, version in scene.counted]
    given += [(each.day, rule) for each in sorted(before) if each.dose_number > len(scene.counted)]
    taken = [(on, its.at(birth_date, on)) for on, its in given]
    return schedule.outlook(taken, rule, birth_date, day).next


def _before(
    db: Session, person: Person, place: scenes.Place, dose_number: int, planned: Sequence[Planned]
) -> set[Planned]:
    """Return the earlier doses of the same product that are planned or have an appointment."""
    if dose_number == 1:
        return set()
    query = (
        select(Appointment.dose_number, ClinicSession.day, ClinicSession.product_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(Appointment.person_id == person.id, Appointment.state.in_(ACTIVE))
        .where(Appointment.programme_id == place.session.programme_id)
    )
    known = [*planned, *(Planned(*row) for row in db.execute(query))]
    return {
        each
        for each in known
        if each.dose_number < dose_number and each.product_id == place.product.id
    }


def refuse_unless_admitted(db: Session, decision: EligibilityDecision) -> None:
    """Refuse where a decision does, with the group that would come first and its day."""
    if decision.outcome != "refused":
        return
    about = [reason["about"] for reason in decision.reasons]
    kind = NotDue if any(each.get("field") == "doses" for each in about) else NotEligible
    opening = next((each["phase"] for each in about if "on" in each), None)
    query = select(Phase).filter_by(knowledge_id=decision.knowledge_id, code=opening)
    phase = db.scalar(query)
    if phase is None:
        raise kind(by_phase=True)
    raise kind(opens_on=phase.opens_on, group=phase.names, by_phase=True)


def keep_refusal(
    db: Session, *, vault: Vault, programme_id: UUID, day: date, details: Details, now: datetime,
    told: eligibility.Told | None = None, new: Sequence[str] = (),
) -> bool:  # fmt: skip
    """Keep that a person was refused by the phases, so that they can be told why, and why not yet.

    The refusal itself undid its transaction; this one decides the same again. Of somebody without
    a number, who could not be found again, nothing is kept, and False is returned. What was told
    before is taken back only of those whom the caller wrote down as `new`.

    Raises:
        BadInput: A field of the details cannot be used, or what is told was not asked.
        AlreadyBooked: The details contradict what is on record.
    """
    if details.identity.kind in people.UNFINDABLE:
        return False
    person = enrolment.enrol(db, vault=vault, details=details, now=now)
    people.locked(db, person.id)
    eligibility.decide(
        db, vault=vault, person=person, programme_id=programme_id, day=day,
        actor=audit.Actor("citizen", person.id), now=now, told=told or {},
        typed=str(person.id) not in new,
    )  # fmt: skip
    return True


def tell(
    db: Session, vault: Vault, person: Person, template: str, appointment: Appointment,
    place: scenes.Place, now: datetime, rows: audit.Rows = None, details: Details | None = None,
) -> None:  # fmt: skip
    """Queue what a person is told of an appointment.

    That one stands is over when it stands no more; that one is cancelled, when it would have been.
    """
    about = appointment.id if appointment.state == "booked" else None
    bears = Bearing(appointment.starts_at, place.session.site_id, about)
    fields = {
        "when": appointment.starts_at, "place": place.site.names,
        "reference": appointment.reference,
    }  # fmt: skip
    messages.queue(
        db, vault=vault, person=person, template=template, fields=fields,
        time_zone=place.site.time_zone, due_at=now, now=now, rows=rows, details=details,
        bears=bears,
    )  # fmt: skip


def note(
    db: Session, actor: audit.Actor, act: str, appointment: Appointment, now: datetime,
    rows: audit.Rows = None,
) -> None:  # fmt: skip
    """Write down what was done to an appointment."""
    details: dict[str, audit.Detail] = {
        "slot": appointment.slot_id, "dose": appointment.dose_number,
        "source": appointment.source, "pool": appointment.pool,
    }  # fmt: skip
    subject = audit.Subject("appointment", appointment.id)
    audit.note(db, actor=actor, act=act, subject=subject, details=details, now=now, rows=rows)
