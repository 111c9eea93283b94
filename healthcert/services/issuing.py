"""Sign what counts: intent first, then the signature, then the word to its holder.

The intent is written with the fact and outlives any crash; signing it again gives nothing new.
Nothing is signed but an intent, so no signature exists without its dose, test or recovery.
Sources: EU DCC schema 1.3.3; "Electronic Health Certificate Specification" 1.0.8 §3.3.
"""

import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, load_only

from healthcert.data.knowledge import Country
from healthcert.errors import SignerUnavailable
from healthcert.gateways.signer import Signer, issue_text, terms
from healthcert.gateways.vault import Vault
from healthcert.hcert import revocation, uvci
from healthcert.hcert.cose import parse
from healthcert.hcert.text import decode
from healthcert.models import Certificate, Dose, Person, Recovery, TestResult
from healthcert.services import audit, holds, messages, signing_keys
from healthcert.services.audit import Rows
from healthcert.services.bearing import Bearing
from healthcert.services.people import details_of, key_of
from healthcert.services.statement import Fact, bases, ends, statement

KINDS = ("v", "t", "r")  # vaccination, test, recovery
_RANDOM_BYTES = 15  # 120 bits, 24 letters of base32
_STATED = (
    "person_id", "dose_id", "test_result_id", "recovery_id", "disease", "dn", "sd", "knowledge_id",
)  # fmt: skip


def intend(
    db: Session, *, fact: Fact, disease: str, stated: tuple[int, int] | None = None,
    knowledge_id: UUID, country: Country, now: datetime,
) -> Certificate:  # fmt: skip
    """Add the intent to certify a fact that counts; the database refuses any other.

    Where it is one too many of whoever wrote it, it waits (`holds`). A dose states ``dn`` and
    ``sd`` from the whole history, by the rule of `knowledge_id`.
    """
    certificate = Certificate(
        person_id=fact.person_id,
        dose_id=fact.id if isinstance(fact, Dose) else None,
        test_result_id=fact.id if isinstance(fact, TestResult) else None,
        recovery_id=fact.id if isinstance(fact, Recovery) else None,
        disease=disease, dn=stated and stated[0], sd=stated and stated[1],
        knowledge_id=knowledge_id, **_intended(country, now),
    )  # fmt: skip
    db.add(certificate)
    holds.watch(db, fact=fact, now=now)
    return certificate


def again(certificate: Certificate, country: Country, now: datetime) -> dict[str, Any]:
    """Return the intent, as columns, to state once more what a certificate has let go of."""
    return {name: getattr(certificate, name) for name in _STATED} | _intended(country, now)


def _intended(country: Country, now: datetime) -> dict[str, Any]:
    return {
        "recorded_at": now, "state": "intended", "standing_counts": "valid",
        "uvci": uvci.new(country.code, country.uvci_issuer, secrets.token_bytes(_RANDOM_BYTES)),
    }  # fmt: skip


def pending(db: Session, *, limit: int, today: date, kinds: Collection[str] = KINDS) -> list[UUID]:
    """Return what is to be signed of some kinds, the oldest first; a recovery's from its day on."""
    of_kind = {
        "v": Certificate.dose_id, "t": Certificate.test_result_id, "r": Certificate.recovery_id,
    }  # fmt: skip
    query = (
        select(Certificate.id)
        .outerjoin(Recovery, Recovery.id == Certificate.recovery_id)
        .where(Certificate.state == "intended", ~holds.held())
        .where(or_(Recovery.id.is_(None), Recovery.valid_from <= today))
        .where(or_(*(of_kind[kind].is_not(None) for kind in sorted(kinds))))
        .order_by(Certificate.id)
    )
    return list(db.scalars(query.limit(limit)))


