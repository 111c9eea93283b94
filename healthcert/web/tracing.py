"""One log line a request, of listed fields only: never an address, a name or what was sent."""

import logging
import time
import uuid
from collections import Counter

from flask import Flask, Response, current_app, g, request

_log = logging.getLogger("healthcert.request")


def request_id() -> str:
    """Return this request's identifier, which a reader may quote and the log repeats."""
    if "request_id" not in g:
        g.request_id = str(uuid.uuid4())
    return str(g.request_id)


def tell(app: Flask, number: str, method: str, route: str, status: int, began: float) -> None:
    """Count and log an answer; `route` is the rule of its address, `began` by `perf_counter`."""
    app.extensions["answers"][route, f"{status // 100}xx"] += 1
    if _log.isEnabledFor(logging.INFO):
        ms = round((time.perf_counter() - began) * 1000, 1)
        told = {"request": number, "method": method, "status": status, "route": route, "ms": ms}
        _log.info("request", extra=told)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    route = request.url_rule.rule if request.url_rule else "-"
    began = g.get("started", time.perf_counter())
    tell(current_app, request_id(), request.method, route, response.status_code, began)
    return response


def init_tracing(app: Flask) -> None:
    """Give every request an identifier and a log line, and count it."""
    app.extensions["answers"] = Counter()
    app.before_request(_start)
    app.after_request(_finish)
