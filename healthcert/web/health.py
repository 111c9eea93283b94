"""Whether the process lives, and whether it can do its work."""

from collections.abc import Callable, Mapping
from typing import cast

from flask import Blueprint, Flask, Response, current_app, jsonify

from healthcert.errors import Refusal

bp = Blueprint("health", __name__)

Check = Callable[[], Mapping[str, object]]


def init_health(app: Flask, checks: Mapping[str, Check]) -> None:
    """Answer ``/livez`` and ``/readyz``.

    Args:
        app: The application.
        checks: By name; each returns what it found, or refuses with what is wrong.
    """
    app.extensions["checks"] = checks
    app.register_blueprint(bp)


@bp.get("/livez")
def alive() -> Response:
    """Say that the process answers; it looks at nothing."""
    return jsonify({"alive": True})


@bp.get("/readyz")
def ready() -> Response:
    """Say whether everything this application needs is usable: 200, or 503 and what is not."""
    checks = cast(Mapping[str, Check], current_app.extensions["checks"])
    found = {name: _run(check) for name, check in checks.items()}
    is_ready = all(result["ready"] for result in found.values())
    response = jsonify({"ready": is_ready, "checks": found})
    response.status_code = 200 if is_ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response


def _run(check: Check) -> dict[str, object]:
    try:
        return {"ready": True, **check()}
    except Refusal as refusal:
        return {"ready": False, "code": refusal.code}
