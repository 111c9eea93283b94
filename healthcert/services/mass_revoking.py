"""Take many certificates back: by who wrote the facts down, site, lot or time; decided by two.

Whoever asks neither approves nor carries it out, and these are two (`four_eyes`). Holders who are
not at fault get another certificate first; the old one ends when that is there. Of all others the
facts stand, and their next certificate waits until an appeal is granted (`holds`). Everyone is told
how to appeal. A batch finds only what is left to do, so a run may end at any moment and go on.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound
from healthcert.gateways.vault import Vault
from healthcert.models import Certificate, Dose, Person, Recovery, RequestStep, Staff, TestResult
from healthcert.models.request import Request
from healthcert.services import facts, holds, requests, revoking
from healthcert.services.statement import Fact, bases

NOT_AT_FAULT = ("key_compromise", "site_closed")  # reasons for which holders get another one first
SUBJECTS = ("staff", "site", "lot")
_SHOWN = 5
_KIND = "revocation"
_FACTS: Mapping[type[Fact], Any] = {
    Dose: Certificate.dose_id,
    TestResult: Certificate.test_result_id,
    Recovery: Certificate.recovery_id,
}


class Preview(NamedTuple):
    """What a request would take back; the sample names certificates (UVCI), never people."""

    reference: str
    state: str
    reason: str
    certificates: int
    people: int
    sample: tuple[str, ...]


def ask(
    db: Session, *, vault: Vault, country: Country, subject: Mapping[str, UUID], reason: str,
    since: datetime | None = None, until: datetime | None = None, staff: Staff, now: datetime,
) -> Request:  # fmt: skip
    """Ask that certificates be taken back: of facts of all `subject`, written from `since` on.

    Raises:
        BadInput: Nothing bounds it, a key is none of `SUBJECTS`, or no such reason.
    """
    if not (subject or since) or not {*subject} <= {*SUBJECTS}:
        raise BadInput({"subject": "not_a_choice" if subject else "missing"})
    span = {"since": since and since.isoformat(), "until": until and until.isoformat()}
    return requests.submit(
        db, vault=vault, country=country.code, kind=_KIND, person=None, asked=span,
        subject=subject, reason=reason, staff=staff, now=now,
    )  # fmt: skip


def preview(db: Session, *, vault: Vault, reference: str) -> Preview:
    """Return what a request takes back, or still has to; `NotFound` where there is none."""
    request, reason, which = _found(db, vault, reference)
    query = select(func.count(), func.count(Certificate.person_id.distinct())).where(*which)
    certificates, people = db.execute(query).one()
    sample = db.scalars(select(Certificate.uvci).where(*which).order_by(Certificate.id))
    told = request.state or "", reason, certificates, people
    return Preview(request.reference, *told, tuple(sample.fetchmany(_SHOWN)))


def decided(db: Session, *, since: datetime) -> list[str]:
    """Return the references of what was decided, as far as it was due after a moment."""
    query = select(Request.reference).filter_by(kind=_KIND, state="done")
    return list(db.scalars(query.where(Request.due_at > since)))


def carry_out(
    db: Session, *, vault: Vault, reference: str, country: Country, now: datetime,
    limit: int = revoking.AT_ONCE,
) -> int:  # fmt: skip
    """Do a part of what was decided; return how many certificates it was, 0 when it is done."""
    request, reason, which = _found(db, vault, reference)
    if request.state != "done":
        return 0
    query = select(Certificate, Person).join(Person, Person.id == Certificate.person_id)
    query = query.where(*which).order_by(Certificate.id).limit(limit)
    found = db.execute(query.with_for_update(of=(Person, Certificate), key_share=True)).all()
    at_fault = reason not in NOT_AT_FAULT
    if at_fault:
        rests_on = bases(db, [one for one, _ in found]).values()
        holds.hold(db, [each.fact for each in rests_on], why="withdrawn", now=now)
    revoking.end_all(
        db, found, vault=vault, reason=reason, reference=request.reference, first=not at_fault,
        notice="certificate_withdrawn" if at_fault else "certificate_replaced",
        country=country, now=now,
    )  # fmt: skip
    return len(found)


def _found(
    db: Session, vault: Vault, reference: str
) -> tuple[Request, str, tuple[ColumnElement[bool], ...]]:
    """Return a request, its reason, and which certificates are left to be worked on."""
    request = requests.found(db, reference=reference)
    if request.kind != _KIND:
        raise NotFound
    steps = select(RequestStep).filter_by(request_id=request.id)
    reason = db.scalars(steps.where(RequestStep.act == "submit")).one().reason
    decided = db.scalar(steps.where(RequestStep.act == "carry_out"))
    made = Certificate.id < (decided.id if decided else UUID(int=2**128 - 1))
    other = aliased(Certificate)
    same = or_(*(getattr(other, key.key) == key for key in _FACTS.values()))
    replaced = select(other.id).where(same, other.state == "issued").exists()
    state = Certificate.state
    left = or_(state == "issued", and_(state == "superseded", replaced))
    if reason not in NOT_AT_FAULT:
        waits = and_(state == "intended", ~holds.held("withdrawn"))
        left = or_(state.in_(("issued", "superseded")), waits)
    told = vault.service_open(request.id.bytes, request.sealed)
    span = (told["since"] or "0001-01-01T00:00:00Z", told["until"] or "9999-12-31T00:00:00Z")
    facts = _of_facts(request.subject, *map(datetime.fromisoformat, span))
    return request, reason, (made, left, facts)


def _of_facts(subject: Mapping[str, str], since: datetime, until: datetime) -> ColumnElement[bool]:
    """Return the condition that a certificate's fact is of all that the request names.

    A fact of no site, such as a test, is of the site of whoever wrote it down.
    """
    about, found = {name: UUID(value) for name, value in subject.items()}, []
    who, where = about.get("staff"), about.get("site")
    team = select(Staff.id).where(Staff.site_id == where)
    for model, key in _FACTS.items():
        bounds = {
            "staff": model.recorded_by == who, "site": model.recorded_by.in_(team), "lot": false(),
        }  # fmt: skip
        if model is Dose:
            bounds["staff"] |= Dose.performed_by == who
            bounds["site"] = or_(Dose.site_id == where, Dose.site_id.is_(None) & bounds["site"])
            bounds["lot"] = facts.of_lot(about.get("lot"))
        span = (model.recorded_at >= since, model.recorded_at < until)
        wanted = select(model.id).where(*span, *(bounds[name] for name in about))
        found.append(key.in_(wanted))
    return or_(*found)
