"""A certificate, what we know, and a moment: the verdict.

Everything that can be found out is found out, in the order in which a certificate is read; then
the weightiest fact decides. A payload is looked at only once its signature has been found to hold.
Sources: "Electronic Health Certificate Specification" 1.0.8 §3.3, §5 and §6.3.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from healthcert.errors import BadCertificate, BadSignature, UnknownIssuer
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.cose import Sign1, parse
from healthcert.hcert.cwt import Claims, read_claims
from healthcert.hcert.payload import KINDS, dcc_of, entries_of, schema_faults
from healthcert.hcert.text import decode
from healthcert.hcert.trust import TrustedKey
from healthcert.policy.words import message

Outcome = Literal["valid", "expired", "invalid", "check", "cannot_tell"]
Detail = Literal["full", "minimal"]

STALE_AFTER: Final = timedelta(hours=72)

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


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one entry rule said: its id, ``passed``, ``failed`` or ``open``, and its text."""

    id: str
    result: Literal["passed", "failed", "open"]
    text: str
    passes_on: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an officer is told.

    Attributes:
        time: The moment it was judged at.
        reasons: Codes, the deciding one first; empty where nothing is to be said.
        dcc: The certificate; None unless its signature held and it could be read.
        issuer: The key it names; None unless we know it.
        bundle: What it was judged by; None if there was none.
        rules: What each entry rule of the country said.
    """

    time: datetime
    reasons: tuple[str, ...] = ()
    dcc: Mapping[str, Any] | None = None
    issuer: TrustedKey | None = None
    bundle: Bundle | None = None
    rules: tuple[RuleResult, ...] = ()

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
            "rules": [
                {"id": rule.id, "result": rule.result, "text": rule.text}
                | {"passes_on": rule.passes_on}
                for rule in self.rules
            ],
            "bundle": None if self.bundle is None else _bundle(self.bundle, self.time),
        }


@dataclass(slots=True)
class _Findings:
    """What has been found out so far."""

    codes: list[str]
    issuer: TrustedKey | None = None
    dcc: Mapping[str, Any] | None = None
    rules: tuple[RuleResult, ...] = ()


def judge(
    text: str,
    *,
    bundle: Bundle | None,
    time: datetime,
    simulated: bool = False,
    country: str | None = None,
    stale_after: timedelta = STALE_AFTER,
) -> Verdict:
    """Return the verdict on what a code says; for any text at all.

    Args:
        text: What the bar code said.
        bundle: What we know; None where there is no bundle.
        time: The moment to judge at, aware. Unless `simulated`, the bundle's own time is its
            floor: a clock that was set back does not bring an expired certificate back.
        simulated: Whether `time` was given by hand.
        country: Country of arrival, two letters; None leaves the entry rules out.
        stale_after: Age from which a bundle no longer supports ``valid``.
    """
    if bundle and not simulated:
        time = max(time, bundle.issued)
    found = _Findings(["simulated"] if simulated else [])
    try:
        signed = parse(decode(text))
        if bundle is None:
            found.codes.append("no_bundle")
        else:
            if age(bundle, time) > stale_after:
                found.codes.append("stale_bundle")
            _judge_message(found, signed, bundle, time)
            if country is not None:
                _judge_by_rules(found, bundle, country)
    except BadCertificate as refusal:
        found.codes.append(refusal.code)
    reasons = tuple(sorted(found.codes, key=_WEIGHT.__getitem__))
    return Verdict(time, reasons, found.dcc, found.issuer, bundle, found.rules)


def age(bundle: Bundle, time: datetime) -> timedelta:
    """Return how old a bundle is at a moment, never less than nothing."""
    return max(timedelta(), time - bundle.issued)


def _judge_message(found: _Findings, signed: Sign1, bundle: Bundle, time: datetime) -> None:
    """Add what a message says for itself, entry rules left out.

    Raises:
        UnknownIssuer: No trusted key has its key identifier.
        BadSignature: None of those that have it fits.
    """
    candidates = bundle.trust.find(signed.kid)
    if not candidates:
        raise UnknownIssuer
    found.issuer = candidates[0]
    found.issuer = key = _key_that_fits(candidates, signed)
    if key.training:
        found.codes.append("training")
    try:
        claims = read_claims(signed.payload)
        dcc = dcc_of(claims)
    except BadCertificate as refusal:
        found.codes += [refusal.code, *_revocation_faults({}, signed, key, bundle)]
        return
    found.dcc = dcc
    found.codes += _faults(dcc, claims, key)
    found.codes += _time_faults(claims, time)
    found.codes += _revocation_faults(dcc, signed, key, bundle)


def _key_that_fits(candidates: Iterable[TrustedKey], signed: Sign1) -> TrustedKey:
    """Return the key that made the signature; one identifier may name several."""
    for trusted in candidates:
        if signed.fits(trusted.key):
            return trusted
    raise BadSignature


def _faults(dcc: Mapping[str, Any], claims: Claims, key: TrustedKey) -> list[str]:
    found = {
        "malformed_claims": claims.expires_at is None,  # nothing is genuine for ever
        "schema": bool(schema_faults(dcc)),
        "wrong_key_usage": not all(key.allows(kind) for kind in KINDS if dcc.get(kind)),
    }
    return [code for code, is_so in found.items() if is_so]


def _time_faults(claims: Claims, time: datetime) -> list[str]:
    now = time.timestamp()
    if claims.expires_at is not None and now > claims.expires_at:
        return ["expired"]
    return ["not_yet_valid"] if claims.issued_at is not None and now < claims.issued_at else []


def _revocation_faults(
    dcc: Mapping[str, Any], signed: Sign1, key: TrustedKey, bundle: Bundle
) -> list[str]:
    """Return what is known of the revocation of a certificate, by any of its identifiers."""
    listed = bundle.revocation
    entries = [entry for kind in KINDS for entry in entries_of(dcc, kind)]
    identifiers = {str(entry.get("ci", "")) for entry in entries} or {""}
    if any(listed.revoked(key.country, identifier, signed) for identifier in identifiers):
        return ["revoked"]
    if key.country not in listed.published:
        return ["revocation_not_published"]
    return [] if listed.holds(key.country) else ["revocation_missing"]


def _judge_by_rules(found: _Findings, bundle: Bundle, country: str) -> None:
    """Add the entry rules of a country; one that nobody evaluates is open, never passed over."""
    rules = [rule for rule in bundle.rules if rule.get("Country") == country]
    found.codes.append("rules_open" if rules else "no_requirement")
    found.rules = tuple(RuleResult(str(rule.get("Identifier", "")), "open", "") for rule in rules)


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
