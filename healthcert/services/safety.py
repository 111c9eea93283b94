"""Before the needle and after it: consent, health questions, clinicians' decisions, reactions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotAllowed, NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import AdverseEvent, Consent, Dose, Screening, Staff, Triage, new_id
from healthcert.models.adverse_event import ERROR_REASONS, AdverseEventEntry
from healthcert.models.broken import refusing
from healthcert.models.consent import DECIDERS, DECISIONS, OVERRIDE_REASONS
from healthcert.services import audit, elsewhere, people

_STEPS = (
    "adverse_event_transition", "ck_adverse_event_assessed", "ck_adverse_event_serious_is_assessed",
    "ck_adverse_event_death",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is reported of an adverse event; the codes are those of `models.adverse_event`.

    `told` is sealed: of `reactions.TOLD` what is known. The rest follows by `tell_more`.
    """

    term: str
    onset_on: date
    seriousness: str
    outcome: str
    reporter: str
    told: Mapping[str, str]
    dose_id: UUID | None = None


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
    screening = db.get(Screening, screening_id)
    if screening is None:
        raise NotFound
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
    db: Session, *, person_id: UUID, programme_id: UUID, apart_from: UUID | None = None
) -> Triage | None:
    """Return what a clinician decided last of a person in a programme, `apart_from` a visit."""
    query = select(Triage).join(Screening, Screening.id == Triage.screening_id)
    query = query.where(Screening.person_id == person_id, Screening.programme_id == programme_id)
    if apart_from:
        query = query.where(Screening.appointment_id.is_distinct_from(apart_from))
    return db.scalar(query.order_by(Triage.recorded_at.desc(), Triage.id.desc()).limit(1))


def report_event(
    db: Session, *, vault: Vault, person_id: UUID, reaction: Reaction, country: Country,
    site_id: UUID | None, staff: Staff | None, now: datetime,
) -> AdverseEvent:  # fmt: skip
    """Report what happened to a person after a dose; a serious case is to be assessed in time.

    Raises:
        BadInput: It began in the future or before its dose, that dose is not theirs, or somebody
            died of what is not serious.
        NotFound: No such person.
    """
    person, row_id = people.locked(db, person_id), new_id()
    dose = db.get(Dose, reaction.dose_id) if reaction.dose_id else None
    if reaction.dose_id and (dose is None or dose.person_id != person_id):
        raise BadInput({"dose_id": "not_known"})
    if reaction.onset_on > elsewhere.day_in(country, now):
        raise BadInput({"onset_on": "in_the_future"})
    if reaction.onset_on < (dose.given_on if dose else date(person.birth_year, 1, 1)):
        raise BadInput({"onset_on": "before_the_dose"})
    _refuse_mild_death(reaction.seriousness, reaction.outcome)
    clear, serious = asdict(reaction), reaction.seriousness != "not_serious"
    told = clear.pop("told")
    if staff and reaction.reporter == "health_worker":  # who is known is not asked for
        told = {"reporter_name": staff.name, "reporter_position": staff.role} | told
    sealed = vault.seal(people.key_of(person), row_id, told, purpose="adverse_event")
    event = AdverseEvent(
        id=row_id, recorded_at=now, number=f"{country.code}-{row_id.hex.upper()}",
        country=country.code, person_id=person_id, site_id=site_id, sealed=sealed,
        reported_by=staff and staff.id,
        due_at=now + country.serious_within if serious else None, **clear,
    )  # fmt: skip
    db.add(event)
    _note(db, "adverse_event_reported", "adverse_event", row_id, staff, now, serious=serious)
    return event


def _refuse_mild_death(seriousness: str, outcome: str) -> None:
    if (outcome, seriousness) == ("died", "not_serious"):
        raise BadInput({"seriousness": "not_serious"})


def reactions_of(db: Session, person_id: UUID) -> Sequence[AdverseEvent]:
    """Return the reactions on record of a person, the latest first; none that was taken back."""
    query = select(AdverseEvent).filter_by(person_id=person_id)
    stands = query.where(AdverseEvent.state != "entered_in_error")
    return db.scalars(stands.order_by(AdverseEvent.onset_on.desc(), AdverseEvent.id)).all()


