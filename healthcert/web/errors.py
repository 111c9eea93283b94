"""Turn refusals and HTTP errors into answers: the only place where refusals meet HTTP.

A browser gets a page that says what happened and what to do; a program under ``/api/``
gets a problem document (RFC 9457). Both carry the refusal's stable code. A fault of our own
is logged by its class and place, and tells the reader nothing of its inside.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from healthcert import errors
from healthcert.i18n import lazy as _
from healthcert.web.moment import now
from healthcert.web.refusals import TRY_LATER, Answer, answer_to, complaints
from healthcert.web.tracing import request_id

_log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
_FAULT = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, _("Sorry, something went wrong"), TRY_LATER)

# What Werkzeug refuses before any view of ours is reached.
_S = HTTPStatus
HTTP_ANSWERS: dict[int, tuple[str, Answer]] = {
    400: ("bad_request", Answer(
        _S.BAD_REQUEST, _("The request cannot be understood"), _("Go back and try again."))),
    404: (errors.NotFound.code, answer_to(errors.NotFound)),
    405: ("method_not_allowed", Answer(
        _S.METHOD_NOT_ALLOWED, _("This address does not work that way"),
        _("Start again from the first page."))),
    406: ("not_acceptable", Answer(
        _S.NOT_ACCEPTABLE, _("This cannot be answered in that form"),
        _("Ask for the form that the documentation names."))),
    411: ("needs_length", Answer(
        _S.LENGTH_REQUIRED, _("How long is what you send?"),
        _("Send its length with it (Content-Length), and not in pieces."))),
    412: ("changed", replace(answer_to(errors.WrongState), status=_S.PRECONDITION_FAILED)),
    413: ("too_large", replace(
        answer_to(errors.PictureTooLarge),
        advice=_("Send less at once: a picture may have 10 MB, a request of a program 100 kB."))),
    415: ("wrong_type", Answer(
        _S.UNSUPPORTED_MEDIA_TYPE, _("That kind of file cannot be read"),
        _("Send a picture as PNG or JPEG; programs send JSON."))),
    428: ("needs_match", Answer(
        _S.PRECONDITION_REQUIRED, _("Which state is to be changed?"),
        _("Look at it first, and send its ETag as If-Match."))),
    500: ("fault", _FAULT),
}  # fmt: skip


def is_api() -> bool:
    """Say whether a program is asking, which gets problem documents rather than pages."""
    return request.path.startswith("/api/")


def refused(refusal: errors.Refusal) -> Response:
    """Return the answer to a refusal, as a page or as a problem document."""
    if isinstance(refusal, errors.ProveAgain) and not is_api():
        return _to_prove_again()
    if isinstance(refusal, errors.MustWait) and not is_api():
        return Response(status=303, headers={"Location": "/room"})
    response = _respond(refusal.code, answer_to(type(refusal)), _more(refusal))
    if isinstance(refusal, errors.TooMany):
        response.headers["Retry-After"] = max(1, math.ceil((refusal.until - now()).total_seconds()))
    if is_api() and response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"  # RFC 6750
    return response


def _more(refusal: errors.Refusal) -> dict[str, Any]:
    """Return what else is known of a refusal: of what it is, and what may be done instead."""
    names = ("fields", "which", "until", "opens_on", "group", "dose_id", "instead", "states")
    told = {name: getattr(refusal, name, None) for name in names}
    faults = getattr(refusal, "faults", ())[:100]
    told["rows"] = [dict(zip(("line", "field", "code"), one, strict=True)) for one in faults]
    left = getattr(refusal, "left", None)  # where none is, that is told as well
    found = {name: value for name, value in told.items() if value}
    return found if left is None else found | {"left": left}


def unusable(wrong: errors.BadInput) -> Response:
    """Return the answer to what a program sent well-formed, and what cannot be used yet."""
    answer = replace(answer_to(errors.BadInput), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _respond("unusable", answer, _more(wrong))


def _to_prove_again() -> Response:
    """Lead to where one proves again who one is, and back to the page one came from."""
    back = request.full_path.rstrip("?") if request.method == "GET" else came_from()
    door = "/my/sign-in" if request.path.startswith("/my/") else "/sign-in/again"
    return Response(status=303, headers={"Location": f"{door}?{urlencode({'next': back})}"})


def came_from() -> str:
    """Return the page of ours one came from, as the browser tells; the first page otherwise."""
    host, _, path = (request.referrer or "").partition("://")[2].partition("/")
    return inside(f"/{path}") or "/" if host == request.host else "/"


def inside(address: str | None) -> str | None:
    """Return an address of this service as it was given, or None for anything that leads out."""
    if not address or not address.startswith("/") or not address.isprintable():
        return None
    if address[1:2] in {"/", "\\"} or "\\" in address:
        return None  # browsers read //host and /\host as another host
    parts = urlsplit(address)
    return None if parts.scheme or parts.netloc else address


def http_error(error: HTTPException) -> Response:
    """Return the answer to an HTTP error, as a page or as a problem document."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, errors.Refusal):
        return refused(cause)  # raised after the view, where Flask takes all for faults
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return make_response(error.get_response())  # a redirect of the router
    code, answer = HTTP_ANSWERS.get(error.code) or _other(error.code)
    response = _respond(code, answer, {})
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value  # such as Allow with 405
    return response


def _other(status: int) -> tuple[str, Answer]:
    base = HTTP_ANSWERS[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400]
    return base[0], Answer(HTTPStatus(status), base[1].title, base[1].advice)


def _log_fault(info: Any) -> None:  # noqa: ANN401 - whatever logging takes
    _log.error("fault", exc_info=info, extra={"request": request_id()})


def _fault(error: Exception) -> Response:
    _log_fault(error)
    return _respond("fault", _FAULT, {})


def _respond(code: str, answer: Answer, more: Mapping[str, Any]) -> Response:
    if not is_api():
        page = render_template(
            "refusal.html", code=code, answer=answer, request_id=request_id(), back=came_from(),
            until=more.get("until"), wrong=complaints(more.get("fields", {})).values(),
            states=more.get("states", {}),
        )  # fmt: skip
        return make_response(page, answer.status)
    problem = {
        "type": f"/api/#{code}",
        "code": code,
        "title": str(answer.title),
        "detail": str(answer.advice),
        "status": answer.status.value,
        "instance": f"urn:uuid:{request_id()}",
    }
    days = {name: told.isoformat() for name, told in more.items() if isinstance(told, date)}
    response = jsonify(problem | dict(more) | days)
    response.status_code = answer.status
    response.mimetype = PROBLEM
    return response


def init_errors(app: Flask) -> None:
    """Answer every refusal, HTTP error and fault of this application here."""
    app.register_error_handler(errors.Refusal, refused)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, _fault)
    # Flask's own line names the address, which may say who was asked about.
    app.log_exception = _log_fault  # type: ignore[method-assign,assignment]
