"""The life of our signing keys: made, told of, used, laid down, and out when they are lost.

    pending -> published -> active -> retired -> expired          each but the last -> compromised

Verifiers are told of a key two days before it signs, and until the last certificate it signed has
ended. Sources: EU DCC governance; "Electronic Health Certificate Specification" 1.0.8 §5; RFC 3280
§4.2.1.4 (the period in which a private key is used).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound, WrongState
from healthcert.gateways.signer import terms
from healthcert.hcert.trust import TrustList
from healthcert.models import Certificate, SigningKey
from healthcert.models.signing_key import LISTED, TRANSITIONS
from healthcert.services import audit
from healthcert.services.key_making import MARK

KNOWN_BEFORE = timedelta(hours=48)
USED_FOR = timedelta(days=183)  # where the certificate does not say until when
_MOMENTS = {
    "published": "published_at", "active": "activated_at",
    "retired": "retired_at", "compromised": "compromised_at",
}  # fmt: skip


def take_in(db: Session, certificates: Mapping[bytes, str], *, now: datetime) -> list[SigningKey]:
    """Write down keys of ours that are new: pending, or active at once if made for development.

    Args:
        db: The transaction.
        certificates: X.509 in DER, each for one purpose, and the SHA-256 of the transcript of the
            ceremony that made it, in hexadecimal; empty where there was none.
        now: The moment of the deed.
    """
    made = []
    for der, transcript in certificates.items():
        found = x509.load_der_x509_certificate(der)
        said = terms(der)
        key = SigningKey(
            kid=said.kid, recorded_at=now, purpose=next(iter(said.usages)), state="pending",
            certificate=der, not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc, signs_until=_used_until(found),
        )  # fmt: skip
        if MARK in found.subject.rfc4514_string():
            _lay_down(db, key.purpose, now)
            key.state, key.published_at = "active", key.not_before
            key.activated_at = key.not_before + KNOWN_BEFORE
            key.signs_until = key.signs_until or min(key.not_after, key.activated_at + USED_FOR)
        db.add(key)
        _note(db, key, now, transcript=transcript)
        made.append(key)
    db.flush()
    return made


def move(db: Session, *, kid: bytes, to: str, now: datetime) -> SigningKey:
    """Bring a key to its next state; one that becomes active lays down the one before it.

    Raises:
        NotFound: There is no such key.
        WrongState: It cannot go there, or not yet, or not any more; the message says why.
    """
    key = db.get(SigningKey, kid, with_for_update=True, populate_existing=True)
    if key is None:
        raise NotFound
    if to not in TRANSITIONS.get(key.state, ()):
        raise WrongState(f"{kid.hex()} is {key.state} and cannot be {to}")
    if to == "active":
        _begin(key, now)
        _lay_down(db, key.purpose, now)
    key.state = to
    if to in _MOMENTS:
        setattr(key, _MOMENTS[to], now)
    db.flush()
    _note(db, key, now)
    return key


def due(db: Session, now: datetime) -> list[tuple[bytes, str]]:
    """Return what time asks for, each a key and its next state.

    A key that was published goes on where none signs any more; one laid down ends with the last
    certificate that it signed.
    """
    keys = db.scalars(select(SigningKey).order_by(SigningKey.published_at)).all()
    signs = {key.purpose for key in keys if key.state == "active" and _until(key) > now}
    steps = []
    for key in keys:
        ready = key.state == "published" and (key.published_at or now) + KNOWN_BEFORE <= now
        if ready and key.purpose not in signs and key.not_before <= now < _until(key):
            signs.add(key.purpose)
            steps.append((key.kid, "active"))
        elif key.state == "retired" and not _still_needed(db, key, now):
            steps.append((key.kid, "expired"))
    return steps


def active(db: Session, now: datetime, *, held: bool = False) -> dict[str, SigningKey]:
    """Return the keys that sign now, by purpose.

    While a transaction holds them nobody can lay them down: what is signed in it was signed
    before, and nothing after.
    """
    query = select(SigningKey).where(
        SigningKey.state == "active", SigningKey.not_before <= now, SigningKey.signs_until > now
    )
    if held:
        query = query.with_for_update(read=True).execution_options(populate_existing=True)
    return {key.purpose: key for key in db.scalars(query)}


def trusted(db: Session, others: TrustList, now: datetime) -> TrustList:
    """Return whose certificates count: the others, and of our own keys those that are listed."""
    ours = db.scalars(select(SigningKey).order_by(SigningKey.recorded_at, SigningKey.kid)).all()
    known = {key.kid for key in ours}
    listed = [key for key in ours if key.state in LISTED and key.not_after > now]
    return TrustList(
        [key for key in others if key.kid not in known]
        + [each for key in listed for each in others.find(key.kid) or (terms(key.certificate),)]
    )


def every(db: Session) -> list[SigningKey]:
    """Return all our keys, by purpose and age."""
    return list(db.scalars(select(SigningKey).order_by(SigningKey.purpose, SigningKey.not_before)))


def _begin(key: SigningKey, now: datetime) -> None:
    known = (key.published_at or now) + KNOWN_BEFORE
    if now < known:
        raise WrongState(f"{key.kid.hex()} may sign from {known:%Y-%m-%d %H:%M} UTC on")
    key.signs_until = key.signs_until or min(key.not_after, now + USED_FOR)
    if not key.not_before <= now < key.signs_until:
        raise WrongState(f"{key.kid.hex()} signs until {key.signs_until:%Y-%m-%d %H:%M} UTC")


def _lay_down(db: Session, purpose: str, now: datetime) -> None:
    before = select(SigningKey.kid).where(
        SigningKey.purpose == purpose, SigningKey.state == "active"
    )
    for kid in db.scalars(before).all():
        move(db, kid=kid, to="retired", now=now)


def _until(key: SigningKey) -> datetime:
    return key.signs_until or key.not_after


def _still_needed(db: Session, key: SigningKey, now: datetime) -> bool:
    """Whether a certificate that a key signed is in force; each look goes into the index once."""
    ends = (
        db.scalar(select(func.max(Certificate.expires_at)).filter_by(kid=key.kid, state=state))
        for state in ("issued", "superseded")
    )
    return key.not_after > now and any(end is not None and end >= now for end in ends)


def _used_until(certificate: x509.Certificate) -> datetime | None:
    try:
        said = certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    except x509.ExtensionNotFound:
        return None
    return said.not_after.replace(tzinfo=UTC) if said.not_after else None


def _note(db: Session, key: SigningKey, now: datetime, **details: str) -> None:
    told = {"kid": key.kid.hex(), "purpose": key.purpose, **details}
    audit.note(
        db,
        actor=audit.SYSTEM,
        act=f"key_{key.state}",
        subject=audit.Subject("signing_key"),
        details={name: value for name, value in told.items() if value},
        now=now,
    )
