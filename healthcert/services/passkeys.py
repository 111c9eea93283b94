"""Passkeys of staff (WebAuthn level 3): the browser proves that it holds the private half.

A challenge is kept in the session that asked, for five minutes; whoever takes it out forgets it.
The key must have verified its holder, by a finger, a face or a PIN.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorSelectionCriteria as Wanted
from webauthn.helpers.structs import PublicKeyCredentialDescriptor as Known
from webauthn.helpers.structs import ResidentKeyRequirement, UserVerificationRequirement

from healthcert.errors import LastKey, NotFound, NotProved
from healthcert.models import Passkey, Staff
from healthcert.services import roster

LIFE = timedelta(minutes=5)
_VERIFIED = UserVerificationRequirement.REQUIRED
_ON_THE_KEY = Wanted(resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED)
_WRONG = (WebAuthnException, ValueError, TypeError, KeyError)

Kept = dict[str, Any]


def of_staff(db: Session, *, staff_id: UUID) -> Sequence[Passkey]:
    """Return somebody's passkeys, the oldest first."""
    return db.scalars(select(Passkey).filter_by(staff_id=staff_id).order_by(Passkey.id)).all()


def new(db: Session, *, staff: Staff, base_url: str, now: datetime) -> tuple[str, Kept]:
    """Return what the browser is asked, as JSON, to make a passkey; and what to keep of it."""
    known = [Known(key.credential_id) for key in of_staff(db, staff_id=staff.id)]
    asked = webauthn.generate_registration_options(
        rp_id=_host(base_url), rp_name="healthcert", user_id=staff.id.bytes, user_name=staff.name,
        exclude_credentials=known, authenticator_selection=_ON_THE_KEY,
    )  # fmt: skip
    return webauthn.options_to_json(asked), _kept(asked.challenge, str(staff.id), now)


def any_of(*, base_url: str, now: datetime) -> tuple[str, Kept]:
    """Return what the browser is asked, as JSON, to prove who holds it; and what to keep of it."""
    host = _host(base_url)
    asked = webauthn.generate_authentication_options(rp_id=host, user_verification=_VERIFIED)
    return webauthn.options_to_json(asked), _kept(asked.challenge, "", now)


def enrol(
    db: Session, *, staff: Staff, kept: Kept, answer: str, name: str, base_url: str, now: datetime
) -> None:
    """Keep the public half of a new passkey.

    Raises:
        NotProved: Not the answer to what was asked of this person in the last five minutes.
    """
    asked = _asked(kept, str(staff.id), base_url, now)
    try:
        made = webauthn.verify_registration_response(credential=answer, **asked)
        passkey = Passkey(
            recorded_at=now, staff_id=staff.id, credential_id=made.credential_id,
            public_key=made.credential_public_key, name=name, sign_count=made.sign_count,
            backed_up=made.credential_backed_up,
        )  # fmt: skip
        with db.begin_nested():
            db.add(passkey)
    except (*_WRONG, IntegrityError) as wrong:
        raise NotProved from wrong
    roster.note(db, "passkey_added", staff.id, staff.id, now)


def prove(db: Session, *, kept: Kept, answer: str, base_url: str, now: datetime) -> UUID:
    """Return whose passkey has answered; the same answer never counts again.

    Raises:
        NotProved: Not the answer to what was asked, by no key of ours, or a copy of the key.
    """
    asked = _asked(kept, "", base_url, now)
    try:
        told = parse_authentication_credential_json(answer)
        key = db.scalars(select(Passkey).filter_by(credential_id=told.raw_id)).one_or_none()
        if key is None or told.response.user_handle not in {None, key.staff_id.bytes}:
            raise NotProved
        seen = webauthn.verify_authentication_response(
            credential=told, credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count, **asked,
        )  # fmt: skip
    except _WRONG as wrong:
        raise NotProved from wrong
    digest = hashlib.sha256(asked["expected_challenge"]).digest()
    same = (Passkey.id == key.id, Passkey.sign_count == key.sign_count)
    once = update(Passkey).where(*same, Passkey.answered.is_distinct_from(digest))
    used = {"answered": digest, "used_at": now, "backed_up": seen.credential_backed_up}
    counted = once.values(sign_count=seen.new_sign_count, **used).returning(Passkey.id)
    if db.scalar(counted) is None:
        raise NotProved
    return key.staff_id


def remove(db: Session, *, staff_id: UUID, passkey_id: UUID, now: datetime) -> None:
    """Forget one of somebody's passkeys: it opens nothing any more.

    Raises:
        NotFound: They have no such passkey.
        LastKey: It is the only one.
    """
    db.get_one(Staff, staff_id, with_for_update=True)  # of two removals one waits, and counts again
    keys = {key.id: key for key in of_staff(db, staff_id=staff_id)}
    if passkey_id not in keys:
        raise NotFound
    if len(keys) == 1:
        raise LastKey
    db.delete(keys[passkey_id])
    roster.note(db, "passkey_removed", staff_id, staff_id, now)


def _host(base_url: str) -> str:
    return urlsplit(base_url).hostname or ""


def _kept(challenge: bytes, of: str, now: datetime) -> Kept:
    return {"challenge": challenge.hex(), "of": of, "at": now.timestamp()}


def _asked(kept: Kept, of: str, base_url: str, now: datetime) -> dict[str, Any]:
    if not kept or kept["of"] != of or now.timestamp() - kept["at"] > LIFE.total_seconds():
        raise NotProved
    return {
        "expected_challenge": bytes.fromhex(kept["challenge"]), "expected_rp_id": _host(base_url),
        "expected_origin": base_url, "require_user_verification": True,
    }  # fmt: skip
