"""What each refusal is over HTTP: status, what happened, what to do; `data/refusals.toml`."""

from dataclasses import dataclass
from http import HTTPStatus

from healthcert import errors
from healthcert.data import table
from healthcert.i18n import Lazy


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
