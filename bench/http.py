"""What HTTP, Flask and the pages cost on the real server: `python -m bench.http`.

Each server runs as an operator runs it. What counts is the processor time that its processes
take for a request, read from the system: the client and the rest of the machine are not in it.
Rates by the clock are told beside it, and depend on how busy the machine is.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, process_time, sleep, time

from bench._certificate import DCC
from bench._turns import row
from healthcert.db import migrate
from healthcert.gateways.signer import issue_text
from healthcert.services.people import Details, IdentityDetails
from healthcert.web.moment import clock
from tests.load.knocking import Plan, started, told
from tests.load.serving import House, house, request
from tests.postgres import NoPostgres, running_server
from tests.services.clinic import book_for
from tools.running import ROOT, free_port

_ROUNDS, _SECONDS, _BATCH = 5, 1.5, 300
_TICKS = os.sysconf("SC_CLK_TCK")
_JSON = {"Content_Type": "application/json"}
_FASTAPI = os.environ.get("HEALTHCERT_FASTAPI", "")


def main() -> int:
    """Return 1 if an answer is wrong, or costs too much."""
    try:
        with (
            running_server() as server, server.database() as name, TemporaryDirectory() as folder,
        ):  # fmt: skip
            migrate(server.url(name))
            with house(Path(folder), server.url(name), workers=2) as running:
                held = [_verify(running), _batch(running), _book(running), _pages(running)]
                return int(not all(held))
    except NoPostgres as error:
        print(f"http: SKIPPED, {error}")
        return 0


def _verify(running: House) -> bool:
    """Compare the check behind Flask with the same behind bare WSGI, and behind FastAPI."""
    body = json.dumps({"barcode": _certificate(running)}).encode()
    ours = [request("POST", "/api/v1/verify", body, **_JSON)]
    other = [request("POST", "/", body, **_JSON)]
    held = True
    for name, least in (("bare WSGI", 0.6), ("FastAPI", 1.1)):
        if name == "FastAPI" and not _FASTAPI:
            print("http beside FastAPI: SKIPPED, HEALTHCERT_FASTAPI names no folder that has it"
                  " (pip install --target FOLDER fastapi uvicorn)")  # fmt: skip
            continue
        with _peer(running, name) as (port, pid):
            flask, peer = [], []
            _cost(port, pid, other)
            for _ in range(_ROUNDS):
                flask.append(_cost(running.port, running.process.pid, ours))
                peer.append(_cost(port, pid, other))
        held &= _compared("verify over HTTP, 2 workers", flask, name, peer, least)
    return held


def _batch(running: House) -> bool:
    """Compare lines of NDJSON with the same verdicts in this process."""
    text = _certificate(running)
    verifier, line = running.verifier, json.dumps({"barcode": text}).encode() + b"\n"
    asked = [
        request("POST", "/api/v1/verify/batch", line * _BATCH, Content_Type="application/x-ndjson")
    ]
    ours, here = [], []
    for _ in range(_ROUNDS):
        # One at a time, as here: what works on both processors at once takes longer on each.
        ours.append(_cost(running.port, running.process.pid, asked, at_once=1) / _BATCH)
        began = process_time()
        for _ in range(_BATCH):
            json.dumps(verifier.verdict(json.loads(line)["barcode"], now=clock()))
        here.append((process_time() - began) / _BATCH)
    return _compared("batch verify over HTTP, a line", ours, "in process", here, 0.85)


def _book(running: House) -> bool:
    """Compare the request that books (session, form token, limits, audit) with the deed alone."""
    crowd, ours, bare = running.crowd(900), [], []
    for turn in range(-1, _ROUNDS):
        some = [crowd.pop() for _ in range(80)]
        ours.append(_cost(running.port, running.process.pid, some, again=False, wanted={303}))
        began = process_time()
        for number in range(40):
            _booked(running, number)
        bare.append((process_time() - began) / 40)
        if turn < 0:
            ours.clear(), bare.clear()
    began, some = perf_counter(), [crowd.pop() for _ in range(300)]
    answers = told(started(running.port, Plan(some, 20, at_once=16)))
    done = sum(answer.status == 303 for answer in answers)  # noqa: PLR2004
    print(f"http: {done / (perf_counter() - began):.0f} bookings a second by the clock, 2 workers,"
          " 16 clients and the database on the same machine")  # fmt: skip
    return _compared("booking over HTTP", ours, "bare booking service", bare, 0.25)


def _pages(running: House) -> bool:
    """Measure what pages take of the server, each alone."""
    paths = ("/", "/book/", "/verify", "/my/sign-in", "/sign-in")
    costs = []
    for path in paths * 2:  # the first time templates are compiled
        asked = [request("GET", path)]
        costs.append(_cost(running.port, running.process.pid, asked, at_once=1) * 1000)
        print(f"http: {path} {costs[-1]:.1f} ms")
    found = median(costs[len(paths) :])
    row("pages, median", f"{found:.1f} ms", "limit", "20 ms", found / 20, "at most 1.00")
    return found <= 20  # noqa: PLR2004


def _booked(running: House, number: int) -> None:
    document = IdentityDetails("passport", "XX", f"BARE{secrets.token_hex(6)}")
    who = Details("Kanarian", "Kanaria", "1985-03-27", "en", document, phone=f"+4479{number:08}")
    running.parts.doors.run(
        lambda db: book_for(
            db, vault=running.parts.vault, slot_id=running.slots[number], dose_number=1,
            details=who, source="web", now=clock(),
        )
    )  # fmt: skip


def _cost(
    port: int, pid: int, requests: Sequence[bytes], *, at_once: int = 8, again: bool = True,
    wanted: Sequence[int] = (200,),
) -> float:  # fmt: skip
    """Return the seconds of processor time that the processes below one take for an answer."""
    began = _spent(pid)
    plan = Plan(list(requests), _SECONDS if again else 60, at_once=at_once, again=again)
    answers = told(started(port, plan))
    if not {answer.status for answer in answers} <= {*wanted, 503}:
        raise SystemExit(f"http: a wrong answer: { ({answer.status for answer in answers}) }")
    return (_spent(pid) - began) / sum(answer.status in wanted for answer in answers)


def _spent(pid: int) -> float:
    """Return the processor time of a process and all below it, in seconds."""
    parents, spent = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        one = int(path.parent.name)
        parents[one], spent[one] = int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS
    family = {pid}
    for _ in range(4):
        family |= {one for one, parent in parents.items() if parent in family}
    return sum(spent[one] for one in family)


def _compared(path: str, ours: list[float], name: str, theirs: list[float], least: float) -> bool:
    found = median(other / one for one, other in zip(ours, theirs, strict=True))
    one, other = (f"{median(costs) * 1e6:.0f} us" for costs in (ours, theirs))
    row(f"{path}, rate", one, name, other, found, f"at least {least:.2f}")
    return found >= least


def _certificate(running: House) -> str:
    signer = next(one for one in running.parts.signers.values() if one.purpose == "v")
    at = int(time())
    return issue_text(
        dcc=DCC, issuer="XX", signer=signer, issued_at=at - 99, expires_at=at + 99_999
    )


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _peer(running: House, name: str) -> Iterator[tuple[int, int]]:
    """Run the peer on the bundle of the server; give its port and process."""
    port = free_port()
    if name == "FastAPI":
        command = [
            "uvicorn",
            "bench._fastapi_peer:app",
            "--log-level",
            "warning",
            "--no-access-log",
        ]
    else:
        command = ["granian", "bench._bare_wsgi:app", "--interface", "wsgi", "--log-level", "error"]
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{_FASTAPI}"}
    with subprocess.Popen(
        [sys.executable, "-m", *command, "--workers", "2", "--port", str(port)],
        cwd=ROOT, env=os.environ | running.environment | path,
    ) as process:  # fmt: skip
        try:
            end = monotonic() + 60
            while not _listens(port) and monotonic() < end:
                sleep(0.2)
            yield port, process.pid
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
