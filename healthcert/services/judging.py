"""Judge people's doses anew, and bring judgements and certificates to what was found.

Only what changed is written. A certificate lets go before its dose is judged otherwise: the
database refuses the other order. What counts less is written before what counts more, so that
the numbers of a series are free when they are needed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
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
    db: Session, *, vault: Vault, people: Sequence[Person], disease: str, country: Country,
    judged_by: UUID | None, now: datetime, by_hand: Mapping[UUID, Found] = _NOTHING,
) -> dict[UUID, str]:  # fmt: skip
    """Judge all doses of some people toward a disease; return what each is worth now.

    A dose that counts has a certificate, or the intent of one, that states its number, where
    there are certificates of its vaccine; one that states something else is revoked. Who was
    erased gets no more of them. The caller holds the lock on each of them; `by_hand` is
    what somebody finds of single doses.
    """
    pasts = history.past_doses(db, person_ids=[each.id for each in people], disease=disease)
    every = [past for doses in pasts.values() for past in doses]
    certificates = _certificates(db, every, disease)
    found, stated = dict[UUID, Judgement](), dict[UUID, tuple[int, int]]()
    for person in people:
        worths, numbers = _judged(vault, person, pasts[person.id], disease, by_hand)
        found |= worths
        for dose_id, certificate in certificates.get(person.id, ()):
            live = certificate.state != "superseded"
            if live and numbers.get(dose_id) == (certificate.dn, certificate.sd):
                del numbers[dose_id]
            elif live or worths[dose_id].counts == "entered_in_error":
                reason = by_hand[dose_id].reason if dose_id in by_hand else "dose_judged_anew"
                revoking.revoke(
                    db, vault=vault, person=person, certificate=certificate,
                    reason=reason, country=country, now=now,
                )  # fmt: skip
        stated |= numbers if person.erased_at is None else {}
    for step in _in_order(every, found):
        db.add_all(
            _row(past, found[past.dose.id], disease=disease, judged_by=judged_by, now=now)
            for past in step
        )
        db.flush()
    for past in every:
        if past.dose.id in stated:
            issuing.intend(
                db, fact=past.dose, disease=disease, stated=stated[past.dose.id],
                knowledge_id=past.knowledge_id, country=country, now=now,
            )  # fmt: skip
    db.flush()
    return {dose_id: judgement.counts for dose_id, judgement in found.items()}


def _judged(
    vault: Vault, person: Person, doses: list[Past], disease: str, by_hand: Mapping[UUID, Found]
) -> tuple[dict[UUID, Judgement], dict[UUID, tuple[int, int]]]:
    """Return what each dose of a person is worth, and dn and sd of those to be certified."""
    # The year alone is left of somebody whose key is gone; what is open speaks for them.
    told = person.wrapped_key is not None
    birth_date = details_of(vault, person).birth_date if told else str(person.birth_year)
    given = [past.as_given(by_hand.get(past.dose.id)) for past in doses]
    found = worth.judge(given, birth_date)
    counted = [past for past in doses if found[past.dose.id].counts == "valid"]
    stated = schedule.stated([past.counted(birth_date) for past in counted])
    certified = statement.products() if disease in statement.diseases() else ()
    return found, {
        past.dose.id: numbers
        for past, numbers in zip(counted, stated, strict=True)
        if past.product.code in certified
    }


def _row(
    past: Past, judgement: Judgement, *, disease: str, judged_by: UUID | None, now: datetime
) -> DoseJudgement:
    """Return the judgement of a dose that follows the last; its trigger moves the standing."""
    dose = past.dose
    lot = past.validity if dose.lot_id else None  # a judgement names no lot that its dose does not
    return DoseJudgement(
        recorded_at=now,
        ordinal=past.standing.ordinal + 1 if past.standing else 1,
        disease=disease, judged_by=judged_by, knowledge_id=past.knowledge_id,
        dose_id=dose.id, person_id=dose.person_id, product_id=dose.product_id,
        given_on=dose.given_on, source=dose.source,
        counts=judgement.counts, number=judgement.number, reason=judgement.reason,
        min_interval_days=judgement.min_interval,
        lot_validity_id=lot and lot.id, lot_id=lot and lot.lot_id, lot_state=lot and lot.state,
        lot_product_id=lot and lot.product_id, lot_released_on=lot and lot.released_on,
        lot_expires_on=lot and lot.expires_on,
    )  # fmt: skip


def _certificates(
    db: Session, doses: list[Past], disease: str
) -> dict[UUID, list[tuple[UUID, Certificate]]]:
    """Return by person dose and certificate of all not revoked, locked: one may be signed now."""
    query = (
        select(Certificate)
        .where(Certificate.dose_id.in_([past.dose.id for past in doses]))
        .where(Certificate.disease == disease, Certificate.state != "revoked")
        .order_by(Certificate.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[tuple[UUID, Certificate]]] = {}
    for each in db.scalars(query):
        if each.dose_id:
            found.setdefault(each.person_id, []).append((each.dose_id, each))
    return found


def _in_order(doses: list[Past], found: dict[UUID, Judgement]) -> list[list[Past]]:
    """Return the doses whose judgement changed in steps, in an order in which each is allowed."""

    def step(past: Past) -> tuple[int, int]:
        before = past.standing.number if past.standing and past.counts == "valid" else None
        after = found[past.dose.id].number
        if after is None:
            return 0, 0
        if before is not None and after < before:
            return 1, after
        return 2, -after

    changed = sorted((past for past in doses if _changed(past, found[past.dose.id])), key=step)
    return [list(same) for _, same in groupby(changed, step)]


def _changed(past: Past, judgement: Judgement) -> bool:
    standing = past.standing
    if standing is None:
        return True
    if judgement.counts in worth.KEPT:
        return standing.counts != judgement.counts
    now = (judgement.counts, judgement.number, judgement.min_interval)
    return (standing.counts, standing.number, standing.min_interval_days) != now
