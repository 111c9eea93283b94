"""Turn refusals and HTTP errors into answers: the only place where refusals meet HTTP.

A browser gets a page that says what happened and what to do; a program under ``/api/``
gets a problem document (RFC 9457). Both carry the refusal's stable code. A fault of our own
is logged by its class and place, and tells the reader nothing of its inside.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from healthcert import errors
from healthcert.i18n import Lazy
from healthcert.i18n import lazy as _
from healthcert.web.tracing import request_id

_log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a refusal is over HTTP: its status, what happened, and what the reader can do."""

    status: HTTPStatus
    title: Lazy
    advice: Lazy


_S = HTTPStatus
_TRY_LATER = _("Wait a few minutes, then try again. Nothing you did is lost.")

ANSWERS: dict[type[errors.Refusal], Answer] = {
    errors.Refusal: Answer(
        _S.BAD_REQUEST, _("This cannot be done"), _("Go back and try another way.")
    ),
    errors.BadInput: Answer(
        _S.BAD_REQUEST,
        _("Something you entered cannot be used"),
        _("Go back, correct what is marked, and send it again."),
    ),
    errors.NotFound: Answer(
        _S.NOT_FOUND,
        _("Page not found"),
        _("Check the address. If you followed a link, start again from the first page."),
    ),
    errors.NotSignedIn: Answer(
        _S.UNAUTHORIZED, _("Sign in first"), _("This part is for people who are signed in.")
    ),
    errors.NotAllowed: Answer(
        _S.FORBIDDEN,
        _("You may not do this"),
        _("Your role does not include this. Ask your administrator if it should."),
    ),
    errors.PageExpired: Answer(
        _S.BAD_REQUEST,
        _("This page has expired"),
        _("Go back, reload the page, and send it again. What you typed may still be there."),
    ),
    errors.TooManyTries: Answer(
        _S.TOO_MANY_REQUESTS,
        _("Too many tries"),
        _("Ask for a new code, or wait ten minutes and try again."),
    ),
    errors.BadCode: Answer(
        _S.FORBIDDEN,
        _("That code does not work"),
        _("Check the newest message you got, or ask for a new code."),
    ),
    errors.SlotFull: Answer(
        _S.CONFLICT,
        _("This time has just been taken"),
        _("Choose another time. You do not have to type anything again."),
    ),
    errors.AlreadyBooked: Answer(
        _S.CONFLICT,
        _("We cannot book with these details"),
        _("If you already have an appointment, use its reference to see or change it."),
    ),
    errors.TimesOverlap: Answer(
        _S.CONFLICT,
        _("You have another appointment at that time"),
        _("Choose another time."),
    ),
    errors.NotEligible: Answer(
        _S.CONFLICT,
        _("This vaccination is not open to you yet"),
        _("Look again later, or ask at a vaccination site."),
    ),
    errors.WrongState: Answer(
        _S.CONFLICT,
        _("This has changed in the meantime"),
        _("Load the page again to see how it stands now."),
    ),
    errors.SignerUnavailable: Answer(
        _S.SERVICE_UNAVAILABLE,
        _("The certificate is not signed yet"),
        _("It will be signed as soon as possible. Nothing is lost."),
    ),
    errors.NotReady: Answer(
        _S.SERVICE_UNAVAILABLE, _("The service is not available just now"), _TRY_LATER
    ),
    errors.BadSettings: Answer(
        _S.INTERNAL_SERVER_ERROR, _("The service is not set up correctly"), _TRY_LATER
    ),
    errors.BadPicture: Answer(
        _S.UNSUPPORTED_MEDIA_TYPE,
        _("That kind of file cannot be read"),
        _("Send a picture as PNG or JPEG."),
    ),
    errors.PictureTooLarge: Answer(
        _S.REQUEST_ENTITY_TOO_LARGE,
        _("That is too large"),
        _("Send a picture of at most 10 MB and 16 megapixels."),
    ),
    errors.BadBundle: Answer(
        _S.SERVICE_UNAVAILABLE, _("The list of trusted issuers cannot be used"), _TRY_LATER
    ),
    errors.BadCertificate: Answer(
        _S.UNPROCESSABLE_ENTITY,
        _("This is not a certificate we can trust"),
        _("Check that the whole code was scanned or copied."),
    ),
}

