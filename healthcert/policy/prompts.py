"""What to ask before a product is given, and where the answers lead: never to a wall."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from healthcert.policy.ages import Reason
from healthcert.policy.eligibility import age_of

Outcome = Literal["go", "defer", "ask"]
_GRAVITY: tuple[Outcome, ...] = ("go", "defer", "ask")
_OUTCOMES: Mapping[str, Outcome] = {"precaution": "go", "defer": "defer", "ask_clinician": "ask"}


@dataclass(frozen=True, slots=True)
class Prompts:
    """Where the answers lead: on, to a later day, or to a clinician who decides.

    Attributes:
        outcome: The gravest that was found; a clinician may go on with a reason.
        defer_days: For how many days, where it is put off.
        reasons: A code for each question that led somewhere.
        not_checked: The questions that nobody answered and no record answers.
    """

    outcome: Outcome
    defer_days: int
    reasons: tuple[Reason, ...]
    not_checked: tuple[str, ...]


def prompts(
    questions: Sequence[Mapping[str, Any]],
    *,
    age_months: int | None,
    sex: str,
    history: Collection[str] | None,
    answers: Mapping[str, bool],
) -> Prompts:
    """Return where answers to the questions of a product lead.

    Args:
        questions: As in the product's file.
        age_months: None where it is not known: every question is asked.
        sex: FHIR AdministrativeGender; ``other`` and ``unknown`` are asked everything.
        history: Codes of what is on record, such as reactions; None where it cannot be seen.
        answers: By the code of the question; one that is missing was not answered.

    A question that nobody answered leads to a clinician, unless a yes would be a precaution only.
    """
    outcome, days = _GRAVITY[0], 0
    reasons, not_checked = [], []
    for question in questions:
        if not _concerns(question, age_months, sex):
            continue
        code, leads = question["code"], question["when_yes"]
        answer = answers.get(code)
        if history is not None and question.get("on_record", "") in history:
            answer = True
        if answer is None:
            not_checked.append(code)
            found: Outcome = "go" if leads == "precaution" else "ask"
        elif answer:
            reasons.append(Reason(leads, {"question": code}))
            found = _OUTCOMES[leads]
            days = max(days, question.get("defer_days", 0))
        else:
            continue
        outcome = max(outcome, found, key=_GRAVITY.index)
    return Prompts(outcome, days, tuple(reasons), tuple(not_checked))


def _concerns(question: Mapping[str, Any], age_months: int | None, sex: str) -> bool:
    asked = question.get("sex", sex)
    if sex in ("male", "female") and asked != sex:
        return False
    least, below = age_of(question, "from"), age_of(question, "below")
    if age_months is None:
        return True
    return (least is None or least <= age_months) and (below is None or age_months < below)
