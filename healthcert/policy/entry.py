"""A certificate, what we know, and a moment: the verdict.

Everything that can be found out is found out, in the order in which a certificate is read; then
the weightiest fact decides. A payload is looked at only once its signature has been found to hold.
Sources: "Electronic Health Certificate Specification" 1.0.8 §3.3, §5 and §6.3.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from healthcert.errors import BadCertificate, BadSignature, UnknownIssuer
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.cose import Sign1, parse
from healthcert.hcert.cwt import Claims, read_claims
from healthcert.hcert.payload import KINDS, dcc_of, entries_of, kind_of, schema_faults
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

    def found(self, *codes: str) -> Verdict:
        """Return this verdict with further reasons, each in its place."""
        return replace(
            self, reasons=tuple(sorted({*self.reasons, *codes}, key=_WEIGHT.__getitem__))
        )


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
    verdict = Verdict(time, bundle=bundle).found(*(["simulated"] if simulated else []))
    try:
        signed = parse(decode(text))
        if bundle is None:
            return verdict.found("no_bundle")
        if age(bundle, time) > stale_after:
            verdict = verdict.found("stale_bundle")
        verdict = replace(verdict, issuer=_key_named(bundle, signed))
        key = _key_that_fits(bundle, signed)
    except BadCertificate as refusal:
        return verdict.found(refusal.code)
    verdict = _judge_signed(replace(verdict, issuer=key), signed, key, bundle)
    return verdict if country is None else _with_rules(verdict, bundle, country)


def age(bundle: Bundle, time: datetime) -> timedelta:
    """Return how old a bundle is at a moment, never less than nothing."""
    return max(timedelta(), time - bundle.issued)


def _key_named(bundle: Bundle, signed: Sign1) -> TrustedKey:
    found = bundle.trust.find(signed.kid)
    if not found:
        raise UnknownIssuer
    return found[0]


def _key_that_fits(bundle: Bundle, signed: Sign1) -> TrustedKey:
    """Return the key that made the signature; one identifier may name several."""
    for trusted in bundle.trust.find(signed.kid):
        if signed.fits(trusted.key):
            return trusted
    raise BadSignature


def _judge_signed(verdict: Verdict, signed: Sign1, key: TrustedKey, bundle: Bundle) -> Verdict:
    """Return the verdict on a message whose signature held, entry rules left out."""
    if key.training:
        verdict = verdict.found("training")
    try:
        claims = read_claims(signed.payload)
        dcc = dcc_of(claims)
    except BadCertificate as refusal:
        return verdict.found(refusal.code, *_revocation_faults({}, signed, key, bundle))
    return replace(verdict, dcc=dcc).found(
        *_faults(dcc, claims, key),
        *_time_faults(claims, verdict.time),
        *_revocation_faults(dcc, signed, key, bundle),
    )


def _faults(dcc: Mapping[str, Any], claims: Claims, key: TrustedKey) -> list[str]:
    never_ends = ["malformed_claims"] if claims.expires_at is None else []
    if schema_faults(dcc):
        return [*never_ends, "schema"]
    return never_ends if key.allows(kind_of(dcc)) else [*never_ends, "wrong_key_usage"]


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


def _with_rules(verdict: Verdict, bundle: Bundle, country: str) -> Verdict:
    """Return the verdict with the entry rules of a country; without an engine each is open."""
    rules = [rule for rule in bundle.rules if rule.get("Country") == country]
    if not rules:
        return verdict.found("no_requirement")
    results = (RuleResult(str(rule.get("Identifier", "")), "open", "") for rule in rules)
    return replace(verdict, rules=tuple(results)).found("rules_open")


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
