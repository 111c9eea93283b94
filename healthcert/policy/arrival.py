"""Which entry rules decide about a journey, and what each says about a certificate.

Acceptance rules of the country of arrival and invalidation rules of the country that issued, of the
certificate's kind or general, in force at that time, of each identifier the newest version. A rule
passes when its logic gives true (EU DCC business rules, "How-To", Concepts).
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from healthcert.errors import RuleError
from healthcert.policy.certlogic import FUEL, access
from healthcert.policy.moments import DAY, INVALID, Moment, read
from healthcert.policy.rules import Kind, Rule

Result = Literal["passed", "failed", "open"]
_Known = Mapping[str, Mapping[str, object]]  # `payload` and `external`, as rules read them

ENGINE: Final = "CERTLOGIC"
NEWEST: Final = (1, 3, 3)  # of CertLogic and of the DCC schema; a rule for a newer one stays open
LONGEST_WAIT: Final = 400  # days that `passes_on` looks ahead: a year, and the days around it
WAIT_FUEL: Final = 100_000  # steps of such a search; the dearest published rule needs 60,000

_ORDER: Final = attrgetter("identifier", "region", "version")
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Selection(NamedTuple):
    """The rules that decide about a journey."""

    rules: tuple[Rule, ...]  # by identifier, invalidation rules of the issuer last
    no_requirement: bool  # the country of arrival has no acceptance rule in force, for any kind


class Judgement(NamedTuple):
    """What one rule says about a certificate."""

    identifier: str
    result: Result  # `passed`, `failed`, or `open` where it gave no answer: needs a person
    text: str  # what the rule demands, in the reader's language
    passes_on: date | None = None  # first coming day on which it would; None: there is none
    payload: Mapping[str, object] = _NOTHING  # the certificate's DCC
    affected_fields: tuple[str, ...] = ()

    @property
    def looked_at(self) -> Mapping[str, object]:
        """The payload's values by the rule's affected fields; None where absent."""
        return {path: access(self.payload, path) for path in self.affected_fields}


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
    arrival, issued = [], []
    for rule in rules:
        if not rule.valid_from <= at <= rule.valid_to:
            continue
        if rule.kind == "Acceptance":
            if rule.country == country and rule.region in {"", region}:
                arrival.append(rule)
        elif rule.country == issuer and not rule.region:  # no certificate tells its region
            issued.append(rule)
    chosen = (*_newest(arrival, kind), *_newest(issued, kind))
    return Selection(chosen, no_requirement=not arrival)


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
    now = {"payload": payload, "external": {**external, "validationClock": clock(at)}}
    return [_judgement(rule, now, at, language) for rule in rules]


def understood(rule: Rule) -> bool:
    """Whether a rule is for our engine and for versions that we know."""
    return rule.engine == ENGINE and max(rule.engine_version, rule.schema_version) <= NEWEST


def clock(at: datetime) -> str:
    """An aware moment as rules read it, `YYYY-MM-DDThh:mm:ss.SSSZ`; fractions of it are cut."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _newest(rules: Iterable[Rule], kind: Kind) -> Iterable[Rule]:
    rising = sorted([rule for rule in rules if rule.is_for(kind)], key=_ORDER)
    return {rule.identifier: rule for rule in rising}.values()


def _judgement(rule: Rule, now: _Known, at: datetime, language: str) -> Judgement:
    clear = understood(rule)
    result = _result(rule, now, [FUEL]) if clear else "open"
    return Judgement(
        rule.identifier,
        result,
        rule.text(language),
        _passes_on(rule, now, at) if clear and result != "passed" else None,
        now["payload"],
        rule.affected_fields,
    )


def _result(rule: Rule, data: object, fuel: list[int]) -> Result:
    try:
        return "passed" if rule.logic.evaluate(data, fuel) is True else "failed"
    except RuleError:
        return "open"


def _passes_on(rule: Rule, now: _Known, at: datetime) -> date | None:
    """The first coming day on which a rule would pass, as if each were tried.

    A day on which nothing turns answers as the one before it, and takes as many steps.
    """
    fuel, last, spent = [WAIT_FUEL], 0, 0
    for days in _turns(rule, now, at):
        then = at + timedelta(days=days)
        external = {**now["external"], "validationClock": clock(then)}
        fuel[0] -= spent * (days - last - 1)
        last, spent = days, fuel[0]
        if _result(rule, {**now, "external": external}, fuel) == "passed":
            return then.date()
        spent -= fuel[0]
    return None


def _turns(rule: Rule, now: _Known, at: datetime) -> Iterable[int]:
    """The coming days, counted from now, on which a rule may answer otherwise than a day before."""
    most, awaits = min(LONGEST_WAIT, (rule.valid_to - at).days), rule.logic.awaits
    if not awaits:
        return range(1, most + 1) if awaits is None else ()
    fuel, since, turns = [WAIT_FUEL], read(clock(at)), {1.0}
    for ahead, other in awaits:
        with suppress(RuleError):
            moment = other(now, fuel)
            wait = moment - since - ahead if type(moment) is Moment else INVALID
            turns |= {-(-wait // DAY), wait // DAY + 1}  # reached, and past
    if fuel[0] < 0:
        return range(1, most + 1)
    return sorted(int(day) for day in turns if 1 <= day <= most)
