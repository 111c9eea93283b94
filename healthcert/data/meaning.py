"""What the fields of a knowledge file mean together, and what is wrong between them."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from healthcert.data import vaccines, value_sets
from healthcert.data.series import series
from healthcert.errors import BadInput
from healthcert.hcert.vaccine_codes import refuse_unless_together
from healthcert.policy.consent import deciders
from healthcert.policy.eligibility import TOLD, Stage, asked
from healthcert.policy.gs1 import is_gtin
from healthcert.policy.schedule import Series

Content = Mapping[str, Any]
Wrong = tuple[str, str]
"""The field; what is wrong and what to do."""

_NAMED = {*TOLD} - {"region", "pregnant"}  # by the programme itself
ZONES = frozenset(available_timezones())  # looked for once: they lie in files


def vaccine(content: Content, known: Mapping[str, Content]) -> Iterator[Wrong]:
    """Yield what is wrong between the fields of a vaccine; `known` are all contents by code."""
    yield from _series(series(content))
    yield from _codes(content)
    yield from _cartons(content, known)
    for way, each in _each(content, "after"):
        if each["product"] not in {*known, *vaccines()} - {content["code"]}:
            advice = "Write the code of another vaccine as its own file has it."
            yield f"{way}.product", f"No vaccine has the code {each['product']}. {advice}"
    yield from _twice(content, "questions")
    for way, each in _each(content, "questions"):
        if (each["when_yes"] == "defer") != ("defer_days" in each):
            yield f"{way}.defer_days", "A question that defers says how many days, and no other."


def programme(content: Content, known: Mapping[str, Content]) -> Iterator[Wrong]:
    """Yield what is wrong between the fields of a programme."""
    disease = content["disease"]
    for way, code in _each(content, "products"):
        if code not in known:
            yield way, f"There is no vaccine {code}. Add its file, or correct the code."
        elif disease not in known[code].get("targets", ()):
            advice = f"Take it out, or add {disease} to the targets of that vaccine."
            yield way, f"{code} does not protect from {disease}. {advice}"
    yield from _twice(content, "phases")
    for way, phase in _each(content, "phases"):
        if phase.get("closes_on", "9999-12-31") < phase["opens_on"]:
            yield f"{way}.closes_on", "The phase ends before it begins. Put the later day last."
    yield from _asked(content, known)


def country(content: Content, _known: object) -> Iterator[Wrong]:
    """Yield what is wrong between the fields of a country."""
    if content["code"] not in {*value_sets()["country-2-codes"], "XX"}:
        yield "code", f"{content['code']} is no country. Write the two letters of ISO 3166-1."
    if content["time_zone"] not in ZONES:
        yield "time_zone", 'There is no such time zone. Write one such as "Africa/Dakar".'
    if not re.fullmatch(r"[A-Z0-9]{1,40}", content["certificates"]["uvci_issuer"]):
        says = "It cannot stand in an identifier. Use up to 40 capital letters and digits."
        yield "certificates.uvci_issuer", says
    yield from _law(content)
    yield from _twice(content, "regions")
    yield from _twice(content, "towns")
    regions = [region["code"] for region in content["regions"]]
    for way, town in _each(content, "towns"):
        if town["region"] not in regions:
            says = f"There is no region {town['region']}. Known: {', '.join(regions)}."
            yield f"{way}.region", says
    days = [holiday["on"] for holiday in content.get("holidays", ())]
    if days != sorted(set(days)):
        yield "holidays", "The days are not in their order, each once. Sort them by date."


def _law(content: Content) -> Iterator[Wrong]:
    says = "Another country does not decide so. Name its law or guideline, with its section."
    for table in ("adverse_events", "consent"):
        if content["code"] != "XX" and "our own" in content[table]["source"].casefold():
            yield f"{table}.source", says
    rules, day = content["consent"]["deciders"], date(2000, 1, 1)
    alone = [age for age in range(100) if not deciders(rules, f"{1999 - age}", day)]
    if alone:
        says = f"At {alone[0]} years of age nobody may decide. Add who does, or widen an age."
        yield "consent.deciders", says


def _asked(content: Content, known: Mapping[str, Content]) -> Iterator[Wrong]:
    """Yield what phases ask people to tell, and nobody could choose."""
    regions = {each.get("code") for one in known.values() for each in one.get("regions", ())}
    named = content.get("answers", {})
    for way, phase in _each(content, "phases"):
        stage = Stage(phase["code"], phase["admits"], date.min, None)
        for field, codes in asked([stage], date.min).items():
            for code in codes:
                if field == "region" and regions and code not in regions:
                    says = f"There is no region {code}. Known: {', '.join(sorted(regions))}."
                    yield f"{way}.admits", says
                elif field in _NAMED and code not in named.get(field, {}):
                    says = f"The phase {phase['code']} asks for it. Add its words in each language."
                    yield f"answers.{field}.{code}", says


def _each(content: Content, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a list, each with the way to it."""
    return ((f"{name}[{place}]", each) for place, each in enumerate(content.get(name, ()), 1))


