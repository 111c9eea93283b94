"""So many at once, in the order in which they came: requests of a crowd, connections of a server.

With a plain semaphore, who leaves comes in again before any thread that waits is awake: of 64 that
book, a few then wait for seconds.
"""

import math
from collections import deque
from threading import Lock
from typing import Any

from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool


class Turns:
    """Places that are left to who has waited longest.

    Attributes:
        line: The locks of the threads that wait, the first first.
    """

    def __init__(self, places: int, patience: float, most_in_line: float = math.inf) -> None:
        """Take how many places there are, how long one waits, and how many may.

        `patience` are seconds, -1 for as long as it takes.
        """
        self._lock, self._free, self._patience = Lock(), places, patience
        self.line, self._most = deque[Lock](), most_in_line

    @property
    def is_full(self) -> bool:
        """Say whether nobody can even wait, as seen from outside: `enter` may find otherwise."""
        return not self._free and len(self.line) >= self._most

    def enter(self) -> bool:
        """Say whether there was a place soon enough; if so, it has to be left."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if self.is_full:
                return False
            turn = Lock()
            turn.acquire()
            self.line.append(turn)
        if turn.acquire(timeout=self._patience):
            return True
        with self._lock:
            if turn not in self.line:  # its turn has come at this very moment
                return True
            self.line.remove(turn)
            return False

    def leave(self) -> None:
        """Give the place to who has waited longest."""
        with self._lock:
            if self.line:
                self.line.popleft().release()
            else:
                self._free += 1


class InTurn(QueuePool):
    """A pool that keeps what it has and makes no more, and lets nobody wait longer than others.

    Attributes:
        turns: Who holds a connection, and who waits for one.
    """

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - as the pool takes them
        """Take what `QueuePool` takes; there is no overflow."""
        super().__init__(*args, **named | {"max_overflow": 0})
        self.turns = Turns(self.size(), self.timeout())

    def _do_get(self) -> ConnectionPoolEntry:
        if not self.turns.enter():
            raise NoConnection(f"no connection for {self.timeout()} seconds")
        try:
            return super()._do_get()
        except BaseException:
            self.turns.leave()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        try:
            super()._do_return_conn(record)
        finally:
            self.turns.leave()
