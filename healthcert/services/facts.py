"""A dose as it was told: read, and written down as the fact it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data import value_sets
from healthcert.data.knowledge import Country
from healthcert.errors import BadInput
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Dose,
    Lot,
    LotValidity,
    Person,
    Product,
    Site,
    Staff,
    new_id,
)
from healthcert.models.dose import BODY_SITES, EVIDENCE, PRECISIONS, ROUTES

LONGEST_LOT = 20  # GS1 application identifier 10
LONGEST_NOTE = 500
CLOCK_SLACK = timedelta(minutes=5)  # between a clinic's clock and ours
_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")


@dataclass(frozen=True, slots=True)
class Told:
    """What a nurse tells of a dose: the number on the vial, where it went, when, and how.

    Attributes:
        lot: As read from the vial.
        body_site: One of `BODY_SITES`.
        given_at: Aware.
        route: One of `ROUTES` (EDQM), or empty.
        performed_by: Who gave it, where that is not who writes it down.
    """

    lot: str
    body_site: str
    given_at: datetime
    route: str = ""
    performed_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a fact of elsewhere.

    Attributes:
        kind: ``verified`` a certificate whose signature held, ``seen`` a document that a person
            looked at, ``stated`` somebody's word: recorded, and never certified.
        country: Where it was; ISO 3166-1 alpha-2.
        note: What the document is; kept sealed.
    """

    kind: str
    country: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is told of a dose that was given elsewhere.

    Attributes:
        given_on: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; only a whole day is certified.
        evidence: What speaks for it.
        lot: As the document has it, or empty.
        body_site: One of `BODY_SITES`, or empty.
        route: One of `ROUTES` (EDQM), or empty.
        import_key: What an import calls it, nothing that names a person; else None.
    """

    given_on: str
    evidence: Evidence
    lot: str = ""
    body_site: str = ""
    route: str = ""
    import_key: str | None = None


def read(told: Told, *, now: datetime) -> Told:
    """Return what was told, the lot without blanks and in upper case.

    Raises:
        BadInput: ``lot``, ``body_site``, ``route`` or ``given_at`` cannot be used.
    """
    lot = _lot(told.lot)
    wrong = _place_wrong(lot, told.body_site, told.route)
    if not lot:
        wrong["lot"] = "missing"
    if not told.body_site:
        wrong["body_site"] = "missing"
    if told.given_at > now + CLOCK_SLACK:
        wrong["given_at"] = "in_the_future"
    if wrong:
        raise BadInput(wrong)
    return replace(told, lot=lot)


def read_elsewhere(told: Elsewhere, *, country: Country, now: datetime) -> Elsewhere:
    """Return what was told of a dose given elsewhere, its lot without blanks.

    Raises:
        BadInput: ``given_on``, ``lot``, ``body_site``, ``route``, ``evidence``, ``country`` or
            ``note`` cannot be used.
    """
    lot = _lot(told.lot)
    wrong = _place_wrong(lot, told.body_site, told.route)
    wrong |= evidence_wrong(told.evidence, country)
    try:
        if _first_day(told.given_on) > day_in(country, now):
            wrong["given_on"] = "in_the_future"
    except ValueError:
        wrong["given_on"] = "not_a_date" if told.given_on else "missing"
    if wrong:
        raise BadInput(wrong)
    return replace(told, lot=lot)


def evidence_wrong(evidence: Evidence, country: Country) -> dict[str, str]:
    """Return what is wrong with what speaks for a fact of elsewhere, by field."""
    wrong = {}
    if evidence.kind not in EVIDENCE[1:]:
        wrong["evidence"] = "not_a_choice" if evidence.kind else "missing"
    if evidence.country not in {country.code, *value_sets()["country-2-codes"]}:
        wrong["country"] = "not_a_country"
    if len(evidence.note) > LONGEST_NOTE:
        wrong["note"] = "too_long"
    return wrong


def write(
    db: Session,
    told: Told,
    *,
    origin: Appointment | Dose,
    site: Site,
    product: Product,
    staff: Staff,
    now: datetime,
) -> Dose:
    """Write down a dose of an appointment, or in the place of another that was wrong.

    A lot that is not in our books stays as the text that was read.
    """
    recorded_on, instead = _day(now, site), isinstance(origin, Dose)
    dose = Dose(
        recorded_at=now,
        person_id=origin.person_id,
        programme_id=origin.programme_id,
        site_id=site.id,
        appointment_id=origin.appointment_id if isinstance(origin, Dose) else origin.id,
        performed_by=told.performed_by or staff.id,
        given_at=told.given_at,
        given_on=min(_day(told.given_at, site), recorded_on),
        recorded_on=recorded_on,
        **_given(db, product, told),
        recorded_by=staff.id,
        replaces=origin.id if instead else None,
    )
    db.add(dose)
    db.flush()
    return dose


def write_elsewhere(
    db: Session,
    told: Elsewhere,
    *,
    vault: Vault,
    person: Person,
    programme_id: UUID,
    product: Product,
    staff: Staff,
    country: Country,
    now: datetime,
    replaces: UUID | None = None,
) -> Dose:
    """Write down a dose that was given elsewhere: in our country a historic one, else foreign."""
    id_, evidence = new_id(), told.evidence
    dose = Dose(
        id=id_,
        recorded_at=now,
        person_id=person.id,
        programme_id=programme_id,
        given_on=_first_day(told.given_on),
        day_precision=PRECISIONS[told.given_on.count("-")],
        recorded_on=day_in(country, now),
        **_given(db, product, told),
        source="historic" if evidence.country == country.code else "foreign",
        country=evidence.country,
        evidence=evidence.kind,
        sealed=sealed_note(vault, person, id_, evidence),
        import_key=told.import_key,
        recorded_by=staff.id,
        replaces=replaces,
    )
    db.add(dose)
    db.flush()
    return dose


def sealed_note(vault: Vault, person: Person, row_id: UUID, evidence: Evidence) -> bytes | None:
    """Return the note on a fact's evidence, sealed for the fact's row; None where there is none."""
    if not evidence.note:
        return None
    told = {"note": evidence.note}
    return vault.seal(person.wrapped_key, row_id, told, purpose="evidence")


def day_in(country: Country, moment: datetime) -> date:
    """Return the day that a moment falls on in a country."""
    return moment.astimezone(ZoneInfo(country.time_zone)).date()


def lots_on(db: Session, *, product_id: UUID, day: date) -> list[str]:
    """Return the numbers of lots whose validity in force on a day covers that day."""
    query = (
        select(Lot, LotValidity)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(Lot.product_id == product_id, LotValidity.since <= day)
        .order_by(Lot.number, LotValidity.since)
    )
    in_force = {lot.number: validity for lot, validity in db.execute(query)}
    return [
        number
        for number, validity in in_force.items()
        if validity.state == "released" and validity.released_on <= day <= validity.expires_on
    ]


def _day(moment: datetime, site: Site) -> date:
    return moment.astimezone(ZoneInfo(site.time_zone)).date()


def _given(db: Session, product: Product, told: Told | Elsewhere) -> dict[str, object]:
    """Return the columns that say what was given, and where it went."""
    lot = db.scalar(select(Lot).filter_by(product_id=product.id, number=told.lot))
    return {
        "product_id": product.id,
        "lot_text": told.lot,
        "lot_id": lot and lot.id,
        "lot_product_id": lot and lot.product_id,
        "body_site": told.body_site or None,
        "route": told.route or None,
    }


def _lot(text: str) -> str:
    return "".join(text.split()).upper()


def _place_wrong(lot: str, body_site: str, route: str) -> dict[str, str]:
    wrong = {}
    if len(lot) > LONGEST_LOT:
        wrong["lot"] = "too_long"
    if body_site and body_site not in BODY_SITES:
        wrong["body_site"] = "not_a_choice"
    if route and route not in ROUTES:
        wrong["route"] = "not_a_choice"
    return wrong


def _first_day(told: str) -> date:
    """Return the first day that a date in whole or in part may mean.

    Raises:
        ValueError: It is none.
    """
    if not _DAY.fullmatch(told):
        raise ValueError(told)
    return date.fromisoformat(told + "-01-01"[len(told) - len("YYYY") :])
