"""Take a certificate back, and tell its holder why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Certificate, Person
from healthcert.services import issuing


def revoke(
    db: Session,
    *,
    vault: Vault,
    person: Person,
    certificate: Certificate,
    reason: str,
    country: Country,
    now: datetime,
) -> None:
    """End a certificate or the intent of one; the holder of an issued one is told.

    Args:
        db: The transaction of the correction.
        vault: Seals the message.
        person: The holder.
        certificate: Intended, issued or superseded.
        reason: A stable code, kept with it.
        country: On whose clock the holder is told.
        now: The moment of the deed.
    """
    was_out = certificate.state != "intended"
    certificate.state, certificate.standing_counts = "revoked", None
    certificate.revoked_at, certificate.revoked_reason = now, reason
    db.flush()
    if was_out:
        issuing.tell(db, vault, person, "certificate_revoked", country, now)
    issuing.note(db, certificate, "certificate_revoked", reason, now)
