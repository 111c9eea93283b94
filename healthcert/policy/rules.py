"""Entry rules: read from their EU form, chosen for a journey, judged for one certificate.

Form: the EU gateway's validation-rule schema. Choice: acceptance rules of the country of arrival
and invalidation rules of the country that issued, of the certificate's kind or general, in force at
that time, of each identifier the newest version (eHealth Network, EU DCC Validation Rules 1.00 §3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

from healthcert.errors import RuleError
from healthcert.policy.certlogic import FUEL, Logic, access, compile_logic
from healthcert.policy.moments import Moment
from healthcert.policy.wellformed import faults

Kind = Literal["v", "t", "r"]
Result = Literal["passed", "failed", "open"]

ENGINE: Final = "CERTLOGIC"
NEWEST: Final = (1, 3, 3)  # of CertLogic and of the DCC schema; a rule for a newer one stays open
LONGEST_WAIT: Final = 400  # days that `passes_on` looks ahead: a year, and the days around it
WAIT_FUEL: Final = 100_000  # steps of such a search; the dearest published rule needs 60,000

_KINDS: Final[Mapping[Kind, str]] = {"v": "Vaccination", "t": "Test", "r": "Recovery"}
_CLOCK: Final = "external.validationClock"
_TIME: Final = r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d([-+][0-2]\d:[0-5]\d|Z)"
_VERSION: Final = r"\d+\.\d+\.\d+"
_TEXTS: Final[Mapping[str, str]] = {  # member: the pattern of the EU schema
    "Identifier": r"(GR|VR|TR|RR|IR)-[A-Z]{2}-\d{4}",
    "Type": "Acceptance|Invalidation",
    "Country": "[A-Z]{2}",
    "Version": _VERSION,
    "SchemaVersion": _VERSION,
    "Engine": "(?s:.*)",
    "EngineVersion": _VERSION,
    "CertificateType": "General|Test|Vaccination|Recovery",
    "ValidFrom": _TIME,
    "ValidTo": _TIME,
}
_MEMBERS: Final = {*_TEXTS, "Description", "AffectedFields", "Logic"}
_LANGUAGE: Final = "[a-z]{2}(-[a-z]{2})?"
_DESCRIPTION: Final = "(?s:.{20,})"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a country, ready to be judged.

    Attributes:
        identifier: Such as `VR-AT-0002`: kind, country, number.
        kind: `Acceptance` (of the country of arrival) or `Invalidation` (of the issuer).
        certificate_type: `General`, `Test`, `Vaccination` or `Recovery`.
        region: Part of the country it is for; empty for all of it.
        valid_from: First moment in force; aware.
        valid_to: Last moment in force; aware.
        affected_fields: Paths in the payload that it decides by, such as `v.0.dt`.
        descriptions: What it demands, by language; English always among them.
    """

    identifier: str
    version: Version
    country: str
    kind: str
    certificate_type: str
    region: str
    engine: str
    engine_version: Version
    schema_version: Version
    valid_from: datetime
    valid_to: datetime
    affected_fields: tuple[str, ...]
    descriptions: Mapping[str, str]
    logic: Logic

    def text(self, language: str) -> str:
        """What the rule demands in that language (`fr` or `fr-be`), else in English."""
        for choice in (language.lower(), language[:2].lower()):
            if choice in self.descriptions:
                return self.descriptions[choice]
        return self.descriptions["en"]

    def applies(self, kind: Kind, at: datetime) -> bool:
        """Whether it is for certificates of that kind and in force at that time."""
        kinds = ("General", _KINDS[kind])
        return self.certificate_type in kinds and self.valid_from <= at <= self.valid_to


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that decide about a journey.

    Attributes:
        rules: By identifier, invalidation rules of the issuer last.
        no_requirement: The country of arrival has no acceptance rule in force, for any kind.
    """

    rules: tuple[Rule, ...]
    no_requirement: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says about a certificate.

    Attributes:
        identifier: The rule's.
        result: `passed`, `failed`, or `open` where it gave no answer: needs a person.
        text: What the rule demands, in the reader's language.
        looked_at: The payload's values by the rule's affected fields; None where absent.
        passes_on: First coming day on which it would pass at the same hour; None if there is none.
    """

    identifier: str
    result: Result
    text: str
    looked_at: Mapping[str, object]
    passes_on: date | None


def read_rule(rule: object) -> Rule:
    """The rule of its EU form, as JSON.

    Raises:
        RuleError: It breaks the EU schema, its logic is not well-formed, or it ends before it
            begins; the message says where.
    """
    members = _members(rule)
    texts = {name: _text(members, name, pattern) for name, pattern in _TEXTS.items()}
    valid_from, valid_to = (_time(texts, name) for name in ("ValidFrom", "ValidTo"))
    if valid_to < valid_from:
        raise RuleError("ValidTo is before ValidFrom.")
    return Rule(
        identifier=texts["Identifier"],
        version=_version(texts["Version"]),
        country=texts["Country"],
        kind=texts["Type"],
        certificate_type=texts["CertificateType"],
        region=_text({"Region": "", **members}, "Region", "[A-Z0-9]{0,5}"),
        engine=texts["Engine"],
        engine_version=_version(texts["EngineVersion"]),
        schema_version=_version(texts["SchemaVersion"]),
        valid_from=valid_from,
        valid_to=valid_to,
        affected_fields=_fields(members["AffectedFields"]),
        descriptions=_descriptions(members["Description"]),
        logic=_logic(members["Logic"]),
    )