def tell_more(
    db: Session, *, vault: Vault, event_id: UUID, told: Mapping[str, str], country: Country,
    staff: Staff, now: datetime, seriousness: str | None = None, outcome: str | None = None,
) -> None:  # fmt: skip
    """Add to a case of one's site what was learned after its report, of `reactions.TOLD`.

    How grave it is and how they are may be told anew: one that proves to be serious gets its clock,
    and is looked into again where that was over. That it is not serious others find.

    Raises:
        BadInput: It is told to be not serious, though it is; or somebody died of what is not.
        NotFound: No such case there.
        WrongState: It was taken back.
    """
    event = db.get(AdverseEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or event.site_id != staff.site_id:
        raise NotFound
    if event.state == "entered_in_error":
        raise WrongState
    graver, now_is = seriousness or event.seriousness, outcome or event.outcome
    if graver == "not_serious" != event.seriousness:
        raise BadInput({"seriousness": "not_a_choice"})
    _refuse_mild_death(graver, now_is)
    person, row_id = people.locked(db, event.person_id), new_id()
    if told:
        sealed = vault.seal(people.key_of(person), row_id, told, purpose="adverse_event")
        of = {"event_id": event_id, "person_id": person.id, "told_by": staff.id}
        db.add(AdverseEventEntry(id=row_id, recorded_at=now, sealed=sealed, **of))
    if graver != event.seriousness and event.state in ("assessed", "closed"):
        event.state = "investigating"
    event.seriousness, event.outcome = graver, now_is
    if graver != "not_serious":
        event.due_at = event.due_at or now + country.serious_within
    names: dict[str, audit.Detail] = dict.fromkeys(told, True)
    news = {"seriousness": seriousness, "outcome": outcome}
    names |= {name: value for name, value in news.items() if value}
    _note(db, "adverse_event_told_more", "adverse_event", event_id, staff, now, **names)


def mark_event_in_error(
    db: Session, *, event_id: UUID, reason: str, staff: Staff, now: datetime
) -> None:
    """Take a report of a reaction back: it stays on record, and counts and alarms no more.

    A site takes its own back while nobody looks into it; then whoever does.

    Raises:
        BadInput: The reason is none of `ERROR_REASONS`.
        NotFound: No such case in one's reach.
        WrongState: It was taken back before, or is looked into already.
    """
    if reason not in ERROR_REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    event = db.get(AdverseEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or staff.site_id not in (None, event.site_id):
        raise NotFound
    if event.state == "entered_in_error" or (staff.site_id and event.state != "reported"):
        raise WrongState
    event.state, event.error_reason = "entered_in_error", reason
    _note(
        db, "adverse_event_marked_in_error", "adverse_event", event_id, staff, now, reason=reason
    )  # fmt: skip


def move_event(
    db: Session, *, event_id: UUID, state: str, country: Country, staff: Staff, now: datetime,
    causality: str | None = None, outcome: str | None = None, seriousness: str | None = None,
) -> AdverseEvent:  # fmt: skip
    """Move a case on, with what was found.

    The clock of a case that turns out to be serious starts now; one that runs goes on.

    Raises:
        NotFound: No such case.
        WrongState: This step does not follow, or the causality that it needs is missing.
    """
    event = db.get(AdverseEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None:
        raise NotFound
    found = {"causality": causality, "outcome": outcome, "seriousness": seriousness}
    if state == "entered_in_error":
        raise WrongState  # that is a deed of its own, with a reason
    with refusing(db, dict.fromkeys(_STEPS, WrongState)):
        for name, value in {"state": state, **found}.items():
            setattr(event, name, value or getattr(event, name))
        serious = event.seriousness != "not_serious"
        event.due_at = (event.due_at or now + country.serious_within) if serious else None
    _note(db, f"adverse_event_{state}", "adverse_event", event_id, staff, now, **found)
    return event


def _note(
    db: Session, act: str, kind: str, row_id: UUID, staff: Staff | None, now: datetime,
    **details: audit.Detail,
) -> None:  # fmt: skip
    db.flush()  # the row comes first: the database may refuse it
    actor = audit.Actor("staff", staff.id) if staff else audit.STRANGER
    subject = audit.Subject(kind, row_id)
    audit.note(db, actor=actor, act=act, subject=subject, details=details, now=now)
