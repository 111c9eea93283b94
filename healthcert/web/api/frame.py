"""What every deed goes through: asked rightly, answered in its own form."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, NotAcceptable, UnsupportedMediaType

from healthcert.errors import BadInput, Refusal
from healthcert.services import api_answers
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import DEEDS, JSON, Deed
from healthcert.web.api.instead import LOST, offer
from healthcert.web.api.lists import Page, link
from healthcert.web.api.once import digests, once, tag_of, written
from healthcert.web.api.shapes import File, Shape
from healthcert.web.api.verify import read_json
from healthcert.web.api.where import path_of
from healthcert.web.errors import PROBLEM, unusable
from healthcert.web.guards import program
from healthcert.web.here import limit, parts

_WRONG = {"missing": "missing", "extra_forbidden": "not_known", "literal_error": "not_a_choice"}

_UNSEEN = re.compile(rb"\\u00[01]")  # characters that no text of ours has, and PostgreSQL none


def register(bp: Blueprint) -> None:
    """Open an address for each deed."""
    for name, one in DEEDS.items():
        bp.add_url_rule(one.path, name, partial(_answer, one), methods=[one.method])


def _answer(one: Deed, **given: Any) -> Response:  # noqa: ANN401 - the parts of the address
    wanted = request.accept_mimetypes
    if request.headers.get("Accept") and not wanted.best_match([one.media, PROBLEM]):
        raise NotAcceptable
    given |= _sent(one)
    keys = digests() if one.changes else None
    _spend(one, given.get("body"))
    if _UNSEEN.search(request.get_data()):
        return unusable(BadInput({"body": "not_valid"}))
    try:
        with api_answers.judged():
            body, repeated = once(one, given, *keys) if keys else (_done(one, given), False)
    except BadInput as wrong:
        sent = given.get("body")
        wrong.fields = {path_of(name, sent, wrong.which): w for name, w in wrong.fields.items()}
        return unusable(wrong)
    except LOST as lost:
        offer(lost, given, at_desk=one.act == "book_for_someone")
        raise
    answer = _response(one, body)
    if repeated:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _done(one: Deed, given: Mapping[str, Any]) -> str | bytes:
    """Return what a deed answers that is not to be done only once."""
    who = program()
    anothers = who is not None and who.person_id not in {None, who.id}  # the look is written down
    writes = one.looks or one.method != "GET" or anothers
    with parts().doors.transaction() if writes else parts().doors.reading() as db:
        found = one.work(On(db), **given)
    if isinstance(found, Refusal):
        raise found  # now that what was counted is committed
    return found if isinstance(found, File) else written(found)


def _sent(one: Deed) -> dict[str, Any]:
    """Return what was sent, by the types of the deed.

    Raises:
        BadInput: It is not as the document of the interface says.
    """
    asked = request.args.to_dict(flat=False)
    if repeated := [name for name, values in asked.items() if len(values) > 1]:
        raise BadInput(dict.fromkeys(repeated, "given_twice"))
    query = one.types.get("query", Shape).model_validate_strings
    found = {"query": _read(query, request.args.to_dict())}
    if "body" in one.types:
        if request.mimetype != JSON:
            raise UnsupportedMediaType
        found["body"] = _read(one.types["body"].model_validate_json, request.get_data())
        read_json(request.get_data())  # of a member that is given twice others may read the other
    return {name: value for name, value in found.items() if name in one.types}


def _read(read: Callable[..., Shape], sent: Any) -> Shape:  # noqa: ANN401 - bytes or texts
    try:
        return read(sent)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
    if any(each["type"] == "json_invalid" for each in wrong):
        raise BadRequest
    raise BadInput({
        _where(each["loc"]) or "body": _WRONG.get(each["type"], "not_valid") for each in wrong
    })  # fmt: skip


def _where(path: tuple[int | str, ...]) -> str:
    return ".".join(str(at) for at in path if at != "[key]")  # the key that is wrong is before it


def _spend(one: Deed, body: Any) -> None:  # noqa: ANN401 - a shape, or nothing
    if (who := program()) is not None:
        limit("api", str(who.id))
    elif one.method != "GET":
        limit("api_stranger")
    if one.spends:
        limit(*one.spends(body))


def _response(one: Deed, body: str | bytes) -> Response:
    response = Response(body, one.status, content_type=one.media)
    if not body:
        del response.headers["Content-Type"]
    if one.tagged:
        response.set_etag(tag_of(str(body)))
        response.make_conditional(request)
    if issubclass(one.returns, Page):
        cursor = one.returns.model_validate_json(body).next
        if cursor:
            response.headers["Link"] = link(request.path, request.args.to_dict(), cursor)
    return response
