"""Entry rules, read from the form in which countries exchange them.

Source: the EU gateway's schema `validation-rule`, and CertLogic 1.3.3 for the logic in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from healthcert.errors import RuleError
from healthcert.policy.certlogic import Logic, compile_logic
from healthcert.policy.wellformed import faults

Kind = Literal["v", "t", "r"]

_KINDS: Final[Mapping[Kind, str]] = {"v": "Vaccination", "t": "Test", "r": "Recovery"}
_TIME: Final = r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d([-+][0-2]\d:[0-5]\d|Z)"
_VERSION: Final = r"\d{1,9}\.\d{1,9}\.\d{1,9}"  # the schema sets no limit
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

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a country, ready to be judged."""

    identifier: str  # such as `VR-AT-0002`: kind, country, number
    version: Version
    country: str
    kind: str  # `Acceptance` (of the country of arrival) or `Invalidation` (of the issuer)
    certificate_type: str  # `General`, `Test`, `Vaccination` or `Recovery`
    region: str  # part of the country it is for; empty for all of it
    engine: str
    engine_version: Version
    schema_version: Version
    valid_from: datetime  # first moment in force; aware
    valid_to: datetime  # last moment in force; aware
    affected_fields: tuple[str, ...]  # paths in the payload that it decides by, such as `v.0.dt`
    descriptions: Mapping[str, str]  # what it demands, by language; English always among them
    logic: Logic

    def text(self, language: str) -> str:
        """What the rule demands in that language (`fr` or `fr-be`), else in English."""
        for choice in (language.lower(), language[:2].lower()):
            if choice in self.descriptions:
                return self.descriptions[choice]
        return self.descriptions["en"]

    def is_for(self, kind: Kind) -> bool:
        """Whether it is for certificates of that kind."""
        return self.certificate_type in ("General", _KINDS[kind])


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
