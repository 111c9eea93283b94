"""A bundle's entry rules, compiled once and then asked about many certificates.

A rule that cannot be read stops nothing: it is an open one, which needs a person. What rules may
read besides the certificate is what the EU's own verifiers give them: the validation clock, the
value sets as lists of codes, `countryCode`, `issuerCountryCode`, `region`, `kid`, `exp`, `iat`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from healthcert.errors import RuleError
from healthcert.hcert.cwt import Claims
from healthcert.hcert.payload import Kind
from healthcert.policy.arrival import Judgement, clock, judge, select
from healthcert.policy.rules import Rule, read_rule

ANYWHERE: Final = ""  # the country of a rule that does not say whose it is

# Every path that `_signing` answers, and the wider ones that hold it.
_SIGNING: Final = re.compile(r"(external(\.(kid|exp|iat)(\..*)?)?)?$", re.DOTALL)

_Owner = tuple[str, str]  # kind of rule and country


@dataclass(frozen=True, slots=True)
class Journey:
    """Where somebody wants to enter: country of arrival (ISO 3166-1 alpha-2), and all rules."""

    country: str
    book: RuleBook


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every rule known, by whose it is.

    Attributes:
        rules: By kind (`Acceptance`, `Invalidation`) and country.
        unread: What is said of the rules that cannot be read: that they are open.
        value_sets: The codes of each value set, as rules read them.
        reads_signing: Whether a rule may read by what and for how long a certificate is signed.
    """

    rules: Mapping[_Owner, Sequence[Rule]]
    unread: Mapping[_Owner, Sequence[Judgement]]
    value_sets: Mapping[str, Sequence[str]]
    reads_signing: bool

    @classmethod
    def of(
        cls, rules: Iterable[object], value_sets: Mapping[str, Iterable[str]] | None = None
    ) -> RuleBook:
        """The book of rules given in EU form; it takes any of them, good or bad.

        Args:
            rules: As a bundle holds them.
            value_sets: The codes of each set by the EU's name of it.
        """
        read: dict[_Owner, list[Rule]] = {}
        unread: dict[_Owner, list[Judgement]] = {}
        for told in rules:
            try:
                rule = read_rule(told)
                read.setdefault((rule.kind, rule.country), []).append(rule)
            except RuleError:
                unread.setdefault(_owner(told), []).append(_open(told))
        sets = {name: list(codes) for name, codes in (value_sets or {}).items()}
        paths = {path for owned in read.values() for rule in owned for path in rule.logic.reads}
        return cls(read, unread, sets, any(map(_SIGNING.match, paths)))

    @property
    def countries(self) -> frozenset[str]:
        """The countries of arrival whose rules are in it."""
        return frozenset(country for kind, country in self.rules if kind == "Acceptance")

    def judge(
        self,
        dcc: dict[str, Any],
        *,
        kind: Kind,
        claims: Claims,
        kid: bytes,
        issuer: str,
        country: str,
        at: datetime,
        language: str,
    ) -> tuple[tuple[Judgement, ...], bool]:
        """What each rule says, and whether the country of arrival asks for nothing at all.

        Args:
            dcc: The certificate as JSON.
            kind: Of the certificate.
            claims: What it was signed with.
            kid: The key that signed it.
            issuer: The country whose key that is.
            country: Of arrival.
            at: When; aware.
            language: Of the reader.
        """
        owners = (("Acceptance", country), ("Invalidation", issuer))
        known = [rule for owner in owners for rule in self.rules.get(owner, ())]
        chosen = select(known, country=country, issuer=issuer, kind=kind, at=at)
        there = [*self.unread.get(owners[0], ()), *self.unread.get(("Acceptance", ANYWHERE), ())]
        issued = self.unread.get(owners[1], ())
        external = {
            "valueSets": self.value_sets,
            "countryCode": country,
            "issuerCountryCode": issuer,
            "region": "",
            **(_signing(claims, kid) if self.reads_signing else {}),
        }
        said = judge(chosen.rules, dcc, external, at=at, language=language)
        return (*said, *there, *issued), chosen.no_requirement and not there


def _owner(told: object) -> _Owner:
    """Whose a rule is that cannot be read; without a country it may be anybody's."""
    members = told if isinstance(told, Mapping) else {}
    country = members.get("Country")
    if members.get("Type") == "Invalidation" and isinstance(country, str):
        return "Invalidation", country
    return "Acceptance", country if isinstance(country, str) else ANYWHERE


def _open(told: object) -> Judgement:
    identifier = told.get("Identifier") if isinstance(told, Mapping) else None
    return Judgement(identifier if isinstance(identifier, str) else "", "open", "")


def _signing(claims: Claims, kid: bytes) -> dict[str, str | None]:
    return {
        "kid": b64encode(kid).decode("ascii"),
        "exp": _moment(claims.expires_at),
        "iat": _moment(claims.issued_at),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else clock(datetime.fromtimestamp(seconds, UTC))
