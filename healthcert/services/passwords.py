"""A password and a time code (RFC 6238), for staff who have no passkey at hand.

Five wrong tries in a row, counted before anything is compared, and the account pauses. Unknown
names, wrong passwords, wrong codes and pauses are answered alike and cost the same work.
"""

import hmac
import re
import threading
from base64 import b64encode
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pyotp
import qrcode
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from qrcode.image.svg import SvgPathImage
from sqlalchemy import case, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotProved, NotReady
from healthcert.gateways.vault import Vault
from healthcert.models import Password, Staff
from healthcert.services import roster

MOST_TRIES, PAUSE = 5, timedelta(minutes=15)
SHORTEST, _LONGEST, _STEP = 12, 200, 30
_HASHER = PasswordHasher(2, 19 * 1024, 1)  # argon2id: OWASP Password Storage, 19 MiB
_AT_ONCE = threading.BoundedSemaphore(4)  # so that many tries cannot take all memory
_NOBODY = _HASHER.hash("the password of nobody at all")
_COMMON = re.compile(
    r"healthcert|vaccin|passwor[dt]|motdepasse|letmein|welcome|administrat|qwert|azert|asdfg"
    r"|12345|iloveyou|monkey|dragon|football|sunshine|princess|abcdef|(.)\1{3}"
)


class Counted(NamedTuple):
    """An account on which a try was counted."""

    staff_id: UUID
    digest: str
    sealed: bytes
    last_step: int


def new_secret() -> str:
    """Return a new secret of time codes, base32."""
    return pyotp.random_base32()


def picture(secret: str, *, name: str) -> str:
    """Return the address (data) of a QR code out of which programs for time codes read it."""
    told = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="healthcert")
    drawn = qrcode.make(told, image_factory=SvgPathImage).to_string()
    return "data:image/svg+xml;base64," + b64encode(drawn).decode()


def keep(
    db: Session, *, vault: Vault, staff_id: UUID, login: str, password: str, secret: str, code: str,
    now: datetime,
) -> None:  # fmt: skip
    """Give somebody a password and time codes, in place of those before.

    Raises:
        BadInput: The name is taken or none, the password is short or guessed first, or the code
            is not of this secret and moment.
    """
    login, step, wrong = login.strip().casefold(), _step(secret, code, now), {}
    if not re.fullmatch(r"[a-z0-9._-]{3,60}", login):
        wrong["login"] = "not_a_login"
    if not SHORTEST <= len(password) <= _LONGEST:
        wrong["password"] = "too_short" if len(password) < SHORTEST else "too_long"
    elif _COMMON.search(password.casefold()) or login in password.casefold():
        wrong["password"] = "too_common"  # noqa: S105 - a code, not a password
    if step is None:
        wrong["code"] = "bad_code"
    if wrong or step is None:
        raise BadInput(wrong)
    row = db.get(Password, staff_id) or Password(staff_id=staff_id)
    row.login, row.digest, row.last_step = login, _HASHER.hash(password), step
    row.sealed = vault.service_seal(staff_id.bytes, {"secret": secret})
    row.recorded_at, row.tries, row.tried_at = now, 0, None
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:
        raise BadInput({"login": "taken"}) from None
    roster.note(db, "password_set", staff_id, staff_id, now)


def count_try(db: Session, *, login: str, now: datetime) -> Counted | None:
    """Count a try by a single statement; None where the name is unknown, or pauses."""
    over = Password.tried_at <= now - PAUSE
    tries = case((over, 1), else_=Password.tries + 1)
    may = update(Password).where(
        Password.login == login.strip().casefold(),
        or_(Password.tries < MOST_TRIES, over),
        Password.staff_id.in_(select(Staff.id).where(Staff.active)),
    )
    row = (Password.staff_id, Password.digest, Password.sealed, Password.last_step)
    found = db.execute(may.values(tries=tries, tried_at=now).returning(*row)).one_or_none()
    return None if found is None else Counted(*found)


def check(
    counted: Counted | None, *, vault: Vault, password: str, code: str, now: datetime
) -> Counted:
    """Return the account with the step of this code, where both are right; outside a transaction.

    Raises:
        NotProved: One of them is wrong, or nothing was counted.
    """
    secret = pyotp.random_base32()
    if counted is not None:
        with suppress(NotReady):  # it lies under a vault key that is gone: no code is right
            secret = vault.service_open(counted.staff_id.bytes, counted.sealed)["secret"]
    right = _matches(counted.digest if counted else _NOBODY, password[:_LONGEST])
    step = _step(secret, code, now)
    if counted is None or not right or step is None or step <= counted.last_step:
        raise NotProved
    anew = vault.service_seal(counted.staff_id.bytes, {"secret": secret})  # under the newest key
    return counted._replace(last_step=step, sealed=anew)


def accept(db: Session, *, right: Counted) -> UUID:
    """Use a time code up; return whose it was. `NotProved` if it, or the password, was changed."""
    whose = (Password.staff_id == right.staff_id, Password.digest == right.digest)
    unused = update(Password).where(*whose, Password.last_step < right.last_step)
    done = unused.values(last_step=right.last_step, sealed=right.sealed, tries=0).returning(
        Password.staff_id
    )
    if db.scalar(done) is None:
        raise NotProved
    return right.staff_id


def _matches(digest: str, password: str) -> bool:
    with _AT_ONCE:
        try:
            return _HASHER.verify(digest, password)
        except VerifyMismatchError:
            return False


def _step(secret: str, code: str, now: datetime) -> int | None:
    """Return which step a code is of: this one, the one before or the next; None for no such."""
    typed, this = code.replace(" ", "").encode(), int(now.timestamp()) // _STEP
    near = {step: pyotp.HOTP(secret).at(step).encode() for step in (this - 1, this, this + 1)}
    found = [step for step, right in near.items() if hmac.compare_digest(right, typed)]
    return found[-1] if found else None
