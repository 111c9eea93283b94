"""Work that many do at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


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
