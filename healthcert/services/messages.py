"""Tell people things: an outbox that is written with the deed and emptied after it.

A message is claimed in one transaction, sent in none, and settled in another, so that a slow
relay never holds a lock. What a crash leaves claimed is sent again: at least once, never not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import Message, Person, new_id
from healthcert.services.people import details_of, key_of
from healthcert.services.wording import words

MOST_ATTEMPTS = 8
_FIRST_WAIT = timedelta(minutes=1)  # doubled with every attempt


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message opened for sending.

    Attributes:
        id: Of the row, for `settle`.
        channel: ``sms`` or ``mail``.
        template: What it is about, a key of `wording.TEMPLATES`.
        language: ISO 639-1.
        to: A telephone number or a mail address.
        subject: Of a mail.
        text: What is said.
        state: ``queued``, ``sent`` or ``failed``.
        due_at: From when it may leave.
    """

    id: UUID
    channel: str
    template: str
    language: str
    to: str
    subject: str
    text: str
    state: str
    due_at: datetime


def queue(
    db: Session,
    *,
    vault: Vault,
    person: Person,
    template: str,
    fields: Mapping[str, object],
    time_zone: str,
    due_at: datetime,
    now: datetime,
    at_once: bool = True,
) -> Message | None:
    """Add a message to the outbox; None for a person who left no way to be told, or was erased.

    Telephone first, since a text needs no network plan. The words are chosen now, in the
    person's language, and sealed under the person's key.

    Args:
        db: The transaction of the deed that the message tells of.
        vault: Seals.
        person: Whom to tell.
        template: A key of `wording.TEMPLATES`.
        fields: What it names.
        time_zone: On whose clock moments are written, an IANA name.
        due_at: From when it may leave.
        now: The moment of the deed.
        at_once: Whether it goes to the database now; else with the caller's next flush.
    """
    if person.erased_at is not None:
        return None
    details = details_of(vault, person)
    channel, to = ("sms", details.phone) if details.phone else ("mail", details.mail)
    if not to:
        return None
    subject, text = words(template, person.language, fields, time_zone)
    row_id = new_id()
    value = {"to": to, "subject": subject, "text": text}
    message = Message(
        id=row_id,
        recorded_at=now,
        person_id=person.id,
        channel=channel,
        template=template,
        language=person.language,
        sealed=vault.seal(key_of(person), row_id, value, purpose="message"),
        due_at=due_at,
    )
    db.add(message)
    if at_once:
        db.flush()
    return message


def claim(
    db: Session, *, vault: Vault, channels: Collection[str], now: datetime, limit: int
) -> list[Outgoing]:
    """Return messages that are due, each promised to this caller until its wait is over.

    Two workers never get the same one: rows another holds are skipped (on SQLite one waits).
    Each claim counts as an attempt; after `MOST_ATTEMPTS` a message has failed.
    """
    due = (
        select(Message.id)
        .where(Message.state == "queued", Message.due_at <= now, Message.channel.in_(channels))
        .order_by(Message.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = db.execute(
        select(Message, Person.wrapped_key)
        .join(Person, Person.id == Message.person_id)
        .where(Message.id.in_(db.scalars(due).all()))
        .order_by(Message.due_at)
    ).all()
    claimed: list[Outgoing] = []
    for message, key in found:
        if message.attempts >= MOST_ATTEMPTS:
            message.state = "failed"
            continue
        claimed.append(_opened(vault, message, key))
        message.due_at = now + _FIRST_WAIT * 2**message.attempts
        message.attempts += 1
    db.flush()
    return claimed


def settle(db: Session, *, sent: Collection[UUID], now: datetime) -> None:
    """Mark messages as taken by their channel."""
    taken = update(Message).where(Message.id.in_(sent), Message.state == "queued")
    db.execute(taken.values(state="sent", sent_at=now))


def outbox(db: Session, *, vault: Vault, limit: int) -> list[Outgoing]:
    """Return the newest messages that still have a text; for the development outbox page only."""
    query = (
        select(Message, Person.wrapped_key)
        .join(Person, Person.id == Message.person_id)
        .where(Message.sealed.is_not(None))
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return [_opened(vault, message, key) for message, key in db.execute(query)]


def _opened(vault: Vault, message: Message, key: bytes | None) -> Outgoing:
    value = vault.open(key or b"", message.id, message.sealed or b"", purpose="message")
    return Outgoing(
        id=message.id,
        channel=message.channel,
        template=message.template,
        language=message.language,
        to=value["to"],
        subject=value["subject"],
        text=value["text"],
        state=message.state,
        due_at=message.due_at,
    )
