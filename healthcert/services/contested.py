"""A document that two records claim: who waits for a decision on it, and what that comes to.

Two records may be one person's, or the document lies on the wrong one. Nothing is merged: it moves
to the record at which it was shown, or it stays. Each step is that of the country's workflow.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country, workflow
from healthcert.errors import BadInput, NeedsAnother, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import Identity, Knowledge, Person, Request, RequestStep, Site, Staff
from healthcert.services import delegating, identities, looks, messages, people, requests
from healthcert.services.part import Part
from healthcert.services.people import IdentityDetails, details_of

STEPS = ("verify", "approve", "reject", "carry_out")
GROUNDS = ("document_seen", "person_heard", "details_fit")  # to verify or to approve


class Waiting(NamedTuple):
    """A request that waits, and for whom."""

    id: UUID
    reference: str
    kind: str  # of the document; empty of one that is no longer on record, or from before
    state: str
    recorded_at: datetime
    due_at: datetime
    next: str  # the step, one of `STEPS`
    role: str  # of whoever takes it
    mine: bool  # whether it is for who asks: their role's, and none of theirs went before


class Claimant(NamedTuple):
    """One of two records, as far as the decision needs it; bare where they were erased."""

    name: str
    latin_name: str
    birth_date: str
    since: datetime  # on record
    documents: list[str]  # kinds alone


class Contested(NamedTuple):
    """A request, the document, both records; only its state for who does not decide it now."""

    waiting: Waiting
    kind: str  # of the document; empty where it is not shown
    country: str
    ends_in: str  # the last signs of its number, to compare with the paper
    asking: Claimant | None  # at whose record it was shown
    holding: Claimant | None  # on whose record it is


def waiting(
    db: Session, *, staff: Staff, now: datetime, request_id: UUID | None = None,
    part: Part | None = None,
) -> list[Waiting]:  # fmt: skip
    """Return the requests within somebody's reach that wait, or one; what is due first, first."""
    reach = delegating.within(db, staff=staff, act="see_requests", now=now)
    body: ColumnElement[UUID] = func.coalesce(Site.organisation_id, Staff.organisation_id)
    first = select(Request).join(RequestStep, RequestStep.request_id == Request.id)
    first = first.join(Staff, Staff.id == RequestStep.staff_id)
    first = first.outerjoin(Site, Site.id == Staff.site_id).where(
        body.in_(reach), RequestStep.ordinal == 1, RequestStep.reason == "duplicate",
        Request.kind == "correction", Request.state.in_(requests.OPEN),
    )  # fmt: skip
    if request_id is not None:
        first = first.where(Request.id == request_id)
    found = db.scalars((part or Part((), 100)).of(first, Request.due_at, Request.id)).all()
    taken: dict[UUID, list[RequestStep]] = {one.id: [] for one in found}
    steps = select(RequestStep).where(RequestStep.request_id.in_(taken))
    for step in db.scalars(steps.order_by(RequestStep.ordinal.desc())):
        taken[step.request_id].append(step)
    about = {one.id: UUID(one.subject["document"]) for one in found if "document" in one.subject}
    named = select(Identity.id, Identity.kind).where(Identity.id.in_(about.values()))
    kinds = {row.id: row.kind for row in db.execute(named)}
    of = {one.id: kinds.get(about.get(one.id), "") for one in found}
    return [_waiting(db, one, of[one.id], taken[one.id], staff) for one in found]


def _waiting(
    db: Session, one: Request, kind: str, taken: list[RequestStep], staff: Staff
) -> Waiting:
    flow = workflow(db.get_one(Knowledge, one.knowledge_id).content, one.kind)
    step, role = requests.turn(flow, one.state or "", [each.act for each in taken])
    mine = staff.role == role and staff.id not in {each.staff_id for each in taken}
    return Waiting(
        one.id, one.reference, kind, one.state or "", one.recorded_at, one.due_at, step, role, mine
    )


def one(db: Session, *, vault: Vault, request_id: UUID, staff: Staff, now: datetime) -> Contested:
    """Return a request with both records for who decides it now; each look is written down.

    Raises:
        NotFound: No such request waits in their reach.
        NeedsAnother: They are an officer new here.
        TooManyLooks: See `looks.seen`.
    """
    at = _within(db, staff, request_id, now)
    if not at.mine:
        return Contested(at, "", "", "", None, None)
    requests.refuse_new(db, staff=staff, now=now)
    request, asking, holding = _both(db, request_id)
    known = identities.document(vault, request, asking) or IdentityDetails("none", "")
    for person in (asking, holding):
        looks.seen(db, staff=staff, person_id=person.id, reason="correction", now=now)
    return Contested(
        at, known.kind, known.country, known.value[-3:],
        _claimant(db, vault, asking), _claimant(db, vault, holding),
    )  # fmt: skip


def decide(
    db: Session, *, vault: Vault, request_id: UUID, act: str, reason: str = "", staff: Staff,
    country: Country, now: datetime,
) -> None:  # fmt: skip
    """Take a step; where it is the last, move the document or let it stay, and tell them.

    To verify or approve needs one of `GROUNDS`, to reject a reason of requests, the last none.

    Raises:
        NotFound: No such request waits in their reach.
        BadInput: The step is none, or its reason none of its list.
        NeedsAnother: They have acted on it before, or are an officer new here.
        WrongState: This step does not come now, or is for another role.
    """
    at = _within(db, staff, request_id, now)
    if act not in STEPS:
        raise BadInput({"act": "not_a_choice"})
    if act in ("verify", "approve") and reason not in GROUNDS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    if staff.role != at.role or act not in (at.next, "reject"):
        raise WrongState
    if not at.mine:
        raise NeedsAnother
    request, asking, holding = _both(db, request_id)
    reason = "" if act == "carry_out" else reason
    requests.act(db, request_id=request_id, act=act, reason=reason, staff=staff, now=now)
    if act not in ("reject", "carry_out"):
        return
    told = identities.document(vault, request, asking) if act == "carry_out" else None
    moved = told is not None and identities.move_document(
        db, vault=vault, told=told, of=holding, to=asking, staff=staff, now=now
    )
    templates = {asking: "document_moved", holding: "document_gone"}
    how: Any = {"vault": vault, "time_zone": country.time_zone, "due_at": now, "now": now}
    how["fields"] = {"reference": request.reference}
    for person, template in templates.items() if moved else ((asking, "document_stays"),):
        messages.queue(db, person=person, template=template, **how)


def _within(db: Session, staff: Staff, request_id: UUID, now: datetime) -> Waiting:
    return there(next(iter(waiting(db, staff=staff, request_id=request_id, now=now)), None))


def _both(db: Session, request_id: UUID) -> tuple[Request, Person, Person]:
    """Return a request, at whose record the document was shown, and on whose it is, locked."""
    request = db.get_one(Request, request_id)
    ids = [there(request.person_id), UUID(request.subject["other"])]
    both = people.all_locked(db, ids)
    return request, both[ids[0]], both[ids[1]]


def _claimant(db: Session, vault: Vault, person: Person) -> Claimant:
    if person.erased_at is not None:
        return Claimant("", "", "", person.recorded_at, [])
    details = details_of(vault, person)
    kinds = select(Identity.kind).filter_by(person_id=person.id).order_by(Identity.id)
    name = f"{details.family} {details.given}".strip()
    latin = f"{details.family_latin} {details.given_latin}".strip()
    return Claimant(name, latin, details.birth_date, person.recorded_at, [*db.scalars(kinds)])
