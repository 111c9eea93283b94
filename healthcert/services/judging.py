"""Judge a person's doses anew, and bring judgements and certificates to what was found.

Only what changed is written. A certificate lets go before its dose is judged otherwise: the
database refuses the other order. What counts less is written before what counts more, so that
the numbers of a series are free when they are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Certificate, DoseJudgement, Person
from healthcert.policy import schedule, worth
from healthcert.policy.worth import Found, Judgement
from healthcert.services import history, issuing, revoking, statement
from healthcert.services.history import Past
from healthcert.services.people import details_of

_NOTHING: Mapping[UUID, Found] = MappingProxyType({})


def judge(
    db: Session,
    *,
    vault: Vault,
    person: Person,
    disease: str,
    country: Country,
    judged_by: UUID | None,
    now: datetime,
    by_hand: Mapping[UUID, Found] = _NOTHING,
) -> dict[UUID, str]:
    """Judge all doses of a person toward a disease; return what each is worth now.

    A dose that counts has a certificate, or the intent of one, that states its number, where
    there are certificates of its vaccine; one that states something else is revoked. Who was
    erased gets no more of them. The caller holds the lock on the person; `by_hand` is what
    somebody finds of single doses.
    """
    doses = history.past_doses(db, person_id=person.id, disease=disease)
    # The year alone is left of somebody whose key is gone; what is open speaks for them.
    told = person.wrapped_key is not None
    birth_date = details_of(vault, person).birth_date if told else str(person.birth_year)
    given = [past.as_given(by_hand.get(past.dose.id)) for past in doses]
    found = worth.judge(given, birth_date)
    stated = _stated(doses, found, birth_date, disease)
    kept = set()
    for dose_id, certificate in _certificates(db, doses, disease):
        live = certificate.state != "superseded"
        if live and stated.get(dose_id) == (certificate.dn, certificate.sd):
            kept.add(dose_id)
        elif live or found[dose_id].counts == "entered_in_error":
            reason = by_hand[dose_id].reason if dose_id in by_hand else "dose_judged_anew"
            revoking.revoke(
                db, vault=vault, person=person, certificate=certificate,
                reason=reason, country=country, now=now,
            )  # fmt: skip
    for past in _in_order(doses, found):
        write(db, past, found[past.dose.id], disease=disease, judged_by=judged_by, now=now)
    for past in doses:
        if person.erased_at is None and past.dose.id in stated.keys() - kept:
            issuing.intend(
                db, fact=past.dose, disease=disease, stated=stated[past.dose.id],
                knowledge_id=past.knowledge_id, country=country, now=now,
            )  # fmt: skip
    db.flush()
    return {dose_id: judgement.counts for dose_id, judgement in found.items()}


def write(
    db: Session,
    past: Past,
    judgement: Judgement,
    *,
    disease: str,
    judged_by: UUID | None,
    now: datetime,
) -> None:
    """Add a judgement of a dose; the trigger of the table moves its standing."""
    dose, lot = past.dose, past.validity
    last = select(func.max(DoseJudgement.ordinal)).filter_by(dose_id=dose.id, disease=disease)
    db.add(
        DoseJudgement(
            recorded_at=now,
            dose_id=dose.id,
            disease=disease,
            ordinal=(db.scalar(last) or 0) + 1,
            person_id=dose.person_id,
            product_id=dose.product_id,
            given_on=dose.given_on,
            source=dose.source,
            counts=judgement.counts,
            number=judgement.number,
            min_interval_days=judgement.min_interval,
            lot_validity_id=lot and lot.id,
            lot_id=lot and lot.lot_id,
            lot_product_id=lot and lot.product_id,
            lot_state=lot and lot.state,
            lot_released_on=lot and lot.released_on,
            lot_expires_on=lot and lot.expires_on,
            knowledge_id=past.knowledge_id,
            reason=judgement.reason,
            judged_by=judged_by,
        )
    )
    db.flush()


def _stated(
    doses: list[Past], found: dict[UUID, Judgement], birth_date: str, disease: str
) -> dict[UUID, tuple[int, int]]:
    """Return dn and sd of each dose that counts and can be certified."""
    counted = [past for past in doses if found[past.dose.id].counts == "valid"]
    stated = schedule.stated([past.counted(birth_date) for past in counted])
    return {
        past.dose.id: numbers
        for past, numbers in zip(counted, stated, strict=True)
        if not statement.not_certifiable(past.product.code, disease)
    }


def _certificates(db: Session, doses: list[Past], disease: str) -> list[tuple[UUID, Certificate]]:
    """Return dose and certificate of all that are not revoked, locked: one may be signed now."""
    query = (
        select(Certificate)
        .where(Certificate.dose_id.in_([past.dose.id for past in doses]))
        .where(Certificate.disease == disease, Certificate.state != "revoked")
        .order_by(Certificate.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return [(each.dose_id, each) for each in db.scalars(query) if each.dose_id]


def _in_order(doses: list[Past], found: dict[UUID, Judgement]) -> list[Past]:
    """Return the doses whose judgement changed, in an order in which every step is allowed."""

    def step(past: Past) -> tuple[int, int]:
        before = past.standing.number if past.standing and past.counts == "valid" else None
        after = found[past.dose.id].number
        if after is None:
            return 0, 0
        if before is not None and after < before:
            return 1, after
        return 2, -after

    return sorted((past for past in doses if _changed(past, found[past.dose.id])), key=step)


def _changed(past: Past, judgement: Judgement) -> bool:
    standing = past.standing
    if standing is None:
        return True
    if judgement.counts in worth.KEPT:
        return standing.counts != judgement.counts
    now = (judgement.counts, judgement.number, judgement.min_interval)
    return (standing.counts, standing.number, standing.min_interval_days) != now
