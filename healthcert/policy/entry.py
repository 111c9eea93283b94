"""A certificate, what we know, and a moment: the verdict.

Everything that can be found out is found out, in the order in which a certificate is read; then
the weightiest fact decides. A payload is looked at only once its signature has been found to hold.
Sources: "Electronic Health Certificate Specification" 1.0.8 §3.3, §5 and §6.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from healthcert.errors import BadCertificate, BadSignature, UnknownIssuer
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.cose import Sign1, parse
from healthcert.hcert.cwt import Claims, read_claims
from healthcert.hcert.payload import KINDS, dcc_of, entries_of, schema_faults
from healthcert.hcert.text import decode
from healthcert.hcert.trust import TrustedKey
from healthcert.policy.verdict import RuleResult, Verdict, age, by_weight

STALE_AFTER: Final = timedelta(hours=72)


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
    reasons = by_weight(found.codes)
    return Verdict(time, reasons, found.dcc, found.issuer, bundle, found.rules)


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
