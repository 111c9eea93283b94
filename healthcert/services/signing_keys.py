"""The life of our signing keys.

    pending -> published -> active -> retired -> expired          each but the last -> compromised

Verifiers are told of a key two days before it signs, and until the last certificate it signed has
ended. Sources: "Electronic Health Certificate Specification" 1.0.8 §5; RFC 3280 §4.2.1.4.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.errors import NotReady, WrongState, there
from healthcert.gateways.signer import terms
from healthcert.hcert.trust import TrustList
from healthcert.models import Certificate, SigningKey
from healthcert.models.signing_key import LISTED, TRANSITIONS
from healthcert.services import audit
from healthcert.services.key_making import MARK, USED_FOR

KNOWN_BEFORE = timedelta(hours=48)
_MOMENTS = {
    "published": "published_at", "active": "activated_at",
    "retired": "retired_at", "compromised": "compromised_at",
}  # fmt: skip
_LAST, _SOON = timedelta(days=1), timedelta(days=30)


def take_in(db: Session, found: Mapping[bytes, str], *, now: datetime) -> None:
    """Write down keys of ours that are new: pending, or active at once if made for development.

    Each is found as a certificate (DER), with the SHA-256 of its ceremony's transcript in
    hexadecimal; empty where there was none.
    """
    for der, transcript in found.items():
        pem, said = x509.load_der_x509_certificate(der), terms(der)
        key = SigningKey(
            kid=said.kid, recorded_at=now, purpose=next(iter(said.usages)), state="pending",
            certificate=der, not_before=pem.not_valid_before_utc,
            not_after=pem.not_valid_after_utc, signs_until=_said_until(pem),
        )  # fmt: skip
        if MARK in pem.subject.rfc4514_string():
            _lay_down(db, key.purpose, now)
            key.state, key.published_at = "active", key.not_before
            key.activated_at = key.not_before + KNOWN_BEFORE
            key.signs_until = key.signs_until or min(key.not_after, key.not_before + USED_FOR)
        db.add(key)
        db.flush()
        _note(db, key, now, transcript)


def move(db: Session, *, kid: bytes, to: str, now: datetime) -> SigningKey:
    """Bring a key to its next state; one that becomes active lays down the one before it.

    Raises:
        NotFound: There is no such key.
        WrongState: It cannot go there, or not yet, or not any more; the message says why.
    """
    key = there(db.get(SigningKey, kid, with_for_update=True, populate_existing=True))
    if to not in TRANSITIONS.get(key.state, ()):
        raise WrongState(f"{kid.hex()} is {key.state} and cannot be {to}")
    if to == "active":
        key.signs_until = key.signs_until or min(key.not_after, now + USED_FOR)
        begins = max(key.not_before, (key.published_at or now) + KNOWN_BEFORE)
        if not begins <= now < key.signs_until:
            raise WrongState(f"{kid.hex()} signs from {begins} to {key.signs_until}")
        _lay_down(db, key.purpose, now)
    key.state = to
    if to in _MOMENTS:
        setattr(key, _MOMENTS[to], now)
    db.flush()
    _note(db, key, now)
    return key


def due(db: Session, now: datetime) -> list[tuple[bytes, str]]:
    """Return what time asks for, each a key and its next state.

    A published key goes on where none signs; one laid down ends with what it signed.
    """
    keys = every(db)
    signs = {key.purpose for key in keys if key.state == "active" and ends(key) > now}
    steps = []
    for key in keys:
        begins = max(key.not_before, (key.published_at or now) + KNOWN_BEFORE)
        if key.state == "published" and key.purpose not in signs and begins <= now < ends(key):
            signs.add(key.purpose)
            steps.append((key.kid, "active"))
        elif key.state == "retired" and not _still_needed(db, key, now):
            steps.append((key.kid, "expired"))
    return steps


def active(db: Session, now: datetime, *, held: bool = False) -> dict[str, SigningKey]:
    """Return the keys that sign now, by purpose; while they are `held` nobody lays them down."""
    query = select(SigningKey).where(
        SigningKey.state == "active", SigningKey.not_before <= now, SigningKey.signs_until > now
    )
    if held:
        query = query.with_for_update(read=True).execution_options(populate_existing=True)
    return {key.purpose: key for key in db.scalars(query)}


def trusted(db: Session, others: TrustList, now: datetime) -> TrustList:
    """Return whose certificates count: the others', and of our own keys those that are listed."""
    ours = every(db)
    known = {key.kid for key in ours}
    listed = [key for key in ours if key.state in LISTED and key.not_after > now]
    return TrustList(
        [key for key in others if key.kid not in known]
        + [each for key in listed for each in others.find(key.kid) or (terms(key.certificate),)]
    )


def every(db: Session) -> list[SigningKey]:
    """Return all our keys, by purpose and age."""
    return list(db.scalars(select(SigningKey).order_by(SigningKey.purpose, SigningKey.not_before)))


def ends(key: SigningKey) -> datetime:
    """Return until when a key signs; of one laid down, until when what it signed may count."""
    return key.not_after if key.state == "retired" else key.signs_until or key.not_after


def left(db: Session, now: datetime) -> dict[str, object]:
    """Return how many days each purpose can go on signing, and which of them end soon.

    Raises:
        NotReady: One of them ends within a day, stand-by keys included.
    """
    until: dict[str, datetime] = {}
    for key in every(db):
        end = ends(key) if key.state in ("active", "published") else now
        until[key.purpose] = max(end, until.get(key.purpose, now))
    if until and min(until.values()) - now < _LAST:
        raise NotReady("a purpose has no key that signs for a whole day more")
    return {
        "days_left": {purpose: (end - now).days for purpose, end in until.items()},
        "ends_soon": sorted(purpose for purpose, end in until.items() if end - now < _SOON),
    }


def _lay_down(db: Session, purpose: str, now: datetime) -> None:
    for kid in db.scalars(select(SigningKey.kid).filter_by(purpose=purpose, state="active")).all():
        move(db, kid=kid, to="retired", now=now)


def _still_needed(db: Session, key: SigningKey, now: datetime) -> bool:
    """Whether a certificate that a key signed is in force; each look goes into the index once."""
    last = (
        db.scalar(select(func.max(Certificate.expires_at)).filter_by(kid=key.kid, state=state))
        for state in ("issued", "superseded")
    )
    return key.not_after > now and any(end is not None and end >= now for end in last)


def _said_until(certificate: x509.Certificate) -> datetime | None:
    used = (e.value for e in certificate.extensions)
    end = next((e.not_after for e in used if isinstance(e, x509.PrivateKeyUsagePeriod)), None)
    return end.replace(tzinfo=UTC) if end else None


def _note(db: Session, key: SigningKey, now: datetime, transcript: str = "") -> None:
    details = {"kid": key.kid.hex(), "purpose": key.purpose}
    audit.note(
        db, actor=audit.SYSTEM, act=f"key_{key.state}", subject=audit.Subject("signing_key"),
        details=details | ({"transcript": transcript} if transcript else {}), now=now,
    )  # fmt: skip
