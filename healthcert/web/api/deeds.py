"""The table of what programs can ask for: one entry a deed, its types say what goes in and out.

    post("/offers/<uuid:offer_id>/accept", offers.accept, whose="book")

    @deed("GET", "/appointments/<uuid:appointment_id>", gives=Appointment)
    def appointment(on: On, appointment_id: UUID) -> Any:
        "Show an appointment."

What a service is told by `On` is not asked for; its other arguments are sent, by their types; what
it refuses with is read under ``Raises`` in what is written about it.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, get_type_hints

from pydantic import create_model

from healthcert import errors
from healthcert.errors import Refusal
from healthcert.web import family
from healthcert.web.acts import ACTS
from healthcert.web.api.asker import On, given_at
from healthcert.web.api.lists import Paging, Rows
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
    tries: bool = False  # whether the same key tries `then` again; else a worker makes up for it
    alone: Callable[[], AbstractContextManager[None]] = nullcontext  # holds files until it is done

    @property
    def act(self) -> str:
        """Which act of the table of roles it is."""
        return ACTS[f"v1.{self.name}"]

    @property
    def returns(self) -> Any:  # noqa: ANN401 - a class of any kind
        """What it answers with where it is not refused."""
        return self.types["return"]

    @property
    def media(self) -> str:
        """The media type of what it answers."""
        return self.returns.media if issubclass(self.returns, File) else JSON

    @property
    def tagged(self) -> bool:
        """Whether the answer carries an ``ETag``."""
        return self.method == "GET" and self.media == JSON


DEEDS: dict[str, Deed] = {}
_OF_A_LIST = {"part", "limit"}
_INNER = re.compile(r"\n*^(?:Args|Raises):\n.*| \(`[\w.]+`\)", re.MULTILINE | re.DOTALL)
_RAISES = re.compile(r"^    ([\w, ]+):", re.MULTILINE)


def deed(
    method: str, path: str, refuses: Refusals = (), *, name: str = "", gives: type | None = None,
    types: Mapping[str, Any] | None = None, **more: Any,  # noqa: ANN401 - of a `Deed`
) -> Callable[[Work], Work]:  # fmt: skip
    """Return what puts a function among the deeds; a POST changes something unless it says no.

    `gives` is the shape of what it answers, where that is made of others' types.
    """

    def entered(work: Work) -> Work:
        told = {"changes": method == "POST"} | more
        found, called = types or get_type_hints(work), name or work.__name__
        found = {**found, "return": gives or found["return"]}
        DEEDS[called] = Deed(method, path, work, found, (*refuses, *raised(work)), called, **told)
        return work

    return entered


def serve(
    method: str, path: str, service: Work, *, name: str = "", whose: str = "",
    body: Mapping[str, Any] | None = None, fixed: Mapping[str, Any] | None = None,
    answer: type[Shape | File] | Rows | None = None, read: Callable[[Any], Any] | str = "",
    about: str = "", **more: Any,  # noqa: ANN401 - of a `Deed`
) -> Work:  # fmt: skip
    """Put a service among the deeds; return what does it.

    Args:
        method: As `deed` has it, like what is in `more`.
        name: What the deed is called; like the service, where none is given.
        path: What it names goes to the service, or says whose record is meant.
        service: Takes the transaction first and all else by name; a `part`, where it is long.
        whose: In which scope somebody may do it for a citizen; in none at all for themselves.
        body: Narrower types of what is asked for; and what is, though `On` could tell it.
        fixed: What is not asked for: values, or what gives them for an `On`.
        answer: What is read off what the service returns; else the identifier of a row, or nothing.
        read: What the answer is read off, of what the service returns; or a name to put it under.
        about: What it does, where what is written about the service tells of more, or of less.
        more: See `Deed`.
    """
    hints, fixed, called = get_type_hints(service), fixed or {}, name or service.__name__
    first, *wanted = inspect.signature(service).parameters.values()
    names, narrower = {each.name for each in wanted}, body or {}
    known = given_at(path, whose) - narrower.keys()
    asked: dict[str, Any] = {
        each.name: (
            narrower.get(each.name) or sent_as(hints[each.name]),
            ... if each.default is each.empty else each.default,
        )
        for each in wanted
        if each.name not in {*fixed, *known, *_OF_A_LIST}
    }
    given = names - asked.keys() - fixed.keys() - _OF_A_LIST
    rows = answer if isinstance(answer, Rows) else None
    base, kind = (Paging, "query") if rows else (Shape, "body")
    shape = create_model(called.title().replace("_", ""), __base__=base, **asked)
    gives = answer or (Made if hasattr(hints["return"], "id") else None)

    def work(on: On, body: Any = None, query: Any = None, **address: Any) -> Any:  # noqa: ANN401
        sent = {each: taken(getattr(query if rows else body, each)) for each in asked}
        sent |= {each: told(on) if callable(told) else told for each, told in fixed.items()}
        sent |= {"part": rows.part(query)} if rows and "part" in names else {}
        begun = on.db if first.name == "db" else family.deed(on.db)
        found = service(begun, **on.told(given, address, whose), **sent)
        if read:
            found = {read: found} if isinstance(read, str) else read(found)
        return _told(found, gives, query)

    work.__doc__ = about or _INNER.sub("", inspect.getdoc(service) or "")
    types: dict[str, Any] = {kind: shape} if asked or rows else {}
    types |= {"return": rows.paged if rows else gives or type(None)}
    more = {"status": 200 if gives else 204, "refuses": raised(service)} | more
    return deed(method, path, name=called, types=types, **more)(work)


get, post = partial(serve, "GET"), partial(serve, "POST")


def raised(work: Work) -> Refusals:
    """Return what is refused with, as its documentation says."""
    _about, _heading, told = (inspect.getdoc(work) or "").partition("Raises:\n")
    named = (name for line in _RAISES.findall(told) for name in line.split(", "))
    kinds = (getattr(errors, name, None) for name in named)
    return tuple(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Refusal))


def _told(found: Any, gives: Any, query: Any) -> Any:  # noqa: ANN401
    if isinstance(found, Refusal):
        return found
    if gives is None:
        return None
    if isinstance(gives, Rows):
        return gives.page(found, query)
    return gives(found) if issubclass(gives, File) else gives.model_validate(found)
