"""Connections to a database server, handed out in the order in which they were asked for."""

from collections import deque
from threading import Lock
from typing import Any

from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool


class InTurn(QueuePool):
    """A pool that keeps what it has and makes no more, and lets nobody wait longer than others.

    With a plain one, who gives a connection back takes it again before any waiting thread is
    awake: of 64 that book, a few then wait for seconds.

    Attributes:
        line: The locks of the threads that wait, the first first.
    """

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - as the pool takes them
        """Take what `QueuePool` takes; there is no overflow."""
        super().__init__(*args, **named | {"max_overflow": 0})
        self._lock, self._free, self.line = Lock(), self.size(), deque[Lock]()

    def _do_get(self) -> ConnectionPoolEntry:
        self._wait()
        try:
            return super()._do_get()
        except BaseException:
            self._next()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        try:
            super()._do_return_conn(record)
        finally:
            self._next()

    def _wait(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = Lock()
            turn.acquire()
            self.line.append(turn)
        if turn.acquire(timeout=self.timeout()):
            return
        with self._lock:
            if turn in self.line:  # else its turn has come at this very moment
                self.line.remove(turn)
                raise NoConnection(f"no connection for {self.timeout()} seconds")

    def _next(self) -> None:
        with self._lock:
            if self.line:
                self.line.popleft().release()
            else:
                self._free += 1
