"""What a programme asks of who joins the waiting list, and why somebody may not join it."""

from typing import Any
from uuid import UUID

from flask import render_template, request

from healthcert.errors import NotEligible
from healthcert.policy.eligibility import TOLD
from healthcert.services import booking, eligibility, people
from healthcert.services.people import Details
from healthcert.web.answers import recalled
from healthcert.web.family import actor, whose
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.priority import (
    Answered,
    First,
    asked_by,
    asks_of,
    form_of,
    still_asked,
    told_last,
)
from healthcert.web.refusals import answer_to


def asked_after(
    programme: str, own: UUID | None = None, *, of_others: bool = False
) -> tuple[Answered, str]:
    """Return what was answered after a form that named the programme, or the page that asks.

    It is asked on a page by itself, with which the form goes along, and as somebody told of their
    `own` last.
    """
    with parts().doors.reading() as db:
        asked = asked_by(db, programme)
        known = told_last(db, own, programme) if asked and own else {}
    is_sent = "first" in request.form
    form = form_of(asked, request.form if is_sent else recalled(known), of_others=of_others)
    if is_sent or not asked:
        return still_asked(asked, form.told), ""
    return {}, _page(form, of_others=of_others)


def refused(
    refusal: NotEligible, programme: str, told: eligibility.Told | None,
    details: Details | None = None,
) -> tuple[str, int]:  # fmt: skip
    """Keep why somebody may not wait, of the open record or by their `details`, and show it."""
    of: Any = {"vault": parts().vault, "programme_id": UUID(programme), "day": now().date()}

    def keep(db: Any) -> bool:  # noqa: ANN401 - views know no SQL
        if details is not None:
            return booking.keep_refusal(db, details=details, told=told, now=now(), **of)
        person = people.locked(db, whose(db, "book"))
        eligibility.decide(db, person=person, actor=actor(), told=told, now=now(), **of)
        return True

    is_kept = parts().doors.run(keep)
    of_others = details is None and visitor().id != visitor().person_id
    with parts().doors.reading() as db:
        form = form_of(asked_by(db, programme), request.form, of_others=of_others)
    answer, asks = answer_to(type(refusal)), asks_of(programme, form.told)
    page = _page(form, of_others=of_others, answer=answer, asks=asks, is_kept=is_kept)
    return page, answer.status


def _page(form: First, *, of_others: bool, **more: object) -> str:
    before = request.form.copy()
    for name in ("csrf_token", "first", *TOLD):
        before.poplist(name)
    return render_template(
        "waiting/first.html", form=form, before=before, of_others=of_others, **more
    )
