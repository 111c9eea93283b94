"""Whose a session is, and that two administrators let somebody in anew; tried around Python."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update

from healthcert.models import Invitation, Passkey, Password, StaffLink, Visit, new_id
from healthcert.models.broken import broken_rule
from tests import factories as make
from tests.factories import NOW
from tests.models.refusals import refused

# SQLite names the column alone, and both rules are about it.
BY_STAFF = ("one_first_entry", "one_open_recovery")
LATER = NOW + timedelta(hours=24)


def visit(db, **values):
    defaults = {
        "token_hash": b"t" * 32, "sealed": b"", "started_at": NOW, "seen_at": NOW,
        "expires_at": LATER,
    }  # fmt: skip
    db.execute(insert(Visit).values(defaults | values))


def invitation(db, **values):
    defaults = {"id": new_id(), "recorded_at": NOW, "kind": "recovery"}
    db.execute(insert(Invitation).values(defaults | values))


def test_a_session_is_of_one_and_says_when_that_was_proved(db):
    staff, person = make.make_staff(db).id, make.make_person(db).id
    both = {"staff_id": staff, "person_id": person, "proved_at": NOW}
    for rule, values in (
        ("of_one", both), ("proved", {"staff_id": staff}), ("proved", {"proved_at": NOW}),
        ("locked_staff", {"person_id": person, "proved_at": NOW, "locked_at": NOW}),
    ):  # fmt: skip
        with refused(db, f"ck_visit_{rule}"):
            visit(db, **values)
    visit(db, staff_id=staff, proved_at=NOW, locked_at=NOW)


def test_a_recovery_is_asked_for_by_one_and_granted_by_another_for_a_third(db):
    who, one, two = (make.make_staff(db).id for _ in range(3))
    code = {"digest": b"d" * 32, "expires_at": LATER}
    asked = {"staff_id": who, "requested_by": one}
    for rule, values in (
        ("four_eyes", asked | code | {"approved_by": one}),
        ("for_another", asked | code | {"approved_by": who}),
        ("for_another", asked | {"requested_by": who}),
        ("recovery_by_two", asked | code),
        ("recovery_by_two", {"staff_id": who}),
        ("code_ends", asked | {"digest": b"d" * 32, "approved_by": two}),
        ("used_in_time", asked | code | {"approved_by": two, "used_at": LATER}),
        ("used_in_time", asked | {"used_at": NOW}),
        ("kind", asked | {"kind": "third"}),
    ):
        with refused(db, f"ck_invitation_{rule}"):
            invitation(db, **values)
    invitation(db, **asked)
    with refused(db, *BY_STAFF):
        invitation(db, staff_id=who, requested_by=two)
    db.execute(update(Invitation).values(approved_by=two, **code))
    with refused(db, "ck_invitation_four_eyes"):
        db.execute(update(Invitation).values(approved_by=one))


def test_the_first_entry_counts_once_in_a_lifetime(db):
    who = make.make_staff(db).id
    first = {"staff_id": who, "kind": "first", "expires_at": LATER, "used_at": NOW}
    invitation(db, **first, digest=b"1" * 32)
    with refused(db, *BY_STAFF):
        invitation(db, **first, digest=b"2" * 32)
    invitation(db, **first | {"used_at": None}, digest=b"3" * 32)
    with pytest.raises(Exception, match="never_deleted") as caught, db.begin_nested():
        db.execute(delete(Invitation))
    assert broken_rule(caught.value)


def test_keys_counters_and_links_keep_their_shape(db):
    who, other = make.make_staff(db).id, make.make_staff(db).id
    key = {
        "id": new_id(), "recorded_at": NOW, "staff_id": who, "credential_id": b"c",
        "public_key": b"k", "name": "One", "sign_count": 0, "backed_up": False,
    }  # fmt: skip
    db.execute(insert(Passkey).values(key))
    with refused(db, "uq_passkey_credential_id"):
        db.execute(insert(Passkey).values(key | {"id": new_id(), "staff_id": other}))
    with refused(db, "ck_passkey_sign_count"):
        db.execute(update(Passkey).values(sign_count=-1))
    password = {
        "staff_id": who, "recorded_at": NOW, "login": "a", "digest": "d", "sealed": b"s",
        "last_step": 0, "tries": 5,
    }  # fmt: skip
    db.execute(insert(Password).values(password))
    with refused(db, "ck_password_tries"):
        db.execute(update(Password).values(tries=6))
    with refused(db, "uq_password_login"):
        db.execute(insert(Password).values(password | {"staff_id": other}))
    link = {"issuer": "i", "subject": "s", "staff_id": who, "recorded_at": NOW}
    db.execute(insert(StaffLink).values(link))
    with refused(db, "uq_staff_link_staff_id"):
        db.execute(insert(StaffLink).values(link | {"subject": "t"}))
    with refused(db, "pk_staff_link"):
        db.execute(insert(StaffLink).values(link | {"staff_id": other}))