def _twice(content: Content, name: str) -> Iterator[Wrong]:
    seen = set()
    for way, each in _each(content, name):
        if each["code"] in seen:
            yield f"{way}.code", f"{each['code']} stands here twice. Give each its own name."
        seen.add(each["code"])


def _series(rule: Series) -> Iterator[Wrong]:
    bands = [(f"series.bands[{place}]", band) for place, band in enumerate(rule.bands, 1)]
    for way, each in [("series", rule), *bands]:
        yield from ((way + field, says) for wrong, field, says in _slips(each) if wrong)
    begins = rule.min_age_months
    for way, band in bands:
        if band.min_age_months != begins:
            advice = "A band begins at the age at which the one before ends, the first with all."
            yield way, f"The ages have a gap or overlap. {advice}"
        begins = band.below_months or 0


def _slips(rule: Series) -> Iterator[tuple[bool, str, str]]:
    """Yield what a rule may have wrong: whether it has, the field, and what is said then."""
    least, target, booster = rule.min_interval, rule.target_interval, rule.booster_interval
    most = target if rule.max_interval is None else rule.max_interval
    advised, field = rule.booster_target, ".booster_target_days"
    says = "The intervals are not in their order: least ≤ target ≤ most."
    yield not least <= target <= most, ".target_interval_days", says
    says = "A series of several doses has no interval. Say how many days lie between two."
    yield rule.doses > 1 and not least, ".min_interval_days", says
    says = "A series that begins anew must say when. Add max_interval_days, or let it continue."
    yield rule.restarts and rule.max_interval is None, ".when_late", says
    says = "A booster is advised before it may be given. Advise it then, or later."
    yield advised is not None and advised < (booster or 0), field, says
    says = "A booster is advised, but none is foreseen. Add booster_interval_days."
    yield advised is not None and booster is None, field, says
    below = rule.below_months
    says = "Nobody is of this age. Put the higher age in the upper end."
    yield below is not None and below <= rule.min_age_months, "", says


def _cartons(content: Content, known: Mapping[str, Content]) -> Iterator[Wrong]:
    others = [each for code, each in known.items() if str(code) < content["code"]]
    for way, gtin in _each(content, "gtins"):
        if not is_gtin(gtin):
            yield way, f"{gtin} is no GTIN: 14 digits, of which the last must fit the others."
        if any(gtin in other.get("gtins", ()) for other in others):
            yield way, f"{gtin} is the number of another vaccine too. Correct one of them."
    for name in ("fridge", "freezer"):
        kept = content.get("storage", {}).get(name, {"least": 0, "most": 1})
        if kept["least"] >= kept["most"]:
            yield f"storage.{name}.least", "The least is not below the most. Swap them."
    if "thaw_days" in content.get("vial", {}) and "freezer" not in content.get("storage", {}):
        advice = "Add the freezer to its storage, or leave the days away."
        yield "vial.thaw_days", f"What never was frozen does not thaw. {advice}"


def _codes(content: Content) -> Iterator[Wrong]:
    if ("vp" in content) != ("ma" in content):
        advice = "Give both codes of the EU value sets, or neither: then no certificate is made."
        yield "vp", f"Kind and holder of a vaccine go together. {advice}"
    elif "vp" in content:
        try:
            refuse_unless_together(content["code"], content["ma"], content["vp"], vaccines())
        except BadInput as wrong:
            advice = "Take the codes from the EU value sets (vaccine-codes.toml)."
            field = next(iter(wrong.fields)).replace("mp", "code")
            yield field, f"Product, holder and kind do not go together. {advice}"
