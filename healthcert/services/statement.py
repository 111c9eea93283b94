"""What a certificate states: whose it is, and which dose. Source: EU DCC schema 1.3.3."""

from __future__ import annotations

import unicodedata

from healthcert.data.knowledge import Country
from healthcert.hcert import names
from healthcert.models import Certificate, Dose, Product
from healthcert.services.people import LONGEST_NAME, Details

SCHEMA = "1.3.3"


def statement(
    details: Details, certificate: Certificate, dose: Dose, product: Product, country: Country
) -> dict[str, object]:
    """Return the payload of a certificate with its one entry."""
    return {
        "ver": SCHEMA,
        "nam": _names(details),
        "dob": details.birth_date,
        "v": [
            {
                "tg": certificate.disease,
                "vp": product.vp,
                "mp": product.code,
                "ma": product.ma,
                "dn": certificate.dn,
                "sd": certificate.sd,
                "dt": dose.given_on.isoformat(),
                "co": country.code,
                "is": country.issuer,
                "ci": certificate.uvci,
            }
        ],
    }


def _names(details: Details) -> dict[str, str]:
    """Return the names: as the person writes them, and as a passport's reading zone would.

    The Latin spelling of the person's document goes before our own transliteration.
    """
    language = details.language
    named = {
        "fn": _written(details.family),
        "fnt": names.standardise(details.family_latin or details.family, language=language),
        "gn": _written(details.given),
        "gnt": names.standardise(details.given_latin or details.given, language=language),
    }
    return {key: name for key, name in named.items() if name or key == "fnt"}


def _written(name: str) -> str:
    return unicodedata.normalize("NFC", name)[:LONGEST_NAME]
