"""Take a certificate back, tell its holder why, and make another of the same fact."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Certificate, Person
from healthcert.services import issuing


def revoke(
    db: Session, *, vault: Vault, person: Person, certificate: Certificate, reason: str,
    country: Country, now: datetime,
) -> None:  # fmt: skip
    """End a certificate, not revoked before, or the intent of one; `reason` is a stable code.

    The `person`, its holder, is told of an issued one, on the clock of the `country`.
    """
    was_out = certificate.state != "intended"
    certificate.state, certificate.standing_counts = "revoked", None
    certificate.revoked_at, certificate.revoked_reason = now, reason
    db.flush()
    if was_out:
        issuing.tell(db, vault, person, "certificate_revoked", country, now)
    issuing.note(db, certificate, "certificate_revoked", reason, now)


def reissue(
    db: Session, *, vault: Vault, person: Person, certificate: Certificate, reason: str,
    country: Country, now: datetime,
) -> Certificate:  # fmt: skip
    """Revoke a certificate and return the intent of another that states the same fact.

    For details that were corrected, or a life that ends. The caller holds the lock on the person.

    Raises:
        WrongState: It is not issued: nothing is out that needs another.
    """
    if certificate.state != "issued":
        raise WrongState
    revoke(
        db, vault=vault, person=person, certificate=certificate,
        reason=reason, country=country, now=now,
    )  # fmt: skip
    again = issuing.intend_again(db, certificate, country=country, now=now)
    db.flush()
    return again


def reissue_lost(
    db: Session, *, vault: Vault, kid: bytes, limit: int, country: Country, now: datetime
) -> int:
    """Replace certificates in force that a lost key signed by intents; return how many, at last 0.

    Who was erased has none again.
    """
    query = (
        select(Certificate, Person)
        .join(Person, Person.id == Certificate.person_id)
        .where(Certificate.kid == kid, Certificate.state == "issued", Certificate.expires_at >= now)
        .order_by(Certificate.person_id, Certificate.id)
        .limit(limit)
        .with_for_update(key_share=True)
    )
    found = db.execute(query.execution_options(populate_existing=True)).all()
    for certificate, person in found:
        deed = revoke if person.erased_at else reissue
        deed(
            db, vault=vault, person=person, certificate=certificate,
            reason="key_compromised", country=country, now=now,
        )  # fmt: skip
    return len(found)
