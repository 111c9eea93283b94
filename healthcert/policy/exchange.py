"""Whether a rule may be exchanged: the constraints that the EU gateway puts on one.

Source: dgc-business-rules-testdata, "Gateway constraints", whose order and reason codes these are.
As there, the first one that is broken is told. The engine is ours to add: the gateway carries
rules for any, but nobody here could judge by another.
"""

from collections.abc import Iterable, Iterator, Mapping
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
    broken = (Complaint(code, told) for code, told, is_so in _looked_at(rule, last, now) if is_so)
    return next(broken, None)


def _looked_at(
    rule: Rule, last: Rule | None, now: datetime | None
) -> Iterator[tuple[str, str, object]]:
    """Give each constraint: its code, what is wrong where it is broken, and whether it is."""
    prefix = "IR" if rule.kind == "Invalidation" else _PREFIXES[rule.certificate_type]
    told = f"{rule.kind} rules for {rule.certificate_type} have identifiers with {prefix}."
    yield "invalid_rule_id", told, not rule.identifier.startswith(prefix)
    told = f"The identifier is not one of {rule.country}."
    yield "invalid_country", told, rule.identifier.split("-")[1] != rule.country
    known = ".".join(map(str, last.version)) if last else ""
    told = f"The version must be higher than {known}, which is known."
    yield "invalid_version", told, last and rule.version <= last.version
    begins = rule.valid_from
    notice = NOTICE if rule.kind == "Acceptance" else timedelta()
    for told, is_so in {
        "ValidFrom is more than 2 weeks ahead.": now and begins > now + FURTHEST,
        "ValidFrom is not 48 hours ahead.": now and notice and begins < now + notice,
        "ValidFrom is not ahead.": now and begins <= now,
        "A rule is in force for 72 hours at least.": rule.valid_to - begins < SHORTEST,
        "ValidFrom is before that of the version before.": last and begins < last.valid_from,
    }.items():
        yield "invalid_timestamp", told, is_so
    told = "Only CertLogic and DCC schemas up to 1.3.3 are judged by."
    yield "invalid_engine", told, not understood(rule)
