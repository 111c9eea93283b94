"""The programs' door: certificates checked one by one or line by line; nothing is stored."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from time import perf_counter
from typing import Any, NoReturn
from uuid import uuid4
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from healthcert import i18n
from healthcert.config import Settings
from healthcert.errors import BadInput
from healthcert.services.verification import Verifier
from healthcert.web.delivery import packed
from healthcert.web.moment import now
from healthcert.web.security import declared, own_names
from healthcert.web.tracing import tell
from healthcert.web.verify import LARGEST, is_country, verifier

bp = Blueprint("api", __name__, url_prefix="/api/v1")

PATH, JSON, NDJSON = "/api/v1/verify", "application/json", "application/x-ndjson"
_AT_ONCE = 50  # verdicts that leave together: to send each costs as much as half of one
_LINES = frozenset({NDJSON, "application/ndjson", "application/jsonl"})


@bp.post("/verify")
def verify() -> Response:
    """Answer one certificate with its verdict."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    return Response(_answer(request.get_data(), verifier(), now()), mimetype=JSON)


@bp.post("/verify/batch")
def verify_batch() -> Response:
    """Answer each line with a verdict, in order; a line that is no question is no certificate."""
    if request.mimetype not in _LINES:
        raise UnsupportedMediaType
    request.max_content_length = LARGEST
    lines = request.get_data().splitlines()
    return Response(_verdicts(lines, verifier(), now()), mimetype=NDJSON)


def init_shortcut(app: Flask, settings: Settings) -> None:
    """Answer a good question before Flask, which costs more than the check, as `verify` does.

    What is unusual or wrong goes on to `verify`: it knows how to refuse. Register this before
    whatever tells where a request came from.
    """
    inner, is_own = app.wsgi_app, own_names(settings)

    def outer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        began = perf_counter()
        if not (_is_plain(environ) and is_own(environ.get("HTTP_HOST", ""))):
            return inner(environ, start)
        asked = environ["wsgi.input"].read(declared(environ))
        i18n.use(i18n.best(environ.get("HTTP_ACCEPT_LANGUAGE"), settings.languages))
        try:
            said = _answer(asked, app.extensions["verifier"], app.extensions["clock"]()).encode()
        except Exception:  # noqa: BLE001 - a fault is told where all are
            environ["wsgi.input"] = BytesIO(asked)
            return inner(environ, start)
        body, number = packed(said, environ.get("HTTP_ACCEPT_ENCODING", "")), str(uuid4())
        told = [("Content-Type", JSON), ("Content-Length", str(len(body)))]
        told += [("Vary", "Accept-Encoding"), ("X-Request-Id", number)]
        start("200 OK", told if body is said else [*told, ("Content-Encoding", "gzip")])
        tell(app, number, "POST", PATH, 200, began)
        return [body]

    app.wsgi_app = outer  # type: ignore[method-assign,assignment]


def _is_plain(environ: WSGIEnvironment) -> bool:
    return (
        environ["PATH_INFO"] == PATH
        and environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE", "").partition(";")[0] == JSON
        and "HTTP_TRANSFER_ENCODING" not in environ
        and declared(environ) > 0
    )


def _verdicts(lines: list[bytes], held: Verifier, at: datetime) -> Iterator[str]:
    for first in range(0, len(lines), _AT_ONCE):
        yield "".join(_verdict(line, held, at) for line in lines[first : first + _AT_ONCE])


def _verdict(line: bytes, held: Verifier, at: datetime) -> str:
    try:
        return _answer(line, held, at)
    except (BadRequest, BadInput):
        return _answer(b'{"barcode": ""}', held, at)  # the verdict of what is no certificate


def _answer(asked: bytes, held: Verifier, at: datetime) -> str:
    return _WRITER.encode(held.verdict(now=at, **_question(read_json(asked)))) + "\n"


def read_json(data: bytes) -> object:
    """Return what was sent as JSON.

    Raises:
        BadRequest: It is none.
        BadInput: A member is given twice, so that others may read something else.
    """
    try:
        return _READER.decode(data.decode(json.detect_encoding(data), "surrogatepass"))
    except (ValueError, RecursionError):
        raise BadRequest from None


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _each_once(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) < len(members):
        counted = Counter(name for name, _value in members)
        raise BadInput({name: "given_twice" for name, count in counted.items() if count > 1})
    return found


_READER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_each_once)
_WRITER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def _question(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadInput({"barcode": "missing"})
    given = {name: value for name, value in body.items() if value is not None}
    if wrong := dict(_faults(given)):
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
