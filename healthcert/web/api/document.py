"""The document of the interface (OpenAPI 3.1), written from the deeds themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from healthcert.errors import (
    BadInput,
    NotAllowed,
    NotFound,
    NotReady,
    NotSignedIn,
    ProveAgain,
    Refusal,
    StillRunning,
    TooMany,
)
from healthcert.policy.roles import FRESH, Role, has
from healthcert.web.api.deeds import DEEDS, JSON, PREFIX, Deed
from healthcert.web.api.shapes import File
from healthcert.web.errors import HTTP_ANSWERS, PROBLEM
from healthcert.web.refusals import answer_to

_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_REF = "#/components/schemas/{model}"


class Problem(BaseModel):
    """What went wrong (RFC 9457); `code` is stable, title and detail are in the reader's words."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["slot_full"])
    title: str
    detail: str
    status: int
    instance: str = Field(description="`urn:uuid:` of the request, as in our log.")
    fields: dict[str, str] | None = Field(None, description="What is wrong, by field.")
    which: int = Field(0, description="Of several wished for, the one that is refused.")


@cache
def document() -> Mapping[str, Any]:
    """Return the whole document."""
    kinds: list[tuple[type[BaseModel], Any]] = [(Problem, "serialization")]
    for one in DEEDS.values():
        kinds += [(one.types[name], "validation") for name in ("body",) if name in one.types]
        if issubclass(one.returns, BaseModel):
            kinds.append((one.returns, "serialization"))
    names, schemas = models_json_schema(list(dict.fromkeys(kinds)), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in DEEDS.values():
        path = PREFIX + _PART.sub(r"{\2}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "healthcert",
            "version": "1",
            "description": "Vaccination booking, the clinic's day, and certificates.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Deed, names: Mapping[Any, Any]) -> dict[str, Any]:
    first, _blank, rest = (one.work.__doc__ or "").partition("\n\n")
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
    for kind, name in _PART.findall(one.path):
        schema = {"type": "string", **({"format": "uuid"} if kind == "uuid" else {})}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if "query" in one.types:
        told = one.types["query"].model_json_schema()
        for name, schema in told["properties"].items():
            yield {"name": name, "in": "query", "required": False, "schema": schema}
    if has(Role.CITIZEN, one.act) and not has(None, one.act):
        whom = {"type": "string", "format": "uuid"}
        yield {"name": "Acting-For", "in": "header", "required": False, "schema": whom}
    if one.changes:
        size = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]*$"}
        yield {"name": "Idempotency-Key", "in": "header", "required": True, "schema": size}
    if one.match:
        tag = {"type": "string", "examples": ['"0f1e2d3c4b5a69788796a5b4c3d2e1f0"']}
        yield {"name": "If-Match", "in": "header", "required": True, "schema": tag}


def _responses(one: Deed, names: Mapping[Any, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    done: dict[str, Any] = {"description": "Done."}
    if issubclass(one.returns, File):
        done["content"] = {one.media.partition(";")[0]: {"schema": {"type": "string"}}}
    elif issubclass(one.returns, BaseModel):
        done["content"] = {JSON: {"schema": names[one.returns, "serialization"]}}
    if one.tagged:
        done["headers"] = {"ETag": {"schema": {"type": "string"}}}
        yield "304", {"description": "It is as the `ETag` in `If-None-Match` says."}
    yield str(one.status), done
    problem = {PROBLEM: {"schema": names[Problem, "serialization"]}}
    for status, codes in sorted(_refusals(one).items()):
        said = ", ".join(f"`{code}`" for code in codes)
        yield str(status), {"description": said, "content": problem}


def _refusals(one: Deed) -> dict[int, list[str]]:
    """Return the codes that a deed may be refused with, by status."""
    where: list[tuple[object, tuple[type[Refusal], ...]]] = [
        (True, (*one.refuses, NotSignedIn, NotAllowed, NotFound, TooMany, NotReady, BadInput)),
        (one.act in FRESH, (ProveAgain,)),
        (one.changes, (StillRunning,)),
    ]
    kinds = (kind for holds, listed in where if holds for kind in listed)
    told = [(answer_to(kind).status, kind.code) for kind in kinds]
    statuses = [400, 406, 500, *((413, 415) if "body" in one.types else ())]
    statuses += [412, 428] if one.match else []
    found: dict[int, list[str]] = {422: ["unusable"]}
    for status, code in [*told, *((HTTPStatus(s), HTTP_ANSWERS[s][0]) for s in statuses)]:
        if code not in found.setdefault(status.value, []):
            found[status.value].append(code)
    return found
