"""Calls: who is to be told something now and could not be written to, and what came of trying.

They are messages of the outbox that no channel takes: their people left no address, every attempt
failed, or this service has no such channel.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, or_, select, text, update
from sqlalchemy.orm import Session

from healthcert.errors import WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, AuditEvent, Message, Offer, Person, Site, Staff
from healthcert.models.journal import OPEN_CALL
from healthcert.services import audit, delegating, looks, messages
from healthcert.services.part import Part
from healthcert.services.people import details_of

_TRIES = 3  # that are shown with their moments
_TRIED = "call_not_reached"
_Found = Select[Message, Person, Site]


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to be called, and what to tell them."""

    id: UUID
    person_id: UUID
    name: str  # given and family name in their own script
    latin_name: str  # the same in Latin letters, or empty
    birth_date: str  # as told, perhaps partial
    phone: str  # empty where they left none: somebody has to go there, or ask
    language: str  # ISO 639-1, of the words
    subject: str
    text: str
    until: datetime  # when it is over, and leaves the list
    site: Mapping[str, str]  # whose people call: its names by language
    time_zone: str  # of the site
    tried: int  # how often they were not reached
    tries: list[datetime]  # the last few of these, the latest first


def waiting(
    db: Session, *, vault: Vault, channels: Collection[str], staff: Staff, part: Part, now: datetime
) -> list[Call]:
    """Return whom the people of one's sites are to call, what is over first, first.

    That one was shown them is written down.
    """
    query = _open(channels, now).where(_within(db, staff, now))
    found = db.execute(part.of(query, Message.until, Message.id)).all()
    shown = [person.id for _, person, _ in found[: part.most - 1]]  # the last says: more follow
    looks.all_seen(db, staff=staff, person_ids=shown, reason="call", now=now)
    tries = _tries(db, [message.id for message, *_ in found if message.attempts])
    return [_call(vault, *row, tries.get(row[0].id, [])) for row in found]


def told(
    db: Session, *, message_id: UUID, channels: Collection[str], staff: Staff, now: datetime
) -> None:
    """Write down that somebody was told: nobody calls them for it again.

    Raises:
        NotFound: Nobody within one's reach was to be called for it.
        WrongState: Somebody has told them already, or it is over.
    """
    message = _locked(db, message_id, channels, staff, now)
    message.channel, message.state, message.sent_at, message.due_at = "call", "sent", now, now
    audit.done(db, "call_told", message, {"template": message.template}, by=staff, now=now)


def not_reached(
    db: Session, *, message_id: UUID, channels: Collection[str], staff: Staff, now: datetime
) -> None:
    """Write down that somebody was called and not reached; they stay on the list.

    Raises:
        NotFound: Nobody within one's reach was to be called for it.
        WrongState: Somebody has told them already, or it is over.
    """
    message = _locked(db, message_id, channels, staff, now)
    message.channel, message.attempts = "call", message.attempts + 1
    message.due_at = there(message.until)
    audit.done(db, _TRIED, message, {"template": message.template}, by=staff, now=now)


def end(db: Session, *, now: datetime) -> int:
    """End the calls that nobody made in time; return how many."""
    # In the words of its index, which no other message is in: many may wait for their channel.
    over = update(Message).where(text(OPEN_CALL), Message.until <= now)
    ended = over.values(state="failed").returning(Message.id)
    return len(db.execute(ended.execution_options(synchronize_session=False)).all())


def _open(channels: Collection[str], now: datetime) -> _Found:
    """Return the query of what is to be told by a call, with whom, and whose they are."""
    moved = exists().where(Appointment.id == Message.about_id, Appointment.state != "booked")
    answered = exists().where(Offer.id == Message.about_id, Offer.state != "open")
    query = select(Message, Person, Site).join(Person, Person.id == Message.person_id)
    query = query.join(Site, Site.id == Message.site_id)
    query = query.where(Message.state == "queued", Message.channel.not_in(channels))
    return query.where(Message.until > now, ~or_(moved, answered))


def _within(db: Session, staff: Staff, now: datetime) -> ColumnElement[bool]:
    return delegating.at_sites(db, staff=staff, act="make_calls", now=now)


def _locked(
    db: Session, message_id: UUID, channels: Collection[str], staff: Staff, now: datetime
) -> Message:
    one = select(Message).join(Site, Site.id == Message.site_id).where(Message.id == message_id)
    one = one.where(_within(db, staff, now), Message.until.is_not(None))
    one = one.with_for_update(of=Message).execution_options(populate_existing=True)
    message = there(db.scalar(one))
    still = _open(channels, now).where(Message.id == message_id).with_only_columns(Message.id)
    if db.scalar(still) is None:
        raise WrongState
    return message


def _tries(db: Session, ids: Collection[UUID]) -> dict[UUID, list[datetime]]:
    """Return when each was tried, the latest first."""
    query = select(AuditEvent.subject_id, AuditEvent.recorded_at).filter_by(
        subject_kind="message", act=_TRIED
    )
    found: dict[Any, list[datetime]] = {}
    query = query.where(AuditEvent.subject_id.in_(ids)).order_by(AuditEvent.recorded_at.desc())
    for message_id, at in db.execute(query):
        found.setdefault(message_id, []).append(at)
    return found


def _call(
    vault: Vault, message: Message, person: Person, site: Site, tries: list[datetime]
) -> Call:
    details, said = details_of(vault, person), messages.opened(vault, message, person.wrapped_key)
    return Call(
        id=message.id, person_id=person.id, name=f"{details.given} {details.family}".strip(),
        latin_name=f"{details.given_latin} {details.family_latin}".strip(),
        birth_date=details.birth_date, phone=details.phone, language=message.language,
        subject=said.subject, text=said.text, until=there(message.until), site=site.names,
        time_zone=site.time_zone, tried=len(tries), tries=tries[:_TRIES],
    )  # fmt: skip
