"""Say what belongs into the next offline bundle."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data import value_sets
from healthcert.data.knowledge import Country
from healthcert.hcert.revocation import HashKind, RevocationList
from healthcert.hcert.trust import TrustList
from healthcert.models import Certificate
from healthcert.services.bundles import Contents
from healthcert.services.rules import Told


def contents(
    db: Session, *, trust: TrustList, country: Country, rules: Sequence[Told] = ()
) -> Contents:
    """Return the keys to be believed, what this country took back, and the rules of entry.

    An intent that was taken back before it was signed is in nobody's hands and not published.
    """
    revoked = select(Certificate.uvci_hash).where(
        Certificate.state == "revoked", Certificate.uvci_hash.is_not(None)
    )
    entries: list[tuple[str, HashKind, bytes]] = [
        (country.code, "uvci", found) for found in db.scalars(revoked) if found
    ]
    published = [country.code] if country.revocation_published else []
    return Contents(
        trust=trust,
        revocation=RevocationList.of(published, entries),
        rules=rules,
        value_sets=value_sets(),
    )
