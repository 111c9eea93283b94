"""Before the needle: consent, health questions, clinicians' decisions."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotAllowed, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import Consent, Dose, Screening, Staff, Triage, new_id
from healthcert.models.consent import DECIDERS, DECISIONS, OVERRIDE_REASONS
from healthcert.services import audit, people

_VISIT = timedelta(hours=12)  # as long as who has arrived is waited for


def consent(
    db: Session, *, vault: Vault, person_id: UUID, programme_id: UUID, decision: str,
    decided_by: str, name: str = "", staff: Staff | None, now: datetime,
    may_decide: Collection[str] = DECIDERS,
) -> Consent:  # fmt: skip
    """Write down that vaccinating a person in a programme was agreed to, refused, or no longer is.

    The words are those of `models.consent`; `name` is that of whoever decided for the person, and
    is sealed. `staff` is None for what was said online. Only to agree one has to be among those
    who `may_decide` for the person (`policy.consent`).

    Raises:
        BadInput: ``decision``, ``decided_by`` or ``name``.
        NotFound: No such person.
        WrongState: What is withdrawn was not given.
    """
    wrong = {
        "decision": "" if decision in DECISIONS else "missing",
        "decided_by": "" if decided_by in DECIDERS else "missing",
        "name": "" if decided_by == "self" or name.strip() else "missing",
    }
    if decision == "given" and decided_by not in may_decide:
        wrong["decided_by"] = "may_not_decide"
    if wrong := {field: code for field, code in wrong.items() if code}:
        raise BadInput(wrong)
    person = people.locked(db, person_id)
    before = current_consent(db, person_id=person_id, programme_id=programme_id)
    if decision == "withdrawn" and (before is None or before.decision != "given"):
        raise WrongState
    row = Consent(
        id=new_id(), recorded_at=now, person_id=person_id, programme_id=programme_id,
        ordinal=before.ordinal + 1 if before else 1, decision=decision, decided_by=decided_by,
        recorded_by=staff and staff.id,
    )  # fmt: skip
    if decided_by != "self":
        row.sealed = vault.seal(people.key_of(person), row.id, {"name": name}, purpose="consent")
    db.add(row)
    _note(db, f"consent_{decision}", "person", person_id, staff, now, programme=programme_id)
    return row


def current_consent(db: Session, *, person_id: UUID, programme_id: UUID) -> Consent | None:
    """Return the decision that counts now; None where nobody was asked."""
    query = select(Consent).filter_by(person_id=person_id, programme_id=programme_id)
    return db.scalar(query.order_by(Consent.ordinal.desc()).limit(1))


def screen(
    db: Session, *, vault: Vault, person_id: UUID, programme_id: UUID, questions_id: UUID,
    answers: Mapping[str, str], outcome: str, appointment_id: UUID | None = None,
    staff: Staff | None, now: datetime,
) -> Screening:  # fmt: skip
    """Keep a person's answers to a version of the health questions, sealed, and what they mean."""
    person, row_id = people.locked(db, person_id), new_id()
    row = Screening(
        id=row_id, recorded_at=now, person_id=person_id, programme_id=programme_id,
        appointment_id=appointment_id, questions_id=questions_id, outcome=outcome,
        sealed=vault.seal(people.key_of(person), row_id, answers, purpose="screening"),
        screened_by=staff and staff.id,
    )  # fmt: skip
    db.add(row)
    _note(db, "screened", "screening", row_id, staff, now, outcome=outcome)
    return row


def of_visit(
    *, person_id: UUID, programme_id: UUID, appointment_id: UUID | None, at: datetime
) -> ColumnElement[bool]:
    """Return the condition that answers are those of a visit, as it stands at a time.

    They are of its appointment. Of who has none they are those of half a day, until a dose that
    they were asked for is written down.
    """
    if appointment_id:
        return Screening.appointment_id == appointment_id
    given = exists().where(
        Dose.person_id == person_id, Dose.programme_id == programme_id,
        Dose.source == "point_of_care", Dose.appointment_id.is_(None),
        Dose.recorded_at >= Screening.recorded_at, Dose.recorded_at < at,
    )  # fmt: skip
    return and_(
        Screening.person_id == person_id, Screening.programme_id == programme_id,
        Screening.appointment_id.is_(None), Screening.recorded_at > at - _VISIT,
        Screening.recorded_at <= at, ~given,
    )  # fmt: skip


def override(
    db: Session, *, screening_id: UUID, outcome: str, reason: str, staff: Staff, day: date,
    now: datetime, until: date | None = None,
) -> Triage:  # fmt: skip
    """Decide where answers lead, as a clinician, with a reason; what is put off, until a later day.

    Raises:
        BadInput: No such reason, or a day ``until`` that has passed.
        NotAllowed: This member of staff is no clinician.
        NotFound: No such screening.
    """
    if staff.role != "nurse":
        raise NotAllowed
    if reason not in OVERRIDE_REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    if outcome == "defer" and (until is None or until <= day):
        raise BadInput({"until": "too_long_ago" if until else "missing"})
    screening = there(db.get(Screening, screening_id))
    people.locked(db, screening.person_id)
    last = select(func.max(Triage.ordinal)).filter_by(screening_id=screening_id)
    row = Triage(
        recorded_at=now, screening_id=screening_id, ordinal=(db.scalar(last) or 0) + 1,
        outcome=outcome, reason=reason, decided_by=staff.id,
        until=until if outcome == "defer" else None,
    )  # fmt: skip
    db.add(row)
    _note(db, "triaged", "screening", screening_id, staff, now, outcome=outcome, reason=reason)
    return row


def newest_decision(
    db: Session, *, person_id: UUID, programme_id: UUID, apart_from: ColumnElement[bool]
) -> Triage | None:
    """Return what a clinician decided last of a person in a programme, `apart_from` some answers.

    Those are told as by `of_visit`.
    """
    query = select(Triage).join(Screening, Screening.id == Triage.screening_id)
    query = query.where(Screening.person_id == person_id, Screening.programme_id == programme_id)
    query = query.where(Screening.id.not_in(select(Screening.id).where(apart_from)))
    return db.scalar(query.order_by(Triage.recorded_at.desc(), Triage.id.desc()).limit(1))


def put_off(
    db: Session, *, person_ids: Collection[UUID], programme_id: UUID
) -> dict[UUID, date | None]:
    """Return until when the newest decision puts people off in a programme; None where it does not.

    Of whom nothing was decided nothing is returned.
    """
    query = (
        select(Screening.person_id, Triage.until)
        .join(Triage, Triage.screening_id == Screening.id)
        .where(Screening.person_id.in_(person_ids), Screening.programme_id == programme_id)
        .order_by(Triage.recorded_at, Triage.id)
    )
    return {row.person_id: row.until for row in db.execute(query)}


def _note(
    db: Session, act: str, kind: str, row_id: UUID, staff: Staff | None, now: datetime,
    **details: audit.Detail,
) -> None:  # fmt: skip
    db.flush()  # the row comes first: the database may refuse it
    actor = audit.Actor("staff", staff.id) if staff else audit.STRANGER
    subject = audit.Subject(kind, row_id)
    audit.note(db, actor=actor, act=act, subject=subject, details=details, now=now)
