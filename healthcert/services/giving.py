"""A person before the needle and the dose itself, on one path: nothing on it is a wall.

What was not asked is no obstacle: the dose is a fact, and that it went unchecked is noted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import (
    AdverseEvent,
    Appointment,
    Consent,
    Dose,
    Knowledge,
    Person,
    Programme,
    Screening,
    Site,
    Staff,
    Triage,
)
from healthcert.policy.ages import months_old
from healthcert.policy.consent import deciders
from healthcert.policy.prompts import Prompts, concerns, prompts
from healthcert.services import (
    alarms,
    audit,
    clinic,
    history,
    knowledge,
    messages,
    observing,
    people,
    safety,
    vaccination,
)
from healthcert.services.booking import cancel
from healthcert.services.clinic import Patient
from healthcert.services.facts import Told
from healthcert.services.history import Foreseen
from healthcert.services.knowledge import Rule

OBSERVED = 15  # minutes, where the vaccine's file says nothing
_OUTCOMES = {"go": "go", "defer": "defer", "ask": "ask_clinician"}
_NOT_VACCINATED = {"defer": "unwell", "refuse": "contraindicated"}


@dataclass(frozen=True, slots=True)
class Before:
    """What is known and to be asked of somebody who has come; None where nobody was asked."""

    rule: Rule  # of the vaccine that is to be given
    questions: Sequence[Mapping[str, Any]]  # those for a person of this age and sex
    may_decide: Sequence[str]  # who may agree for them
    consent: Consent | None  # the decision that counts now
    screening: Screening | None  # of this appointment and vaccine, the newest
    triage: Triage | None  # what a clinician decided on it
    barred: (
        bool  # a clinician refused another vaccine last, and this one's questions were not asked
    )
    answers: Mapping[str, bool]  # of the screening, by the code of the question
    reactions: Sequence[AdverseEvent]  # after earlier doses, the latest first
    earlier: Triage | None  # what was decided last at another visit, where it still stands against
    foreseen: Foreseen | None  # what a dose would count as now; None where it is on record
    volume: str  # of a dose at this age, or empty
    last_lot: str  # that this member of staff gave of this product today, or empty

    @property
    def recorded(self) -> bool:
        """Say whether the dose of the appointment is on record, and stands."""
        return self.foreseen is None

    @property
    def outcome(self) -> str:
        """Return where the answers lead, or what was decided; empty where nothing was asked."""
        decided = self.triage or self.screening
        return decided.outcome if decided else "refuse" if self.barred else ""

    @property
    def refused(self) -> bool:
        """Say whether the person does not agree, or no longer."""
        return self.consent is not None and self.consent.decision != "given"

    @property
    def yes(self) -> Sequence[Mapping[str, Any]]:
        """Return the questions that were answered with yes, for whoever did not ask them."""
        return [each for each in self.questions if self.answers.get(each["code"])]

    def led(self, answers: Mapping[str, bool]) -> Prompts:
        """Return where answers lead, with what is on record."""
        return _led(self.questions, self.reactions, answers)


def before(
    db: Session, *, vault: Vault, patient: Patient, staff: Staff, country: Country, day: date,
    product_id: UUID | None = None,
) -> Before:  # fmt: skip
    """Return what is to be seen and asked before the dose of an appointment, or of another vaccine.

    Raises:
        NotFound: No such vaccine.
    """
    line, born = patient.expected, patient.details.birth_date
    rule = knowledge.rule_of(db, product_id or line.product_id)
    screening, triage, barred = _asked(db, line.appointment_id, rule)
    of = {"person_id": line.person_id, "programme_id": line.programme_id}
    earlier = safety.newest_decision(db, **of, apart_from=line.appointment_id)
    passed = earlier is None or earlier.outcome == "go" or (earlier.until and earlier.until <= day)
    is_recorded = vaccination.recorded(db, appointment_id=line.appointment_id) is not None
    lot = select(Dose.lot_text).filter_by(
        recorded_by=staff.id, product_id=rule.product.id, recorded_on=day, site_id=staff.site_id
    )
    months = months_old(born, day)
    return Before(
        rule, [q for q in rule.questions if concerns(q, months, patient.details.sex)],
        deciders(country.deciders, born, day), safety.current_consent(db, **of),
        screening, triage, barred, _answered(db, vault, screening),
        safety.reactions_of(db, line.person_id), None if passed else earlier,
        None if is_recorded else history.foreseen(
            db, **of, birth_date=born, offered=rule.series, day=day
        ),
        rule.series.at(born, day).volume, db.scalar(lot.order_by(Dose.id.desc()).limit(1)) or "",
    )  # fmt: skip


def _asked(
    db: Session, appointment_id: UUID, rule: Rule
) -> tuple[Screening | None, Triage | None, bool]:
    """Return the newest answers to a vaccine's questions, and the newest decision on them.

    Last, whether a clinician refused since then, on the answers to those of another.
    """
    name = select(Knowledge.name).where(Knowledge.id == rule.knowledge_id).scalar_subquery()
    query = (
        select(Screening, Triage, Knowledge.name == name)
        .join(Knowledge, Knowledge.id == Screening.questions_id)
        .outerjoin(Triage, Triage.screening_id == Screening.id)
        .where(Screening.appointment_id == appointment_id)
        .order_by(Screening.recorded_at.desc(), Screening.id.desc(), Triage.ordinal.desc())
    )
    rows = db.execute(query).all()
    own = next(((one, decided) for one, decided, is_own in rows if is_own), (None, None))
    newest = rows[0][1] if rows and not rows[0][2] else None
    return *own, newest is not None and newest.outcome == "refuse"


def newest_screening(db: Session, appointment_id: UUID) -> UUID | None:
    """Return the newest answers of an appointment, to the questions of whichever vaccine."""
    query = select(Screening.id).filter_by(appointment_id=appointment_id)
    return db.scalar(query.order_by(Screening.recorded_at.desc(), Screening.id.desc()).limit(1))


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
    db: Session, *, vault: Vault, appointment_id: UUID, screening_id: UUID, outcome: str,
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
    if outcome in _NOT_VACCINATED:
        clinic.not_vaccinated(
            db, appointment_id=appointment_id, reason=_NOT_VACCINATED[outcome], staff=staff, now=now
        )
    if outcome == "defer" and until:
        _put_off(db, vault, db.get_one(Appointment, appointment_id), until, staff, now)


def _put_off(
    db: Session, vault: Vault, of: Appointment, until: date, staff: Staff, now: datetime
) -> None:
    """Tell somebody from which day on they may come, and give back what is booked before it."""
    person, site = db.get_one(Person, of.person_id), db.get_one(Site, staff.site_id)
    begins = datetime.combine(until, time.min, ZoneInfo(site.time_zone))
    early = select(Appointment.id).filter_by(person_id=person.id, programme_id=of.programme_id)
    early = early.where(Appointment.state.in_(("held", "booked")), Appointment.starts_at < begins)
    for appointment_id in db.scalars(early.order_by(Appointment.id)).all():
        cancel(
            db, vault=vault, appointment_id=appointment_id, person_id=person.id, now=now,
            actor=audit.Actor("staff", staff.id),
        )  # fmt: skip
    programme = db.get_one(Programme, of.programme_id)
    messages.queue(
        db, vault=vault, person=person, template="put_off", time_zone=site.time_zone,
        fields={"day": until, "programme": programme.names}, due_at=now, now=now,
    )  # fmt: skip


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
    if product_id != known.rule.product.id:  # of another vaccine other things are asked
        known = before(
            db, vault=vault, patient=patient, staff=staff, country=country, day=dose.given_on,
            product_id=product_id,
        )  # fmt: skip
    note_unchecked(db, dose, known.consent, known.outcome, staff, now)
    observing.begin(db, dose=dose, minutes=minutes_after(db, dose, known.answers), now=now)
    return dose


def minutes_after(db: Session, dose: Dose, answers: Mapping[str, bool]) -> int:
    """Return how long somebody is watched after a dose, by its vaccine, the answers, the record."""
    rule = knowledge.rule_of(db, dose.product_id)
    found = _led(rule.questions, safety.reactions_of(db, dose.person_id), answers)
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


def _answered(db: Session, vault: Vault, row: Screening | None) -> dict[str, bool]:
    """Return what was answered, by the code of the question."""
    if row is None:
        return {}
    key = people.key_of(db.get_one(Person, row.person_id))
    told = vault.open(key, row.id, row.sealed, purpose="screening")
    return {code: answer == "yes" for code, answer in told.items()}


def _led(
    questions: Sequence[Mapping[str, Any]], reactions: Sequence[AdverseEvent],
    answers: Mapping[str, bool],
) -> Prompts:  # fmt: skip
    """Return where answers to questions lead that are for this person, with what is on record."""
    return prompts(
        questions, age_months=None, sex="unknown", history={event.term for event in reactions},
        answers=answers,
    )  # fmt: skip
