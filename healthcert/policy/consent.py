"""Who may agree to a vaccination: the person, or somebody for them, as the country has it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from healthcert.policy.ages import reaches
from healthcert.policy.eligibility import age_of


def deciders(rules: Sequence[Mapping[str, Any]], birth_date: str, day: date) -> list[str]:
    """Return who may agree for a person on a day, as the country names them first to last.

    What is open in a birth date (``YYYY[-MM[-DD]]``) is read as late as can be: law protects the
    younger one. To refuse, and to take an agreement back, nobody needs to be named here.
    """

    def old_enough(months: int | None) -> bool:
        return months is None or reaches(birth_date, months, latest=True) <= day

    return [
        rule["who"]
        for rule in rules
        if old_enough(age_of(rule, "from"))
        and (age_of(rule, "below") is None or not old_enough(age_of(rule, "below")))
    ]
