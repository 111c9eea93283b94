"""Act for somebody else: who lets whom, in which scopes, until when; told to both, ended by either.

It begins in three ways: a citizen writes down a child of theirs, an adult lets in whoever brings
the code that the adult was sent, or staff saw at the desk who it is. A proxy holds between two
alone: it is asked of who is signed in, so nobody hands on what they were let do.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import AlreadyBooked, BadInput, NotAllowed, NotFound, TooMany
from healthcert.gateways.vault import Vault
from healthcert.models import Person, Proxy, Staff
from healthcert.models.proxy import SCOPES
from healthcert.policy import ages
from healthcert.services import access, audit, codes, enrolment, looks, messages, people
from healthcert.services.audit import Actor
from healthcert.services.people import Details
from healthcert.services.tidying import tidied


@dataclass(frozen=True, slots=True)
class Deed:
    """What everything here is done with: a transaction, the vault, the country's rules, now."""

    db: Session
    vault: Vault
    country: Country
    now: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A proxy in force, in all its scopes: whether one acts oneself, and for or by whom."""

    proxy_id: UUID  # for `end`
    person_id: UUID  # who is acted for
    mine: bool
    name: str  # of the other side
    kind: str  # one of `models.proxy.PROXY_KINDS`
    scopes: tuple[str, ...]
    ends_at: datetime


def admit(db: Session, *, actor: Actor, person_id: UUID, scope: str, now: datetime) -> UUID:
    """Return whose record is opened for a deed in a scope; that a proxy did is written down.

    Raises:
        NotFound: Neither one's own, nor of somebody for whom one may do that at this moment.
    """
    if actor != Actor("citizen", person_id):
        admit_all(db, actor=actor, person_ids=[person_id], scope=scope, now=now)
    return person_id


def admit_all(
    db: Session, *, actor: Actor, person_ids: Collection[UUID], scope: str, now: datetime
) -> None:
    """Open the records of others for a deed in a scope, and write that down.

    The proxies are held until the transaction ends: who ends one meanwhile waits for it.

    Raises:
        NotFound: One is of somebody for whom one may not do that at this moment.
    """
    query = _in_force(now).where(_by(actor, *person_ids), Proxy.scope == scope)
    rows = db.scalars(query.with_for_update(read=True, of=Proxy))
    found = {row.person_id: row.kind for row in rows}
    if found.keys() != set(person_ids):
        raise NotFound
    for person_id, kind in found.items():
        told = {"reason": looks.FOR_THEM, "as": kind, "scope": scope}
        audit.of_person(db, actor, looks.SEEN, person_id, now, **told)


def held(deed: Deed, person_id: UUID) -> list[Held]:
    """Return for whom a person acts and who acts for them, in the order in which it began."""
    either = or_(Proxy.person_id == person_id, Proxy.proxy_person_id == person_id)
    query = _in_force(deed.now).where(either).order_by(Proxy.recorded_at, Proxy.scope)
    rows = deed.db.scalars(query).all()
    ids = {each for row in rows for each in (row.person_id, row.proxy_person_id, row.staff_id)}
    ids.discard(None)
    persons = deed.db.scalars(select(Person).where(Person.id.in_(ids)))
    helpers = [row.staff_id for row in rows if row.staff_id]
    staff = deed.db.scalars(select(Staff).where(Staff.id.in_(helpers))) if helpers else ()
    known: dict[UUID | None, Person | Staff] = {one.id: one for one in (*persons, *staff)}
    found: dict[tuple[UUID, UUID | None], Held] = {}
    for row in rows:
        pair = row.person_id, row.proxy_person_id or row.staff_id
        mine = row.person_id != person_id
        scopes = (*(found[pair].scopes if pair in found else ()), row.scope)
        name = _called(deed, known[pair[0 if mine else 1]])
        found[pair] = Held(row.id, row.person_id, mine, name, row.kind, scopes, row.ends_at)
    return list(found.values())


def grant(
    deed: Deed, person_id: UUID, proxy: Actor, kind: str, scopes: Collection[str], until: datetime
) -> None:
    """Let another person, or staff as ``operator``, act for somebody, instead of what held before.

    Raises:
        BadInput: No scope, an unknown one, or nobody but oneself.
        NotFound: No such person.
    """
    chosen = [scope for scope in SCOPES if scope in scopes]
    if not chosen or proxy.id == person_id:
        raise BadInput({"reference": "yourself"} if chosen else {"scopes": "missing"})
    if people.locked(deed.db, person_id).erased_at is not None:
        raise NotFound
    _end(deed, person_id, proxy)
    side = {"staff_id" if proxy.kind == "staff" else "proxy_person_id": proxy.id}
    row = {"person_id": person_id, "kind": kind, "ends_at": until, "recorded_at": deed.now}
    deed.db.add_all(Proxy(scope=scope, **row, **side) for scope in chosen)
    deed.db.flush()
    _tell_both(deed, "proxy_begun", person_id, proxy, until)
    told = {"kind": kind, "scopes": "/".join(chosen)}
    audit.of_person(deed.db, proxy, "proxy_begun", person_id, deed.now, **told)


def end(deed: Deed, *, proxy_id: UUID, by: UUID) -> None:
    """End a proxy in all its scopes at once, asked for by the person on either side of it.

    Raises:
        NotFound: No such proxy in force between this person and another.
    """
    row = deed.db.scalar(_in_force(deed.now).where(Proxy.id == proxy_id))
    if row is None or by not in (row.person_id, row.proxy_person_id):
        raise NotFound
    proxy = Actor("staff" if row.staff_id else "citizen", row.staff_id or row.proxy_person_id)
    _end(deed, row.person_id, proxy)
    _tell_both(deed, "proxy_ended", row.person_id, proxy, deed.now)
    who = Actor("citizen", by)
    audit.of_person(deed.db, who, "proxy_ended", row.person_id, deed.now, proxy=proxy.id)


def enrol_child(deed: Deed, *, guardian_id: UUID, details: Details) -> None:
    """Write a child down, whose guardian acts for them until the child consents alone.

    The child is told where the guardian is. Nobody on record already is given away by a number:
    the code that they are sent, or the desk, has to speak for them.

    Raises:
        BadInput: A field cannot be used, the child is of age, or their document is on record.
    """
    guardian = people.details_of(deed.vault, deed.db.get_one(Person, guardian_id))
    details = replace(details, phone=guardian.phone, mail=guardian.mail)
    of_age = _of_age(deed, tidied(details, today=deed.now.date()))
    if of_age <= deed.now.date():
        raise BadInput({"birth_date": "of_age"})
    try:
        child = enrolment.enrol(
            deed.db, vault=deed.vault, details=details, now=deed.now, only_new=True
        )
    except AlreadyBooked:
        raise BadInput({"identity_value": "on_record"}) from None
    until = _midnight(deed, of_age)
    grant(deed, child.id, Actor("citizen", guardian_id), "guardian", SCOPES, until)


def invite(deed: Deed, *, pepper: bytes, person_id: UUID, scopes: Collection[str]) -> None:
    """Send an adult the code by which whoever they give it to may act for them in some scopes.

    Raises:
        BadInput: No scope, or no contact point to send it to.
        NotAllowed: They are not of age: somebody else decides for them.
        TooMany: They asked for a code within the last minute, or for too many in a day.
    """
    person = people.locked(deed.db, person_id)
    details = people.details_of(deed.vault, person)
    lets = " ".join(scope for scope in SCOPES if scope in scopes)
    if not lets or not details.is_reached:
        raise BadInput({"scopes": "no_contact" if lets else "missing"})
    if _of_age(deed, details) > deed.now.date():
        raise NotAllowed
    if not codes.may_ask_again(deed.db, person_id=person_id, now=deed.now):
        raise TooMany(deed.now + codes.COOL_DOWN)
    codes.send(deed.db, vault=deed.vault, pepper=pepper, person=person, now=deed.now, lets=lets)


def accept(
    deed: Deed, *, pepper: bytes, carer_id: UUID, claim: access.Claim, code: str
) -> access.Answer:
    """Begin to act for who gave their code to a carer; the answer is to be asked after the commit.

    Raises:
        BadInput: The reference is not one, or it is one's own.
    """
    answer = access.redeem(
        deed.db, vault=deed.vault, pepper=pepper, claim=claim, code=code, now=deed.now,
        carer=carer_id,
    )  # fmt: skip
    if answer.lets:
        until = deed.now + timedelta(days=deed.country.carer_days)
        carer = Actor("citizen", carer_id)
        grant(deed, answer.person_id, carer, "carer", answer.lets.split(), until)
    return answer


def assist(deed: Deed, *, person_id: UUID, staff: Staff) -> None:
    """Let a member of staff, who saw who it is, act for a person until the day is over."""
    today = deed.now.astimezone(ZoneInfo(deed.country.time_zone)).date()
    until = _midnight(deed, today + timedelta(days=1))
    grant(deed, person_id, Actor("staff", staff.id), "operator", SCOPES, until)


def _in_force(now: datetime) -> Select[Proxy]:
    reachable = select(Proxy).join(Person, Person.id == Proxy.person_id)
    open_ones = reachable.where(Proxy.revoked_at.is_(None), Proxy.ends_at > now)
    return open_ones.where(Person.erased_at.is_(None))


def _by(actor: Actor, *person_ids: UUID) -> ColumnElement[bool]:
    column = Proxy.staff_id if actor.kind == "staff" else Proxy.proxy_person_id
    return (column == actor.id) & Proxy.person_id.in_(person_ids)


def _end(deed: Deed, person_id: UUID, proxy: Actor) -> None:
    theirs = update(Proxy).where(_by(proxy, person_id), Proxy.revoked_at.is_(None))
    deed.db.execute(theirs.values(revoked_at=deed.now))


def _of_age(deed: Deed, details: Details) -> date:
    """Return the first day on which, by what is known of the birth date, they may be of age."""
    return ages.reaches(details.birth_date, deed.country.of_age_years * 12)


def _midnight(deed: Deed, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(deed.country.time_zone))


def _name(deed: Deed, who: UUID | None) -> str:
    return _called(deed, deed.db.get(Staff, who) or deed.db.get_one(Person, who))


def _called(deed: Deed, who: Staff | Person) -> str:
    if isinstance(who, Staff):
        return who.name
    details = people.details_of(deed.vault, who)
    return f"{details.given} {details.family}".strip()


def _tell_both(deed: Deed, template: str, person_id: UUID, proxy: Actor, until: datetime) -> None:
    told = {"proxy": _name(deed, proxy.id), "name": _name(deed, person_id), "when": until}
    for to in (person_id, proxy.id)[: 1 if proxy.kind == "staff" else 2]:
        messages.queue(
            deed.db, vault=deed.vault, person=deed.db.get_one(Person, to), template=template,
            fields=told, time_zone=deed.country.time_zone, due_at=deed.now, now=deed.now,
        )  # fmt: skip
