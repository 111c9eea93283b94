"""Take a certificate back, tell its holder why, and make another of the same fact."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Certificate, Person
from healthcert.services import issuing, messages
from healthcert.services.audit import Rows

AT_ONCE = 1000


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


def end_all(
    db: Session, found: Sequence[Row[Certificate, Person]], *, vault: Vault, reason: str,
    notice: str, reference: str = "", first: bool = False, country: Country, now: datetime,
) -> None:  # fmt: skip
    """Revoke certificates found with their holders, and write intents of the same facts, in bulk.

    The caller holds the locks. Only what is out is revoked and its holder told, by a `notice` of
    `wording.TEMPLATES`; who was erased has none again. Where another comes `first`, the old one is
    superseded until that is out.
    """
    again = [one for one, who in found if one.state == "issued" and who.erased_at is None]
    waits = {one.id for one in again} if first else set()
    ended = [both for both in found if both[0].state != "intended" and both[0].id not in waits]
    over = {"state": "revoked", "revoked_at": now, "revoked_reason": reason}
    for ids, values in ((waits, {"state": "superseded"}), ({one.id for one, _ in ended}, over)):
        change = update(Certificate).where(Certificate.id.in_(ids)).values(values)
        # what is loaded stays as it was found
        options = {"synchronize_session": False}
        db.execute(change.values(standing_counts=None), execution_options=options)
    if again:
        db.execute(insert(Certificate), [issuing.again(one, country, now) for one in again])
    told: Rows = []
    noted: Rows = []
    for one in again if first else ():
        issuing.note(db, one, "certificate_superseded", reason, now, noted)
    for one, person in ended:
        issuing.note(db, one, "certificate_revoked", reason, now, noted)
        issuing.tell(db, vault, person, notice, country, now, told, reference=reference)
    messages.write(db, message=told, audit_event=noted)


def reissue_lost(
    db: Session, *, vault: Vault, kid: bytes, limit: int, country: Country, now: datetime
) -> int:
    """Replace certificates in force that a lost key signed; return how many, at last none."""
    query = select(Certificate, Person).join(Person, Person.id == Certificate.person_id)
    query = query.where(Certificate.kid == kid, Certificate.expires_at >= now)
    query = query.where(Certificate.state == "issued").order_by(Certificate.id).limit(limit)
    found = db.execute(query.with_for_update(key_share=True)).all()
    end_all(
        db, found, vault=vault, reason="key_compromised", notice="certificate_key_lost",
        country=country, now=now,
    )  # fmt: skip
    return len(found)
