"""The claims a certificate's signature covers: who issued it, from when to when, and the rest.

Sources: RFC 8392 (CWT); "Electronic Health Certificate Specification" 1.0.8, sections 3.3.4
to 3.3.7: issuer 1, expiry 4, time of issue 6, health certificate -260.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from healthcert.errors import MalformedClaims
from healthcert.hcert import safe_cbor

_ISSUER, _EXPIRES_AT, _ISSUED_AT, _HCERT = 1, 4, 6, -260
_DCC = 1  # the EU digital certificate, within the health certificate claim
_NUMBERS = (int, float)
# What stands before each value, laid out once: a map of four, its keys, and the map within it.
_KEY_ISSUER, _KEY_EXPIRES_AT, _KEY_ISSUED_AT = b"\xa4\x01", b"\x04", b"\x06"
_KEY_DCC = b"\x39\x01\x03\xa1\x01"
# What a calendar can hold: the years 1 to 9999, in seconds since 1970.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799


class Claims(NamedTuple):
    """What the payload says, types checked, meaning not."""

    issuer: str | None  # a country (ISO 3166-1 alpha-2) as a rule, or a ministry
    issued_at: int | float | None  # seconds since 1970, whole or not, within the years 1 to 9999
    expires_at: int | float | None  # the same; the last second in force
    hcert: Mapping[object, object]  # claim -260, by kind of certificate; the EU's is 1

    def in_force(self, at: datetime) -> bool | None:
        """Whether an aware moment lies within the times signed, both ends included.

        None where one of them is missing: then nobody can say.
        """
        if self.issued_at is None or self.expires_at is None:
            return None
        return self.issued_at <= at.timestamp() <= self.expires_at


def read_claims(payload: bytes) -> Claims:
    """Return the claims of a payload. Times may be fractions: issuers do sign them.

    Raises:
        MalformedCbor: The payload is not CBOR as the guard allows it.
        MalformedClaims: It is not a map of claims, a claim has the wrong type, a time is none,
            or there is no health certificate in it.
    """
    claims = safe_cbor.loads(payload, tags=safe_cbor.INNER)
    if not isinstance(claims, Mapping):
        raise MalformedClaims("the payload is not a map of claims")
    issuer = claims.get(_ISSUER)
    if issuer is not None and not isinstance(issuer, str):
        raise MalformedClaims("the issuer is not a text")
    hcert = claims.get(_HCERT)
    if not isinstance(hcert, Mapping):
        raise MalformedClaims("no health certificate in the claims")
    return Claims(issuer, _time(claims.get(_ISSUED_AT)), _time(claims.get(_EXPIRES_AT)), hcert)


def write_claims(
    *, issuer: str, issued_at: int, expires_at: int, dcc: Mapping[str, object]
) -> bytes:
    """Return the payload to sign for one EU digital certificate.

    Args:
        issuer: Country code, ISO 3166-1 alpha-2.
        issued_at: Seconds since 1970.
        expires_at: Seconds since 1970; the last second in force.
        dcc: The certificate, as its schema says.
    """
    dumps = safe_cbor.dumps
    times = (_KEY_EXPIRES_AT, dumps(expires_at), _KEY_ISSUED_AT, dumps(issued_at))
    return b"".join((_KEY_ISSUER, dumps(issuer), *times, _KEY_DCC, dumps(dcc)))


def _time(value: object) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise MalformedClaims("a time that is not a number")
    if math.isnan(value) or not _FIRST_SECOND <= value <= _LAST_SECOND:
        raise MalformedClaims("a time that no calendar holds")
    return value
