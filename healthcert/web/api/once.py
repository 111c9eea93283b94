"""A change is made once for its key, and only to what its asker has seen."""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import request
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from healthcert.errors import BadInput, NotAllowed, Refusal
from healthcert.services import api_answers
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import Deed
from healthcert.web.guards import program
from healthcert.web.here import parts
from healthcert.web.moment import now

KEY = "Idempotency-Key"
_SIZES = range(1, 256)


def once(one: Deed, given: Mapping[str, Any], key: bytes, asked: bytes) -> tuple[str, bool]:
    """Return what is answered, and whether it is what the key got before.

    `key` and `asked` are the `digests` of the request.

    Raises:
        NotAllowed: The token is for reading.
        PreconditionFailed, PreconditionRequired: What is to be changed was not named as it stands.
        BadInput, StillRunning: See `api_answers.before`.
    """
    told: Any = {"vault": parts().vault, "key": key, "asked": asked, "now": now()}
    _refuse_unfit(one)
    address = {name: value for name, value in given.items() if name not in {"body", "query"}}

    def work(db: Any) -> tuple[Any, str, bool]:  # noqa: ANN401 - views know no SQL
        before = api_answers.before(db, **told)
        if before is not None:
            return None, before["body"], True
        _refuse_changed(one, db, address)
        found = one.work(On(db), **given)
        if isinstance(found, Refusal):
            return found, "", False  # what was counted is committed, and the key stays free
        body = written(found)
        if not one.tries:
            api_answers.keep(db, answer={"body": body}, **told)
        return found, body, False

    with one.alone():
        found, body, repeated = parts().doors.run(work)
        if isinstance(found, Refusal):
            raise found
        if one.then and not repeated:
            one.then(found)
        if one.tries and not repeated:  # what failed there was no answer
            parts().doors.run(partial(api_answers.keep, answer={"body": body}, **told))
    return body, repeated


def written(found: Any) -> str:  # noqa: ANN401 - a shape, or nothing
    """Return an answer as JSON, or as nothing."""
    return "" if found is None else str(found.model_dump_json())


def tag_of(body: str) -> str:
    """Return what names the state of a thing as it was shown."""
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def digests() -> tuple[bytes, bytes]:
    """Return the digests of who asks with which key, and of the whole request.

    Raises:
        BadInput: There is no key.
    """
    who = program()
    key = request.headers.get(KEY, "")
    if len(key) not in _SIZES or not key.isprintable():
        raise BadInput({KEY: "not_valid" if key else "missing"})
    told = [request.headers.get(name, "") for name in ("Acting-For", "If-Match")]
    asked = json.dumps([request.method, request.full_path, *told]).encode() + request.get_data()
    whose = json.dumps([str(who.id) if who else "", key]).encode()
    return hashlib.sha256(whose).digest(), hashlib.sha256(asked).digest()


def _refuse_unfit(one: Deed) -> None:
    who = program()
    if who is not None and who.reads_only:
        raise NotAllowed
    if one.match and not request.if_match:
        raise PreconditionRequired


def _refuse_changed(one: Deed, db: Any, address: Mapping[str, Any]) -> None:  # noqa: ANN401
    if one.match and tag_of(written(one.match(On(db), **address))) not in request.if_match:
        raise PreconditionFailed
