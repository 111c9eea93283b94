"""Browser sessions as rows: found, kept and ended by the hash of their token."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from healthcert.models import ApiToken, Base, Staff, Visit, narrow
from healthcert.models.straight import Straight

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)


class Holder(NamedTuple):
    """Whose a session is, and when that was last proved; at most one of the two."""

    proved_at: datetime
    staff_id: UUID | None = None
    person_id: UUID | None = None
    device: bytes | None = None  # SHA-256 of the cookie of the device it was opened on


class Left(NamedTuple):
    """What somebody left locked."""

    token_hash: bytes
    sealed: bytes
    expires_at: datetime


_READ = narrow(
    "token_hash sealed started_at seen_at expires_at staff_id person_id proved_at locked_at"
)
_VISIT = Base.metadata.tables["visit"]
_OF_TOKEN = _VISIT.c.token_hash == bindparam("token")
_FIND = Straight(select(*(_VISIT.c[name] for name in _READ._fields)).where(_OF_TOKEN))
_KEEP = Straight(
    update(_VISIT)
    .where(_OF_TOKEN, _VISIT.c.locked_at.is_(None))
    .values(sealed=bindparam("sealed"), seen_at=bindparam("seen_at"))
    .returning(_VISIT.c.token_hash)
)


def find(db: Session, *, token_hash: bytes, now: datetime) -> Visit | None:
    """Return the session of a token, or None where it never was, has idled out or has ended.

    One that is idle for 30 minutes, or 12 hours old, is over. The hash is SHA-256.
    """
    found = _FIND.rows(db, token=token_hash)
    visit: Visit | None = _READ._make(found[0]) if found else None
    if visit is None or now >= visit.expires_at or now >= visit.seen_at + IDLE:
        return None
    return None if visit.locked_at else visit


def keep(
    db: Session, *, token_hash: bytes, sealed: bytes, started_at: datetime, holder: Holder | None,
    is_new: bool, now: datetime,
) -> bool:  # fmt: skip
    """Write what a session holds, and that it was seen now; say whether it still was there.

    One that was ended or locked meanwhile stays so: only a new token makes a row.
    """
    if is_new:
        whose = holder._asdict() if holder else {}
        ends = started_at + LONGEST
        made = {"started_at": started_at, "seen_at": now, "expires_at": ends, "sealed": sealed}
        db.execute(insert(Visit).values(token_hash=token_hash, **made, **whose))
        return True
    return bool(_KEEP.rows(db, token=token_hash, sealed=sealed, seen_at=now))


def end(db: Session, *, token_hash: bytes) -> None:
    """Forget a session: its token opens nothing from now on."""
    db.execute(delete(Visit).where(Visit.token_hash == token_hash))


def of_staff(db: Session, *, staff_id: UUID, now: datetime) -> Sequence[Visit]:
    """Return the sessions of a member of staff that are not over, the newest first."""
    theirs = select(Visit).where(Visit.staff_id == staff_id, Visit.expires_at > now)
    fresh = theirs.where((Visit.seen_at > now - IDLE) | Visit.locked_at.is_not(None))
    return db.scalars(fresh.order_by(Visit.started_at.desc())).all()


def end_all(
    db: Session, *, staff_id: UUID | None = None, person_id: UUID | None = None,
    only: str | None = None,
) -> int:  # fmt: skip
    """End the sessions and tokens of somebody, or one by the hex of its hash; return how many."""
    count = 0
    for model in (Visit, ApiToken):
        whose = model.staff_id == staff_id if staff_id else model.person_id == person_id
        found = db.scalars(select(model.token_hash).where(whose)).all()
        ended = [key for key in found if only in {None, key.hex()}]
        db.execute(delete(model).where(model.token_hash.in_(ended)))
        count += len(ended)
    return count


def lock(db: Session, *, token_hash: bytes, now: datetime) -> None:
    """Close a staff session until its owner proves again, on the same device, who they are."""
    locked = update(Visit).where(Visit.token_hash == token_hash, Visit.staff_id.is_not(None))
    db.execute(locked.values(locked_at=now))


def waiting(db: Session, *, device: bytes, now: datetime) -> Sequence[Staff]:
    """Return whose sessions stand open or locked on a device today, by name."""
    here = select(Visit.staff_id).where(Visit.device == device, Visit.expires_at > now)
    theirs = select(Staff).where(Staff.active, Staff.id.in_(here)).order_by(Staff.name)
    return db.scalars(theirs).all()


def take_back(db: Session, *, staff_id: UUID, device: bytes, now: datetime) -> Left | None:
    """Return what somebody left locked on a device, the newest alone; all of it ends there."""
    theirs = (Visit.staff_id == staff_id, Visit.device == device, Visit.locked_at.is_not(None))
    row = (Visit.token_hash, Visit.sealed, Visit.expires_at)
    gone = db.execute(delete(Visit).where(*theirs).returning(*row))
    left = max((Left(*found) for found in gone), key=lambda one: one.expires_at, default=None)
    return left if left and left.expires_at > now else None
