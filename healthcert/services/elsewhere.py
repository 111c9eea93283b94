"""Facts of elsewhere: what speaks for them, and a dose that was given somewhere else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from healthcert.data import value_sets
from healthcert.data.knowledge import Country
from healthcert.errors import BadInput
from healthcert.gateways.vault import Vault
from healthcert.models import Dose, Person, Staff, new_id
from healthcert.models.dose import EVIDENCE, PRECISIONS
from healthcert.services import facts
from healthcert.services.people import key_of

LONGEST_NOTE = 500
_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a fact of elsewhere.

    Of `kind` ``verified`` a certificate whose signature held, ``seen`` a document that a person
    looked at, ``stated`` somebody's word: recorded, and never certified.
    """

    kind: str
    country: str  # where it was; ISO 3166-1 alpha-2
    note: str = ""  # what the document is; kept sealed


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is told of a dose that was given elsewhere."""

    given_on: str  # ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; only a whole day is certified
    evidence: Evidence  # what speaks for it
    lot: str = ""  # as the document has it, or empty
    body_site: str = ""  # one of `BODY_SITES`, or empty
    route: str = ""  # one of `ROUTES` (EDQM), or empty
    import_key: str | None = None  # what an import calls it, nothing that names a person; else None


class OfSomebody(NamedTuple):
    """A dose that was given elsewhere, and whose it is."""

    person_id: UUID
    programme_id: UUID
    product_id: UUID
    told: Elsewhere


def read(told: Elsewhere, *, country: Country, now: datetime) -> Elsewhere:
    """Return what was told of a dose given elsewhere, its lot without blanks.

    Raises:
        BadInput: ``given_on``, ``lot``, ``body_site``, ``route``, ``evidence``, ``country`` or
            ``note`` cannot be used.
    """
    lot = facts.lot_number(told.lot)
    wrong = facts.place_wrong(lot, told.body_site, told.route)
    wrong |= evidence_wrong(told.evidence, country)
    try:
        if first_day(told.given_on) > day_in(country, now):
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


def dose_of(
    of: OfSomebody, *, vault: Vault, person: Person, lot: Mapping[str, UUID], staff: Staff,
    country: Country, now: datetime, replaces: UUID | None = None,
) -> Dose:  # fmt: skip
    """Return the row of a dose that was given elsewhere: in our country a historic, else foreign.

    `lot` are the columns that name it where it is in our books (`facts.held_lots`).
    """
    id_, told, evidence = new_id(), of.told, of.told.evidence
    return Dose(
        id=id_, recorded_at=now, recorded_by=staff.id, replaces=replaces,
        person_id=of.person_id, programme_id=of.programme_id, product_id=of.product_id,
        given_on=first_day(told.given_on), recorded_on=day_in(country, now),
        day_precision=PRECISIONS[told.given_on.count("-")],
        lot_text=told.lot, body_site=told.body_site or None, route=told.route or None,
        source="historic" if evidence.country == country.code else "foreign",
        country=evidence.country, evidence=evidence.kind, import_key=told.import_key,
        sealed=sealed_note(vault, person, id_, evidence), **lot,
    )  # fmt: skip


def sealed_note(vault: Vault, person: Person, row_id: UUID, evidence: Evidence) -> bytes | None:
    """Return the note on a fact's evidence, sealed for the fact's row; None where there is none."""
    if not evidence.note:
        return None
    told = {"note": evidence.note}
    return vault.seal(key_of(person), row_id, told, purpose="evidence")


def day_in(country: Country, moment: datetime) -> date:
    """Return the day that a moment falls on in a country."""
    return moment.astimezone(ZoneInfo(country.time_zone)).date()


def first_day(told: str) -> date:
    """Return the first day that a date in whole or in part may mean; `ValueError` if it is none."""
    if not _DAY.fullmatch(told):
        raise ValueError(told)
    return date.fromisoformat(told + "-01-01"[len(told) - len("YYYY") :])
