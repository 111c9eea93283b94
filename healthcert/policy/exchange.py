"""Whether a rule may be exchanged: the constraints that the EU gateway puts on one.

Source: dgc-business-rules-testdata, "Gateway constraints", whose order and reason codes these are.
As there, the first one that is broken is told. The engine is ours to add: the gateway carries
rules for any, but nobody here could judge by another.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from healthcert.errors import RuleError
from healthcert.policy.arrival import understood
from healthcert.policy.rules import Rule, read_rule

SHORTEST: Final = timedelta(hours=72)  # that a rule may be in force
NOTICE: Final = timedelta(hours=48)  # that an acceptance rule is known before it is in force
FURTHEST: Final = timedelta(weeks=2)  # that a rule may begin from now

_PREFIXES: Final[Mapping[str, str]] = {
    "General": "GR",
    "Vaccination": "VR",
    "Test": "TR",
    "Recovery": "RR",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a rule is refused: the gateway's reason code in lower case, and a sentence."""

    code: str
    message: str


def complaint(
    told: object, *, others: Iterable[Rule] = (), now: datetime | None = None
) -> Complaint | None:
    """The first constraint that a rule in EU form breaks; None where it may be exchanged.

    Args:
        told: The rule, as JSON.
        others: The rules already known, among which are earlier versions of this one.
        now: The moment at which a new rule is handed in, aware, which decides when it may begin;
            None for a rule that was published before.
    """
    try:
        rule = read_rule(told)
    except RuleError as refusal:
        return Complaint("invalid_json", str(refusal))
    before = [other for other in others if other.identifier == rule.identifier]
    last = max(before, key=lambda other: other.version, default=None)
    for check in _CHECKS:
        if found := check(rule, last, now):
            return found
    return None


_Check = Callable[[Rule, Rule | None, datetime | None], Complaint | None]


def _identifier(rule: Rule, _last: Rule | None, _now: datetime | None) -> Complaint | None:
    prefix = "IR" if rule.kind == "Invalidation" else _PREFIXES[rule.certificate_type]
    if rule.identifier.startswith(prefix):
        return None
    told = f"{rule.kind} rules for {rule.certificate_type} have identifiers with {prefix}."
    return Complaint("invalid_rule_id", told)


def _country(rule: Rule, _last: Rule | None, _now: datetime | None) -> Complaint | None:
    if rule.identifier.split("-")[1] == rule.country:
        return None
    return Complaint("invalid_country", f"The identifier is not one of {rule.country}.")


def _version(rule: Rule, last: Rule | None, _now: datetime | None) -> Complaint | None:
    if last is None or rule.version > last.version:
        return None
    known = ".".join(map(str, last.version))
    return Complaint("invalid_version", f"The version must be higher than {known}, which is known.")


def _times(rule: Rule, last: Rule | None, now: datetime | None) -> Complaint | None:
    begins = rule.valid_from
    notice = NOTICE if rule.kind == "Acceptance" else timedelta()
    wrong = {
        "ValidFrom is more than 2 weeks ahead.": now and begins > now + FURTHEST,
        "ValidFrom is not 48 hours ahead.": now and notice and begins < now + notice,
        "ValidFrom is not ahead.": now and begins <= now,
        "A rule is in force for 72 hours at least.": rule.valid_to - begins < SHORTEST,
        "ValidFrom is before that of the version before.": last and begins < last.valid_from,
    }
    told = next((message for message, is_so in wrong.items() if is_so), None)
    return Complaint("invalid_timestamp", told) if told else None


def _engine(rule: Rule, _last: Rule | None, _now: datetime | None) -> Complaint | None:
    if understood(rule):
        return None
    return Complaint("invalid_engine", "Only CertLogic and DCC schemas up to 1.3.3 are judged by.")


_CHECKS: Final[tuple[_Check, ...]] = (_identifier, _country, _version, _times, _engine)
