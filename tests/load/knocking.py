"""Knock at a server: so many at once, or so many a second whatever it answers.

It is a process of its own, so that it takes no time from whoever measures.
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from tools.running import ROOT


@dataclass
class Plan:
    """What to send: each once, until it is answered by something else than 503; or in turn."""

    requests: list[bytes]
    seconds: float
    at_once: int = 16
    rate: float = 0  # a second; 0: as fast as answers come
    again: bool = False  # whether a request that was answered may be sent again


class Answer(NamedTuple):
    """What came of one request."""

    which: int
    status: int
    took: float
    at: float


def started(port: int, plan: Plan) -> subprocess.Popen:
    """Begin to knock; `told` waits for what came of it."""
    running = subprocess.Popen(
        [sys.executable, "-c", f"from tests.load.knocking import main; main({port})"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    running.stdin.write(pickle.dumps(plan))
    running.stdin.close()
    return running


def ended(running: subprocess.Popen) -> list[Answer]:
    """Let nobody knock any more, and return the answers."""
    running.terminate()
    return told(running)


def told(running: subprocess.Popen) -> list[Answer]:
    """Return the answers, in the order they came."""
    with running:
        return pickle.loads(running.stdout.read())


class _Knocker:
    def __init__(self, port: int, plan: Plan) -> None:
        self.port, self.plan = port, plan
        self.waiting = deque(range(len(plan.requests)))
        self.answers: list[Answer] = []
        self.lines: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self) -> list[Answer]:
        self.end = time.perf_counter() + self.plan.seconds
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._no_more)
        if self.plan.rate:
            await self._at_a_rate()
        else:
            await asyncio.gather(*(self._in_turn() for _ in range(self.plan.at_once)))
        return self.answers

    def _no_more(self) -> None:
        self.end = 0.0

    async def _in_turn(self) -> None:
        while self.waiting and time.perf_counter() < self.end:
            await self._one(self.waiting.popleft())

    async def _at_a_rate(self) -> None:
        begun, sent, tasks = time.perf_counter(), 0, set()
        while (now := time.perf_counter()) < self.end and (self.waiting or tasks):
            while sent < (now - begun) * self.plan.rate and self.waiting:
                sent += 1
                tasks.add(task := asyncio.create_task(self._one(self.waiting.popleft())))
                task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.002)
        await asyncio.gather(*tasks)

    async def _one(self, which: int) -> None:
        begun = time.perf_counter()
        if self.plan.again:
            self.waiting.append(which)
        status = await self._answered(self.plan.requests[which])
        if not status:
            self.lines.clear()
            await asyncio.sleep(0.1)
        now = time.perf_counter()
        self.answers.append(Answer(which, status, now - begun, now))
        if status in {0, 503} and not self.plan.again:
            self.waiting.append(which)

    async def _answered(self, request: bytes) -> int:
        """Return the status; 0 where the line broke."""
        try:
            line = self.lines.pop() if self.lines else (
                await asyncio.open_connection("127.0.0.1", self.port)
            )  # fmt: skip
            line[1].write(request)
            head = await line[0].readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await line[0].readexactly(int(length or 0))
            while not length and (size := int(await line[0].readline(), 16)):
                await line[0].readexactly(size + 2)
            await line[0].readexactly(0 if length else 2)
        except (OSError, asyncio.IncompleteReadError):
            return 0
        self.lines.append(line)
        return int(head[9:12])


def main(port: int) -> None:
    """Carry out the plan that comes in, and give out what came of it."""
    found = asyncio.run(_Knocker(port, pickle.load(sys.stdin.buffer)).run())
    pickle.dump(found, sys.stdout.buffer)
