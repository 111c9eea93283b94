"""What the server does above its capacity: a little of everything, at its usual speed.

Requests are of a few kinds, each with so many at once and a short queue, so that a crowd that
books takes nothing from those who check certificates or vaccinate. Who finds the queue full, or
waits too long in it, is told at once to come back: no session, no database, no template.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore, Lock
from time import monotonic
from wsgiref.headers import Headers
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from werkzeug.http import parse_cookie
from werkzeug.wsgi import ClosingIterator

from healthcert import i18n
from healthcert.config import Settings
from healthcert.gateways import room_files
from healthcert.web.pages import COOKIE
from healthcert.web.security import protect

AT_ONCE, IN_LINE = 4, 12  # requests of a kind in one process
RETRY_AFTER = "5"  # seconds
_PATIENCE, _TELL_EVERY = 1.0, 5.0  # seconds
_LARGEST_HEAD = 100_000  # bytes of a body that are read before its turn
_KINDS = {
    "free": ("/static/", "/livez", "/readyz", "/metrics", "/bundle", "/availability", "/room/line"),
    "verify": ("/verify", "/api/v1/verify"),
    "room": ("/room",),
    "public": ("/book", "/my", "/api/", "/fhir/"),
    "staff": ("/",),
}


class Share:
    """So many requests at once, and so many that wait for their turn."""

    def __init__(self, at_once: int = AT_ONCE, in_line: int = IN_LINE) -> None:
        """Take both numbers."""
        self._free, self._line = BoundedSemaphore(at_once), BoundedSemaphore(in_line)

    def enter(self, patience: float = _PATIENCE) -> bool:
        """Say whether there was room within so many seconds; if so, it has to be left."""
        if self._free.acquire(blocking=False):
            return True
        if not self._line.acquire(blocking=False):
            return False
        try:
            return self._free.acquire(timeout=patience)
        finally:
            self._line.release()

    def leave(self) -> None:
        """Give the room back."""
        self._free.release()


class Fares:
    """How those fared who book, told to the worker while an opening is on."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the waiting room."""
        self._folder, self._lock, self._since = folder, Lock(), monotonic()
        self._took: list[float] = []
        self._refused = 0

    def note(self, took: float | None) -> None:
        """Count a request and how long it took; None where there was no room for it."""
        with self._lock:
            self._refused += took is None
            self._took += [] if took is None else [took]
            if monotonic() - self._since < _TELL_EVERY:
                return
            took_ones, refused = sorted(self._took), self._refused
            self._took, self._refused, self._since = [], 0, monotonic()
        if room_files.announced(self._folder) is not None:
            slow = took_ones[len(took_ones) * 9 // 10] if took_ones else 0.0
            room_files.tell_load(self._folder, slow=slow, refused=refused)


def init_overload(app: Flask, settings: Settings) -> None:
    """Stand before everything else; register this last."""
    inner, shares = app.wsgi_app, {kind: Share() for kind in _KINDS if kind != "free"}
    fares, pages = Fares(settings.room_dir), _pages(app, settings)

    def outer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        kind = kind_of(environ["PATH_INFO"])
        if kind == "free":
            return inner(environ, start)
        began, share = monotonic(), shares[kind]
        _take_body(environ)
        if not share.enter():
            if kind == "public":
                fares.note(None)
            return _told_to_wait(environ, start, pages, secure=secure)

        def leave() -> None:
            share.leave()
            if kind == "public":
                fares.note(monotonic() - began)

        try:
            return ClosingIterator(inner(environ, start), leave)
        except BaseException:
            leave()
            raise

    secure = settings.base_url.startswith("https:")
    app.wsgi_app = outer  # type: ignore[method-assign,assignment]


def kind_of(path: str) -> str:
    """Return which kind of request an address is; what is nobody's else is staff's."""
    return next((kind for kind, starts in _KINDS.items() if path.startswith(starts)), "staff")


def _take_body(environ: WSGIEnvironment) -> None:
    """Read what is sent before a place is taken, so that a slow line holds none."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and 0 < int(length) <= _LARGEST_HEAD:
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))


def _told_to_wait(
    environ: WSGIEnvironment, start: StartResponse, pages: dict[str, bytes], *, secure: bool
) -> Iterable[bytes]:
    language = parse_cookie(environ).get(COOKIE, "")
    if environ["PATH_INFO"].startswith("/api/"):
        language, kind = "api", "application/problem+json"
    else:
        kind = "text/html; charset=utf-8"
        if language not in pages:
            language = i18n.best(environ.get("HTTP_ACCEPT_LANGUAGE"), [*pages][1:])
    headers = Headers([
        ("Content-Type", kind), ("Content-Length", str(len(pages[language]))),
        ("Retry-After", RETRY_AFTER), ("Cache-Control", "no-store"),
    ])  # fmt: skip
    protect(headers, secure=secure)
    start("503 Service Unavailable", headers.items())
    return [pages[language]]


def _pages(app: Flask, settings: Settings) -> dict[str, bytes]:
    """Return the answers, ready to be sent: for programs, and in each language."""
    made = {"api": b'{"code":"busy","status":503,"title":"Too many requests at once"}'}
    template = app.jinja_env.get_template("busy.html")
    for language in settings.languages:
        with i18n.use(language):
            made[language] = template.render(retry=RETRY_AFTER).encode()
    return made
