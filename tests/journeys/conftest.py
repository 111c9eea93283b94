"""The service as a newcomer starts it: real processes, a fresh folder, a free port."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.web.conftest import (  # noqa: F401 - fixtures
    app,
    book,
    clinic,
    clock,
    newest_message,
    parts,
    published,
    settings,
    staff,
)

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Demonstration:
    """A running demonstration: its address and what it said when it started."""

    address: str
    said: str
    seconds: float


@pytest.fixture(scope="session")
def start():
    """Return how to start the demonstration on some data and keys; all are ended after."""
    started = []

    def begin(data: Path, port: int | None = None) -> Demonstration:
        port = port or free_port()
        output = data.with_suffix(".log")
        environment = os.environ | {
            "HEALTHCERT_PORT": str(port),
            "HEALTHCERT_DATA_DIR": str(data),
            "HEALTHCERT_KEYS_DIR": str(data.with_suffix(".keys")),
            "HEALTHCERT_ENV": "development",
        }
        begun = time.monotonic()
        with output.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "healthcert", "demo", "run"],
                cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        started.append(process)
        address = f"http://localhost:{port}"
        while not answers(f"{address}/readyz"):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < begun + 120, output.read_text()
            time.sleep(0.1)
        return Demonstration(address, output.read_text(), time.monotonic() - begun)

    yield begin
    for process in started:
        process.send_signal(signal.SIGTERM)
    for process in started:
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def demonstration(start, tmp_path_factory) -> Demonstration:
    return start(tmp_path_factory.mktemp("demonstration") / "var")


@pytest.fixture
def visit(chromium) -> Iterator:
    """Return how to open a browser of one's own on a page."""
    contexts = []

    def opened(language: str = "en-GB", width: int = 1280):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, locale=language, accept_downloads=True
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def code_in(text: str) -> str:
    return re.search(r"\b\d{6}\b", text)[0]
