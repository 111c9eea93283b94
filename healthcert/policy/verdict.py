"""What an officer is told about a certificate, and how it is written down.

The JSON is the answer of the API, of the command line and of the browser's module alike.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from healthcert.hcert.bundle import Bundle
from healthcert.hcert.trust import TrustedKey
from healthcert.policy.arrival import Judgement
from healthcert.policy.words import message

Outcome = Literal["valid", "expired", "invalid", "check", "cannot_tell"]
Detail = Literal["full", "minimal"]

# The first of these that is found decides; the others follow it in this order.
VERDICT_OF: Final[Mapping[str, Outcome]] = {
    "not_a_certificate": "invalid",
    "malformed_prefix": "invalid",
    "malformed_base45": "invalid",
    "malformed_zlib": "invalid",
    "malformed_cbor": "invalid",
    "malformed_cose": "invalid",
    "no_bundle": "cannot_tell",
    "unknown_issuer": "cannot_tell",
    "bad_signature": "invalid",
    "malformed_claims": "invalid",
    "schema": "invalid",
    "wrong_key_usage": "invalid",
    "training": "invalid",
    "revoked": "invalid",
    "not_understood": "cannot_tell",
    "expired": "expired",
    "not_yet_valid": "check",
    "revocation_missing": "cannot_tell",
    "stale_bundle": "cannot_tell",
    "rules_failed": "check",
    "rules_open": "check",
}
INFORMING: Final = ("revocation_not_published", "no_requirement", "simulated")
_WEIGHT = {code: place for place, code in enumerate((*VERDICT_OF, *INFORMING))}


def by_weight(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of reasons with the one that decides first."""
    return tuple(sorted(codes, key=_WEIGHT.__getitem__))


class Verdict(NamedTuple):
    """What an officer is told."""

    known_at: datetime  # the moment at which the bundle's age counts
    reasons: tuple[str, ...] = ()  # codes, the deciding one first; empty: nothing to say
    dcc: Mapping[str, Any] | None = None  # None unless its signature held and it could be read
    issuer: TrustedKey | None = None  # the key it names; None unless we know it
    bundle: Bundle | None = None  # what it was judged by; None if there was none
    rules: tuple[Judgement, ...] = ()  # of each entry rule; none without a country of arrival

    @property
    def outcome(self) -> Outcome:
        """The verdict in a word."""
        return VERDICT_OF.get(self.reasons[0], "valid") if self.reasons else "valid"

    def as_json(self, detail: Detail = "full") -> dict[str, Any]:
        """Return the answer of the API, the command line and the browser; every member is there.

        Args:
            detail: ``minimal`` leaves holder and certificate out.
        """
        dcc = self.dcc if detail == "full" else None
        return {
            "verdict": self.outcome,
            "reasons": [{"code": code, "message": message(code)} for code in self.reasons],
            "holder": None if dcc is None else _holder(dcc),
            "certificate": None if dcc is None else dict(dcc),
            "issuer": None if self.issuer is None else _issuer(self.issuer),
            "rules": [_rule(rule) for rule in self.rules],
            "bundle": None if self.bundle is None else _bundle(self.bundle, self.known_at),
        }


def age(bundle: Bundle, time: datetime) -> timedelta:
    """Return how old a bundle is at a moment, never less than nothing."""
    return max(timedelta(), time - bundle.issued)


def _holder(dcc: Mapping[str, Any]) -> dict[str, str] | None:
    """Return who it is: as written, as in a passport's machine-readable zone, and date of birth."""
    names = dcc.get("nam")
    if not isinstance(names, Mapping):
        return None
    given, family, plain_given, plain_family = (
        str(names.get(member) or "") for member in ("gn", "fn", "gnt", "fnt")
    )
    return {
        "name": f"{given} {family}".strip() or f"{plain_given} {plain_family}".strip(),
        "standard_name": f"{plain_family}<<{plain_given}" if plain_given else plain_family,
        "birth_date": str(dcc.get("dob") or ""),
    }


def _rule(said: Judgement) -> dict[str, str | None]:
    return {
        "id": said.identifier,
        "result": said.result,
        "text": said.text,
        "passes_on": None if said.passes_on is None else said.passes_on.isoformat(),
    }


def _issuer(key: TrustedKey) -> dict[str, str]:
    return {"country": key.country, "kid": b64encode(key.kid).decode("ascii"), "name": key.name}


def _bundle(bundle: Bundle, time: datetime) -> dict[str, int | float | str]:
    hours = age(bundle, time) / timedelta(hours=1)
    issued = bundle.issued.astimezone(UTC)
    return {
        "version": bundle.version,
        "issued": f"{issued:%Y-%m-%dT%H:%M:%SZ}",
        "age_hours": round(hours, 2),
    }
