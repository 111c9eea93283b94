"""A certificate, what we know, and a moment: the verdict.

Everything that can be found out is found out, in the order in which a certificate is read; then
the weightiest fact decides. A payload is looked at only once its signature has been found to hold.
Sources: "Electronic Health Certificate Specification" 1.0.8 §3.3, §5 and §6.3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from healthcert.errors import BadCertificate, BadSignature, NotUnderstood, UnknownIssuer
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.cose import Sign1, parse
from healthcert.hcert.cwt import Claims, read_claims
from healthcert.hcert.payload import KINDS, dcc_of, entries_of, kind_of, schema_faults
from healthcert.hcert.text import decode
from healthcert.hcert.trust import TrustedKey
from healthcert.i18n import language
from healthcert.policy.arrival import Judgement
from healthcert.policy.rulebook import Journey
from healthcert.policy.verdict import Verdict, age, by_weight

STALE_AFTER: Final = timedelta(hours=72)


@dataclass(slots=True)
class _Findings:
    """What has been found out so far."""

    codes: list[str]
    issuer: TrustedKey | None = None
    claims: Claims | None = None
    dcc: dict[str, Any] | None = None
    rules: tuple[Judgement, ...] = ()


def judge(
    text: str,
    *,
    bundle: Bundle | None,
    time: datetime,
    simulated: bool = False,
    known_at: datetime | None = None,
    journey: Journey | None = None,
    stale_after: timedelta = STALE_AFTER,
) -> Verdict:
    """Return the verdict on what a code says; for any text at all.

    Args:
        text: What the bar code said.
        bundle: What we know; None where there is no bundle.
        time: The moment to judge at, aware. Unless `simulated`, the bundle's own time is its
            floor: a clock that was set back does not bring an expired certificate back.
        simulated: Whether `time` was given by hand.
        known_at: When the bundle's age counts, aware, where that is not `time`: to foresee what
            would be said of a later day, as far as is known now.
        journey: Whither, and by which rules; None leaves the entry rules out.
        stale_after: Age from which a bundle no longer supports ``valid``.
    """
    if bundle and not simulated:
        time = max(time, bundle.issued)
    known_at = known_at or time
    found = _Findings(["simulated"] if simulated else [])
    try:
        signed = parse(decode(text))
        if bundle is None:
            found.codes.append("no_bundle")
        else:
            if age(bundle, known_at) > stale_after:
                found.codes.append("stale_bundle")
            _judge_message(found, signed, bundle, time)
            if journey is not None:
                _judge_by_rules(found, journey, time)
    except BadCertificate as refusal:
        found.codes.append(refusal.code)
    reasons = by_weight(found.codes)
    return Verdict(known_at, reasons, found.dcc, found.issuer, bundle, found.rules)


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
        found.claims = claims = read_claims(signed.payload)
        dcc = dcc_of(claims)
    except BadCertificate as refusal:
        found.codes += [refusal.code, *_revocation_faults({}, signed, key, bundle)]
        if found.claims:
            found.codes += _time_faults(found.claims, time)
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
    found = ["malformed_claims"] if claims.expires_at is None else []  # genuine for ever: nothing
    if schema_faults(dcc):
        found.append("schema")
    if [kind for kind in KINDS if dcc.get(kind) and not key.allows(kind)]:
        found.append("wrong_key_usage")
    return found


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
    groups = [entries_of(dcc, kind) for kind in KINDS if kind in dcc]
    identifiers = {str(entry.get("ci", "")) for group in groups for entry in group} or {""}
    if any(listed.revoked(key.country, identifier, signed) for identifier in identifiers):
        return ["revoked"]
    if key.country not in listed.published:
        return ["revocation_not_published"]
    return [] if listed.holds(key.country) else ["revocation_missing"]


def _judge_by_rules(found: _Findings, journey: Journey, time: datetime) -> None:
    """Add what the entry rules say of a certificate that we understand."""
    if found.dcc is None or found.claims is None or found.issuer is None:
        return
    try:
        kind = kind_of(found.dcc)
    except NotUnderstood:
        return
    found.rules, free = journey.book.judge(
        found.dcc,
        kind=kind,
        claims=found.claims,
        kid=found.issuer.kid,
        issuer=found.issuer.country or found.claims.issuer or "",
        country=journey.country,
        at=time,
        language=language(),
    )
    results = {rule.result for rule in found.rules} - {"passed"}
    found.codes += [f"rules_{result}" for result in results]
    found.codes += ["no_requirement"] if free else []
