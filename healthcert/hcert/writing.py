"""Make the certificate itself from plain facts: a vaccination, a test or a recovery.

What comes out obeys schema 1.3.3, and its parts do not contradict each other. Nothing here signs.

Sources: EU DCC schema 1.3.3; Regulation (EU) 2021/953, annex.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from healthcert.errors import BadInput
from healthcert.hcert.names import Holder, composed, names_of
from healthcert.hcert.payload import Kind, schema_faults
from healthcert.hcert.vaccine_codes import Vaccine, refuse_unless_together

SCHEMA: Final = "1.3.3"
NUCLEIC_ACID, RAPID_ANTIGEN = "LP6464-4", "LP217198-3"
"""How a test works, LOINC; the value set ``covid-19-lab-test-type``."""

RECOVERY_FROM, RECOVERY_UNTIL = timedelta(days=11), timedelta(days=180)  # after the first result


@dataclass(frozen=True, slots=True)
class Statement:
    """What every entry says besides its fact."""

    disease: str  # ``tg``: SNOMED CT
    country: str  # ``co``: where it was given, taken or found; ISO 3166-1 alpha-2
    issuer: str  # ``is``: who issues
    uvci: str  # ``ci``: the identifier, see `uvci.new`


def of_vaccination(
    holder: Holder,
    statement: Statement,
    *,
    product: str,
    authorisation: str,
    prophylaxis: str,
    dose: int,
    series: int,
    given_on: date,
    vaccines: Mapping[str, Vaccine],
) -> dict[str, object]:
    """Return the certificate of one dose.

    Args:
        holder: To whom it was given.
        statement: What every entry says.
        product: ``mp``.
        authorisation: ``ma``.
        prophylaxis: ``vp``.
        dose: ``dn``, from 1 on; more than `series` is a booster.
        series: ``sd``, from 1 on.
        given_on: ``dt``.
        vaccines: Which codes go together, as `healthcert.data.vaccines` gives them.

    Raises:
        BadInput: The three codes do not go together, or see `_certificate`.
    """
    refuse_unless_together(product, authorisation, prophylaxis, vaccines)
    codes = {"vp": prophylaxis, "mp": product, "ma": authorisation}
    numbers = {"dn": dose, "sd": series, "dt": given_on.isoformat()}
    return _certificate("v", holder, statement, codes | numbers)


def of_test(
    holder: Holder,
    statement: Statement,
    *,
    test_type: str,
    result: str,
    sampled_at: datetime,
    centre: str = "",
    name: str = "",
    device: str = "",
) -> dict[str, object]:
    """Return the certificate of one test.

    Args:
        holder: Who was tested.
        statement: What every entry says.
        test_type: ``tt``: `NUCLEIC_ACID` or `RAPID_ANTIGEN`.
        result: ``tr``: SNOMED CT.
        sampled_at: ``sc``, aware; written in UTC, to the second.
        centre: ``tc``: who tested, or empty.
        name: ``nm``: of a nucleic acid test, or empty.
        device: ``ma``: of a rapid antigen test its number in the JRC database; else empty.

    Raises:
        BadInput: The type is neither, a rapid test has no device or another test one, the moment
            has no time zone, or see `_certificate`.
    """
    if test_type not in {NUCLEIC_ACID, RAPID_ANTIGEN}:
        raise BadInput({"tt": "unknown_test_type"})
    if bool(device) != (test_type == RAPID_ANTIGEN):
        raise BadInput({"ma": "unexpected" if device else "missing"})
    if sampled_at.utcoffset() is None:
        raise BadInput({"sc": "no_time_zone"})
    sampled = sampled_at.astimezone(UTC)
    told = {"nm": composed(name), "ma": device, "tc": composed(centre)}
    return _certificate(
        "t",
        holder,
        statement,
        {"tt": test_type, "tr": result, "sc": f"{sampled:%Y-%m-%dT%H:%M:%SZ}"}
        | {member: words for member, words in told.items() if words},
    )


def of_recovery(
    holder: Holder,
    statement: Statement,
    *,
    first_positive: date,
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> dict[str, object]:
    """Return the certificate of a recovery.

    Args:
        holder: Who has recovered.
        statement: What every entry says.
        first_positive: ``fr``: the day of the first positive result.
        valid_from: ``df``; if not given, the first day it may: the 11th after that.
        valid_until: ``du``; if not given, the last day it may: the 180th after that.

    Raises:
        BadInput: It would hold earlier or later than it may, or end before it begins; or see
            `_certificate`.
    """
    first, last = first_positive + RECOVERY_FROM, first_positive + RECOVERY_UNTIL
    begins, ends = valid_from or first, valid_until or last
    if begins < first:
        raise BadInput({"df": "too_early"})
    if not begins <= ends <= last:
        raise BadInput({"du": "too_late" if ends > last else "before_it_begins"})
    days = {"fr": first_positive, "df": begins, "du": ends}
    return _certificate(
        "r", holder, statement, {member: day.isoformat() for member, day in days.items()}
    )


def _certificate(
    kind: Kind, holder: Holder, statement: Statement, fact: Mapping[str, object]
) -> dict[str, object]:
    """Return the certificate of a fact.

    Raises:
        BadInput: It would not obey the schema; the fields are the places at fault.
    """
    entry = {
        "tg": statement.disease,
        **fact,
        "co": statement.country,
        "is": composed(statement.issuer),
        "ci": statement.uvci,
    }
    certificate: dict[str, object] = {
        "ver": SCHEMA,
        "nam": names_of(holder),
        "dob": holder.birth_date,
        kind: [entry],
    }
    faults = schema_faults(certificate)
    if faults:
        raise BadInput(dict.fromkeys(faults, "schema"))
    return certificate
