"""What each refusal is over HTTP: status, what happened, what to do; `data/refusals.toml`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import g, request
from werkzeug.datastructures import MultiDict

from healthcert import errors
from healthcert.data import labels, table
from healthcert.i18n import Lazy
from healthcert.web.answers import OTHER, WRONG, words

_FIELDS = labels("fields")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a refusal is over HTTP: its status, what happened, and what the reader can do."""

    status: HTTPStatus
    title: Lazy
    advice: Lazy


_ANSWERS = {
    code: Answer(HTTPStatus(told["status"]), Lazy(told["title"]), Lazy(told["advice"]))
    for code, told in table("refusals").items()
}
TRY_LATER = _ANSWERS[errors.NotReady.code].advice


def answer_to(kind: type[errors.Refusal]) -> Answer:
    """Return the answer to a kind of refusal: its own, or its nearest parent's."""
    codes = (getattr(parent, "code", "") for parent in kind.__mro__)
    return next(_ANSWERS[code] for code in codes if code in _ANSWERS)


def complaints(wrong: Mapping[str, str]) -> dict[str, str]:
    """Return in words what is wrong, by field; of one that no page draws, without its name."""
    return {
        name: words(code, _FIELDS[name]) if name in _FIELDS else str(WRONG.get(code, OTHER))
        for name, code in wrong.items()
    }


class Sent(NamedTuple):
    """What was typed into a form that was refused just now, and what is wrong with it by field."""

    typed: MultiDict[str, Any]
    wrong: Mapping[str, str]


def sent(action: str) -> Sent | None:
    """Return what was refused of the form with this address; None where nothing was."""
    if "wrong" not in g or request.path != action:
        return None
    return Sent(request.values, complaints(g.wrong))


def shown_again(page: Callable[[], str]) -> Callable[[errors.BadInput], tuple[str, int]]:
    """Return what answers bad input with a page whose forms show what `sent` tells of them."""

    def show(refusal: errors.BadInput) -> tuple[str, int]:
        g.wrong = refusal.fields
        return page(), HTTPStatus.BAD_REQUEST

    return show
