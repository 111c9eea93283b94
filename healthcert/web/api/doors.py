"""The addresses of the interface, its document, and the page that explains it to people."""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, render_template

from healthcert.errors import Refusal
from healthcert.web.api import (
    anybody,
    calls,
    citizen,
    clinic,
    contested,
    counter,
    desk,
    holidays,
    opening,
    parties,
    programmes,
    sites,
    stock,
    supply,
)
from healthcert.web.api.deeds import PREFIX
from healthcert.web.api.document import document
from healthcert.web.api.frame import register
from healthcert.web.errors import HTTP_ANSWERS
from healthcert.web.refusals import answer_to

AUDIENCES = (
    anybody,
    programmes,
    parties,
    citizen,
    clinic,
    counter,
    desk,
    sites,
    stock,
    supply,
    contested,
    calls,
    holidays,
    opening,
)  # fmt: skip - entered by importing

bp = Blueprint("v1", __name__, url_prefix=PREFIX)
register(bp)
about = Blueprint("about_api", __name__, url_prefix="/api")


@about.get("/openapi.json")
def openapi() -> Response:
    """Give the document."""
    return jsonify(document())


@about.get("/")
def page() -> str:
    """Show what programs can ask for, and what each code of a problem is."""
    problems = {code: told for code, told in HTTP_ANSWERS.values()}  # noqa: C416 - reads as it is
    problems |= {kind.code: answer_to(kind) for kind in _refusals(Refusal)}
    return render_template("public/api.html", told=document(), problems=problems)


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _refusals(below)
