"""Record doses: facts first, whatever is wrong with them; and mark the ones entered in error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Certificate,
    Dose,
    Person,
    Product,
    ProductTarget,
    Staff,
)
from healthcert.policy.worth import Judgement
from healthcert.services import audit, facts, history, judging, messages, people, revoking, stock
from healthcert.services.booking import Place, place_of
from healthcert.services.places import change_state

ERROR_REASONS = (
    "wrong_person", "not_given", "given_twice_on_record", "wrong_product", "wrong_lot",
    "wrong_day", "other",
)  # fmt: skip


def record(
    db: Session,
    *,
    vault: Vault,
    appointment_id: UUID,
    product_id: UUID,
    lot_text: str,
    body_site: str,
    given_at: datetime,
    staff: Staff,
    country: Country,
    now: datetime,
) -> Dose:
    """Write down the dose that was given in an appointment, judge it, and intend its certificate.

    No medical reason refuses: an unknown lot, too short an interval or the wrong product are
    written down, and `counts` says what they are worth. Read it from `DoseStanding`.

    Raises:
        BadInput: ``lot``, ``body_site`` or ``given_at`` cannot be read, or lies in the future.
        NotFound: No such appointment at the site of this member of staff, or no such product.
        WrongState: The appointment is over: its dose is recorded, or it was cancelled.
    """
    told = facts.read(lot_text, body_site, given_at, now=now)
    appointment, place = _appointment(db, appointment_id, staff)
    person = people.locked(db, appointment.person_id)
    change_state(db, appointment, "vaccinated", before=("booked", "arrived"))
    product = db.get(Product, product_id)
    if product is None:
        raise NotFound
    dose = facts.write(
        db, told, appointment=appointment, site=place.site, product=product, staff=staff, now=now
    )
    stock.take(db, dose=dose, now=now)
    counts = {
        disease: judging.judge(
            db, vault=vault, person=person, disease=disease, country=country,
            judged_by=staff.id, now=now,
        )[dose.id]
        for disease in _targets(db, product_id)
    }  # fmt: skip
    _note(db, staff, "dose_recorded", dose, counts, now)
    _tell_recorded(db, vault, person, dose, product, appointment, place, now)
    return dose


def mark_in_error(
    db: Session,
    *,
    vault: Vault,
    dose_id: UUID,
    reason: str,
    staff: Staff,
    country: Country,
    now: datetime,
) -> None:
    """Mark a dose as entered in error: its certificates first, then it, then the doses after it.

    Raises:
        BadInput: The reason is none of `ERROR_REASONS`.
        NotFound: No such dose at the site of this member of staff.
        WrongState: It is marked already.
    """
    if reason not in ERROR_REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    dose = db.get(Dose, dose_id)
    if dose is None or dose.site_id != staff.site_id:
        raise NotFound
    person = people.locked(db, dose.person_id)
    diseases = _targets(db, dose.product_id)
    for disease in diseases:
        _mark(db, vault, person, dose, disease, reason, staff, country, now)
    for disease in diseases:
        judging.judge(
            db, vault=vault, person=person, disease=disease, country=country,
            judged_by=staff.id, now=now,
        )  # fmt: skip
    stock.give_back(db, dose=dose, by=staff.id, now=now)
    _note(db, staff, "dose_marked_in_error", dose, {"reason": reason}, now)
    messages.queue(
        db, vault=vault, person=person, template="dose_corrected", fields={},
        time_zone=country.time_zone, due_at=now, now=now,
    )  # fmt: skip


def _mark(
    db: Session,
    vault: Vault,
    person: Person,
    dose: Dose,
    disease: str,
    reason: str,
    staff: Staff,
    country: Country,
    now: datetime,
) -> None:
    doses = history.past_doses(db, person_id=person.id, disease=disease)
    past = next(past for past in doses if past.dose.id == dose.id)
    if past.counts == "entered_in_error":
        raise WrongState
    query = (
        select(Certificate)
        .where(Certificate.dose_id == dose.id, Certificate.disease == disease)
        .where(Certificate.state != "revoked")
        .with_for_update(key_share=True)  # one may be signed at this moment
        .execution_options(populate_existing=True)
    )
    for certificate in db.scalars(query).all():
        revoking.revoke(
            db, vault=vault, person=person, certificate=certificate,
            reason=reason, country=country, now=now,
        )  # fmt: skip
    least = past.standing.min_interval_days if past.standing else 0
    judgement = Judgement("entered_in_error", None, least, reason)
    judging.write(db, past, judgement, disease=disease, judged_by=staff.id, now=now)


def _appointment(db: Session, appointment_id: UUID, staff: Staff) -> tuple[Appointment, Place]:
    appointment = db.get(Appointment, appointment_id, populate_existing=True)
    if appointment is None:
        raise NotFound
    place = place_of(db, appointment.slot_id, states=None)
    if place.site.id != staff.site_id:
        raise NotFound
    return appointment, place


def _targets(db: Session, product_id: UUID) -> list[str]:
    query = select(ProductTarget.disease).where(ProductTarget.product_id == product_id)
    return list(db.scalars(query.order_by(ProductTarget.disease)))


def _note(
    db: Session,
    staff: Staff,
    act: str,
    dose: Dose,
    details: Mapping[str, audit.Detail],
    now: datetime,
) -> None:
    audit.note(
        db,
        actor=audit.Actor("staff", staff.id),
        act=act,
        subject=audit.Subject("dose", dose.id),
        details=details,
        now=now,
    )


def _tell_recorded(
    db: Session,
    vault: Vault,
    person: Person,
    dose: Dose,
    product: Product,
    appointment: Appointment,
    place: Place,
    now: datetime,
) -> None:
    messages.queue(
        db,
        vault=vault,
        person=person,
        template="dose_recorded",
        fields={
            "product": product.name,
            "when": dose.given_at,
            "reference": appointment.reference,
        },
        time_zone=place.site.time_zone,
        due_at=now,
        now=now,
    )
