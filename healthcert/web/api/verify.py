"""The programs' door: certificates checked one by one or line by line; nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

from flask import Blueprint, Response, jsonify, request, stream_with_context
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from healthcert.errors import BadInput
from healthcert.web.verify import LARGEST, is_country, verdict

bp = Blueprint("api", __name__, url_prefix="/api/v1")

NDJSON = "application/x-ndjson"
_AT_ONCE = 50  # verdicts that leave together: to send each costs as much as half of one
_LINES = frozenset({NDJSON, "application/ndjson", "application/jsonl"})


@bp.post("/verify")
def verify() -> Response:
    """Answer one certificate with its verdict."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    return jsonify(verdict(**_question(_json(request.get_data()))))


@bp.post("/verify/batch")
def verify_batch() -> Response:
    """Answer each line with a verdict, in order; a line that is no question is no certificate."""
    if request.mimetype not in _LINES:
        raise UnsupportedMediaType
    request.max_content_length = LARGEST
    lines = request.get_data().splitlines()
    return Response(stream_with_context(_verdicts(lines)), mimetype=NDJSON)


def _verdicts(lines: list[bytes]) -> Iterator[str]:
    for first in range(0, len(lines), _AT_ONCE):
        yield "".join(map(_verdict, lines[first : first + _AT_ONCE]))


def _verdict(line: bytes) -> str:
    try:
        question = _question(_json(line))
    except (BadRequest, BadInput):
        question = {"text": ""}  # empty text gets the verdict of what is no certificate
    return json.dumps(verdict(**question)) + "\n"


def _json(data: bytes) -> object:
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest from None


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _question(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadInput({"barcode": "missing"})
    given = {name: value for name, value in body.items() if value is not None}
    wrong = dict(_faults(given))
    if wrong:
        raise BadInput(wrong)
    return {
        "text": given["barcode"],
        "country": given.get("country"),
        "at": _moment(given["at"]) if "at" in given else None,
        "detail": given.get("detail", "full"),
    }


def _faults(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not isinstance(body.get("barcode"), str):
        yield "barcode", "not_a_text" if "barcode" in body else "missing"
    if not is_country(body.get("country", "XX")):
        yield "country", "not_a_country"
    if body.get("detail", "full") not in ("full", "minimal"):
        yield "detail", "not_a_choice"
    if "at" in body and _moment(body["at"]) is None:
        yield "at", "not_a_time"


def _moment(value: object) -> datetime | None:
    """Return a time written as ISO 8601, in UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
