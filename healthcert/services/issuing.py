"""Sign what counts: intent first, then the signature, then the word to its holder.

The intent is written with the fact and outlives any crash; signing it again gives nothing new.
Nothing is signed but an intent, so no signature exists without its dose, test or recovery.
Sources: EU DCC schema 1.3.3; "Electronic Health Certificate Specification" 1.0.8 §3.3.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import SignerUnavailable
from healthcert.gateways.signer import Signer, issue_text, terms
from healthcert.gateways.vault import Vault
from healthcert.hcert import revocation, uvci
from healthcert.hcert.cose import parse
from healthcert.hcert.text import decode
from healthcert.models import Certificate, Dose, Person, Recovery, TestResult
from healthcert.services import audit, messages, signing_keys
from healthcert.services.people import details_of, key_of
from healthcert.services.statement import Fact, ends, fact_of, fetched, statement

KINDS = ("v", "t", "r")  # vaccination, test, recovery
_RANDOM_BYTES = 15  # 120 bits, 24 letters of base32


def intend(
    db: Session,
    *,
    fact: Fact,
    disease: str,
    stated: tuple[int, int] | None = None,
    knowledge_id: UUID,
    country: Country,
    now: datetime,
) -> Certificate:
    """Add the intent to certify a fact that counts; the database refuses any other.

    A dose states ``dn`` and ``sd`` from the whole history, by the rule of `knowledge_id`.
    """
    certificate = Certificate(
        recorded_at=now,
        person_id=fact.person_id,
        dose_id=fact.id if isinstance(fact, Dose) else None,
        test_result_id=fact.id if isinstance(fact, TestResult) else None,
        recovery_id=fact.id if isinstance(fact, Recovery) else None,
        disease=disease,
        standing_counts="valid",
        state="intended",
        uvci=uvci.new(country.code, country.uvci_issuer, secrets.token_bytes(_RANDOM_BYTES)),
        dn=stated and stated[0],
        sd=stated and stated[1],
        knowledge_id=knowledge_id,
    )
    db.add(certificate)
    db.flush()
    return certificate


def pending(db: Session, *, limit: int, today: date, kinds: Collection[str] = KINDS) -> list[UUID]:
    """Return the certificates of some kinds to be signed, the oldest first.

    A recovery's is not signed before its day.
    """
    of_kind = {
        "v": Certificate.dose_id, "t": Certificate.test_result_id, "r": Certificate.recovery_id,
    }  # fmt: skip
    query = (
        select(Certificate.id)
        .outerjoin(Recovery, Recovery.id == Certificate.recovery_id)
        .where(Certificate.state == "intended")
        .where(or_(Recovery.id.is_(None), Recovery.valid_from <= today))
        .where(or_(*(of_kind[kind].is_not(None) for kind in sorted(kinds))))
        .order_by(Certificate.id)
    )
    return list(db.scalars(query.limit(limit)))


def issue_all(
    db: Session,
    *,
    vault: Vault,
    signers: Mapping[bytes, Signer],
    certificate_ids: Collection[UUID],
    country: Country,
    now: datetime,
) -> list[Certificate]:
    """Sign intended certificates, keep their texts sealed, and return all of them.

    One no longer intended stays as it is, and so does a recovery's before its first day and one
    of a kind that no key signs now.

    Raises:
        SignerUnavailable: No active key signs any of their kinds; every intent stays.
    """
    query = (
        select(Certificate, Person)
        .join(Person, Person.id == Certificate.person_id)
        .where(Certificate.id.in_(certificate_ids))
        .order_by(Certificate.id)
        .with_for_update(of=Certificate, key_share=True)
    )
    found = db.execute(query.execution_options(populate_existing=True)).all()
    intended = [(one, person) for one, person in found if one.state == "intended"]
    kinds = {one.kind for one, _ in intended}
    usable = usable_now(db, signers, now, held=True) if kinds else {}
    if kinds and not kinds & usable.keys():
        raise SignerUnavailable(f"no key signs certificates of kind {', '.join(sorted(kinds))} now")
    kept = fetched(db, [one for one, _ in intended])
    with db.no_autoflush:
        for certificate, person in intended:
            fact, signer = fact_of(db, certificate), usable.get(certificate.kind)
            if signer is not None and not _too_soon(fact, now):
                begins = now.replace(microsecond=0)
                last = terms(signer.certificate).not_after or begins
                life = begins, min(ends(db, fact, begins, country), last)
                dcc = statement(db, details_of(vault, person), certificate, country)
                _sign(certificate, dcc, life, signer, vault, person, country)
                tell(db, vault, person, "certificate_ready", country, now)
                note(db, certificate, "certificate_issued", "", now)
    db.flush()
    kept.clear()
    return [certificate for certificate, _ in found]


def _sign(
    certificate: Certificate,
    dcc: Mapping[str, object],
    life: tuple[datetime, datetime],
    signer: Signer,
    vault: Vault,
    person: Person,
    country: Country,
) -> None:
    """Sign what a certificate states, check it as a verifier would, and keep it sealed."""
    text = issue_text(
        dcc=dcc,
        issuer=country.code,
        issued_at=int(life[0].timestamp()),
        expires_at=int(life[1].timestamp()),
        signer=signer,
    )
    signed = parse(decode(text))
    if signed.kid != signer.kid or not signed.fits(terms(signer.certificate).key):
        raise SignerUnavailable("what was signed does not verify")
    certificate.state = "issued"
    certificate.issued_at, certificate.expires_at = life
    certificate.sealed = vault.seal(
        key_of(person), certificate.id, {"text": text}, purpose="certificate"
    )
    certificate.kid = signed.kid
    certificate.signature_hash = revocation.signature_hash(signed)
    certificate.uvci_hash = revocation.uvci_hash(certificate.uvci)
    certificate.country_uvci_hash = revocation.country_uvci_hash(country.code, certificate.uvci)


def _too_soon(fact: Fact, now: datetime) -> bool:
    return isinstance(fact, Recovery) and fact.valid_from > now.date()


def usable_now(
    db: Session, signers: Mapping[bytes, Signer], now: datetime, *, held: bool = False
) -> dict[str, Signer]:
    """Return the signers at hand whose keys are active, by kind; see `signing_keys.active`."""
    keys = signing_keys.active(db, now, held=held).items()
    return {kind: found for kind, key in keys if (found := signers.get(key.kid)) is not None}


def tell(
    db: Session, vault: Vault, person: Person, template: str, country: Country, now: datetime
) -> None:
    """Queue what a holder is told of a certificate."""
    messages.queue(
        db, vault=vault, person=person, template=template, fields={},
        time_zone=country.time_zone, due_at=now, now=now, at_once=False,
    )  # fmt: skip


def note(db: Session, certificate: Certificate, act: str, reason: str, now: datetime) -> None:
    """Write down what was done to a certificate."""
    fact = certificate.dose_id or certificate.test_result_id or certificate.recovery_id
    details: dict[str, audit.Detail] = {"kind": certificate.kind, "fact": fact}
    audit.note(
        db,
        actor=audit.SYSTEM,
        act=act,
        subject=audit.Subject("certificate", certificate.id),
        details=details | ({"reason": reason} if reason else {}),
        now=now,
    )
