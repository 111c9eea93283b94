"""The headers of every answer: what a browser may do with our pages, and who may keep them.

Nothing inline, nothing from elsewhere: a script that slips into a page does not run. Sources:
CSP level 3, OWASP Secure Headers, RFC 6797 (HSTS), RFC 9111 (caching).
"""

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, abort, request

from healthcert.config import Settings

_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "manifest-src": "'self'",
}
_UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")


HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
    # Forms over https are checked by their Referer, so it must reach ourselves.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
LARGEST_FORM = 100_000  # bytes; the doors that take pictures say so themselves
_LOOPBACK, _PORT = ("localhost", "127.0.0.1", "[::1]"), re.compile(r":\d+\Z")
_NOT_KEPT = ("Cache-Control", "no-store")
_ALWAYS_SECURE = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")  # two years


def init_security(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer that has not set its own; nothing is kept by default.

    Pages, files and refusals alike: this stands before all of them, so register it last.
    """
    inner, secure = app.wsgi_app, settings.base_url.startswith("https:")
    headers = [*HEADERS.items(), _NOT_KEPT, *([_ALWAYS_SECURE] if secure else ())]
    always = [(name.lower(), name, value) for name, value in headers]

    def outer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, told: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401
            there = {name.lower() for name, _value in told}
            more = [(name, value) for key, name, value in always if key not in there]
            return start(status, [*told, *more], *error)

        return inner(environ, begin)

    app.wsgi_app = outer  # type: ignore[method-assign,assignment]


def init_intake(app: Flask, settings: Settings) -> None:
    """Refuse another's name, to which our redirects would lead, and bodies of unsaid length.

    Probes ask by number, and are told no address. Register this after the language of pages.
    """
    is_own = own_names(settings)

    def guard() -> None:
        if not is_own(request.host) and request.path not in {"/livez", "/readyz", "/metrics"}:
            abort(HTTPStatus.BAD_REQUEST)
        if "Transfer-Encoding" in request.headers:
            abort(HTTPStatus.LENGTH_REQUIRED)

    app.before_request(guard)


def own_names(settings: Settings) -> Callable[[str], bool]:
    """Return what says whether a ``Host`` is a name of ours."""
    names = {urlsplit(settings.base_url).hostname, *(_LOOPBACK if settings.development else ())}
    return lambda host: _PORT.sub("", host.lower()) in names


def declared(environ: WSGIEnvironment) -> int:
    """Return how many bytes are sent; 0 where that is not said, or more than forms may have."""
    told = environ.get("CONTENT_LENGTH") or ""
    length = int(told) if told.isascii() and told.isdigit() and len(told) < 9 else 0  # noqa: PLR2004
    return length if length <= LARGEST_FORM else 0
