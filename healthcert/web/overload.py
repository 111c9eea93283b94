"""What the server does above its capacity: a little of everything, at its usual speed.

Requests are of a few kinds, each with so many at once and a short queue, so that a crowd that
books takes nothing from those who check certificates or vaccinate. Who finds the queue full, or
waits too long in it, is told at once to come back: no session, no database, no template.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from io import BytesIO
from threading import local
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response

from healthcert import i18n
from healthcert.config import Settings
from healthcert.pool import Turns
from healthcert.web.pages import COOKIE
from healthcert.web.security import declared

# In one process. A crowd holds few connections of the database: the more of it work at once, the
# longer each takes, and staff find others free.
_MOST_OF_CROWD, _ITS_PATIENCE = 16, 1.0  # at once and in line, and seconds in line
_OTHERS = 4, 5.0, 64  # of each kind: at once, seconds in line, in line
# What costs next to nothing is free; what is nobody's else is staff's.
_FREE = ("/static/", "/livez", "/readyz", "/metrics", "/bundle", "/availability", "/room/line")
_KINDS = {
    "verify": ("/verify", "/api/v1/verify"),
    "room": ("/room",),
    "public": ("/book", "/my", "/api/", "/fhir/"),
    "staff": ("/",),
}
_CHOSEN = re.compile(rf"\b{COOKIE}=(\w+)")

_Page = tuple[str, list[tuple[str, str]], list[bytes]]


class _Answer:
    """An answer whose place is left once: when it is closed, or dropped by a server unclosed."""

    def __init__(self, body: Iterable[bytes], leave: Callable[[], None]) -> None:
        self._body, self._ends = body, ExitStack()
        self._ends.callback(leave)
        self._ends.callback(getattr(body, "close", lambda: None))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """End what made the answer, and leave the place."""
        self._ends.close()

    __del__ = close


def init_overload(app: Flask, settings: Settings) -> None:
    """Stand before everything else; register this last."""
    inner, pages = app.wsgi_app, _pages(app, settings)
    crowd = Turns(settings.crowd, _ITS_PATIENCE, _MOST_OF_CROWD - settings.crowd)
    shares = {kind: Turns(*_OTHERS) for kind in _KINDS} | {"public": crowd}
    app.extensions["shares"] = shares
    ways = [(begin, shares[kind]) for kind, begin in _KINDS.items()]
    core, here = settings.core, local()

    def outer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if core is not None and not hasattr(here, "kept"):
            # Threads that answer take turns in any case: a turn handed to another core costs more
            # than it gains. Those of the server that read and write stay where they are.
            os.sched_setaffinity(0, {core})
            here.kept = True
        path = environ["PATH_INFO"]
        if path.startswith(_FREE):
            return inner(environ, start)
        share = next(share for begin, share in ways if path.startswith(begin))
        if not _let_in(share, environ):
            status, headers, body = pages[_language(environ, settings.languages)]
            start(status, headers)
            return body
        answer: Iterable[bytes] = []
        try:
            answer = inner(environ, start)
        finally:
            if isinstance(answer, list):  # it is whole, or failed
                share.leave()
        return answer if isinstance(answer, list) else _Answer(answer, share.leave)

    app.wsgi_app = outer  # type: ignore[method-assign,assignment]


def _let_in(share: Turns, environ: WSGIEnvironment) -> bool:
    """Take what was sent before a place is taken: a slow line holds none."""
    if share.is_full:
        return False
    if length := declared(environ):
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
    return share.enter()


def _language(environ: WSGIEnvironment, enabled: tuple[str, ...]) -> str:
    if environ["PATH_INFO"].startswith("/api/"):
        return ""
    chosen = _CHOSEN.search(environ.get("HTTP_COOKIE", ""))
    if chosen and chosen[1] in enabled:
        return chosen[1]
    return i18n.best(environ.get("HTTP_ACCEPT_LANGUAGE"), enabled)


def _pages(app: Flask, settings: Settings) -> dict[str, _Page]:
    """Return status, headers and body: in each language, and for programs under no name."""
    busy = b'{"code":"busy","status":503,"title":"Too many requests at once"}'
    made = {"": Response(busy, 503, content_type="application/problem+json")}
    template = app.jinja_env.get_template("busy.html")
    for language in settings.languages:
        with i18n.use(language):
            made[language] = Response(template.render(), 503)
    for answer in made.values():
        answer.headers["Retry-After"] = "5"
    return {
        language: (answer.status, answer.headers.to_wsgi_list(), [answer.get_data()])
        for language, answer in made.items()
    }
