"""A person before the needle and the dose itself, on one path: nothing on it is a wall.

What was not asked is no obstacle: the dose is a fact, and that it went unchecked is noted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import AdverseEvent, Consent, Dose, Person, Screening, Staff, Triage
from healthcert.policy.ages import months_old
from healthcert.policy.consent import deciders
from healthcert.policy.prompts import Prompts, concerns, prompts
from healthcert.services import (
    alarms,
    audit,
    clinic,
    knowledge,
    observing,
    people,
    safety,
    vaccination,
)
from healthcert.services.clinic import Patient
from healthcert.services.facts import Told
from healthcert.services.knowledge import Rule

OBSERVED = 15  # minutes, where the vaccine's file says nothing
_OUTCOMES = {"go": "go", "defer": "defer", "ask": "ask_clinician"}
_NOT_VACCINATED = {"defer": "unwell", "refuse": "contraindicated"}


@dataclass(frozen=True, slots=True)
class Before:
    """What is known and to be asked of somebody who has come; None where nobody was asked."""

    rule: Rule
    questions: Sequence[Mapping[str, Any]]  # those for a person of this age and sex
    may_decide: Sequence[str]  # who may agree for them
    consent: Consent | None  # the decision that counts now
    screening: Screening | None  # of this appointment, the newest
    triage: Triage | None  # what a clinician decided on it
    reactions: Sequence[AdverseEvent]  # after earlier doses, the latest first
    volume: str  # of a dose at this age, or empty
    last_lot: str  # that this member of staff gave of this product today, or empty
    recorded: bool  # whether the dose of the appointment is on record, and stands

    @property
    def outcome(self) -> str:
        """Return where the answers lead, or what was decided; empty where nothing was asked."""
        decided = self.triage or self.screening
        return decided.outcome if decided else ""

    @property
    def refused(self) -> bool:
        """Say whether the person does not agree, or no longer."""
        return self.consent is not None and self.consent.decision != "given"


def before(db: Session, *, patient: Patient, staff: Staff, country: Country, day: date) -> Before:
    """Return what is to be seen and asked before the dose of an appointment."""
    line, born = patient.expected, patient.details.birth_date
    rule = knowledge.rule_of(db, line.product_id)
    asked = select(Screening).filter_by(appointment_id=line.appointment_id)
    newest = asked.order_by(Screening.recorded_at.desc(), Screening.id.desc())
    screening = db.scalar(newest.limit(1))
    triage = select(Triage).where(Triage.screening_id == (screening and screening.id))
    reactions = select(AdverseEvent).filter_by(person_id=line.person_id)
    lot = select(Dose.lot_text).filter_by(
        recorded_by=staff.id, product_id=line.product_id, recorded_on=day, site_id=staff.site_id
    )
    months = months_old(born, day)
    return Before(
        rule, [q for q in rule.questions if concerns(q, months, patient.details.sex)],
        deciders(country.deciders, born, day),
        safety.current_consent(db, person_id=line.person_id, programme_id=line.programme_id),
        screening, db.scalar(triage.order_by(Triage.ordinal.desc()).limit(1)),
        db.scalars(reactions.order_by(AdverseEvent.onset_on.desc())).all(),
        rule.series.at(born, day).volume,
        db.scalar(lot.order_by(Dose.id.desc()).limit(1)) or "",
        vaccination.recorded(db, appointment_id=line.appointment_id) is not None,
    )  # fmt: skip


def screen(
    db: Session, *, vault: Vault, patient: Patient, known: Before, answers: Mapping[str, bool],
    staff: Staff, day: date, now: datetime,
) -> Prompts:  # fmt: skip
    """Keep what was answered before a dose and return where it leads, with what is on record."""
    found = _led(patient, known, answers, day)
    safety.screen(
        db, vault=vault, person_id=patient.expected.person_id, answers={
            code: "yes" if answer else "no" for code, answer in answers.items()
        }, programme_id=patient.expected.programme_id, questions_id=known.rule.knowledge_id,
        outcome=_OUTCOMES[found.outcome], appointment_id=patient.expected.appointment_id,
        staff=staff, now=now,
    )  # fmt: skip
    return found


def decide(
    db: Session, *, appointment_id: UUID, screening_id: UUID, outcome: str, reason: str,
    until: date | None, staff: Staff, day: date, now: datetime,
) -> None:  # fmt: skip
    """Decide on the answers as a clinician: go on, or note that nothing is given today.

    Raises:
        BadInput, NotAllowed, NotFound: See `safety.override`.
        WrongState: The appointment is over.
    """
    safety.override(
        db, screening_id=screening_id, outcome=outcome, reason=reason, until=until, staff=staff,
        day=day, now=now,
    )  # fmt: skip
    if outcome in _NOT_VACCINATED:
        clinic.not_vaccinated(
            db, appointment_id=appointment_id, reason=_NOT_VACCINATED[outcome], staff=staff, now=now
        )


def give(
    db: Session, *, vault: Vault, patient: Patient, known: Before, product_id: UUID, told: Told,
    staff: Staff, country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Write a dose down whatever was asked before it, note what was not, and begin the watch.

    Raises:
        BadInput, NotFound, WrongState: See `vaccination.record`.
    """
    dose = vaccination.record(
        db, vault=vault, appointment_id=patient.expected.appointment_id, product_id=product_id,
        told=told, staff=staff, country=country, now=now,
    )  # fmt: skip
    # What was asked is asked of the product that was planned; of another it tells nothing.
    tells = product_id == patient.expected.product_id or known.outcome == "refuse"
    note_unchecked(db, dose, known.consent, known.outcome if tells else "", staff, now)
    answers = answered(db, vault=vault, known=known)
    longer = _led(patient, known, answers, dose.given_on).observe_minutes
    observing.begin(db, dose=dose, minutes=max(minutes_after(db, product_id), longer), now=now)
    return dose


def minutes_after(db: Session, product_id: UUID) -> int:
    """Return for how many minutes everybody is watched after a dose of a product."""
    return int(knowledge.rule_of(db, product_id).content.get("observe_minutes", OBSERVED))


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


def answered(db: Session, *, vault: Vault, known: Before) -> dict[str, bool]:
    """Return what was answered before a dose, by the code of the question."""
    told: Mapping[str, str] = {}
    if (row := known.screening) is not None:
        key = people.key_of(db.get_one(Person, row.person_id))
        told = vault.open(key, row.id, row.sealed, purpose="screening")
    return {code: answer == "yes" for code, answer in told.items()}


def _led(patient: Patient, known: Before, answers: Mapping[str, bool], day: date) -> Prompts:
    return prompts(
        known.questions, age_months=months_old(patient.details.birth_date, day),
        sex=patient.details.sex, history={event.term for event in known.reactions}, answers=answers,
    )  # fmt: skip
