"""What an officer is told about a certificate, and how it is written down.

The JSON is the answer of the API, of the command line and of the browser's module alike.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from healthcert.hcert.bundle import Bundle
from healthcert.hcert.trust import TrustedKey
from healthcert.i18n import Lazy, lazy
from healthcert.policy.arrival import Judgement

Outcome = Literal["valid", "expired", "invalid", "check", "cannot_tell"]
Detail = Literal["full", "minimal"]

VERDICTS: Final[Mapping[str, Lazy]] = {
    "valid": lazy("Valid"),
    "expired": lazy("Genuine, but out of date"),
    "invalid": lazy("Not valid"),
    "check": lazy("Genuine, more to check"),
    "cannot_tell": lazy("Cannot tell"),
}

# In the words of an officer. The first of these that is found decides; the others follow it in this
# order. Those that decide nothing only inform.
REASONS: Final[Mapping[str, Lazy]] = {
    "not_a_certificate": lazy("This code is not a health certificate."),
    "malformed_prefix": lazy("This certificate does not begin as a certificate must."),
    "malformed_base45": lazy("This certificate has characters that do not belong in it."),
    "malformed_zlib": lazy("This certificate cannot be unpacked. It may be damaged."),
    "malformed_cbor": lazy("The contents of this certificate cannot be read."),
    "malformed_cose": lazy("This certificate does not have the form of a signed message."),
    "no_bundle": lazy(
        "There is no trust list on this device yet. Connect to the network and try again."
    ),
    "unknown_issuer": lazy(
        "We do not know the key that signed this certificate. Update the trust list or ask for "
        "another document."
    ),
    "bad_signature": lazy("The signature does not match. This certificate was changed or forged."),
    "malformed_claims": lazy("The signed contents are not those of a health certificate."),
    "schema": lazy("The signed contents break the rules for a health certificate."),
    "wrong_key_usage": lazy("The key that signed this may not sign certificates of this kind."),
    "training": lazy("This certificate was made for practice."),
    "revoked": lazy("The issuer has revoked this certificate."),
    "not_understood": lazy("This is a signed document of a kind that we cannot read yet."),
    "expired": lazy("This certificate is genuine, but its time has run out."),
    "not_yet_valid": lazy("This certificate is genuine, but its time has not begun."),
    "revocation_missing": lazy(
        "We cannot see whether this certificate was revoked: the issuer's list is missing."
    ),
    "stale_bundle": lazy("The trust list is too old to rely on. Connect to the network."),
    "rules_failed": lazy("An entry rule is not met."),
    "rules_open": lazy("An entry rule could not be checked."),
    "revocation_not_published": lazy("This issuer does not publish which certificates it revoked."),
    "no_requirement": lazy("No entry requirement is in force for this country."),
    "simulated": lazy("Checked for a time given by hand, not for now."),
}
_DECIDE: Final[Mapping[Outcome, str]] = {
    "invalid": "not_a_certificate malformed_prefix malformed_base45 malformed_zlib malformed_cbor "
    "malformed_cose bad_signature malformed_claims schema wrong_key_usage training revoked",
    "cannot_tell": "no_bundle unknown_issuer not_understood revocation_missing stale_bundle",
    "expired": "expired",
    "check": "not_yet_valid rules_failed rules_open",
}
VERDICT_OF: Final[Mapping[str, Outcome]] = {
    code: outcome for outcome, codes in _DECIDE.items() for code in codes.split()
}
_WEIGHT = {code: place for place, code in enumerate(REASONS)}


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
            "reasons": [{"code": code, "message": str(REASONS[code])} for code in self.reasons],
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
