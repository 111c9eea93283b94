"""What a certificate states: whose it is, and which dose, from what is on record."""

from __future__ import annotations

from healthcert.data import vaccines
from healthcert.data.knowledge import Country
from healthcert.errors import BadInput
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
