"""What the answers before a dose lead to."""

from __future__ import annotations

import pytest

from healthcert.policy.prompts import prompts

ALLERGY = {"code": "allergy", "when_yes": "ask_clinician", "on_record": "anaphylaxis"}
FEVER = {"code": "fever", "when_yes": "defer", "defer_days": 7}
BLEEDING = {"code": "bleeding", "when_yes": "precaution"}
PREGNANT = {
    "code": "pregnant", "when_yes": "ask_clinician", "sex": "female",
    "from_years": 12, "below_years": 55,
}  # fmt: skip
ALL = (ALLERGY, FEVER, BLEEDING, PREGNANT)
NO = dict.fromkeys(("allergy", "fever", "bleeding", "pregnant"), False)


def asked(*, age_months=480, sex="female", history=(), **answers):
    return prompts(ALL, age_months=age_months, sex=sex, history=history, answers=answers)


@pytest.mark.parametrize(
    ("answers", "outcome", "days", "reasons"),
    [
        (NO, "go", 0, []),
        (NO | {"bleeding": True}, "go", 0, ["precaution"]),
        (NO | {"fever": True}, "defer", 7, ["defer"]),
        (NO | {"fever": True, "allergy": True}, "ask", 7, ["ask_clinician", "defer"]),
        (NO | {"pregnant": True}, "ask", 0, ["ask_clinician"]),
    ],
)
def test_the_gravest_answer_leads(answers, outcome, days, reasons):
    found = asked(**answers)
    assert (found.outcome, found.defer_days) == (outcome, days)
    assert [reason.code for reason in found.reasons] == reasons
    assert found.not_checked == ()


@pytest.mark.parametrize(
    ("history", "outcome"), [({"pericarditis"}, "ask"), ({"myocarditis"}, "ask"), ({"fever"}, "go")]
)
def test_a_question_may_look_for_several_things_on_record(history, outcome):
    heart = {
        "code": "heart", "when_yes": "ask_clinician", "on_record": ["myocarditis", "pericarditis"]
    }  # fmt: skip
    no = {"heart": False}
    found = prompts([heart], age_months=400, sex="male", history=history, answers=no)
    assert found.outcome == outcome


def test_what_is_on_record_is_not_undone_by_a_no():
    found = asked(history={"anaphylaxis"}, **NO)
    assert (found.outcome, found.reasons[0].about) == ("ask", {"question": "allergy"})


def test_what_nobody_answered_is_told_and_goes_to_a_clinician():
    found = asked(**{name: answer for name, answer in NO.items() if name != "allergy"})
    assert (found.outcome, found.not_checked) == ("ask", ("allergy",))
    assert asked(history=None).not_checked == ("allergy", "fever", "bleeding", "pregnant")


def test_an_open_precaution_alone_holds_nobody_up():
    found = asked(**{name: answer for name, answer in NO.items() if name != "bleeding"})
    assert (found.outcome, found.not_checked) == ("go", ("bleeding",))


@pytest.mark.parametrize(
    ("age_months", "sex", "is_asked"),
    [
        (480, "female", True), (480, "male", False), (480, "unknown", True),
        (143, "female", False), (144, "female", True), (660, "female", False),
        (None, "female", True),
    ],
)  # fmt: skip
def test_a_question_is_asked_of_those_it_concerns(age_months, sex, is_asked):
    found = asked(age_months=age_months, sex=sex)
    assert ("pregnant" in found.not_checked) == is_asked


def test_an_answer_may_make_the_watch_longer_and_what_is_on_record_answers_too():
    question = ALLERGY | {"observe_minutes": 30}
    for history, answers, minutes in (
        ((), {"allergy": True}, 30), ((), {"allergy": False}, 0), (("anaphylaxis",), {}, 30),
    ):  # fmt: skip
        found = prompts([question], age_months=1, sex="male", history=history, answers=answers)
        assert found.observe_minutes == minutes
