"""What the document tells of the checks, which ask no database and so are no deeds: `verify`."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from healthcert.policy.verdict import VERDICTS
from healthcert.web.api.deeds import JSON, PREFIX
from healthcert.web.api.shapes import Country, Moment, Words
from healthcert.web.api.verify import NDJSON
from healthcert.web.api.words import word
from healthcert.web.errors import HTTP_ANSWERS, PROBLEM


class Question(BaseModel):
    """What a code says; `at` is another moment to judge at, `minimal` tells not of whom it is."""

    barcode: str = Field(examples=["HC1:…"])
    country: Country | None = Field(None, description="Of arrival; none leaves its rules out.")
    at: Moment | None = None
    detail: word(("full", "minimal")) | None = "full"  # type: ignore[valid-type]


class Verdict(BaseModel):
    """What a certificate is worth, and why; nothing of it is stored."""

    verdict: word(VERDICTS)  # type: ignore[valid-type]
    reasons: list[dict[str, str]] = Field(examples=[[{"code": "expired", "message": "…"}]])
    holder: Words | None
    certificate: dict[str, Any] | None = Field(description="As it was signed (EU DCC).")
    issuer: dict[str, Any] | None
    rules: list[dict[str, str | None]]
    bundle: dict[str, Any] | None = Field(description="By what is trusted it was judged.")


SHAPES = ((Question, "validation"), (Verdict, "serialization"))
_CHECKS = (
    ("verify", "", JSON, "Check a certificate."),
    ("verify_batch", "/batch", NDJSON, "Check one a line; what is none is told so."),
)


def paths(names: Mapping[Any, Any], problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checks by address; each line of many is a question, and a verdict."""
    return {
        f"{PREFIX}/verify{more}": {"post": _check(name, media, told, names, problem)}
        for name, more, media, told in _CHECKS
    }


def _check(
    name: str, media: str, told: str, names: Mapping[Any, Any], problem: Mapping[str, Any]
) -> dict[str, Any]:
    question, verdict = ({"content": {media: {"schema": names[kind]}}} for kind in SHAPES)
    refused = {
        str(status): {
            "description": f"`{HTTP_ANSWERS[status][0]}`{more}",
            "content": {PROBLEM: {"schema": problem}},
        }
        for status, more in ((400, ", `bad_input`"), (413, ""), (415, ""), (500, ""))
    }
    return {
        "operationId": name,
        "tags": ["verify"],
        "summary": told,
        "x-act": "verify_certificate",
        "x-roles": ["anybody"],
        "requestBody": {"required": True, **question},
        "responses": {"200": {"description": "Done.", **verdict}, **refused},
        "security": [{}],
    }
