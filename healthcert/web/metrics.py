"""Figures for whoever watches the service, as Prometheus text; none is about a person.

This machine itself is answered, without a proxy between, and who has the token of the settings;
for others there is no such page. Each process counts its own requests.
"""

import hmac
import json
import os
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from flask import Blueprint, Flask, Response, current_app, request

from healthcert.errors import NotFound

bp = Blueprint("metrics", __name__)

Figure = tuple[str, dict[str, str], float]  # name without its prefix, labels, value
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


def init_metrics(app: Flask, figures: Callable[[], Iterable[Figure]], token: str) -> None:
    """Answer ``/metrics``, with what `tracing` counts of requests.

    Args:
        app: The application.
        figures: Gives what else there is to tell.
        token: What a stranger must bring as ``Authorization: Bearer``; empty: nobody may.
    """

    def told() -> Iterable[Figure]:
        yield from figures()
        for (route, status), number in sorted(app.extensions["answers"].copy().items()):
            labels = {"process": str(os.getpid()), "route": route, "status": status}
            yield "requests_total", labels, number

    app.extensions["metrics"] = told, f"Bearer {token}" if token else ""
    app.register_blueprint(bp)


@bp.get("/metrics")
def metrics() -> Response:
    """Tell the figures, those of the database as far as it answers."""
    told, wanted = current_app.extensions["metrics"]
    given = request.headers.get("Authorization", "")
    if not (_is_here() or (wanted and hmac.compare_digest(given.encode(), wanted.encode()))):
        raise NotFound
    answer = Response("".join(map(_line, told())), content_type="text/plain; version=0.0.4")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _is_here() -> bool:
    """Whether this machine asks itself; a proxy on it asks for others and says so."""
    passed_on = any(name in request.headers for name in _FORWARDED)
    return not passed_on and ip_address(request.remote_addr or "::").is_loopback


def _line(figure: Figure) -> str:
    inner = ",".join(f"{label}={json.dumps(told)}" for label, told in figure[1].items())
    return f"healthcert_{figure[0]}{{{inner}}} {figure[2]:.12g}\n"
