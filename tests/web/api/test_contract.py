"""Schemathesis reads the document and looks for an answer that does not fit it: it finds none."""

from __future__ import annotations

import os
import warnings

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from healthcert.data import limits
from healthcert.policy.roles import has
from healthcert.web.api.deeds import DEEDS

ON = "sqlite"  # which answers there are is the same on both engines

EXAMPLES = int(os.environ.get("HEALTHCERT_CONTRACT", "1"))
# What is well-formed may still be refused: 412 and 428 ask for what was seen before, 422 is for
# what only the calendar or the record knows. What is not well-formed is 400, and never allowed
# here: the document and the program agree on what may be sent.
ALLOWED = ["2xx", "3xx", "401", "403", "404", "409", "412", "422", "428", "429"]
CONFIG = {
    "seed": 1,
    "generation": {"max-examples": EXAMPLES, "database": "none", "deterministic": True},
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ALLOWED},
        "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "428"]},
    },
}


def mine(role):
    """Return what a role may ask for, a clerk no more than a nurse; the rest is a stranger's.

    What was asked as somebody else is asked as lead and administrator at night only: the form of
    an answer is the deed's.
    """
    before = {"lead": {"nurse"}, "admin": {"nurse", "lead"}} if EXAMPLES == 1 else {}
    others = {None} - {role} | before.get(role, set())
    found = ["verify"] if role is None else []
    return found + [
        one.name for one in DEEDS.values()
        if has(role, one.act) and not any(has(other, one.act) for other in others)
        if one.name != "erase"  # it would leave nobody to ask as
    ]  # fmt: skip


@pytest.mark.walk
@pytest.mark.parametrize("role", [None, "citizen", "nurse", "lead", "admin"])
def test_no_answer_is_other_than_the_document_says(served, role, program, citizen, monkeypatch):
    somebody = citizen()  # so that there is somebody on the day list
    who = somebody if role == "citizen" else program(role)
    headers = {"Authorization": f"Bearer {who.token}"} if who.token else {}
    for name, scope in (("api", "identity"), ("api_stranger", "network"), ("book", "network")):
        monkeypatch.setitem(limits.limits()[name], scope, limits.Limit(10**9, 60, "as it asks"))
    config = SchemathesisConfig.from_dict(CONFIG | {"headers": headers})
    schema = schemathesis.openapi.from_url(f"{served}/api/openapi.json", config=config)
    schema = schema.include(operation_id=mine(role))
    wrong, asked = {}, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, in its own threads
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError):
                wrong[str(event)] = f"{event.label} {event.value!r}"
            if isinstance(event, events.ScenarioFinished):
                asked += len(event.recorder.interactions)
                found = [each for one in event.recorder.checks.values() for each in one]
                for told in (each.failure_info for each in found if each.failure_info):
                    name = told.failure.title, event.recorder.label
                    wrong[name] = f"{told.code_sample}\n{told.failure.message}"
    assert asked > 100
    assert not wrong, "\n\n".join(f"{name}\n{text}" for name, text in wrong.items())
