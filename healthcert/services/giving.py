"""A person before the needle and the dose itself, on one path: nothing on it is a wall.

What was not asked is no obstacle: the dose is a fact, and that it went unchecked is noted. Only
who does not agree is given nothing; what was given to them already is written down afterwards.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotAgreed
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Consent, Dose, Person, Programme, Site, Staff
from healthcert.policy.prompts import Prompts
from healthcert.services import (
    alarms,
    audit,
    clinic,
    knowledge,
    messages,
    observing,
    people,
    prompting,
    reactions,
    safety,
    vaccination,
    waiting,
    waits,
)
from healthcert.services.booking import cancel
from healthcert.services.clinic import Expected, Patient, Unexpected
from healthcert.services.facts import Told
from healthcert.services.prompting import Before

OBSERVED = 15  # minutes, where the vaccine's file says nothing
_OUTCOMES = {"go": "go", "defer": "defer", "ask": "ask_clinician"}
_NOT_VACCINATED = {"defer": "unwell", "refuse": "contraindicated"}


class AheadUnsaid(BadInput):
    """They have something booked or wait for it, and nobody said whether that ends."""

    def __init__(self, states: Iterable[str]) -> None:
        """Take the state of each appointment to come, and of the wait."""
        super().__init__({"cancel_ahead": "missing"})
        self.states = Counter(states)


def agree(
    db: Session, *, vault: Vault, patient: Patient, known: Before, decision: str, decided_by: str,
    name: str = "", cancel_ahead: bool | None = None, staff: Staff, now: datetime,
) -> Consent:  # fmt: skip
    """Write down that somebody agrees, refuses, or no longer agrees, as in `safety.consent`.

    Who does not agree, and has appointments in this programme that are still to come, or is on its
    waiting list, is asked whether to `cancel_ahead`: what ends, with what is offered to them, is
    told to the person; what is kept stands.

    Raises:
        BadInput: ``cancel_ahead`` where nobody was asked, with the `states` of what would end; or
            see `safety.consent`.
        NotFound, WrongState: See `safety.consent`.
    """
    of = {"person_id": patient.expected.person_id, "programme_id": patient.expected.programme_id}
    people.locked(db, of["person_id"])
    stands = [] if decision == "given" else prompting.ahead(db, patient.expected, now)
    wait = None if decision == "given" else prompting.wait(db, patient.expected)
    states = [each.state for each in stands] + ([wait.state] if wait else [])
    if states and cancel_ahead is None:
        raise AheadUnsaid(states)
    consent = safety.consent(
        db, vault=vault, **of, decision=decision, decided_by=decided_by, name=name, staff=staff,
        may_decide=known.may_decide, now=now,
    )  # fmt: skip
    if cancel_ahead:
        give_back(db, vault, of["person_id"], [each.appointment_id for each in stands], staff, now)
    if cancel_ahead and wait:
        waiting.leave(
            db, vault=vault, entry_id=wait.id, person_id=of["person_id"], now=now,
            actor=audit.Actor("staff", staff.id),
        )  # fmt: skip
    return consent


def screen(
    db: Session, *, vault: Vault, patient: Patient, known: Before, answers: Mapping[str, bool],
    staff: Staff, now: datetime,
) -> Prompts:  # fmt: skip
    """Keep what was answered before a dose and return where it leads, with what is on record."""
    found = known.led(answers)
    safety.screen(
        db, vault=vault, person_id=patient.expected.person_id, answers={
            code: "yes" if answer else "no" for code, answer in answers.items()
        }, programme_id=patient.expected.programme_id, questions_id=known.rule.knowledge_id,
        outcome=_OUTCOMES[found.outcome], appointment_id=patient.expected.appointment_id,
        staff=staff, now=now,
    )  # fmt: skip
    return found


def decide(
    db: Session, *, vault: Vault, patient: Patient, screening_id: UUID, outcome: str,
    reason: str, until: date | None, staff: Staff, day: date, now: datetime,
) -> None:  # fmt: skip
    """Decide on the answers as a clinician: go on, or note that nothing is given today.

    Who is put off is told until when, and what they have booked before that day is given back.

    Raises:
        BadInput, NotAllowed, NotFound: See `safety.override`.
        WrongState: The appointment is over.
    """
    safety.override(
        db, screening_id=screening_id, outcome=outcome, reason=reason, until=until, staff=staff,
        day=day, now=now,
    )  # fmt: skip
    booked = patient.expected.appointment_id
    if booked and outcome in _NOT_VACCINATED:
        clinic.not_vaccinated(
            db, appointment_id=booked, reason=_NOT_VACCINATED[outcome], staff=staff, now=now
        )
    if outcome == "defer" and until:
        _put_off(db, vault, patient.expected, until, staff, now)


def _put_off(
    db: Session, vault: Vault, of: Expected | Unexpected, until: date, staff: Staff, now: datetime
) -> None:
    """Tell somebody from which day on they may come, and give back what is booked before it."""
    person, site = db.get_one(Person, of.person_id), db.get_one(Site, staff.site_id)
    begins = datetime.combine(until, time.min, ZoneInfo(site.time_zone))
    early = select(Appointment.id).filter_by(person_id=person.id, programme_id=of.programme_id)
    early = early.where(Appointment.state.in_(("held", "booked")), Appointment.starts_at < begins)
    early_ids = db.scalars(early.order_by(Appointment.id)).all()
    give_back(db, vault, person.id, early_ids, staff, now)
    waits.after_dose(db, vault=vault, persons=[person], now=now)
    programme = db.get_one(Programme, of.programme_id)
    messages.queue(
        db, vault=vault, person=person, template="put_off", time_zone=site.time_zone,
        fields={"day": until, "programme": programme.names}, due_at=now, now=now,
    )  # fmt: skip


def give_back(
    db: Session, vault: Vault, person_id: UUID, appointment_ids: Sequence[UUID], staff: Staff,
    now: datetime,
) -> None:  # fmt: skip
    """Give back for somebody what they have booked; they are told of each."""
    for appointment_id in sorted(appointment_ids):
        cancel(
            db, vault=vault, appointment_id=appointment_id, person_id=person_id, now=now,
            actor=audit.Actor("staff", staff.id),
        )  # fmt: skip


def give(
    db: Session, *, vault: Vault, patient: Patient, known: Before, product_id: UUID, told: Told,
    afterwards: bool = False, staff: Staff, country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Write a dose down whatever was asked before it, note what was not, and begin the watch.

    `afterwards`: it was given before, and nobody can be asked any more: as of a paper.

    Raises:
        BadInput, NotFound, WrongState: See `vaccination.record`.
        NotAgreed: They refuse, or no longer agree, and it is not told ``afterwards``.
    """
    line = patient.expected
    of = {"person_id": line.person_id, "programme_id": line.programme_id}
    if line.appointment_id:
        dose = vaccination.record(
            db, vault=vault, appointment_id=line.appointment_id, product_id=product_id, told=told,
            staff=staff, country=country, now=now,
        )  # fmt: skip
    else:
        dose = vaccination.record_unbooked(
            db, vault=vault, **of, product_id=product_id, told=told, staff=staff, country=country,
            now=now,
        )  # fmt: skip
    agreed = safety.current_consent(db, **of)  # the person is locked by now
    if agreed and agreed.decision != "given" and not afterwards:
        raise NotAgreed
    if product_id != known.rule.product.id:  # of another vaccine other things are asked
        known = prompting.before(
            db, vault=vault, patient=patient, staff=staff, country=country, day=dose.given_on,
            product_id=product_id, now=now,
        )  # fmt: skip
    note_unchecked(db, dose, agreed, known.outcome, staff, now)
    observing.begin(db, dose=dose, minutes=minutes_after(db, dose, known.answers), now=now)
    return dose


def minutes_after(db: Session, dose: Dose, answers: Mapping[str, bool]) -> int:
    """Return how long somebody is watched after a dose, by its vaccine, the answers, the record."""
    rule = knowledge.rule_of(db, dose.product_id)
    found = prompting.led(rule.questions, reactions.of_person(db, dose.person_id), answers)
    return max(int(rule.content.get("observe_minutes", OBSERVED)), found.observe_minutes)


def note_unchecked(
    db: Session, dose: Dose, consent: Consent | None, outcome: str, staff: Staff, now: datetime
) -> None:
    """Note what was not checked before a dose; one after a refusal raises an alarm."""
    decision = consent.decision if consent else "not_checked"
    checked: dict[str, audit.Detail] = {"consent": decision, "screening": outcome or "not_checked"}
    if checked != {"consent": "given", "screening": "go"}:
        audit.done(db, "dose_not_checked", dose, checked, by=staff, now=now)
    if decision in ("refused", "withdrawn") or outcome == "refuse":
        alarms.sound(db, kind="dose_refused", about=("dose", dose.id), now=now)
