"""The table of what programs can ask for: one entry a deed, its types say what goes in and out.

    @deed("POST", "/appointments/<uuid:appointment_id>/cancel", (NotFound,), match=appointment)
    def cancel(on: On, appointment_id: UUID) -> Appointment:
        "Give an appointment back."

`body` and `query` among the arguments are what is taken in, what is returned goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from healthcert.errors import Refusal
from healthcert.web.acts import ACTS
from healthcert.web.api.shapes import File

JSON = "application/json"
PREFIX = "/api/v1"
Work = Callable[..., Any]
Spends = Callable[[Any], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a program can ask for."""

    method: str
    path: str
    work: Work
    types: Mapping[str, Any]  # of the arguments, and of what is returned
    refuses: tuple[type[Refusal], ...]  # what the deed itself may refuse with
    status: int  # of the answer, where it is done
    looks: bool  # whether a look at a record is written down
    changes: bool  # whether it is done once for an ``Idempotency-Key``
    match: Work | None  # the deed that shows what is changed, which ``If-Match`` has to name
    spends: Spends | None  # which limit, and for whom, by the body
    then: Callable[[Any], None] | None  # what is done with the answer after the commit, once

    @property
    def name(self) -> str:
        """What it is called: the endpoint, and ``operationId``."""
        return self.work.__name__

    @property
    def act(self) -> str:
        """Which act of the table of roles it is."""
        return ACTS[f"v1.{self.name}"]

    @property
    def returns(self) -> Any:  # noqa: ANN401 - a class of any kind
        """What it answers with where it is not refused."""
        kind = self.types["return"]
        return next(iter(get_args(kind)), kind) if not isinstance(kind, type) else kind

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
    method: str, path: str, refuses: tuple[type[Refusal], ...] = (), *, status: int = 200,
    looks: bool = False, changes: bool | None = None, match: Work | None = None,
    spends: Spends | None = None, then: Callable[[Any], None] | None = None,
) -> Callable[[Work], Work]:  # fmt: skip
    """Return what puts a function among the deeds; a POST changes something unless it says no."""

    def entered(work: Work) -> Work:
        once, types = method == "POST" if changes is None else changes, get_type_hints(work)
        told = Deed(method, path, work, types, refuses, status, looks, once, match, spends, then)
        DEEDS[told.name] = told
        return work

    return entered
