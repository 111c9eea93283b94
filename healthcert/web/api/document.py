"""The document of the interface (OpenAPI 3.1), written from the deeds themselves."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from healthcert import errors
from healthcert.policy.roles import FRESH, Role, has
from healthcert.web.api import checks
from healthcert.web.api.anybody import FreeSlot
from healthcert.web.api.deeds import DEEDS, JSON, PREFIX, Deed
from healthcert.web.api.lists import Page
from healthcert.web.api.shapes import File, Moment, Words, many
from healthcert.web.errors import HTTP_ANSWERS, PROBLEM
from healthcert.web.refusals import answer_to
from healthcert.web.room import is_gated

_PART = re.compile(r"<uuid:(\w+)>")
_TEXT = {"schema": {"type": "string"}}
_UUID = {"type": "string", "format": "uuid"}
_ALWAYS = (
    errors.NotSignedIn, errors.NotAllowed, errors.NotFound, errors.TooMany, errors.NotReady,
    errors.BadInput,
)  # fmt: skip
_TOO_MANY = answer_to(errors.TooMany).status.value
_REF = "#/components/schemas/{model}"


class Problem(BaseModel):
    """What went wrong (RFC 9457); `code` is stable, title and detail are in the reader's words."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["slot_full"])
    title: str
    detail: str
    status: int
    instance: str = Field(description="`urn:uuid:` of the request, as in our log.")
    type: str = Field(description="Where the codes are explained to people.")
    fields: dict[str, str] | None = Field(
        None, description="What is wrong, by where it stands: `wishes.1.slot_id`."
    )
    rows: many(dict[str, int | str]) = Field([], examples=[[{"line": 2, "field": "", "code": ""}]])  # type: ignore[valid-type]
    which: int = Field(0, description="Of several wished for, the one that is refused.")
    until: Moment | None = Field(None, description="When it may be tried again.")
    opens_on: date | None = Field(None, description="From which day it is open to the person.")
    group: Words | None = Field(None, description="As one of which group, by language.")
    dose_id: UUID | None = Field(None, description="Which dose is on record already.")
    states: dict[str, int] = Field({}, description="How many hold it up, by their state.")
    left: int | None = Field(None, description="How many doses there are.")
    instead: many(FreeSlot) = Field([], description="Other times, the nearest first.")  # type: ignore[valid-type]


_ABOUT = """Vaccination booking, the clinic's day, and certificates.

Staff make a token on their page "My sign-in"; citizens get one at `/sign-in`, for the code that
`/sign-in/code` sends. `Acting-For` names whom one acts for. Every change has an `Idempotency-Key`
of its own, such as a UUID: the same request with it gets the first answer for a day, and nothing
is done twice. `If-Match` is the `ETag` of what is to be changed. Lists go on with `next` as
`cursor`, until it is null. `docs/api.md` has examples."""


@cache
def document() -> Mapping[str, Any]:
    """Return the whole document."""
    deeds = DEEDS.values()
    kinds: dict[Any, None] = dict.fromkeys(
        (one.types["body"], "validation") for one in deeds if "body" in one.types
    )
    kinds |= dict.fromkeys(
        (kind, "serialization")
        for kind in (Problem, *(one.returns for one in deeds))
        if issubclass(kind, BaseModel)
    )
    kinds |= dict.fromkeys(checks.SHAPES)
    names, schemas = models_json_schema([*kinds], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in deeds:
        path = PREFIX + _PART.sub(r"{\1}", one.path)
        paths[path][one.method.lower()] = _operation(one, names)
    paths |= checks.paths(names, names[Problem, "serialization"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "healthcert", "version": "1", "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def _operation(one: Deed, names: Mapping[Any, Any]) -> dict[str, Any]:
    first, _blank, rest = (one.work.__doc__ or "").partition("\n\n")
    rest += "\n\nIts token is at most five minutes old." if one.act in FRESH else ""
    roles = ["anybody"] if has(None, one.act) else [role for role in Role if has(role, one.act)]
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.path.split("/")[1]],
        "summary": first.strip(),
        "description": rest.strip(),
        "x-act": one.act,
        "x-roles": roles,
        "parameters": list(_parameters(one)),
        "responses": dict(_responses(one, names)),
        "security": [{"token": []}, *([{}] if has(None, one.act) else [])],
    }
    if "body" in one.types:
        schema = names[one.types["body"], "validation"]
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return told


def _parameters(one: Deed) -> Iterator[dict[str, Any]]:
    for name in _PART.findall(one.path):
        yield {"name": name, "in": "path", "required": True, "schema": _UUID}
    if "query" in one.types:
        for name, schema in one.types["query"].model_json_schema()["properties"].items():
            yield {"name": name, "in": "query", "required": False, "schema": schema}
    if has(Role.CITIZEN, one.act) and not has(None, one.act):
        yield {"name": "Acting-For", "in": "header", "required": False, "schema": _UUID}
    if one.changes:
        size = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]*$"}
        yield {"name": "Idempotency-Key", "in": "header", "required": True, "schema": size}
    if is_gated(f"v1.{one.name}"):
        yield {"name": "Ticket", "in": "header", "required": False, "schema": {"type": "string"}}
    if one.match:
        tag = {"type": "string", "examples": ['"0f1e2d3c4b5a69788796a5b4c3d2e1f0"']}
        yield {"name": "If-Match", "in": "header", "required": True, "schema": tag}


def _responses(one: Deed, names: Mapping[Any, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    done: dict[str, Any] = {"description": "Done."}
    if issubclass(one.returns, File):
        told = {"schema": {"type": "string"}} if one.media.startswith("text/") else {}
        done["content"] = {one.media.partition(";")[0]: told}
    elif issubclass(one.returns, BaseModel):
        done["content"] = {JSON: {"schema": names[one.returns, "serialization"]}}
    more = {
        "ETag": one.tagged, "Link": issubclass(one.returns, Page),
        "Idempotency-Replayed": one.changes,
    }  # fmt: skip
    done["headers"] = {name: _TEXT for name, is_sent in more.items() if is_sent}
    if one.tagged:
        yield "304", {"description": "It is as the `ETag` in `If-None-Match` says."}
    yield str(one.status), done
    problem = {PROBLEM: {"schema": names[Problem, "serialization"]}}
    for status, codes in sorted(_refusals(one).items()):
        said = ", ".join(f"`{code}`" for code in codes)
        waits = {"headers": {"Retry-After": _TEXT}} if status == _TOO_MANY else {}
        yield str(status), {"description": said, "content": problem, **waits}


def _refusals(one: Deed) -> dict[int, dict[str, None]]:
    """Return the codes that a deed may be refused with, by status, each once and in order."""
    kinds: list[type[errors.Refusal]] = [*one.refuses, *_ALWAYS]
    kinds += [errors.ProveAgain] if one.act in FRESH else []
    kinds += [errors.StillRunning, errors.WrongState] if one.changes else []
    kinds += [errors.MustWait] if is_gated(f"v1.{one.name}") else []
    kinds += [errors.TooManyLooks] if one.path.startswith("/clinic/") else []
    statuses = [400, 406, 500, *((411, 413, 415) if "body" in one.types else ())]
    statuses += [412, 428] if one.match else []
    found: dict[int, dict[str, None]] = defaultdict(dict, {422: {"unusable": None}})
    for kind in kinds:
        found[answer_to(kind).status.value][kind.code] = None
    for status in statuses:
        found[status][HTTP_ANSWERS[status][0]] = None
    return found
