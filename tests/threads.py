"""Work that many do at the same moment, and an application that answers on a port meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from healthcert.db import Doors
from healthcert.models.broken import broken_rule


def at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    """Return what each of some threads gave or raised; they start together."""
    start = threading.Barrier(number)

    def one(turn: int) -> Any:
        start.wait(30)
        try:
            return work(turn)
        except Exception as error:  # noqa: BLE001 - what was raised is the result
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def one_behind_the_other(
    doors: Doors, first: Callable[[Session], Any], then: Callable[[Session], Any]
) -> list[str]:
    """Do one deed, and another that must wait for it; return the rule the second broke, if any."""
    refusals: list[str] = []

    def follow() -> None:
        try:
            with doors.transaction() as db:
                then(db)
        except IntegrityError as error:
            refusals.append(broken_rule(error))

    follower = threading.Thread(target=follow)
    with doors.transaction() as db:
        first(db)
        follower.start()
        follower.join(0.3)
        assert follower.is_alive()  # it waits for the one before
    follower.join(30)
    return refusals


@contextmanager
def answering(app: Flask) -> Iterator[str]:
    """Give the address at which an application answers, on a port of this machine's own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
