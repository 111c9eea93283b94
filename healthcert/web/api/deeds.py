"""The table of what programs can ask for: one entry a deed, its types say what goes in and out.

    serve("POST", "/offers/<uuid:offer_id>/accept", offers.accept, (NotFound,), whose="book")

    @deed("GET", "/certificates/<uuid:certificate_id>", (NotFound,))
    def certificate(on: On, certificate_id: UUID) -> Text:
        "Give the text of a certificate."

What a service is told by `On` is not asked for; its other arguments are the body, by their types.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import create_model

from healthcert.errors import Refusal
from healthcert.web.acts import ACTS
from healthcert.web.api.asker import On, given_at
from healthcert.web.api.shapes import File, Made, Shape, sent_as, taken

JSON = "application/json"
PREFIX = "/api/v1"
Work = Callable[..., Any]
Refusals = tuple[type[Refusal], ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a program can ask for."""

    method: str
    path: str
    work: Work
    types: Mapping[str, Any]  # of the arguments, and of what is returned
    refuses: Refusals  # what the deed itself may refuse with
    name: str  # the endpoint, and ``operationId``
    status: int = 200  # of the answer, where it is done
    looks: bool = False  # whether a look at a record is written down
    changes: bool = False  # whether it is done once for an ``Idempotency-Key``
    match: Work | None = None  # what shows the state that ``If-Match`` has to name
    spends: Callable[[Any], tuple[str, str]] | None = None  # which limit, for whom, by the body
    then: Callable[[Any], None] | None = None  # done with the answer after the commit, once

    @property
    def act(self) -> str:
        """Which act of the table of roles it is."""
        return ACTS[f"v1.{self.name}"]

    @property
    def returns(self) -> Any:  # noqa: ANN401 - a class of any kind
        """What it answers with where it is not refused."""
        kind = self.types["return"]
        return kind if isinstance(kind, type) else next(iter(get_args(kind)), kind)

    @property
    def media(self) -> str:
        """The media type of what it answers."""
        return self.returns.media if issubclass(self.returns, File) else JSON

    @property
    def tagged(self) -> bool:
        """Whether the answer carries an ``ETag``."""
        return self.method == "GET" and self.media == JSON


DEEDS: dict[str, Deed] = {}


def deed(
    method: str, path: str, refuses: Refusals = (), *, name: str = "",
    types: Mapping[str, Any] | None = None, **more: Any,  # noqa: ANN401 - of a `Deed`
) -> Callable[[Work], Work]:  # fmt: skip
    """Return what puts a function among the deeds; a POST changes something unless it says no."""

    def entered(work: Work) -> Work:
        told = {"changes": method == "POST"} | more
        found, called = types or get_type_hints(work), name or work.__name__
        DEEDS[called] = Deed(method, path, work, found, refuses, called, **told)
        return work

    return entered


def serve(
    method: str, path: str, service: Work, refuses: Refusals = (), *, name: str = "",
    whose: str = "", body: Mapping[str, Any] | None = None, fixed: Mapping[str, Any] | None = None,
    answer: type[Shape] | None = None, **more: Any,  # noqa: ANN401 - of a `Deed`
) -> None:  # fmt: skip
    """Put a service among the deeds.

    Args:
        method: As `deed` has it, like `path`, `refuses`, `name` and what is in `more`.
        path: What it names goes to the service, or says whose record is meant.
        service: Takes the transaction first and all else by name.
        refuses: Its refusals.
        name: What the deed is called; like the service, where none is given.
        whose: In which scope somebody may do it for a citizen.
        body: Narrower types of what is asked for.
        fixed: What is not asked for.
        answer: What is read off what the service returns; else the identifier of a row, or nothing.
        more: See `Deed`.
    """
    hints, fixed, body = get_type_hints(service), fixed or {}, body or {}
    wanted = list(inspect.signature(service).parameters.values())[1:]
    known = {*fixed, *given_at(path, whose)}
    asked: dict[str, Any] = {
        each.name: (
            body.get(each.name) or sent_as(hints[each.name]),
            ... if each.default is each.empty else each.default,
        )
        for each in wanted
        if each.name not in known
    }
    given = {each.name for each in wanted} - asked.keys() - fixed.keys()
    called = name or service.__name__
    shape = create_model(called.title().replace("_", ""), __base__=Shape, **asked)
    gives = answer or (Made if hasattr(hints["return"], "id") else None)

    def work(on: On, body: Any = None, **address: Any) -> Any:  # noqa: ANN401
        sent = {each: taken(getattr(body, each)) for each in asked}
        found = service(on.db, **on.told(given, address, whose), **sent, **fixed)
        return gives and gives.model_validate(found)

    work.__doc__ = (service.__doc__ or "").partition("\n\n")[0]
    types = ({"body": shape} if asked else {}) | {"return": gives or type(None)}
    more = {"status": 200 if gives else 204} | more
    deed(method, path, refuses, name=called, types=types, **more)(work)
