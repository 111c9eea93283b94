"""What to ask before a product is given, and where the answers lead: never to a wall."""

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
    """Where the answers lead: on, to a later day, or to a clinician who decides."""

    outcome: Outcome  # the gravest that was found; a clinician may go on with a reason
    defer_days: int  # for how long, where it is put off
    reasons: tuple[Reason, ...]  # one for each question that led somewhere
    not_checked: tuple[str, ...]  # the questions that nobody answered and no record answers
    observe_minutes: int = 0  # how long to watch after a dose, by the answers; 0: as always


def prompts(
    questions: Sequence[Mapping[str, Any]],
    *,
    age_months: int | None,
    sex: str,
    history: Collection[str] | None,
    answers: Mapping[str, bool],
) -> Prompts:
    """Return where answers, by the code of the question, lead.

    A question that nobody answered leads to a clinician, unless a yes would be a precaution only.

    Args:
        questions: As in the product's file.
        age_months: None where it is not known: every question is asked.
        sex: FHIR AdministrativeGender; ``other`` and ``unknown`` are asked everything.
        history: Codes of what is on record, such as reactions; None where it cannot be seen.
        answers: One that is missing was not answered.
    """
    outcome, days, minutes = _GRAVITY[0], 0, 0
    reasons, not_checked = [], []
    for question in questions:
        if not concerns(question, age_months, sex):
            continue
        code, leads = question["code"], question["when_yes"]
        answer = answers.get(code)
        if history is not None and not _looks_for(question).isdisjoint(history):
            answer = True
        if answer is None:
            not_checked.append(code)
            found: Outcome = "go" if leads == "precaution" else "ask"
        elif answer:
            reasons.append(Reason(leads, {"question": code}))
            found = _OUTCOMES[leads]
            days = max(days, question.get("defer_days", 0))
            minutes = max(minutes, question.get("observe_minutes", 0))
        else:
            continue
        outcome = max(outcome, found, key=_GRAVITY.index)
    return Prompts(outcome, days, tuple(reasons), tuple(not_checked), minutes)


def _looks_for(question: Mapping[str, Any]) -> set[str]:
    """Return what on record answers a question; versions of before name one, not a list."""
    told = question.get("on_record", ())
    return {told} if isinstance(told, str) else {*told}


def concerns(question: Mapping[str, Any], age_months: int | None, sex: str) -> bool:
    """Say whether a question is for somebody of that age, None where it is open, and sex."""
    asked = question.get("sex", sex)
    if sex in ("male", "female") and asked != sex:
        return False
    least, below = age_of(question, "from"), age_of(question, "below")
    if age_months is None:
        return True
    return (least is None or least <= age_months) and (below is None or age_months < below)
