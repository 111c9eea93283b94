"""How somebody of the staff comes in who has no key yet, or has lost them all."""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from healthcert.errors import NeedsAnother, NotFound, NotProved
from healthcert.models import Invitation, Passkey, Password, Staff, StaffLink
from healthcert.services import roster, visits

LIFE = timedelta(hours=24)
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none that is taken for another
_LENGTH = 24  # 117 bits
_ASKED = select(Invitation).where(Invitation.kind == "recovery", Invitation.digest.is_(None))


def invite(db: Session, *, pepper: bytes, staff_id: UUID, by: UUID | None, now: datetime) -> str:
    """Return a code that lets a new member of staff in once, within a day; it is shown only now.

    `by` is the administrator; None for the operator at the machine.
    """
    code = _code()
    db.add(
        Invitation(
            recorded_at=now, staff_id=staff_id, kind="first", requested_by=by,
            digest=_digest(pepper, code), expires_at=now + LIFE,
        )
    )  # fmt: skip
    roster.note(db, "staff_invited", by, staff_id, now)
    return code


def refuse_newcomer(db: Session, *, staff_id: UUID, now: datetime) -> None:
    """Refuse the say of whom a colleague let in within a day: one could else be two at once.

    Whom the operator let in at the machine, as the first of a service, may speak at once.

    Raises:
        NeedsAnother: They came in too lately.
    """
    by_colleague = Invitation.kind == "first", Invitation.requested_by.is_not(None)
    lately = Invitation.staff_id == staff_id, Invitation.recorded_at > now - LIFE
    if db.scalar(select(Invitation.id).where(*by_colleague, *lately).limit(1)) is not None:
        raise NeedsAnother


def ask_recovery(db: Session, *, staff_id: UUID, by: UUID, now: datetime) -> None:
    """Write down that an administrator asks for somebody to come in anew; another must grant it.

    Raises:
        NeedsAnother: They ask for themselves.
    """
    if by == staff_id:
        raise NeedsAnother
    asked = db.scalars(_ASKED.filter_by(staff_id=staff_id)).one_or_none()
    if asked is None:
        asked = Invitation(staff_id=staff_id, kind="recovery")
        db.add(asked)
    asked.requested_by, asked.recorded_at = by, now
    db.flush()
    roster.note(db, "recovery_asked_for", by, staff_id, now)


def grant(db: Session, *, pepper: bytes, staff_id: UUID, by: UUID, now: datetime) -> str:
    """Return a code to come in anew; every key and every session of before ends.

    Raises:
        NotFound: Nobody has asked for it within a day.
        NeedsAnother: The same administrator asked, or it is for themselves, or they are new here.
    """
    refuse_newcomer(db, staff_id=by, now=now)
    asked = db.scalars(_ASKED.filter_by(staff_id=staff_id).with_for_update()).one_or_none()
    if asked is None or asked.recorded_at <= now - LIFE:
        raise NotFound
    if by in {asked.requested_by, staff_id}:
        raise NeedsAnother
    code = _code()
    asked.approved_by, asked.digest, asked.expires_at = by, _digest(pepper, code), now + LIFE
    for kind in (Passkey, Password, StaffLink):
        db.execute(delete(kind).where(kind.staff_id == staff_id))
    visits.end_all(db, staff_id=staff_id)
    roster.note(db, "recovery_granted", by, staff_id, now)
    return code


def find(db: Session, *, pepper: bytes, code: str, now: datetime) -> UUID:
    """Return the invitation of a code, unused and of today; `NotProved` if there is none."""
    typed = "".join(letter for letter in code.upper() if letter in _LETTERS)
    found = db.scalars(select(Invitation).filter_by(digest=_digest(pepper, typed))).one_or_none()
    if found is None or found.used_at or found.expires_at is None or now >= found.expires_at:
        raise NotProved
    return found.id


def newcomer(
    db: Session, *, invitation_id: UUID | None = None, staff_id: UUID | None = None,
    use: bool = False, now: datetime,
) -> Staff:  # fmt: skip
    """Return who may leave a key: by an invitation, or being signed in.

    With `use` the invitation is used up, in the transaction in which the key is kept.

    Raises:
        NotProved: It was used or is over, they came in by another before, or work here no more.
    """
    if invitation_id is not None:
        whose = (Invitation.id == invitation_id, Invitation.used_at.is_(None))
        open_ = (*whose, Invitation.expires_at > now)
        up = update(Invitation).where(*open_).values(used_at=now).returning(Invitation.staff_id)
        try:
            with db.begin_nested():
                staff_id = db.scalar(up if use else select(Invitation.staff_id).where(*open_))
        except IntegrityError:
            raise NotProved from None
    found = db.get(Staff, staff_id) if staff_id else None
    if found is None or not found.active:
        raise NotProved
    return found


def told(db: Session, *, staff_id: UUID) -> Sequence[tuple[datetime, str, str]]:
    """Return when somebody was let in anew, who asked for it and who granted it."""
    asked, granted = aliased(Staff), aliased(Staff)
    query = (
        select(Invitation.recorded_at, asked.name, granted.name)
        .join(asked, asked.id == Invitation.requested_by)
        .join(granted, granted.id == Invitation.approved_by)
        .where(Invitation.staff_id == staff_id, Invitation.kind == "recovery")
    )
    found = db.execute(query.order_by(Invitation.id.desc()))
    return [(at, one, other) for at, one, other in found]


def waiting(db: Session, *, now: datetime) -> Sequence[Invitation]:
    """Return the recoveries that were asked for and wait for a second administrator."""
    return db.scalars(_ASKED.where(Invitation.recorded_at > now - LIFE)).all()


def _code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _digest(pepper: bytes, code: str) -> bytes:
    return hmac.digest(pepper, b"invitation " + code.encode(), "sha256")
