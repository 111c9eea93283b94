"""Requests that several people decide: submitted, verified, approved, carried out.

The country's file says who does which step. That nobody does two of them, that a request stands
where its newest step leads, and which steps follow which, is held by the database.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Workflow, workflow
from healthcert.errors import BadInput, NeedsAnother, NotAllowed, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import Knowledge, Person, Request, RequestStep, Staff, new_id
from healthcert.models.broken import refusing
from healthcert.policy import reference
from healthcert.services import audit, invitations
from healthcert.services.people import key_of

_LEADS_TO = {
    "submit": "submitted", "answer": "submitted", "appeal": "submitted", "verify": "in_review",
    "ask": "needs_information", "approve": "approved", "reject": "rejected", "carry_out": "done",
}  # fmt: skip
_OF_WHO_ASKED = {"answer": "needs_information", "appeal": "rejected"}  # from which state
_AT_ANY_STEP = ("ask", "reject")
OPEN = ("submitted", "in_review", "needs_information", "approved")
NO_REASON = ("answer", "appeal", "carry_out", "verify", "approve")
REASONS = ("evidence_missing", "evidence_contradicts", "not_within_the_rules", "one_person")


def submit(
    db: Session, *, vault: Vault, country: str, kind: str, person: Person | None,
    asked: Mapping[str, Any], subject: Mapping[str, UUID], reason: str, staff: Staff | None,
    now: datetime,
) -> Request:  # fmt: skip
    """Write down what is asked, with its first step, and return it.

    `asked` is what is to become true, `subject` the rows it is about, `reason` one of those of the
    country's newest workflow, which holds for this request to its end. `staff` submit in the
    person's place, or of nobody in particular; None where they do it themselves.

    Raises:
        BadInput: The kind or the reason is none of the country's.
    """
    rules = _newest_rules(db, country)
    if kind not in rules.content.get("workflows", {}):
        raise BadInput({"kind": "not_a_choice"})
    flow = workflow(rules.content, kind)
    if reason not in flow.reasons:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    request_id = new_id()
    request = Request(
        id=request_id,
        recorded_at=now,
        reference=reference.write(request_id.int % reference.BEFORE),
        kind=kind,
        person_id=person and person.id,
        knowledge_id=rules.id,
        sealed=vault.seal(key_of(person), request_id, asked, purpose="request")
        if person
        else vault.service_seal(request_id.bytes, asked),
        subject={name: str(value) for name, value in subject.items()},
        due_at=now + timedelta(hours=flow.hours),
    )
    db.add(request)
    db.flush()
    _step(db, request, "submit", reason, staff, now)
    return request


def act(
    db: Session, *, request_id: UUID, act: str, reason: str, staff: Staff | None, now: datetime
) -> Request:
    """Do the next step of a request and return it; nothing else moves it.

    `act` is ``verify``, ``approve``, ``ask``, ``reject`` or ``carry_out``; who asked, without
    `staff`, may ``answer`` and ``appeal``. To ``ask`` or ``reject`` needs one of `REASONS`.

    Raises:
        NotFound: No such request.
        BadInput: ``ask`` or ``reject`` without a reason of the list.
        NotAllowed: The next step is for another role.
        NeedsAnother: This member of staff has acted on it before, or is an officer new here.
        WrongState: It does not stand where this step begins.
    """
    request = there(db.get(Request, request_id, with_for_update=True, populate_existing=True))
    if act not in NO_REASON and reason not in REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    flow = workflow(db.get_one(Knowledge, request.knowledge_id).content, request.kind)
    _refuse_out_of_turn(db, request, flow, act, staff)
    if staff is not None:
        refuse_new(db, staff=staff, now=now)
    _step(db, request, act, reason, staff, now)
    return request


def refuse_new(db: Session, *, staff: Staff, now: datetime) -> None:
    """Raise `NeedsAnother` for an administrator who is new here: they decide nothing yet."""
    if staff.role == "admin":
        invitations.refuse_newcomer(db, staff_id=staff.id, now=now)


def turn(flow: Workflow, state: str, done: Sequence[str]) -> tuple[str, str]:
    """Return the next step of a request that waits, and whose role's it is.

    `done` are the acts on it, the newest first.
    """
    last = flow.steps[-1]
    if state == "approved":
        return "carry_out", last[1]
    since = next(n for n, each in enumerate(done) if each in ("submit", "answer", "appeal"))
    return flow.steps[since] if since < len(flow.steps) else last


def pending(db: Session, *, person_id: UUID) -> Sequence[Request]:
    """Return the requests of a person that wait."""
    query = select(Request).filter_by(person_id=person_id).where(Request.state.in_(OPEN))
    return db.scalars(query).all()


def found(db: Session, *, reference: str) -> Request:
    """Return the request that has a reference; `NotFound` if there is none."""
    return there(db.scalar(select(Request).filter_by(reference=reference)))


def _refuse_out_of_turn(
    db: Session, request: Request, flow: Workflow, act: str, staff: Staff | None
) -> None:
    if act in _OF_WHO_ASKED:
        if request.state != _OF_WHO_ASKED[act]:
            raise WrongState
        return
    if staff is None:
        raise NotAllowed
    if act == "carry_out":
        if request.state == "approved" and staff.role != flow.steps[-1][1]:
            raise NotAllowed
        return
    done = db.scalars(
        select(RequestStep.act)
        .where(RequestStep.request_id == request.id)
        .order_by(RequestStep.ordinal.desc())
    ).all()
    step, role = turn(flow, request.state or "", done)
    if staff.role != role:
        raise NotAllowed
    if act != step and act not in _AT_ANY_STEP:
        raise WrongState


def _step(
    db: Session, request: Request, act: str, reason: str, staff: Staff | None, now: datetime
) -> None:
    step = RequestStep(
        recorded_at=now, request_id=request.id, ordinal=(request.steps or 0) + 1, act=act,
        state=_LEADS_TO[act], staff_id=staff.id if staff else None, reason=reason,
    )  # fmt: skip
    with refusing(db, {"four_eyes": NeedsAnother, "request_transition": WrongState}):
        db.add(step)
    db.refresh(request)
    actor = audit.Actor("staff", staff.id) if staff else audit.Actor("citizen", request.person_id)
    subject = audit.Subject("request", request.id)
    told = {"kind": request.kind, "reason": reason or None}
    audit.note(db, actor=actor, act=f"request_{act}", subject=subject, details=told, now=now)


def _newest_rules(db: Session, country: str) -> Knowledge:
    query = (
        select(Knowledge)
        .where(Knowledge.kind == "country", Knowledge.name == country.lower())
        .order_by(Knowledge.recorded_at.desc(), Knowledge.id.desc())
        .limit(1)
    )
    return db.scalars(query).one()
