"""Places and connections are handed out in the order in which they were asked for."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from sqlalchemy.exc import TimeoutError as NoConnection

from healthcert.pool import InTurn


def connected() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", check_same_thread=False)


def begun(work) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_who_gives_one_back_gets_it_again_after_those_who_waited():
    pool, served = InTurn(connected, pool_size=1, timeout=5.0), []

    def waits(name: int) -> None:
        connection = pool.connect()
        served.append(name)
        connection.close()

    held, waiting = pool.connect(), []
    for name in range(5):
        waiting.append(begun(lambda name=name: waits(name)))
        until = time.monotonic() + 5
        while len(pool.turns.line) <= name and time.monotonic() < until:
            time.sleep(0.001)
    held.close()
    waits(5)
    for thread in waiting:
        thread.join(5)
    assert served == [0, 1, 2, 3, 4, 5]


def test_who_has_waited_too_long_is_refused_and_takes_nothing_from_the_next():
    pool = InTurn(connected, pool_size=1, timeout=0.05)
    held = pool.connect()
    with pytest.raises(NoConnection):
        pool.connect()
    held.close()
    for _ in range(3):
        pool.connect().close()


def test_a_server_that_is_away_uses_no_connection_up():
    answers = iter([False, False, False, True])

    def now_and_then() -> sqlite3.Connection:
        if next(answers):
            return connected()
        raise sqlite3.OperationalError("away")

    pool = InTurn(now_and_then, pool_size=1, timeout=0.05)
    for _ in range(3):
        with pytest.raises(sqlite3.OperationalError):
            pool.connect()
    pool.connect().close()


def test_a_connection_that_is_thrown_away_leaves_its_turn_to_the_next():
    pool = InTurn(connected, pool_size=1, timeout=0.05)
    for _ in range(3):
        connection = pool.connect()
        connection.invalidate()
        connection.close()
    held = pool.connect()
    held.detach()
    pool.connect().close()
