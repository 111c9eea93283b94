"""What the database holds of phases and decisions, whoever writes."""

from __future__ import annotations

import pytest

from tests import factories as make
from tests.models.refusals import refused


def test_a_phase_opens_before_it_closes_and_is_one_of_its_name(db):
    phase = make.make_phase(db, closes_on=None)
    with refused(db, "ck_phase_opens_first"):
        make.make_phase(db, opens_on=make.day(2), closes_on=make.day(1))
    with refused(db, "uq_phase_knowledge_id_code"):
        make.make_phase(
            db, programme_id=phase.programme_id, knowledge_id=phase.knowledge_id, code=phase.code
        )


@pytest.mark.parametrize("name", ["programme_id", "knowledge_id"])
def test_a_decision_rests_on_a_phase_of_its_programme_and_version(db, name):
    other = make.make_programme(db)
    value = other.id if name == "programme_id" else other.knowledge_id
    with refused(db, "fk_eligibility_decision_phase", "foreign_key"):
        make.make_decision(db, **{name: value})


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("admitted_by", {"outcome": "refused"}),
        ("admitted_by", {"phase_id": None}),
        ("outcome", {"outcome": "perhaps", "phase_id": None}),
        ("exception_has_reason", {"exception_reason": "friend"}),
        ("exception_has_reason", {"outcome": "exception", "phase_id": None}),
        (
            "exception_has_reason",
            {"outcome": "exception", "phase_id": None, "exception_reason": "other"},
        ),
    ],
)
def test_a_decision_is_whole(db, rule, values):
    with refused(db, f"ck_eligibility_decision_{rule}"):
        make.make_decision(db, **values)


def test_a_refusal_and_an_exception_rest_on_no_phase(db):
    make.make_decision(db, outcome="refused", phase_id=None)
    nurse = make.make_staff(db)
    made = make.make_decision(
        db, outcome="exception", phase_id=None, exception_reason="other", decided_by=nurse.id
    )
    assert made.phase_id is None
