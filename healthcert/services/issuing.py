"""Sign what counts: intent first, then the signature, then the word to its holder.

The intent is written with the dose and outlives any crash; signing it again gives nothing new.
Nothing is signed but an intent, so no signature exists without its dose. Sources: EU DCC schema
1.3.3; "Electronic Health Certificate Specification" 1.0.8 §3.3.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import NotFound, SignerUnavailable
from healthcert.gateways.signer import FileSigner, issue_text
from healthcert.gateways.vault import Vault
from healthcert.hcert import revocation, uvci
from healthcert.hcert.cose import PublicKey, parse
from healthcert.hcert.text import decode
from healthcert.hcert.trust import from_certificate
from healthcert.models import Certificate, Dose, Person, Product
from healthcert.services import audit, knowledge, messages
from healthcert.services.people import details_of
from healthcert.services.statement import statement

_RANDOM_BYTES = 15  # 120 bits, 24 letters of base32


def intend(
    db: Session,
    *,
    dose: Dose,
    disease: str,
    stated: tuple[int, int],
    knowledge_id: UUID,
    country: Country,
    now: datetime,
) -> Certificate:
    """Add the intent to certify a dose that counts; the database refuses any other.

    Args:
        db: The transaction in which the dose was judged.
        dose: The dose.
        disease: What it counts toward.
        stated: ``dn`` and ``sd``, from the whole history.
        knowledge_id: The rule they follow.
        country: Who issues.
        now: The moment of the deed.
    """
    certificate = Certificate(
        recorded_at=now,
        person_id=dose.person_id,
        dose_id=dose.id,
        disease=disease,
        standing_counts="valid",
        state="intended",
        uvci=uvci.new(country.code, country.uvci_issuer, secrets.token_bytes(_RANDOM_BYTES)),
        dn=stated[0],
        sd=stated[1],
        knowledge_id=knowledge_id,
    )
    db.add(certificate)
    db.flush()
    return certificate


def pending(db: Session, *, limit: int) -> list[UUID]:
    """Return the certificates still to be signed, the oldest first."""
    query = select(Certificate.id).where(Certificate.state == "intended").order_by(Certificate.id)
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
    """Sign an intended certificate and keep its text sealed; one no longer intended stays as is.

    Raises:
        NotFound: No such certificate.
        SignerUnavailable: No key signs vaccinations now; the intent stays for the worker.
    """
    wanted = [certificate_id]
    found = issue_all(
        db, vault=vault, signers=signers, certificate_ids=wanted, country=country, now=now
    )
    if not found:
        raise NotFound
    return found[0]


def issue_all(
    db: Session,
    *,
    vault: Vault,
    signers: Mapping[str, FileSigner],
    certificate_ids: Collection[UUID],
    country: Country,
    now: datetime,
) -> list[Certificate]:
    """Do what `issue` does for many at once, in a few statements; those that are not there lack.

    Raises:
        SignerUnavailable: No key signs vaccinations now; every intent stays for the worker.
    """
    query = (
        select(Certificate, Person, Dose, Product)
        .join(Person, Person.id == Certificate.person_id)
        .join(Dose, Dose.id == Certificate.dose_id)
        .join(Product, Product.id == Dose.product_id)
        .where(Certificate.id.in_(certificate_ids))
        .order_by(Certificate.id)
        .with_for_update(of=Certificate, key_share=True)
    )
    found = db.execute(query.execution_options(populate_existing=True)).all()
    intended = [one for one in found if one[0].state == "intended"]
    if intended:
        signer = _signer(signers, now)
        programmes = {dose.programme_id for _, _, dose, _ in intended}
        lives = {programme: _life(db, programme) for programme in programmes}
        with db.no_autoflush:
            for certificate, person, dose, product in intended:
                begins = now.replace(microsecond=0)
                life = begins, min(begins + lives[dose.programme_id], signer.not_after)
                dcc = statement(details_of(vault, person), certificate, dose, product, country)
                _sign(certificate, dcc, life, signer, vault, person, country)
                tell(db, vault, person, "certificate_ready", country, now)
                note(db, certificate, "certificate_issued", "", now)
        db.flush()
    return [certificate for certificate, *_ in found]


def _life(db: Session, programme_id: UUID) -> timedelta:
    content = knowledge.programme_content(db, programme_id)
    return timedelta(days=content["certificate"]["valid_days"])


def _sign(
    certificate: Certificate,
    dcc: Mapping[str, object],
    life: tuple[datetime, datetime],
    signer: FileSigner,
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
    if signed.kid != signer.kid or not signed.fits(_public_key(signer.certificate)):
        raise SignerUnavailable("what was signed does not verify")
    certificate.state = "issued"
    certificate.issued_at, certificate.expires_at = life
    certificate.sealed = vault.seal(
        person.wrapped_key, certificate.id, {"text": text}, purpose="certificate"
    )
    certificate.kid = signed.kid
    certificate.signature_hash = revocation.signature_hash(signed)
    certificate.uvci_hash = revocation.uvci_hash(certificate.uvci)
    certificate.country_uvci_hash = revocation.country_uvci_hash(country.code, certificate.uvci)


def _signer(signers: Mapping[str, FileSigner], now: datetime) -> FileSigner:
    signer = signers.get("v")
    if signer is None or not signer.not_before <= now < signer.not_after:
        raise SignerUnavailable("no key signs vaccination certificates now")
    return signer


@lru_cache(maxsize=16)
def _public_key(certificate: bytes) -> PublicKey:
    """Return the key in a signer's certificate, by which verifiers will check."""
    return from_certificate(certificate).key


def tell(
    db: Session, vault: Vault, person: Person, template: str, country: Country, now: datetime
) -> None:
    """Queue what a holder is told of a certificate."""
    messages.queue(
        db,
        vault=vault,
        person=person,
        template=template,
        fields={},
        time_zone=country.time_zone,
        due_at=now,
        now=now,
        at_once=False,
    )


def note(db: Session, certificate: Certificate, act: str, reason: str, now: datetime) -> None:
    """Write down what was done to a certificate."""
    details: dict[str, audit.Detail] = {"dose": certificate.dose_id}
    audit.note(
        db,
        actor=audit.SYSTEM,
        act=act,
        subject=audit.Subject("certificate", certificate.id),
        details=details | ({"reason": reason} if reason else {}),
        now=now,
    )
