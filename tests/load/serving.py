"""The real server on a database of its own, and people who are about to book there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from secrets import token_hex, token_urlsafe
from urllib.parse import urlencode
from uuid import UUID

from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.app import create_app
from healthcert.config import Settings
from healthcert.jobs import publishing
from healthcert.models import Product, Programme
from healthcert.parts import Parts
from healthcert.services import knowledge, signing_keys, visits
from healthcert.services.development_keys import make_development_keys
from healthcert.services.verification import Verifier
from healthcert.web.draft import STEPS
from healthcert.web.moment import clock
from tests import factories
from tools.running import ROOT, free_port

PATIENCE = 60  # seconds
_numbers = count(1)


@dataclass
class House:
    """A server that runs, and the way to its rows."""

    port: int
    parts: Parts
    slots: list[UUID]
    form_key: bytes
    environment: dict[str, str]
    verifier: Verifier
    workers: int
    process: subprocess.Popen = field(init=False)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [sys.executable, "-m", "healthcert", "serve", "--workers", str(self.workers)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | self.environment)
        _wait_for(self.port, self.process)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)

    def crowd(self, size: int) -> list[bytes]:
        """Return the requests of people who have typed everything and now book."""
        with self.parts.doors.transaction() as db:
            return [self._booker(db) for _ in range(size)]

    def _booker(self, db: Session) -> bytes:
        number, token, form = next(_numbers), token_urlsafe(32), token_hex(20)
        typed = {
            "family": ["Kanarian"], "given": ["Kanaria"], "birth_date": ["27", "3", "1985"],
            "sex": ["female"], "identity_kind": ["passport"], "language": ["en"],
            "identity_value": [f"LOAD{token_hex(6)}"], "phone": [f"+4477{number:08}"],
        }  # fmt: skip
        key, now = sha256(token.encode()).digest(), clock()
        draft = {"people": [{"typed": typed, "done": list(STEPS)}]}
        held = {"draft": draft, "csrf_token": form}
        sealed = self.parts.vault.service_seal(key, held)
        visits.keep(
            db, token_hash=key, sealed=sealed, started_at=now, holder=None, is_new=True, now=now
        )
        signed = URLSafeTimedSerializer(self.form_key, salt="wtf-csrf-token").dumps(form)
        where = f"/book/check?slot={self.slots[number % len(self.slots)]}&dose=1&second=later"
        body = urlencode({"csrf_token": signed}).encode()
        network = f"10.{number % 250}.{number // 250 % 250}.1"
        return request(
            "POST", where, body, Cookie=f"healthcert_session={token}", X_Forwarded_For=network,
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return a request as it goes over the wire."""
    told = {"Host": "localhost", "Content_Length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in told.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body


@contextmanager
def house(
    folder: Path, url: str, *, workers: int = 1, slots: int = 50, core: int | None = None
) -> Iterator[House]:
    """Run the server as an operator does, behind one proxy, with places for everybody."""
    port = free_port()
    told = {
        "KEYS_DIR": folder / "keys", "DATA_DIR": folder, "DATABASE_URL": url, "PORT": port,
        "TRUSTED_PROXIES": 1, "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    if core is not None:
        told["CORE"] = core
    environment = {f"HEALTHCERT_{name}": str(value) for name, value in told.items()}
    settings = Settings.from_env(environment)
    now = clock()
    make_development_keys(settings.keys_dir, country="XX", now=now)
    app = create_app(settings)
    with closing(app.extensions["healthcert"]) as parts:
        made = _opened(parts, slots, now)
        publishing.publish_now(parts, now)
        running = House(
            port, parts, made, app.config["SECRET_KEY"], environment, app.extensions["verifier"],
            workers,
        )  # fmt: skip
        running.start()
        try:
            yield running
        finally:
            running.stop()


def _opened(parts: Parts, number: int, now: datetime) -> list[UUID]:
    with parts.doors.transaction() as db:
        knowledge.load(db, now=now)
        signing_keys.take_in(db, {one.certificate: "" for one in parts.signers.values()}, now=now)
        session = factories.make_session(
            db, programme=db.scalars(select(Programme)).one(), day=now.date() + timedelta(days=2),
            product=db.scalars(select(Product).where(Product.name == "Comirnaty")).one(),
        )  # fmt: skip
        starts = now + timedelta(days=2)
        return [
            factories.make_slot(
                db, session=session, starts_at=starts + timedelta(minutes=one), capacity=1000
            ).id
            for one in range(number)
        ]


def _wait_for(port: int, process: subprocess.Popen) -> None:
    begun = time.monotonic()
    while True:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/livez", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert process.poll() is None
            assert time.monotonic() < begun + PATIENCE
            time.sleep(0.1)
