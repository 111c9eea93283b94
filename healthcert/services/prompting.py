"""What is to be seen and asked before a dose: answers, the record, earlier decisions, its worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import (
    AdverseEvent,
    Consent,
    Dose,
    Knowledge,
    Person,
    Programme,
    Screening,
    Staff,
    Triage,
    WaitEntry,
)
from healthcert.policy import schedule, worth
from healthcert.policy.ages import months_old
from healthcert.policy.consent import deciders
from healthcert.policy.prompts import Prompts, concerns, prompts
from healthcert.policy.schedule import Series
from healthcert.policy.worth import Given
from healthcert.services import (
    history,
    knowledge,
    people,
    reactions,
    record,
    safety,
    vaccination,
)
from healthcert.services.clinic import Expected, Patient, Unexpected
from healthcert.services.knowledge import Rule
from healthcert.services.record import HeldAppointment
from healthcert.services.waiting import IN_LINE


class Foreseen(NamedTuple):
    """What a dose of a product would be worth on a day, and until when to wait, if at all."""

    counts: str  # one of `models.dose.COUNTS`
    not_before: date | None


def foreseen(
    db: Session, *, person_id: UUID, birth_date: str, programme_id: UUID, offered: Series, day: date
) -> Foreseen:
    """Return what a dose that is given on a day would be worth, from a lot that is fit."""
    disease = db.get_one(Programme, programme_id).disease
    past = history.past_doses(db, person_ids=[person_id], disease=disease)[person_id]
    last = (True, None, 1 << 128)  # after all of that day
    dose = Given(UUID(int=0), day, last, offered, in_programme=True, lot=None, needs_lot=False)
    found = worth.judge([*(each.as_given() for each in past), dose], birth_date)[dose.dose_id]
    taken = [each.counted(birth_date) for each in past if each.counts == "valid"]
    due = schedule.outlook(taken, offered, birth_date, day).next
    return Foreseen(found.counts, due.earliest if due and due.earliest > day else None)


@dataclass(frozen=True, slots=True)
class Before:
    """What is known and to be asked of somebody who has come; None where nobody was asked."""

    rule: Rule  # of the vaccine that is to be given
    questions: Sequence[Mapping[str, Any]]  # those for a person of this age and sex
    may_decide: Sequence[str]  # who may agree for them
    consent: Consent | None  # the decision that counts now
    screening: Screening | None  # of this visit and vaccine, the newest
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
    ahead: Sequence[HeldAppointment]  # what they have in this programme and is still to come
    waits: WaitEntry | None  # what they wait for in it

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
        return led(self.questions, self.reactions, answers)


def before(
    db: Session, *, vault: Vault, patient: Patient, staff: Staff, country: Country, day: date,
    now: datetime, product_id: UUID | None = None,
) -> Before:  # fmt: skip
    """Return what is to be seen and asked before the dose of a visit, or of another vaccine.

    Raises:
        NotFound: No such vaccine.
    """
    line, born = patient.expected, patient.details.birth_date
    rule = knowledge.rule_of(db, product_id or line.product_id)
    visit = visit_of(line, now)
    screening, triage, barred = _asked(db, visit, rule)
    of = {"person_id": line.person_id, "programme_id": line.programme_id}
    earlier = safety.newest_decision(db, **of, apart_from=visit)
    passed = earlier is None or earlier.outcome == "go" or (earlier.until and earlier.until <= day)
    booked = line.appointment_id
    is_recorded = bool(booked and vaccination.recorded(db, appointment_id=booked))
    lot = select(Dose.lot_text).filter_by(
        recorded_by=staff.id, product_id=rule.product.id, recorded_on=day, site_id=staff.site_id
    )
    months = months_old(born, day)
    return Before(
        rule, [q for q in rule.questions if concerns(q, months, patient.details.sex)],
        deciders(country.deciders, born, day), safety.current_consent(db, **of),
        screening, triage, barred, _answered(db, vault, screening),
        reactions.of_person(db, line.person_id), None if passed else earlier,
        None if is_recorded else foreseen(
            db, **of, birth_date=born, offered=rule.series, day=day
        ),
        rule.series.at(born, day).volume, db.scalar(lot.order_by(Dose.id.desc()).limit(1)) or "",
        ahead(db, line, now), wait(db, line),
    )  # fmt: skip


def visit_of(line: Expected | Unexpected, at: datetime) -> ColumnElement[bool]:
    """Return the condition that answers are those of somebody's visit (`safety.of_visit`)."""
    return safety.of_visit(
        person_id=line.person_id, programme_id=line.programme_id,
        appointment_id=line.appointment_id, at=at,
    )  # fmt: skip


def ahead(db: Session, line: Expected | Unexpected, now: datetime) -> list[HeldAppointment]:
    """Return what somebody has held or booked in a programme beside today's visit, in order."""
    return [
        each
        for each in record.appointments_of(db, line.person_id)[line.person_id]
        if each.programme_id == line.programme_id
        and each.state in ("held", "booked")
        and each.starts_at > now
        and not (each.appointment_id == line.appointment_id and _is_today(each, now))
    ]


def wait(db: Session, line: Expected | Unexpected) -> WaitEntry | None:
    """Return what somebody waits for in a programme, if they do: there is one at most."""
    query = select(WaitEntry).filter_by(person_id=line.person_id, programme_id=line.programme_id)
    return db.scalar(query.where(WaitEntry.state.in_(IN_LINE)))


def _is_today(one: HeldAppointment, now: datetime) -> bool:
    zone = ZoneInfo(one.time_zone)
    return one.starts_at.astimezone(zone).date() == now.astimezone(zone).date()


def _asked(
    db: Session, visit: ColumnElement[bool], rule: Rule
) -> tuple[Screening | None, Triage | None, bool]:
    """Return the newest answers to a vaccine's questions, and the newest decision on them.

    Last, whether a clinician refused since then, on the answers to those of another.
    """
    name = select(Knowledge.name).where(Knowledge.id == rule.knowledge_id).scalar_subquery()
    query = (
        select(Screening, Triage, Knowledge.name == name)
        .join(Knowledge, Knowledge.id == Screening.questions_id)
        .outerjoin(Triage, Triage.screening_id == Screening.id)
        .where(visit)
        .order_by(Screening.recorded_at.desc(), Screening.id.desc(), Triage.ordinal.desc())
    )
    rows = db.execute(query).all()
    own = next(((one, decided) for one, decided, is_own in rows if is_own), (None, None))
    newest = rows[0][1] if rows and not rows[0][2] else None
    return *own, newest is not None and newest.outcome == "refuse"


def newest_screening(db: Session, visit: ColumnElement[bool]) -> UUID | None:
    """Return the newest answers of a visit, to the questions of whichever vaccine."""
    query = select(Screening.id).where(visit)
    return db.scalar(query.order_by(Screening.recorded_at.desc(), Screening.id.desc()).limit(1))


def _answered(db: Session, vault: Vault, row: Screening | None) -> dict[str, bool]:
    """Return what was answered, by the code of the question."""
    if row is None:
        return {}
    key = people.key_of(db.get_one(Person, row.person_id))
    told = vault.open(key, row.id, row.sealed, purpose="screening")
    return {code: answer == "yes" for code, answer in told.items()}


def led(
    questions: Sequence[Mapping[str, Any]], reactions: Sequence[AdverseEvent],
    answers: Mapping[str, bool],
) -> Prompts:  # fmt: skip
    """Return where answers to questions lead that are for this person, with what is on record."""
    return prompts(
        questions, age_months=None, sex="unknown", history={event.term for event in reactions},
        answers=answers,
    )  # fmt: skip
