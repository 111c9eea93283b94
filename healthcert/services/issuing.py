"""Sign what counts: intent first, then the signature, then the word to its holder.

The intent is written with the fact and outlives any crash; signing it again gives nothing new.
Nothing is signed but an intent, so no signature exists without its dose, test or recovery.
Sources: EU DCC schema 1.3.3; "Electronic Health Certificate Specification" 1.0.8 §3.3.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import NotFound, SignerUnavailable
from healthcert.gateways.signer import FileSigner, issue_text
from healthcert.gateways.vault import Vault
from healthcert.hcert import revocation, uvci
from healthcert.hcert.cose import Sign1, parse
from healthcert.hcert.text import decode
from healthcert.hcert.trust import from_certificate
from healthcert.models import Certificate, Dose, Person, Recovery, TestResult
from healthcert.services import audit, messages
from healthcert.services.people import details_of, key_of
from healthcert.services.statement import Fact, ends, fact_of, statement

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


def pending(db: Session, *, limit: int, today: date) -> list[UUID]:
    """Return the certificates to be signed, the oldest first; a recovery's not before its day."""
    query = (
        select(Certificate.id)
        .outerjoin(Recovery, Recovery.id == Certificate.recovery_id)
        .where(Certificate.state == "intended")
        .where(or_(Recovery.id.is_(None), Recovery.valid_from <= today))
        .order_by(Certificate.id)
    )
    return list(db.scalars(query.limit(limit)))


def issue(
    db: Session,
    *,
    vault: Vault,
    signers: Mapping[str, FileSigner],
    certificate_id: UUID,
    country: Country,
    now: datetime,
) -> Certificate:
    """Sign an intended certificate and keep its text sealed.

    One no longer intended stays as it is, and so does a recovery's before its first day.

    Raises:
        NotFound: No such certificate.
        SignerUnavailable: No key signs its kind now; the intent stays for the worker.
    """
    query = select(Certificate).where(Certificate.id == certificate_id)
    certificate = db.scalar(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if certificate is None:
        raise NotFound
    fact = fact_of(db, certificate)
    if certificate.state != "intended" or _too_soon(fact, now):
        return certificate
    person = db.get_one(Person, certificate.person_id)
    signer = _signer(signers, certificate.kind, now)
    certificate.issued_at = now.replace(microsecond=0)
    certificate.expires_at = min(ends(db, fact, certificate.issued_at, country), signer.not_after)
    text, signed = _signed(db, vault, signer, certificate, person, country)
    certificate.state = "issued"
    certificate.sealed = vault.seal(
        key_of(person), certificate.id, {"text": text}, purpose="certificate"
    )
    certificate.kid = signed.kid
    certificate.signature_hash = revocation.signature_hash(signed)
    certificate.uvci_hash = revocation.uvci_hash(certificate.uvci)
    certificate.country_uvci_hash = revocation.country_uvci_hash(country.code, certificate.uvci)
    db.flush()
    tell(db, vault, person, "certificate_ready", country, now)
    note(db, certificate, "certificate_issued", "", now)
    return certificate


def _too_soon(fact: Fact, now: datetime) -> bool:
    return isinstance(fact, Recovery) and fact.valid_from > now.date()


def _signer(signers: Mapping[str, FileSigner], kind: str, now: datetime) -> FileSigner:
    signer = signers.get(kind)
    if signer is None or not signer.not_before <= now < signer.not_after:
        raise SignerUnavailable(f"no key signs certificates of kind {kind} now")
    return signer


def _signed(
    db: Session,
    vault: Vault,
    signer: FileSigner,
    certificate: Certificate,
    person: Person,
    country: Country,
) -> tuple[str, Sign1]:
    """Return the text and what is signed in it, checked as a verifier would."""
    if certificate.issued_at is None or certificate.expires_at is None:
        raise ValueError("what is signed has its life")
    text = issue_text(
        dcc=statement(db, details_of(vault, person), certificate, country),
        issuer=country.code,
        issued_at=int(certificate.issued_at.timestamp()),
        expires_at=int(certificate.expires_at.timestamp()),
        signer=signer,
    )
    signed = parse(decode(text))
    if signed.kid != signer.kid or not signed.fits(from_certificate(signer.certificate).key):
        raise SignerUnavailable("what was signed does not verify")
    return text, signed


def tell(
    db: Session, vault: Vault, person: Person, template: str, country: Country, now: datetime
) -> None:
    """Queue what a holder is told of a certificate."""
    messages.queue(
        db, vault=vault, person=person, template=template, fields={},
        time_zone=country.time_zone, due_at=now, now=now,
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
