"""Requests: decided by several people, in the order the country's file gives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, NeedsAnother, NotAllowed, NotFound, WrongState
from healthcert.models import AuditEvent, Person
from healthcert.services import requests
from tests.factories import NOW, make_staff
from tests.services.clinic import details


@pytest.fixture
def ask(clinic):
    """Give a way to submit a request of a person who has booked."""
    person_id = clinic.book(clinic.slot(), details()).person_id

    def submit(db, **values):
        told = {
            "kind": "correction", "asked": {"family_latin": "Khoury"}, "subject": {},
            "reason": "name", "staff": None,
        }  # fmt: skip
        person = db.get_one(Person, person_id)
        return requests.submit(
            db, vault=clinic.vault, country="XX", person=person, now=NOW, **told | values
        )

    return submit


def act(db, request, name, staff, reason=""):
    return requests.act(
        db, request_id=request.id, act=name, reason=reason, staff=staff, now=NOW
    ).state


def test_a_correction_is_verified_approved_and_carried_out_by_three_people(clinic, ask):
    with clinic.doors.transaction() as db:
        clerk, chief, other = (
            make_staff(db, role=role, site_id=clinic.site.id)
            for role in ("clerk", "admin", "admin")
        )
        request = ask(db)
        assert request.due_at == NOW + timedelta(hours=72)
        assert act(db, request, "verify", clerk) == "in_review"
        assert act(db, request, "approve", chief) == "approved"
        with pytest.raises(NeedsAnother):
            act(db, request, "carry_out", chief)
        assert act(db, request, "carry_out", other) == "done"
        person = db.get_one(Person, request.person_id)
        asked = clinic.vault.open(person.wrapped_key, request.id, request.sealed, purpose="request")
        assert asked == {"family_latin": "Khoury"}
        told = select(AuditEvent.act).where(AuditEvent.subject_id == request.id)
        assert db.scalars(told.order_by(AuditEvent.id)).all() == [
            "request_submit", "request_verify", "request_approve", "request_carry_out",
        ]  # fmt: skip


def test_each_step_is_for_its_role_and_in_its_turn(clinic, ask):
    with clinic.doors.transaction() as db:
        clerk = make_staff(db, role="clerk", site_id=clinic.site.id)
        chief = make_staff(db, role="admin", site_id=None)
        request = ask(db)
        for staff, name, refusal in (
            (chief, "approve", NotAllowed),
            (clerk, "approve", WrongState),
            (None, "verify", NotAllowed),
            (clerk, "carry_out", WrongState),
            (None, "answer", WrongState),
        ):
            with pytest.raises(refusal):
                act(db, request, name, staff)
        assert request.state == "submitted"


def test_whoever_submits_for_a_person_does_not_verify_it(clinic, ask):
    with clinic.doors.transaction() as db:
        clerk = make_staff(db, role="clerk", site_id=clinic.site.id)
        request = ask(db, staff=clerk)
        with pytest.raises(NeedsAnother):
            act(db, request, "verify", clerk)


def test_a_rejection_says_why_and_may_be_appealed_to_others(clinic, ask):
    with clinic.doors.transaction() as db:
        clerk, second = (make_staff(db, role="clerk", site_id=clinic.site.id) for _ in range(2))
        chief = make_staff(db, role="admin", site_id=None)
        request = ask(db)
        act(db, request, "verify", clerk)
        with pytest.raises(BadInput, match="reason: missing"):
            act(db, request, "reject", chief)
        assert act(db, request, "reject", chief, "evidence_missing") == "rejected"
        assert act(db, request, "appeal", None) == "submitted"
        with pytest.raises(NeedsAnother):
            act(db, request, "verify", clerk)
        assert act(db, request, "verify", second) == "in_review"


def test_more_is_asked_for_and_answered(clinic, ask):
    with clinic.doors.transaction() as db:
        clerk = make_staff(db, role="clerk", site_id=clinic.site.id)
        request = ask(db)
        assert act(db, request, "ask", clerk, "evidence_missing") == "needs_information"
        assert act(db, request, "answer", None) == "submitted"
        assert act(db, request, "verify", clerk) == "in_review"


@pytest.mark.parametrize(
    ("field", "values"), [("kind", {"kind": "favour"}), ("reason", {"reason": "because"})]
)
def test_what_the_country_does_not_decide_is_refused(clinic, ask, field, values):
    with clinic.doors.transaction() as db, pytest.raises(BadInput, match=field):
        ask(db, **values)


def test_a_request_that_is_not_there_is_not_found(clinic):
    with clinic.doors.transaction() as db, pytest.raises(NotFound):
        requests.act(db, request_id=clinic.site.id, act="verify", reason="", staff=None, now=NOW)
