"""Who is to be vaccinated: one person after the other, one question a page, kept as a draft.

The draft lies in the session on the server; the desk's is apart from a citizen's, so that a
clerk who helps somebody mixes nothing up. Who is on record is named there and not typed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request, session, url_for
from werkzeug import Response

from healthcert.errors import NotFound
from healthcert.i18n import gettext
from healthcert.i18n import lazy as _
from healthcert.models import Person
from healthcert.policy.roles import Role
from healthcert.services import booking, enrolment, proxies
from healthcert.web import family
from healthcert.web.about import About, about, accepted, details_in
from healthcert.web.answers import Answers, Radios, options, recalled
from healthcert.web.guards import Visitor
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk, both
from healthcert.web.staff import who as signed_in
from healthcert.web.times import asked, chosen

STEPS: Mapping[str, tuple[str, ...]] = {
    "name": ("family", "given", "family_latin", "given_latin"),
    "birth": ("birth_date", "sex"),
    "document": ("identity_kind", "identity_value"),
    "contact": ("phone", "mail", "language"),
}
_NEW = "new"
Entry = dict[str, Any]  # ``id``, ``name``, ``birth`` of who is on record; ``typed``, ``done`` else


class Which(Answers):
    """Somebody who is on record, or somebody else."""

    person = Radios(_("Who is to be vaccinated?"))


def draft() -> dict[str, Any]:
    """Return what was told so far at this door."""
    return dict(session.get(_key(), {}))


def keep(**changes: Any) -> None:  # noqa: ANN401 - what JSON can hold
    """Keep changes of the draft."""
    session[_key()] = draft() | changes


def forget() -> None:
    """Drop the draft: it is booked."""
    session.pop(_key(), None)


def told() -> list[Entry]:
    """Return the people of the draft in their order, one for each place that was chosen."""
    held, count = draft().get("people", []), len(chosen("slot"))
    return [*held, *({} for _each in range(count))][:count]


def missing() -> int:
    """Return the number of the first person who is not told whole; 0 where all are."""
    whole = ("id" in one or len(one.get("done", ())) == len(STEPS) for one in told())
    return next((number for number, is_whole in enumerate(whole, 1) if not is_whole), 0)


def onward() -> Response:
    """Lead on to whatever is not told yet, or to the check of the answers."""
    number = missing()
    there = url_for(".who", number=number, **asked()) if number else url_for(".check", **asked())
    return redirect(there, code=303)


def citizen() -> Visitor | None:
    """Return the citizen who books, or who acts for one; None for a stranger and at the desk."""
    found = None if at_desk() or session.keys().isdisjoint({"person", "staff"}) else signed_in()
    if found is None or found.role is not Role.CITIZEN:
        return None
    g.visitor = found  # this door is open to strangers: nobody has looked yet who asks
    return found


def person_of(db: Any, one: Entry) -> Person:  # noqa: ANN401 - views know no SQL
    """Return somebody of the draft, written down where they are new.

    Raises:
        NotFound: Somebody on record, for whom one may not book or no longer.
        AlreadyBooked: What was told contradicts what is on record.
    """
    if "typed" in one:
        return enrolment.enrol(db, vault=parts().vault, details=details_of(one), now=now())
    person_id = UUID(one["id"])
    if not at_desk():
        if citizen() is None:  # signed out meanwhile
            raise NotFound
        proxies.admit(db, actor=family.actor(), person_id=person_id, scope="book", now=now())
    found: Person = db.get_one(Person, person_id)
    return found


def details_of(one: Entry) -> Any:  # noqa: ANN401
    """Return what was typed of somebody who is not known to be on record."""
    return details_in(about(recalled(one["typed"])))


@both("/who", "GET", "POST")
def who() -> Page:
    """Ask who the next person is, among those on record whom one may book for."""
    number, known = _number(), _known()
    if at_desk() and known is None:
        return redirect(url_for(".find", number=number, **asked()), code=303)
    if not known and not at_desk():
        return _to_details(number)
    known = known or {}
    own, sent = citizen(), request.method == "POST"
    at_hand = told()[number - 1].get("id") or (own and str(own.person_id))
    form = Which(request.form if sent else None, person=at_hand)
    other = _("Somebody who is not on record") if at_desk() else _("Somebody else")
    names = {key: " · ".join(filter(None, each)) for key, each in known.items()}
    form.person.choices = options(names | {_NEW: other})
    if not (sent and form.validate()):
        return _page("who", form, number), 400 if sent else 200
    if form.person.data != _NEW:
        name, born = known[form.person.data]
        _put(number, {"id": form.person.data, "name": name, "birth": born})
        return onward()
    _put(number, {"typed": _shared(), "done": []})
    return _to_details(number)


@both("/details", "GET", "POST")
def details() -> Page:
    """Ask one thing about a person, and go on where nothing is wrong with it."""
    number, step = _number(), request.args.get("step", "")
    if step not in STEPS:
        raise NotFound
    one = told()[number - 1]
    typed = one.get("typed") or _shared()
    if request.method != "POST":
        form = about(recalled(typed) if typed else None)
        return _page("details", form, number, step=step, steps=[*STEPS])
    typed = typed | {name: request.form.getlist(name) for name in STEPS[step]}
    form, done = about(recalled(typed)), {*one.get("done", ())} - {step}
    is_right = _judged(form, STEPS[step])
    _put(number, {"typed": typed, "done": sorted(done | {step} if is_right else done)})
    if not is_right:
        return _page("details", form, number, step=step, steps=[*STEPS]), 400
    return _to_details(number)


def _to_details(number: int) -> Response:
    """Lead to the first thing that a person was not asked yet."""
    done = told()[number - 1].get("done", ())
    step = next((step for step in STEPS if step not in done), None)
    if step is None:
        return onward()
    return redirect(url_for(".details", number=number, step=step, **asked()), code=303)


def _page(name: str, form: Answers, number: int, **more: object) -> str:
    with parts().doors.reading() as db:
        place = booking.place_of(db, chosen("slot")[0])
    return render_template(
        f"booking/{name}.html", form=form, place=place, number=number, count=len(told()),
        asked=asked(), has_choice=at_desk() or citizen(), **more,
    )  # fmt: skip


def _judged(form: About, names: tuple[str, ...]) -> bool:
    """Say whether some fields are right; what is wrong with others is not told yet."""
    form.validate()
    accepted(form)
    for field in form:
        field.errors = field.errors if field.name in names else ()
    return not form.errors


def _known() -> dict[str, tuple[str, str]] | None:
    """Return names and birth dates of who may be meant, by ids; None where nobody is on record."""
    own = citizen()
    if at_desk():
        found: dict[str, tuple[str, str]] | None = draft().get("found")
        return found
    if own is None or family.actor().kind == "staff":
        return {str(own.person_id): (own.name, "")} if own else None
    with parts().doors.reading() as db:
        held = proxies.held(family.deed(db), own.id)
    mine = [(each.person_id, each.name) for each in held if each.mine and "book" in each.scopes]
    taken = {one.get("id") for number, one in enumerate(told(), 1) if number != _number()}
    everybody = [(own.id, gettext("Myself")), *mine]
    return {str(key): (name, "") for key, name in everybody if str(key) not in taken}


def _shared() -> dict[str, list[str]]:
    """Return how the first of them is reached: nobody is asked twice."""
    first: dict[str, list[str]] = next((one["typed"] for one in told() if "typed" in one), {})
    return {name: first[name] for name in STEPS["contact"] if name in first}


def _put(number: int, one: Entry) -> None:
    everybody = told()
    everybody[number - 1] = one
    keep(people=everybody, found=None)


def _number() -> int:
    """Return which of them is asked about: in the address, or the first who is not told."""
    number = request.args.get("number", type=int) or missing() or 1
    if not 1 <= number <= len(told()):
        raise NotFound
    return number


def _key() -> str:
    return "desk_draft" if at_desk() else "draft"
