"""The headers of every answer: what a browser may do with our pages, and who may keep them.

Nothing inline, nothing from elsewhere: a script that slips into a page does not run. Sources:
CSP level 3, OWASP Secure Headers, RFC 6797 (HSTS), RFC 9111 (caching).
"""

from __future__ import annotations

import re
import wsgiref.headers
from http import HTTPStatus
from urllib.parse import urlsplit

import werkzeug.datastructures
from flask import Flask, Response, abort, request

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


def policy(**changes: str) -> str:
    """Return the content security policy, with some directives changed.

    Args:
        changes: A directive's new sources, written with an underscore: ``script_src``.
    """
    changed = _POLICY | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {sources}" for name, sources in changed.items())


def permissions(*, camera: bool = False) -> str:
    """Return which powers of the browser the page may use: none, or the camera alone."""
    return ", ".join(
        f"{name}=(self)" if camera and name == "camera" else f"{name}=()" for name in _UNUSED
    )


HEADERS = {
    "Content-Security-Policy": policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": permissions(),
    # Forms over https are checked by their Referer, so it must reach ourselves.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# For a page that scans: WebAssembly may be compiled, and the camera asked for.
SCANNER = {
    "Content-Security-Policy": policy(script_src="'self' 'wasm-unsafe-eval'"),
    "Permissions-Policy": permissions(camera=True),
}
_LOOPBACK, _PORT = ("localhost", "127.0.0.1", "[::1]"), re.compile(r":\d+\Z")
_ALWAYS_SECURE = (
    "Strict-Transport-Security", f"max-age={2 * 365 * 24 * 60 * 60}; includeSubDomains",
)  # fmt: skip


def init_security(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer that has not set its own; nothing is kept by default.

    Register this first, so that it runs last (Flask calls the newest first).
    """
    secure = settings.base_url.startswith("https:")

    def guard(answer: Response) -> Response:
        protect(answer.headers, secure=secure)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    app.after_request(guard)


def init_intake(app: Flask, settings: Settings) -> None:
    """Refuse another's name, to which our redirects would lead, and bodies of unsaid length.

    Probes ask by number, and are told no address. Register this after the language of pages.
    """
    names = {urlsplit(settings.base_url).hostname, *(_LOOPBACK if settings.development else ())}

    def guard() -> None:
        if _PORT.sub("", request.host.lower()) not in names and request.path not in {
            "/livez",
            "/readyz",
            "/metrics",
        }:
            abort(HTTPStatus.BAD_REQUEST)
        if "Transfer-Encoding" in request.headers:
            abort(HTTPStatus.LENGTH_REQUIRED)

    app.before_request(guard)


def protect(
    headers: werkzeug.datastructures.Headers | wsgiref.headers.Headers, *, secure: bool
) -> None:
    """Add what every answer carries, pages and files alike, where it is not yet set."""
    there = {name.lower() for name, _value in headers.items()}
    for name, value in (*HEADERS.items(), *([_ALWAYS_SECURE] if secure else ())):
        if name.lower() not in there:
            headers.add_header(name, value)
