"""One log line a request, of listed fields only: never an address, a name or what was sent."""

from __future__ import annotations

import logging
import time
import uuid

from flask import Flask, Response, g, request

_log = logging.getLogger("healthcert.request")


def request_id() -> str:
    """Return this request's identifier, which a reader may quote and the log repeats."""
    if "request_id" not in g:
        g.request_id = str(uuid.uuid4())
    return str(g.request_id)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    if _log.isEnabledFor(logging.INFO):
        started = g.get("started", time.perf_counter())
        told = {
            "request": request_id(), "method": request.method, "status": response.status_code,
            "route": request.url_rule.rule if request.url_rule else "-",
            "ms": round((time.perf_counter() - started) * 1000, 1),
        }  # fmt: skip
        _log.info("request", extra=told)
    return response


def init_tracing(app: Flask) -> None:
    """Give every request an identifier and a log line."""
    app.before_request(_start)
    app.after_request(_finish)
