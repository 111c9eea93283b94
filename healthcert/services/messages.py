"""Tell people things: an outbox that is written with the deed and emptied after it.

A message is claimed in one transaction, sent in none, and settled in another, so that a slow
relay never holds a lock. What a crash leaves claimed is sent again: at least once, never not.
What bears on somebody whom no channel reaches waits for a call (`services.calls`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import Base, Certificate, Message, Person, new_id
from healthcert.services.audit import Rows
from healthcert.services.bearing import JUST_TOLD, Bearing, called
from healthcert.services.people import Details, details_of, key_of
from healthcert.services.wording import BY_DAY, words

MOST_ATTEMPTS = 8
_FIRST_WAIT = timedelta(minutes=1)  # doubled with every attempt
# When the newest certificate in force of whom a message is for was issued.
_IN_FORCE = select(func.max(Certificate.issued_at)).where(
    Certificate.person_id == Message.person_id, Certificate.state == "issued",
).scalar_subquery()  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message opened for sending."""

    id: UUID  # of the row, for `settle`
    channel: str  # ``sms`` or ``mail``
    template: str  # what it is about, a key of `wording.TEMPLATES`
    language: str  # ISO 639-1
    to: str  # a telephone number or a mail address
    subject: str  # of a mail
    text: str
    state: str  # ``queued``, ``sent`` or ``failed``
    due_at: datetime  # from when it may leave


def queue(  # noqa: PLR0913 - each says what is told, named at the call
    db: Session,
    *,
    vault: Vault,
    person: Person,
    template: str,
    fields: Mapping[str, object],
    time_zone: str,
    due_at: datetime,
    now: datetime,
    rows: Rows = None,
    details: Details | None = None,
    bears: Bearing = JUST_TOLD,
) -> None:
    """Add a message to the outbox; none for a person who was erased.

    Telephone first, since a text needs no network plan; who left neither it nor an address is
    called, where the template is told by calls. The words are chosen now, in the person's language,
    and sealed under the person's key.

    `template` is a key of `wording.TEMPLATES`, `fields` what it names, with moments on the clock of
    `time_zone`. A deed of many gives `rows`, and writes what is put there itself, all in one
    statement; `details` are the person's, where they were opened.
    """
    if person.erased_at is not None:
        return
    details = details or details_of(vault, person)
    channel, to = ("sms", details.phone) if details.phone else ("mail", details.mail)
    bears = called(db, person.id, template, bears, now)
    if not to:
        channel = "call"
        if bears.site_id is None or bears.until is None:
            return
        due_at = bears.until  # no worker looks at it before it is over
    subject, text = words(template, person.language, fields, time_zone)
    row_id = new_id()
    value = {"to": to, "subject": subject, "text": text}
    row = {
        "id": row_id,
        "recorded_at": now,
        "person_id": person.id,
        "channel": channel,
        "template": template,
        "language": person.language,
        "sealed": vault.seal(key_of(person), row_id, value, purpose="message"),
        "due_at": due_at,
        "state": "queued",
        "attempts": 0,
        **bears._asdict(),
    }
    if rows is None:
        db.add(Message(**row))
        db.flush()
    else:
        rows.append(row)


def write(db: Session, **rows: Rows) -> None:
    """Write what a deed of many gathered for these tables, a statement each."""
    for name, some in rows.items():
        if some:
            db.execute(insert(Base.metadata.tables[name]), some)


def claim(
    db: Session, *, vault: Vault, channels: Collection[str], now: datetime, limit: int,
    morning: datetime | None = None,
) -> list[Outgoing]:  # fmt: skip
    """Return messages that are due, each promised to this caller until its wait is over.

    In the night that ends in the `morning`, what is told `BY_DAY` is due then, whenever it was
    written: also what is left of a long day, or was refused by a relay.

    Two workers never get the same one: rows another holds are skipped (on SQLite one waits).
    Each claim counts as an attempt. After `MOST_ATTEMPTS` a message is for a call, or has failed,
    as has one that is untrue by then.
    """
    is_due = Message.state == "queued", Message.due_at <= now
    if morning is not None:  # put off once, so no later round of the night looks at it again
        late = update(Message).where(*is_due, Message.template.in_(BY_DAY)).values(due_at=morning)
        db.execute(late.execution_options(synchronize_session=False))
    due = (
        select(Message.id)
        .where(*is_due, Message.channel.in_(channels))
        .order_by(Message.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = db.execute(
        select(Message, Person.wrapped_key, _IN_FORCE)
        .join(Person, Person.id == Message.person_id)
        .where(Message.id.in_(db.scalars(due).all()))
        .order_by(Message.due_at)
    ).all()
    claimed: list[Outgoing] = []
    for message, key, issued_at in found:
        if message.attempts >= MOST_ATTEMPTS or _is_untrue(message, issued_at):
            _give_up(message, now)
            continue
        claimed.append(opened(vault, message, key))
        message.due_at = now + _FIRST_WAIT * 2**message.attempts
        message.attempts += 1
    db.flush()
    return claimed


def _is_untrue(message: Message, issued_at: datetime | None) -> bool:
    """Say whether what a message calls ready was revoked, and none issued since is in force."""
    since = message.recorded_at.replace(microsecond=0)  # certificates are of full seconds
    return message.template == "certificate_ready" and (issued_at is None or issued_at < since)


def _give_up(message: Message, now: datetime) -> None:
    """Leave a message that no channel takes to a call where it still bears on its person."""
    if message.site_id and message.until and message.until > now:
        message.channel, message.attempts, message.due_at = "call", 0, message.until
    else:
        message.state = "failed"


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
    return [opened(vault, message, key) for message, key in db.execute(query)]


def opened(vault: Vault, message: Message, key: bytes | None) -> Outgoing:
    """Return a message that still has a text, opened by the wrapped key of its person."""
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
