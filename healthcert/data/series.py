"""The rule a product is given by, from its file as `data.checking` found it in order."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from healthcert.policy.eligibility import age_of
from healthcert.policy.schedule import Series

_AGES = ("min_age_years", "min_age_months", "below_years", "below_months")  # each band has its own


def series(content: Mapping[str, Any]) -> Series:
    """Return the rule of a product, from the content of its vaccine file."""
    rule = content["series"]
    shared = {name: value for name, value in rule.items() if name not in _AGES}
    bands = tuple(_series(content, {**shared, **band}, ()) for band in rule.get("bands", ()))
    whole = _series(content, rule, bands)
    return replace(whole, below_months=bands[-1].below_months) if bands else whole


def _series(
    content: Mapping[str, Any], rule: Mapping[str, Any], bands: tuple[Series, ...]
) -> Series:
    after = content.get("after")
    return Series(
        doses=rule["doses"], grace=rule["grace_days"], booster_total=rule["booster_total"],
        min_interval=rule["min_interval_days"], target_interval=rule["target_interval_days"],
        booster_interval=rule.get("booster_interval_days"),
        min_age_months=age_of(rule, "min_age") or 0, below_months=age_of(rule, "below"),
        max_interval=rule.get("max_interval_days"),
        restarts=rule.get("when_late") == "restart",
        booster_target=rule.get("booster_target_days"),
        protects_after=rule.get("protects_after_days", 0),
        product=content["code"],
        after=after and {each["product"]: each["min_interval_days"] for each in after},
        volume=rule.get("volume", ""), bands=bands,
    )  # fmt: skip
