"""Signing keys: what the database lets a key become, tried with SQL around Python."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from healthcert.models import SigningKey
from healthcert.models.signing_key import STATES, TRANSITIONS
from tests.factories import NOW, add
from tests.models.refusals import refused

DAY = timedelta(days=1)
TIMES = {
    "published_at": NOW, "activated_at": NOW + 2 * DAY, "signs_until": NOW + 90 * DAY,
    "retired_at": NOW + 90 * DAY, "compromised_at": NOW + 91 * DAY,
}  # fmt: skip
SINCE = {"pending": 0, "published": 1, "active": 3, "retired": 4, "expired": 4, "compromised": 0}


def make_key(db, state="pending", **values) -> SigningKey:
    times = dict(list(TIMES.items())[: SINCE[state]])
    if state == "compromised":
        times = {"compromised_at": TIMES["compromised_at"]}
    told = {
        "kid": b"12345678", "recorded_at": NOW, "purpose": "v", "state": state,
        "certificate": b"der", "not_before": NOW - DAY, "not_after": NOW + 700 * DAY,
    }  # fmt: skip
    return add(db, SigningKey(**told | times | values))


def change(db, key, **values) -> None:
    db.execute(update(SigningKey).where(SigningKey.kid == key.kid).values(**values))


def test_a_key_signs_two_days_after_it_was_published_and_not_a_second_earlier(db):
    for early in (NOW, NOW + 2 * DAY - timedelta(seconds=1)):
        with refused(db, "ck_signing_key_known_two_days_before_use"):
            make_key(db, "active", activated_at=early)
        key = make_key(db, "published", kid=early.isoformat().encode()[11:19])
        with refused(db, "ck_signing_key_known_two_days_before_use"):
            change(db, key, state="active", activated_at=early, signs_until=NOW + 9 * DAY)
    make_key(db, "active")


@pytest.mark.parametrize(
    ("state", "values", "rule"),
    [
        ("pending", {"kid": b"1234567"}, "kid"),
        ("pending", {"purpose": "x"}, "purpose"),
        ("published", {"published_at": None}, "state_has_time"),
        ("active", {"activated_at": None}, "state_has_time"),
        ("retired", {"retired_at": None}, "state_has_time"),
        ("expired", {"retired_at": None}, "state_has_time"),
        ("compromised", {"compromised_at": None}, "state_has_time"),
        ("active", {"compromised_at": NOW}, "state_has_time"),
        ("active", {"signs_until": None}, "used_after_published"),
        ("compromised", {"activated_at": NOW}, "used_after_published"),
        ("active", {"signs_until": NOW + 701 * DAY}, "life"),
        ("active", {"signs_until": NOW - DAY}, "life"),
    ],
)
def test_a_key_has_the_times_of_its_state(db, state, values, rule):
    make_key(db, state, kid=b"in order", purpose="t")
    with refused(db, f"ck_signing_key_{rule}"):
        make_key(db, state, **values)


def test_one_key_is_active_for_each_purpose(db):
    make_key(db, "active")
    make_key(db, "active", kid=b"another1", purpose="t")
    with refused(db, "one_active_key", "signing_key.purpose"):
        make_key(db, "active", kid=b"another2")


@pytest.mark.parametrize("old", STATES)
def test_a_key_moves_along_its_states_alone_and_never_goes(db, old):
    key = make_key(db, old)
    for new in set(STATES) - {old}:
        if new not in TRANSITIONS.get(old, ()):
            with refused(db, "signing_key_transition"):
                change(db, key, state=new)
    with refused(db, "never_deleted"):
        db.execute(delete(SigningKey))
    for new in TRANSITIONS.get(old, ()):
        ahead = dict(list(TIMES.items())[: max(SINCE[new], SINCE[old])])
        if new == "compromised":
            ahead = {"compromised_at": NOW + 91 * DAY}
        with db.begin_nested() as step:
            change(db, key, state=new, **ahead)
            step.rollback()


@pytest.mark.parametrize(
    "values",
    [
        {"kid": b"87654321"},
        {"purpose": "t"},
        {"certificate": b"another"},
        {"not_after": NOW + 800 * DAY},
        {"published_at": NOW - 9 * DAY},
        {"published_at": None},
        {"activated_at": NOW + 3 * DAY},
        {"signs_until": NOW + 91 * DAY},
        {"retired_at": NOW + 91 * DAY},
    ],
)
def test_which_key_is_meant_and_what_happened_to_it_stands(db, values):
    key = make_key(db, "retired")
    with refused(db, "key_fixed"):
        change(db, key, **values)