def select(
    rules: Iterable[Rule],
    *,
    country: str,
    issuer: str | None,
    kind: Kind,
    at: datetime,
    region: str = "",
) -> Selection:
    """The rules that decide, of those given.

    Rules without a region hold everywhere in their country; where a region has its own rule of the
    same identifier, that one holds instead.

    Args:
        rules: All rules known.
        country: Where the traveller arrives, ISO 3166-1 alpha-2.
        issuer: Which country issued the certificate.
        kind: Of the certificate: vaccination, test or recovery.
        at: When; aware.
        region: Where in that country.
    """
    known = [rule for rule in rules if rule.region in {"", region}]
    arrival = [rule for rule in known if (rule.kind, rule.country) == ("Acceptance", country)]
    issued = [rule for rule in known if (rule.kind, rule.country) == ("Invalidation", issuer)]
    in_force = any(rule.valid_from <= at <= rule.valid_to for rule in arrival)
    chosen = [*_newest(arrival, kind, at), *_newest(issued, kind, at)]
    return Selection(tuple(chosen), no_requirement=not in_force)


def judge(
    rules: Iterable[Rule],
    payload: dict[str, object],
    external: Mapping[str, object],
    *,
    at: datetime,
    language: str = "en",
) -> list[Judgement]:
    """What each rule says about a certificate, in the order of the rules.

    Args:
        rules: As chosen by `select`.
        payload: The certificate's DCC, as JSON.
        external: What rules may read besides: `valueSets`, `countryCode`, `exp`, `iat` and so on;
            the validation clock is set here.
        at: When; aware.
        language: Of the reader.
    """

    def known_at(then: datetime) -> object:
        return {"payload": payload, "external": {**external, "validationClock": _clock(then)}}

    return [_judgement(rule, known_at, at, payload, language) for rule in rules]


def _newest(rules: Iterable[Rule], kind: Kind, at: datetime) -> Iterable[Rule]:
    chosen: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda rule: (rule.identifier, rule.region, rule.version)):
        if rule.applies(kind, at):
            chosen[rule.identifier] = rule
    return chosen.values()


def _judgement(
    rule: Rule,
    known_at: Callable[[datetime], object],
    at: datetime,
    payload: dict[str, object],
    language: str,
) -> Judgement:
    understood = rule.engine == ENGINE and max(rule.engine_version, rule.schema_version) <= NEWEST
    result = _result(rule, known_at(at), [FUEL]) if understood else "open"
    return Judgement(
        identifier=rule.identifier,
        result=result,
        text=rule.text(language),
        looked_at={field: access(payload, field) for field in rule.affected_fields},
        passes_on=_passes_on(rule, known_at, at) if understood and result != "passed" else None,
    )


def _result(rule: Rule, data: object, fuel: list[int]) -> Result:
    try:
        return "passed" if rule.logic.evaluate(data, fuel) is True else "failed"
    except RuleError:
        return "open"


def _passes_on(rule: Rule, known_at: Callable[[datetime], object], at: datetime) -> date | None:
    fuel = [WAIT_FUEL]
    waits = min(LONGEST_WAIT, (rule.valid_to - at).days) if _by_the_clock(rule) else 0
    for days in range(1, waits + 1):
        then = at + timedelta(days=days)
        if _result(rule, known_at(then), fuel) == "passed":
            return then.date()
    return None


def _by_the_clock(rule: Rule) -> bool:
    return any(
        path in {"", "external"} or f"{path}.".startswith(f"{_CLOCK}.") for path in rule.logic.reads
    )


def _clock(at: datetime) -> str:
    return str(Moment((at - _EPOCH) // timedelta(milliseconds=1)))


def _members(rule: object) -> dict[str, object]:
    if not isinstance(rule, dict):
        raise RuleError("A rule is a JSON object.")
    if missing := _MEMBERS - rule.keys():
        raise RuleError(f"The rule lacks {', '.join(sorted(missing))}.")
    if unknown := rule.keys() - _MEMBERS - {"Region"}:
        raise RuleError(f"A rule has no member {min(map(str, unknown))[:40]!r}.")
    return rule


def _text(members: Mapping[str, object], name: str, pattern: str) -> str:
    value = members[name]
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise RuleError(f"{name} is not written as the EU schema has it.")
    return value


def _time(texts: Mapping[str, str], name: str) -> datetime:
    try:
        return datetime.fromisoformat(texts[name])
    except ValueError:
        raise RuleError(f"{name} is no time of the calendar.") from None


def _version(text: str) -> Version:
    major, minor, patch = (int(part) for part in text.split("."))
    return major, minor, patch


def _fields(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(x, str) for x in value):
        raise RuleError("AffectedFields is a list of at least one path.")
    return tuple(value)


def _descriptions(value: object) -> Mapping[str, str]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise RuleError("Description is a list of objects.")
    found = {
        _text({"lang": None, **entry}, "lang", _LANGUAGE): _text(
            {"desc": None, **entry}, "desc", _DESCRIPTION
        )
        for entry in value
    }
    if "en" not in found:
        raise RuleError("Description has no text in English.")
    return found


def _logic(value: object) -> Logic:
    if not isinstance(value, dict):
        raise RuleError("Logic is an operation.")
    if wrong := faults(value):
        raise RuleError(f"Logic: {wrong[0].message}")
    return compile_logic(value)
