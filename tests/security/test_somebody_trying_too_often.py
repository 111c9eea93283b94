"""A limit lets through what it says, to the one; waiting helps; others do not pay for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from healthcert.data.limits import limits as told
from healthcert.errors import BadSettings, TooMany
from healthcert.models import LimitCounter
from healthcert.services import limits, sweeping
from tests.factories import NOW
from tests.services.clinic import PEPPER
from tests.threads import at_once

MINUTE = timedelta(minutes=1)


def take(doors, key="one", *, most=3, now=NOW) -> int:
    return doors.run(
        lambda db: limits.take(
            db, name="tested", key=limits.key_of(PEPPER, key), most=most, within=MINUTE, now=now
        )
    )


def spend(doors, name="ask_code", *, now=NOW, **who) -> None:
    doors.run(lambda db: limits.spend(db, pepper=PEPPER, name=name, now=now, **who))


def refused(doors, **who) -> bool:
    try:
        spend(doors, **who)
    except TooMany:
        return True
    return False


def test_the_window_is_full_after_so_many_and_says_when_it_ends(doors):
    assert [take(doors) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(TooMany) as caught:
        take(doors, now=NOW + MINUTE / 2)
    assert caught.value.until == NOW + MINUTE


def test_whoever_waits_begins_anew_however_hard_others_knocked(doors):
    assert [take(doors) for _ in range(3)] == [1, 2, 3]
    for second in range(1, 60):
        with pytest.raises(TooMany):
            take(doors, now=NOW + timedelta(seconds=second))
    assert take(doors, now=NOW + MINUTE) == 1


def test_sixty_four_at_once_get_as_many_as_there_are(doors):
    answers = at_once(64, lambda _: take(doors, most=10))
    assert sorted(one for one in answers if isinstance(one, int)) == list(range(1, 11))
    assert sum(isinstance(one, TooMany) for one in answers) == 54


def test_what_fails_after_the_take_has_been_counted(doors):
    take(doors)
    with pytest.raises(ZeroDivisionError), doors.transaction():
        _ = 1 / 0
    assert take(doors) == 2


def test_one_persons_window_is_not_anothers(doors):
    most = told()["ask_code"]["identity"].most
    for _ in range(most):
        spend(doors, identity="HC-1", address="192.0.2.1")
    assert refused(doors, identity="HC-1", address="198.51.100.1")
    assert not refused(doors, identity="HC-2", address="192.0.2.1")


def test_what_one_scope_refuses_is_not_counted_in_the_others(doors):
    most = told()["redeem_code"]["network"].most
    for _ in range(most + 5):
        refused(doors, name="redeem_code", address="192.0.2.7")
    with doors.reading() as db:
        assert db.scalars(select(LimitCounter.count)).all() == [most]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.255", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:1::1", "2001:db8:1:ffff::2", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("::ffff:192.0.2.9", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "192.0.2.1", False),
    ],
)
def test_a_network_is_what_one_household_or_firm_holds(one, other, same):
    assert (limits.network_of(one) == limits.network_of(other)) is same


def test_nothing_about_anybody_stands_in_the_counters(doors):
    spend(doors, identity="HC-KANARI", address="192.0.2.1")
    with doors.reading() as db:
        rows = db.execute(select(LimitCounter.name, LimitCounter.key)).all()
    assert sorted(name for name, _ in rows) == [
        "ask_code.identity", "ask_code.network", "ask_code.service",
    ]  # fmt: skip
    assert all(len(key) == 32 for _, key in rows)
    assert limits.key_of(b"another" * 5, "x") != limits.key_of(PEPPER, "x")


def test_windows_that_are_over_are_swept_and_no_others(doors):
    take(doors, "old")
    take(doors, "new", now=NOW + MINUTE / 2)
    doors.run(lambda db: sweeping.sweep(db, now=NOW + MINUTE))
    with doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(LimitCounter)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "[[", '[a.crowd]\nmost=1\nwithin=1\nwhy="x"', "[a.identity]\nmost=1\nwithin=1",
        '[a.identity]\nmost=0\nwithin=1\nwhy="x"', '[a.identity]\nmost=1\nwithin=604801\nwhy="x"',
    ],
)  # fmt: skip
def test_a_limit_without_a_number_or_a_reason_is_refused(wrong):
    with pytest.raises(BadSettings, match=r"limits\.toml"):
        told(wrong)


def test_every_alarm_comes_before_its_refusal():
    assert all(limit.alarm <= limit.most for scopes in told().values() for limit in scopes.values())
