"""What each refusal is over HTTP: status, what happened, what to do; `data/refusals.toml`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, g, request

from healthcert import errors
from healthcert.data import labels, table
from healthcert.i18n import Lazy
from healthcert.web.answers import OTHER, WRONG, words

_Page = Callable[[], str]
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


def sent(action: str) -> Mapping[str, str]:
    """Return what is wrong, in words by field, with the form of this address that came just now."""
    return complaints(g.get("wrong", {})) if request.path == action else {}


def shown_again(bp: Blueprint) -> Callable[[_Page], _Page]:
    """Let a page answer bad input at its door: it shows what was typed, and what `sent` tells."""

    def mark(page: _Page) -> _Page:
        def show(refusal: errors.BadInput) -> tuple[str, int]:
            g.wrong = refusal.fields
            return page(), HTTPStatus.BAD_REQUEST

        bp.register_error_handler(errors.BadInput, show)
        return page

    return mark