def issue_all(
    db: Session, *, vault: Vault, signers: Mapping[bytes, Signer],
    certificate_ids: Collection[UUID], country: Country, now: datetime,
) -> int:  # fmt: skip
    """Sign intended certificates and keep their texts sealed; return how many of them there are.

    One no longer intended stays as it is, and so does one that is held, a recovery's before its
    first day and one of a kind that no key signs now.

    Raises:
        SignerUnavailable: No active key signs any of their kinds; every intent stays.
    """
    query = (
        select(Certificate, Person)
        .join(Person, Person.id == Certificate.person_id)
        .where(Certificate.id.in_(certificate_ids))
        .order_by(Certificate.id)
        .options(load_only(Person.sealed, Person.wrapped_key, Person.language, Person.erased_at))
        .with_for_update(of=Certificate, key_share=True)
    )
    found = db.execute(query.execution_options(populate_existing=True)).all()
    waits = select(Certificate.id).where(Certificate.id.in_(certificate_ids), holds.held())
    held = set(db.scalars(waits))
    intended = [both for both in found if both[0].state == "intended" and both[0].id not in held]
    kinds = {one.kind for one, _ in intended}
    usable = usable_now(db, signers, now) if kinds else {}
    if kinds and not kinds & usable.keys():
        raise SignerUnavailable(f"no key signs certificates of kind {', '.join(sorted(kinds))} now")
    rests_on = bases(db, [one for one, _ in intended])
    signed, told, noted = (list[Mapping[str, object]]() for _ in range(3))
    for certificate, person in intended:
        basis, signer = rests_on[certificate.fact_id], usable.get(certificate.kind)
        soon = isinstance(basis.fact, Recovery) and basis.fact.valid_from > now.date()
        if signer is not None and not soon:
            begins = now.replace(microsecond=0)
            last = terms(signer.certificate).not_after or begins
            life = begins, min(ends(basis, begins, country), last)
            dcc = statement(details_of(vault, person), certificate, basis, country)
            signed.append(_signed(certificate, dcc, life, signer, vault, person, country))
            tell(db, vault, person, "certificate_ready", country, now, told)
            note(db, certificate, "certificate_issued", "", now, noted)
    if signed:
        db.execute(update(Certificate), signed)
    messages.write(db, message=told, audit_event=noted)
    return len(found)


def _signed(
    certificate: Certificate, dcc: Mapping[str, object], life: tuple[datetime, datetime],
    signer: Signer, vault: Vault, person: Person, country: Country,
) -> dict[str, object]:  # fmt: skip
    """Return the columns of a certificate, signed and checked as a verifier would."""
    text = issue_text(
        dcc=dcc, issuer=country.code, issued_at=int(life[0].timestamp()),
        expires_at=int(life[1].timestamp()), signer=signer,
    )  # fmt: skip
    signed = parse(decode(text))
    if signed.kid != signer.kid or not signed.fits(terms(signer.certificate).key):
        raise SignerUnavailable("what was signed does not verify")
    return {
        "id": certificate.id, "state": "issued", "issued_at": life[0], "expires_at": life[1],
        "sealed": vault.seal(key_of(person), certificate.id, {"text": text}, purpose="certificate"),
        "kid": signed.kid, "signature_hash": revocation.signature_hash(signed),
        "uvci_hash": revocation.uvci_hash(certificate.uvci),
        "country_uvci_hash": revocation.country_uvci_hash(country.code, certificate.uvci),
    }  # fmt: skip


def usable_now(db: Session, signers: Mapping[bytes, Signer], now: datetime) -> dict[str, Signer]:
    """Return the signers at hand whose keys are active, by kind; nobody lays these down now."""
    keys = signing_keys.active(db, now, held=True).items()
    return {kind: found for kind, key in keys if (found := signers.get(key.kid)) is not None}


def tell(
    db: Session, vault: Vault, person: Person, template: str, country: Country, now: datetime,
    rows: Rows = None, site_id: UUID | None = None, **fields: str,
) -> None:  # fmt: skip
    """Queue what somebody is told of their record; where they are called, a site does that."""
    messages.queue(
        db, vault=vault, person=person, template=template, fields=fields,
        time_zone=country.time_zone, due_at=now, now=now, rows=rows,
        bears=Bearing(site_id=site_id),
    )  # fmt: skip


def note(
    db: Session, certificate: Certificate, act: str, reason: str, now: datetime, rows: Rows = None
) -> None:
    """Write down what was done to a certificate."""
    details: dict[str, audit.Detail] = {"kind": certificate.kind, "fact": certificate.fact_id}
    details |= {"reason": reason} if reason else {}
    audit.done(db, act, certificate, details, by=None, now=now, rows=rows)
