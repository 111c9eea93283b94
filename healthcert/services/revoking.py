"""Take a certificate back, tell its holder why, and make another of the same fact."""

from __future__ import annotations

from datetime import datetime

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
