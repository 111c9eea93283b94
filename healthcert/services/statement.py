"""What a certificate states: whose it is, and which dose, from what is on record."""

from __future__ import annotations

from healthcert.data import vaccines, value_sets
from healthcert.data.knowledge import Country
from healthcert.errors import BadInput
from healthcert.hcert.vaccine_codes import refuse_unless_together
from healthcert.hcert.writing import Statement, of_vaccination
from healthcert.models import Certificate, Dose, Product
from healthcert.services.people import Details, holder_of


def statement(
    details: Details, certificate: Certificate, dose: Dose, product: Product, country: Country
) -> dict[str, object]:
    """Return the payload of a certificate with its one entry.

    Raises:
        ValueError: What is on record cannot be certified; this is our mistake.
    """
    try:
        return of_vaccination(
            holder_of(details),
            Statement(certificate.disease, country.code, country.issuer, certificate.uvci),
            product=product.code,
            authorisation=product.ma,
            prophylaxis=product.vp,
            dose=certificate.dn,
            series=certificate.sd,
            given_on=dose.given_on,
            vaccines=vaccines(),
        )
    except BadInput as wrong:
        raise ValueError(f"what is on record cannot be certified: {wrong}") from None


def not_certifiable(product: Product, disease: str) -> str:
    """Return why an EU certificate cannot state a dose: a code, or empty where it can.

    The EU's value sets decide: a disease or a vaccine they do not know has no certificate.
    """
    if disease not in value_sets()["disease-agent-targeted"]:
        return "disease_not_in_value_set"
    try:
        refuse_unless_together(product.code, product.ma, product.vp, vaccines())
    except BadInput:
        return "vaccine_not_in_value_set"
    return ""
