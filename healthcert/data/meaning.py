"""What the fields of a knowledge file mean together, and what is wrong between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from healthcert.data import vaccines, value_sets
from healthcert.data.series import series
from healthcert.errors import BadInput
from healthcert.hcert.vaccine_codes import refuse_unless_together
from healthcert.policy.eligibility import TOLD
from healthcert.policy.schedule import Series

Wrong = tuple[str, str, str]
"""The field, what is wrong, what to do."""

_UVCI_ISSUER = re.compile(r"[A-Z0-9]{1,40}")


def vaccine(content: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Iterator[Wrong]:
    """Yield what is wrong between the fields of a vaccine; `known` are all contents by code."""
    rule = series(content)
    for way, each in [("series", rule), *_named("series.bands", rule.bands)]:
        yield from _intervals(way, each)
    yield from _bands(rule)
    yield from _codes(content)
    for place, each in enumerate(content.get("after", ()), 1):
        if each["product"] not in {*known, *vaccines()} - {content["code"]}:
            advice = "Write the code of another vaccine as its own file has it."
            yield f"after[{place}].product", f"No vaccine has the code {each['product']}.", advice
    yield from _twice("questions", [each["code"] for each in content.get("questions", ())])
    for place, each in enumerate(content.get("questions", ()), 1):
        if (each["when_yes"] == "defer") != ("defer_days" in each):
            advice = "A question that defers says for how many days, and no other does."
            yield f"questions[{place}].defer_days", "The answer and the days do not fit.", advice


def programme(
    content: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> Iterator[Wrong]:
    """Yield what is wrong between the fields of a programme."""
    for place, code in enumerate(content["products"], 1):
        way, disease = f"products[{place}]", content["disease"]
        if code not in known:
            yield way, f"There is no vaccine {code}.", "Add its file, or correct the code."
        elif disease not in known[code].get("targets", ()):
            advice = f"Take it out, or add {disease} to the targets of that vaccine."
            yield way, f"{code} does not protect from {disease}.", advice
    yield from _twice("phases", [phase["code"] for phase in content["phases"]])
    for place, phase in enumerate(content["phases"], 1):
        if phase.get("closes_on", "9999-12-31") < phase["opens_on"]:
            advice = "Put the later day last."
            yield f"phases[{place}].closes_on", "The phase ends before it begins.", advice


def country(content: Mapping[str, Any], _known: object) -> Iterator[Wrong]:
    """Yield what is wrong between the fields of a country."""
    if content["code"] not in {*value_sets()["country-2-codes"], "XX"}:
        yield "code", f"{content['code']} is no country.", "Write the two letters of ISO 3166-1."
    if content["time_zone"] not in available_timezones():
        yield "time_zone", "There is no such time zone.", 'Write one such as "Africa/Dakar".'
    if not _UVCI_ISSUER.fullmatch(content["certificates"]["uvci_issuer"]):
        advice = "Use up to 40 capital letters and digits."
        yield "certificates.uvci_issuer", "It cannot stand in an identifier.", advice
    yield from _places(content)
    days = [holiday["on"] for holiday in content.get("holidays", ())]
    if days != sorted(set(days)):
        yield "holidays", "The days are not in their order, each once.", "Sort them by date."


def _places(content: Mapping[str, Any]) -> Iterator[Wrong]:
    regions = [region["code"] for region in content["regions"]]
    yield from _twice("regions", regions)
    yield from _twice("towns", [town["code"] for town in content["towns"]])
    for place, town in enumerate(content["towns"], 1):
        if town["region"] not in regions:
            advice = f"Known: {', '.join(regions)}."
            yield f"towns[{place}].region", f"There is no region {town['region']}.", advice


def asks(asked: Mapping[str, Any], way: str) -> Iterator[Wrong]:
    """Yield what is wrong with whom a phase admits, see `policy.eligibility`."""
    for name, wanted in asked.items():
        here = f"{way}.{name}"
        several = name in ("all", "any") and isinstance(wanted, list) and bool(wanted)
        if name in _NEVER_ASKED:
            yield here, "Nobody is let in or kept out by papers or status.", "Take it out."
        elif name == "not" or several:
            for place, each in enumerate(wanted if several else [wanted], 1):
                inner = f"{here}[{place}]" if several else here
                if isinstance(each, dict):
                    yield from asks(each, inner)
                else:
                    yield inner, f"This is {each!r}.", "It must be a table in curly brackets."
        elif name not in _ASKED:
            yield here, "This cannot be asked.", f"Known: {', '.join(_ASKED)}."
        elif not _ASKED[name](wanted):
            yield here, f"This is {wanted!r}.", "See docs/howto/knowledge.md for how it is written."


def _range(*names: str) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, dict)
        and bool(value)
        and set(value) <= set(names)
        and all(type(each) is int and each >= 0 for each in value.values())
    )


def _codes_of(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


_NEVER_ASKED = ("nationality", "nationality_group", "status", "identity_kind")
_ASKED: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(TOLD, _codes_of),
    "pregnant": lambda value: isinstance(value, bool),
    "age": _range("from_years", "from_months", "below_years", "below_months"),
    "doses": _range("at_least", "at_most"),
    **dict.fromkeys(("all", "any"), lambda _value: False),
}


def _named(way: str, bands: Sequence[Series]) -> list[tuple[str, Series]]:
    return [(f"{way}[{place}]", band) for place, band in enumerate(bands, 1)]


def _intervals(way: str, rule: Series) -> Iterator[Wrong]:
    most = rule.target_interval if rule.max_interval is None else rule.max_interval
    if not rule.min_interval <= rule.target_interval <= most:
        advice = "Least, target and most days must not fall: least ≤ target ≤ most."
        yield f"{way}.target_interval_days", "The intervals are not in their order.", advice
    if rule.doses > 1 and not rule.min_interval:
        advice = "Say how many days must lie between two doses."
        yield f"{way}.min_interval_days", "A series of several doses has no interval.", advice
    if rule.restarts and rule.max_interval is None:
        advice = "Add max_interval_days, or let the series continue."
        yield f"{way}.when_late", "A series that begins anew must say when.", advice
    if (rule.booster_target or 0) < (rule.booster_interval or 0) and rule.booster_target:
        advice = "A booster is advised when it may be given, or later."
        yield f"{way}.booster_target_days", "A booster is advised before it may be given.", advice
    if rule.booster_target is not None and rule.booster_interval is None:
        advice = "Add booster_interval_days, the least days before it."
        yield f"{way}.booster_target_days", "A booster is advised, but none is foreseen.", advice


def _bands(rule: Series) -> Iterator[Wrong]:
    for place, (younger, older) in enumerate(pairwise(rule.bands), 1):
        if younger.below_months != older.min_age_months:
            advice = "Each band must begin at the age at which the one before ends."
            yield f"series.bands[{place + 1}]", "The ages have a gap or overlap.", advice
    if rule.bands and rule.bands[0].min_age_months != rule.min_age_months:
        advice = "The first band must begin at the least age of the series."
        yield "series.bands[1]", "The ages have a gap or overlap.", advice
    for way, each in [("series", rule), *_named("series.bands", rule.bands)]:
        if each.below_months is not None and each.below_months <= each.min_age_months:
            yield way, "Nobody is of this age.", "Put the higher age in the upper end."


def _codes(content: Mapping[str, Any]) -> Iterator[Wrong]:
    if ("vp" in content) != ("ma" in content):
        advice = "Give both codes of the EU value sets, or neither: then no certificate is made."
        yield "vp", "Kind and holder of a vaccine go together.", advice
    elif "vp" in content:
        try:
            refuse_unless_together(content["code"], content["ma"], content["vp"], vaccines())
        except BadInput as wrong:
            field = next(iter(wrong.fields)).replace("mp", "code")
            advice = "Take the codes from the EU value sets (vaccine-codes.toml)."
            yield field, "Product, holder and kind do not go together.", advice


def _twice(way: str, codes: Sequence[str]) -> Iterator[Wrong]:
    for place, code in enumerate(codes, 1):
        if code in codes[: place - 1]:
            yield f"{way}[{place}].code", f"{code} stands here twice.", "Give each its own name."
