"""Figures for whoever watches the service, as Prometheus text; no figure is about a person.

Whoever asks from this machine itself, without a proxy between, or with the token of the settings
is answered; for others there is no such page. Each process counts its own requests.
"""

from __future__ import annotations

import hmac
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from threading import Lock

from flask import Blueprint, Flask, Response, current_app, request

from healthcert.errors import NotFound

bp = Blueprint("metrics", __name__)

Figure = tuple[str, dict[str, str], float]  # name without its prefix, labels, value
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


def init_metrics(app: Flask, figures: Callable[[], Iterable[Figure]], token: str) -> None:
    """Count requests by rule and class of status, and answer ``/metrics``.

    Args:
        app: The application.
        figures: Gives what else there is to tell.
        token: What a stranger must bring as ``Authorization: Bearer``; empty: nobody may.
    """
    counted: Counter[tuple[str, str]] = Counter()
    lock = Lock()

    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "-"
        with lock:
            counted[route, f"{response.status_code // 100}xx"] += 1
        return response

    def told() -> str:
        process = str(os.getpid())
        with lock:
            requests = dict(counted)
        rows = [
            ("requests_total", {"process": process, "route": route, "status": status}, number)
            for (route, status), number in sorted(requests.items())
        ]
        return "".join(map(_line, [*figures(), *rows]))

    app.after_request(count)
    app.extensions["metrics"] = told, token
    app.register_blueprint(bp)


@bp.get("/metrics")
def metrics() -> Response:
    """Tell the figures, those of the database as far as it answers."""
    told, token = current_app.extensions["metrics"]
    given = request.headers.get("Authorization", "").encode()
    if not (_is_here() or (token and hmac.compare_digest(given, f"Bearer {token}".encode()))):
        raise NotFound
    answer = Response(told(), content_type="text/plain; version=0.0.4; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _is_here() -> bool:
    """Whether this machine asks itself; a proxy on it asks for others and says so."""
    passed_on = any(name in request.headers for name in _FORWARDED)
    return not passed_on and ip_address(request.remote_addr or "::").is_loopback


def _line(figure: Figure) -> str:
    name, labels, value = figure
    inner = ",".join(f"{label}={json.dumps(told)}" for label, told in labels.items())
    return f"healthcert_{name}{{{inner}}} {value:.12g}\n"
