"""Judge a person's doses anew, and bring judgements and certificates to what was found.

Only what changed is written. A certificate lets go before its dose is judged otherwise: the
database refuses the other order. What counts less is written before what counts more, so that
the numbers of a series are free when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Certificate, DoseJudgement, Person
from healthcert.policy import schedule, worth
from healthcert.policy.worth import Judgement
from healthcert.services import history, issuing, revoking
from healthcert.services.history import Past
from healthcert.services.people import details_of
from healthcert.services.statement import not_certifiable


def judge(
    db: Session,
    *,
    vault: Vault,
    person: Person,
    disease: str,
    country: Country,
    judged_by: UUID | None,
    now: datetime,
) -> dict[UUID, str]:
    """Judge all doses of a person toward a disease; return what each is worth now.

    A dose that counts has a certificate, or the intent of one, that states its number; one that
    states something else is revoked. The caller holds the lock on the person.
    """
    doses = history.past_doses(db, person_id=person.id, disease=disease)
    birth_date = details_of(vault, person).birth_date
    found = worth.judge([past.as_given() for past in doses], birth_date)
    stated = _stated(doses, found, birth_date)
    live = _live(db, [past.dose.id for past in doses], disease)
    for past in doses:
        certificate = live.get(past.dose.id)
        if certificate is not None and stated.get(past.dose.id) != (certificate.dn, certificate.sd):
            revoking.revoke(
                db, vault=vault, person=person, certificate=certificate,
                reason="dose_judged_anew", country=country, now=now,
            )  # fmt: skip
            del live[past.dose.id]
    db.flush()
    for past in _in_order(doses, found):
        write(db, past, found[past.dose.id], disease=disease, judged_by=judged_by, now=now)
    for past in doses:
        certifiable = not not_certifiable(past.product, disease)
        if past.dose.id in stated and past.dose.id not in live and certifiable:
            issuing.intend(
                db, dose=past.dose, disease=disease, stated=stated[past.dose.id],
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
    doses: list[Past], found: dict[UUID, Judgement], birth_date: str
) -> dict[UUID, tuple[int, int]]:
    """Return dn and sd of each dose that counts."""
    counted = [past for past in doses if found[past.dose.id].counts == "valid"]
    return dict(
        zip(
            (past.dose.id for past in counted),
            schedule.stated([past.counted(birth_date) for past in counted]),
            strict=True,
        )
    )


def _live(db: Session, dose_ids: Iterable[UUID], disease: str) -> dict[UUID, Certificate]:
    """Return the live certificates by dose, locked: one may be signed at this moment."""
    query = (
        select(Certificate)
        .where(Certificate.dose_id.in_(dose_ids), Certificate.disease == disease)
        .where(Certificate.state.in_(("intended", "issued")))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {certificate.dose_id: certificate for certificate in db.scalars(query)}


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
        return False
    now = (judgement.counts, judgement.number, judgement.min_interval)
    return (standing.counts, standing.number, standing.min_interval_days) != now
