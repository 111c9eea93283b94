"""Say what belongs into the next offline bundle."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.hcert.revocation import HashKind, RevocationList
from healthcert.hcert.trust import TrustList
from healthcert.models import Certificate
from healthcert.services.bundles import Contents


def contents(db: Session, *, trust: TrustList, country: Country) -> Contents:
    """Return the keys to be believed and what this country took back.

    An intent that was taken back before it was signed is in nobody's hands and not published.
    """
    revoked = select(Certificate.uvci_hash).where(
        Certificate.state == "revoked", Certificate.uvci_hash.is_not(None)
    )
    entries: list[tuple[str, HashKind, bytes]] = [
        (country.code, "uvci", found) for found in db.scalars(revoked) if found
    ]
    published = [country.code] if country.revocation_published else []
    return Contents(trust=trust, revocation=RevocationList.of(published, entries))