_FAULT = Answer(_S.INTERNAL_SERVER_ERROR, _("Sorry, something went wrong"), _TRY_LATER)

HTTP_ANSWERS: dict[int, tuple[str, Answer]] = {
    400: (
        "bad_request",
        Answer(
            _S.BAD_REQUEST,
            _("The request cannot be understood"),
            _("Go back and try again."),
        ),
    ),
    404: (errors.NotFound.code, ANSWERS[errors.NotFound]),
    405: (
        "method_not_allowed",
        Answer(
            _S.METHOD_NOT_ALLOWED,
            _("This address does not work that way"),
            _("Start again from the first page."),
        ),
    ),
    413: (
        "too_large",
        Answer(
            _S.REQUEST_ENTITY_TOO_LARGE,
            _("That is too large"),
            _("Send a picture of at most 10 MB and 16 megapixels."),
        ),
    ),
    415: (
        "wrong_type",
        Answer(
            _S.UNSUPPORTED_MEDIA_TYPE,
            _("That kind of file cannot be read"),
            _("Send a picture as PNG or JPEG; programs send JSON."),
        ),
    ),
    500: ("fault", _FAULT),
}


def answer_to(kind: type[errors.Refusal]) -> Answer:
    """Return the answer to a kind of refusal: its own, or its nearest parent's."""
    return next(ANSWERS[parent] for parent in kind.__mro__ if parent in ANSWERS)


def is_api() -> bool:
    """Say whether a program is asking, which gets problem documents rather than pages."""
    return request.path.startswith("/api/")


def refused(refusal: errors.Refusal) -> Response:
    """Return the answer to a refusal, as a page or as a problem document."""
    fields = refusal.fields if isinstance(refusal, errors.BadInput) else {}
    return _respond(refusal.code, answer_to(type(refusal)), fields)


def http_error(error: HTTPException) -> Response:
    """Return the answer to an HTTP error, as a page or as a problem document."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, errors.Refusal):
        return refused(cause)  # raised after the view, where Flask takes all for faults
    if error.code is None or error.code < _S.BAD_REQUEST:
        return make_response(error.get_response())  # a redirect of the router
    code, answer = HTTP_ANSWERS.get(error.code) or _other(error.code)
    response = _respond(code, answer, {})
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value  # such as Allow with 405
    return response


def _other(status: int) -> tuple[str, Answer]:
    base = HTTP_ANSWERS[500 if status >= _S.INTERNAL_SERVER_ERROR else 400]
    return base[0], Answer(HTTPStatus(status), base[1].title, base[1].advice)


def _log_fault(info: Any) -> None:  # noqa: ANN401 - whatever logging takes
    _log.error("fault", exc_info=info, extra={"request": request_id()})


def _fault(error: Exception) -> Response:
    _log_fault(error)
    return _respond("fault", _FAULT, {})


def _respond(code: str, answer: Answer, fields: dict[str, str]) -> Response:
    if not is_api():
        page = render_template("refusal.html", code=code, answer=answer, request_id=request_id())
        return make_response(page, answer.status)
    problem: dict[str, object] = {
        "code": code,
        "title": str(answer.title),
        "detail": str(answer.advice),
        "status": answer.status.value,
        "instance": f"urn:uuid:{request_id()}",
    }
    if fields:
        problem["fields"] = fields
    response = jsonify(problem)
    response.status_code = answer.status
    response.mimetype = PROBLEM
    return response


def init_errors(app: Flask) -> None:
    """Answer every refusal, HTTP error and fault of this application here."""
    app.register_error_handler(errors.Refusal, refused)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, _fault)
    app.log_exception = _log_fault  # type: ignore[method-assign] - Flask's own names the address
