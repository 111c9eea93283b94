"""Decide whether a programme is open to a person on a day, and keep why.

A decision is made of the birth date as sealed, of what was told (the newest telling holds until
there is another), and of the doses that count. The same facts, rule and day give the same
answer, and the row that is kept already. What a person told is never taken back by who only types
their details: that is judged by itself, and kept beside it.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotAllowed
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Base,
    DoseStanding,
    EligibilityDecision,
    Person,
    Phase,
    Programme,
    Staff,
    new_id,
    plain,
)
from healthcert.models.programme import EXCEPTION_REASONS
from healthcert.policy import eligibility
from healthcert.policy.eligibility import TOLD, Facts, Stage
from healthcert.services import audit, knowledge
from healthcert.services.people import details_of, key_of

SAYS = ("knowledge_id", "phase_id", "day", "outcome", "exception_reason", "reasons")
_PURPOSE = "eligibility"
_DECISION = Base.metadata.tables["eligibility_decision"]
_STAGES: dict[UUID, tuple[list[Stage], dict[str, UUID]]] = {}
Told = Mapping[str, Collection[str]]  # codes by field, those of `TOLD`
Questions = dict[str, dict[str, Mapping[str, str]]]  # names by language, by field and code


class Known(NamedTuple):
    """What whoever asks for a decision has read, and where the row goes if they write it."""

    programme: Programme
    last: EligibilityDecision | None  # the newest decision
    birth_date: str
    doses: int  # that will count by then
    rows: audit.Rows = None


def decide(  # noqa: PLR0913 - each says what is decided on, named at the call
    db: Session, *, vault: Vault, person: Person, programme_id: UUID, day: date,
    actor: audit.Actor, now: datetime, told: Told | None = None,
    exception_reason: str = "", again: Appointment | None = None, known: Known | None = None,
    typed: bool = False,
) -> EligibilityDecision:  # fmt: skip
    """Return what is decided of a person whom the caller has locked, and keep it.

    `day` is the one on which they would be vaccinated. What is `told` are codes by field, those of
    `policy.eligibility.TOLD`; None for what was told last. A nurse takes somebody out of turn with
    one of `EXCEPTION_REASONS`, which holds when that appointment is judged `again`, whoever asks
    for it. What is `known` need not be read. Of who only `typed` the details of somebody, what is
    told is the answer's alone; kept is what follows from it together with what was told before.

    Raises:
        BadInput: A field is unknown, a code asked by no phase in force, or the reason is none.
        NotAllowed: An exception is asked for by someone who is no nurse.
    """
    by = _check(db, told, actor, exception_reason)
    if again is not None and again.exception_reason:
        exception_reason, by = again.exception_reason, _nurse_of(db, again)
    programme, last, birth_date, doses, rows = known or _known(db, vault, person, programme_id)
    stages, phases = _stages(db, programme)
    _refuse_unasked(stages, told or {})
    kept = _opened(vault, person, last)
    said = _now_told(person, kept if told is None else told)
    whole = _now_told(person, _together(kept, said)) if typed else said

    def row_by(told: dict[str, list[str]]) -> dict[str, Any]:
        answer = eligibility.decide(stages, Facts(birth_date, day, doses, told))
        outcome = "eligible" if answer.phase else "exception" if by else "refused"
        is_out_of_turn = outcome == "exception"
        return {
            "id": new_id(), "recorded_at": now, "decided_at": now, "day": day, "outcome": outcome,
            "person_id": person.id, "programme_id": programme_id,
            "knowledge_id": programme.knowledge_id,
            "phase_id": phases[answer.phase] if answer.phase else None,
            "reasons": [{"code": each.code, "about": dict(each.about)} for each in answer.reasons],
            "decided_by": by if is_out_of_turn else actor.id if actor.kind == "staff" else None,
            "exception_reason": exception_reason if is_out_of_turn else "",
        }  # fmt: skip

    row = shown = row_by(said)
    if whole != said:
        row = row_by(whole)
    is_kept = whole == kept and all(getattr(last, name, None) == row[name] for name in SAYS)
    if last is not None and is_kept:
        return last if row is shown else plain(EligibilityDecision, shown)
    rests_on = {"birth_date": birth_date, "doses": doses, "told": whole}
    row["sealed"] = vault.seal(key_of(person), row["id"], rests_on, purpose=_PURPOSE)
    if rows is None:
        db.execute(insert(_DECISION), row)
    else:
        rows.append(row)
    if row["outcome"] == "exception":
        audit.of_person(
            db, actor, "eligibility_exception", person.id, now, programme=programme_id,
            reason=exception_reason,
        )  # fmt: skip
    return plain(EligibilityDecision, shown)


class Asked(NamedTuple):
    """Somebody of whom it is asked whether a phase would admit them."""

    person: Person
    birth_date: str
    doses: int  # that count
    last: EligibilityDecision | None  # the newest decision


def is_admitted(db: Session, *, vault: Vault, programme: Programme, day: date, one: Asked) -> bool:
    """Say whether a phase would admit somebody on a day, by what was told last; nothing is kept."""
    told = _now_told(one.person, _opened(vault, one.person, one.last))
    facts = Facts(one.birth_date, day, one.doses, told)
    return bool(eligibility.decide(_stages(db, programme)[0], facts).phase)


def latest(db: Session, *, person_id: UUID, programme_id: UUID) -> EligibilityDecision | None:
    """Return the newest decision; None where nobody asked."""
    query = select(EligibilityDecision).filter_by(person_id=person_id, programme_id=programme_id)
    return db.scalar(query.order_by(EligibilityDecision.id.desc()).limit(1))


def newest(
    db: Session, *, person_ids: Collection[UUID], programme_id: UUID
) -> dict[UUID, EligibilityDecision]:
    """Return the newest decision of each of these people, of whom there is one, to be read."""
    its = _DECISION.c
    place = func.row_number().over(partition_by=its.person_id, order_by=its.id.desc())
    every = select(its.person_id, its.id, its.sealed, place.label("place"))
    every = every.where(its.person_id.in_(person_ids), its.programme_id == programme_id)
    rows = every.subquery()
    return {row.person_id: row for row in db.execute(select(rows).where(rows.c.place == 1))}  # type: ignore[misc]


def answers(db: Session, *, person_id: UUID) -> dict[UUID, EligibilityDecision]:
    """Return the newest decision of each programme by its id: they answer "why not me yet?"."""
    query = select(EligibilityDecision).filter_by(person_id=person_id)
    return {each.programme_id: each for each in db.scalars(query.order_by(EligibilityDecision.id))}


def told_of(db: Session, vault: Vault, person: Person, programme_id: UUID) -> dict[str, list[str]]:
    """Return what was told last of a person for a programme; empty where nothing was."""
    return _opened(vault, person, latest(db, person_id=person.id, programme_id=programme_id))


def asks(db: Session, programme: Programme, *, day: date, country: Country) -> Questions:
    """Return what phases of a programme that are not over by a day ask people to tell.

    The one code ``yes`` of what is answered with yes or no has no names.
    """
    asked = eligibility.asked(_stages(db, programme)[0], day)
    if not asked:
        return {}
    named = knowledge.programme_content(db, programme.id).get("answers", {})
    named = {"region": country.regions, **named}
    return {
        field: {code: named.get(field, {}).get(code, {}) for code in codes}
        for field, codes in asked.items()
    }


def phases_of(db: Session, *programmes: Programme) -> list[Phase]:
    """Return the phases of programmes that are in force, by their first day."""
    query = select(Phase).where(Phase.knowledge_id.in_([each.knowledge_id for each in programmes]))
    return list(db.scalars(query.order_by(Phase.opens_on, Phase.code)))


def _stages(db: Session, programme: Programme) -> tuple[list[Stage], dict[str, UUID]]:
    """Return the phases in force as the rules take them, and their rows by code.

    Those of a version are published with it and never change: a process reads them once.
    """
    if programme.knowledge_id not in _STAGES:
        found = phases_of(db, programme)
        stages = [Stage(each.code, each.admits, each.opens_on, each.closes_on) for each in found]
        _STAGES[programme.knowledge_id] = stages, {each.code: each.id for each in found}
    return _STAGES[programme.knowledge_id]


def _check(
    db: Session, told: Told | None, actor: audit.Actor, exception_reason: str
) -> UUID | None:  # fmt: skip
    """Return the nurse who asks for an exception; None where nobody does."""
    unknown = set(told or {}) - set(TOLD)
    if unknown:
        raise BadInput(dict.fromkeys(unknown, "not_a_field"))
    if not exception_reason:
        return None
    if exception_reason not in EXCEPTION_REASONS:
        raise BadInput({"exception_reason": "not_a_choice"})
    staff = db.get(Staff, actor.id) if actor.kind == "staff" else None
    if staff is None or staff.role != "nurse":
        raise NotAllowed
    return staff.id


def _nurse_of(db: Session, appointment: Appointment) -> UUID | None:
    """Return whose exception an appointment rests on; None where none was needed so far."""
    query = select(EligibilityDecision.decided_by).filter_by(
        person_id=appointment.person_id, programme_id=appointment.programme_id,
        exception_reason=appointment.exception_reason,
    )  # fmt: skip
    return db.scalar(query.order_by(EligibilityDecision.id.desc()).limit(1))


def _known(db: Session, vault: Vault, person: Person, programme_id: UUID) -> Known:
    programme = db.get_one(Programme, programme_id)
    query = select(DoseStanding.dose_id).filter_by(
        person_id=person.id, disease=programme.disease, counts="valid"
    )
    return Known(
        programme, latest(db, person_id=person.id, programme_id=programme_id),
        details_of(vault, person).birth_date, len(db.scalars(query).all()),
    )  # fmt: skip


def _refuse_unasked(stages: list[Stage], told: Told) -> None:
    """Refuse a code that no phase in force asks, one that is over included: it was a choice."""
    asked = eligibility.asked(stages, date.min) if told else {}
    wrong = [field for field, codes in told.items() if {*codes} - {*asked.get(field, ())}]
    if wrong:
        raise BadInput(dict.fromkeys(wrong, "not_a_choice"))


def _opened(vault: Vault, person: Person, last: EligibilityDecision | None) -> dict[str, list[str]]:
    """Return what was told before a decision; no field of which nothing was is among it."""
    if last is None:
        return {}
    told: dict[str, list[str]]
    told = vault.open(key_of(person), last.id, last.sealed, purpose=_PURPOSE)["told"]
    return told


def _together(kept: Told, said: Told) -> dict[str, list[str]]:
    """Return what was told before and now, code by code."""
    return {field: [*kept.get(field, ()), *said.get(field, ())] for field in {*kept, *said}}


def _now_told(person: Person, told: Told) -> dict[str, list[str]]:
    """Return what holds of what is told, in the one order; the region on record goes before."""
    region = {"region": [person.region]} if person.region else {}
    return {field: sorted({*codes}) for field, codes in told.items() if codes} | region
