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
from healthcert.services import booking, enrolment, people, proxies
from healthcert.web import family
from healthcert.web.about import About, about, accepted, details_in
from healthcert.web.about import told_back as rows_of
from healthcert.web.answers import Answers, Radios, options, recalled
from healthcert.web.guards import Visitor
from healthcert.web.here import parts
from healthcert.web.labels import birth
from healthcert.web.moment import now
from healthcert.web.places import Page, asked, at_desk, both
from healthcert.web.staff import who as signed_in
from healthcert.web.times import chosen

STEPS: Mapping[str, tuple[str, ...]] = {
    "name": ("family", "given", "family_latin", "given_latin"),
    "birth": ("birth_date", "sex"),
    "document": ("identity_kind", "identity_value"),
    "contact": ("phone", "mail", "language"),
}
NEW = "new"
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
    held: list[Entry] = draft().get("people", [])
    count = len(chosen("slot"))
    return (held + [{} for _each in range(count)])[:count]


def missing() -> int:
    """Return the number of the first person who is not told whole; 0 where all are."""
    return next((place for place, one in enumerate(told(), 1) if not _is_whole(one)), 0)


def onward() -> Response:
    """Lead on to whatever is not told yet, or to the check of the answers."""
    number = missing()
    there = url_for(".who", number=number, **asked()) if number else url_for(".check", **asked())
    return redirect(there, code=303)


def citizen() -> Visitor | None:
    """Return the citizen who books, or who acts for one; None for a stranger and at the desk."""
    found = None if at_desk() or not {"person", "staff"} & session.keys() else signed_in()
    if found is None or found.role is not Role.CITIZEN:
        return None
    g.visitor = found  # this door is open to strangers: nobody has looked yet who asks
    return found


def told_back(on_record: Mapping[str, Entry]) -> list[tuple[str, list[tuple[object, object, str]]]]:
    """Return each person's name, and what was told of them: words, and where to change them."""
    people_told = []
    for number, one in enumerate(told(), 1):
        if "id" in one:
            held = on_record[one["id"]]
            rows = [(_("Name"), held["name"], url_for(".who", number=number, **asked()))]
            people_told.append(
                (held["name"], [*rows, (_("Date of birth"), birth(held["birth"]), "")])
            )
            continue
        form = about(recalled(one["typed"]))
        lines = [
            (words, value, url_for(".details", number=number, step=_step_of(field), **asked()))
            for words, value, field in rows_of(form)
        ]
        people_told.append((lines[0][1], lines))
    return people_told


def person_of(db: Any, one: Entry) -> Person:  # noqa: ANN401 - views know no SQL
    """Return somebody of the draft, written down where they are new.

    Raises:
        NotFound: Somebody on record, for whom one may not book or no longer.
        AlreadyBooked: What was told contradicts what is on record.
    """
    if "id" not in one:
        details = details_in(about(recalled(one["typed"])))
        return enrolment.enrol(db, vault=parts().vault, details=details, now=now())
    person_id = UUID(one["id"])
    if citizen():
        proxies.admit(db, actor=family.actor(), person_id=person_id, scope="book", now=now())
    return people.locked(db, person_id)


@both("/who", "GET", "POST")
def who() -> Page:
    """Ask who the next person is, among those on record whom one may book for."""
    number, known = _number(), _known()
    if at_desk() and known is None:
        return redirect(url_for(".find", number=number, **asked()), code=303)
    if not known:
        return _to_details(number)
    form = Which(request.form if "person" in request.form else None, person=_at_hand())
    other = _("Somebody who is not on record") if at_desk() else _("Somebody else")
    form.person.choices = options({key: _called(one) for key, one in known.items()} | {NEW: other})
    if request.method == "POST" and form.validate():
        if form.person.data == NEW:
            _put(number, {"typed": _shared(), "done": []})
            return _to_details(number)
        _put(number, known[form.person.data])
        return onward()
    page = _page("who", form, number)
    return (page, 400) if request.method == "POST" else page


@both("/details", "GET", "POST")
def details() -> Page:
    """Ask one thing about a person, and go on where nothing is wrong with it."""
    number, step = _number(), request.args.get("step", "name")
    if step not in STEPS:
        raise NotFound
    one = told()[number - 1]
    typed = dict(one.get("typed") or _shared())
    shown = {"step": step, "behind": _behind(number, step)}
    if request.method != "POST":
        return _page("details", about(recalled(typed) if typed else None), number, **shown)
    typed |= {name: request.form.getlist(name) for name in STEPS[step]}
    form = about(recalled(typed))
    done = {*one.get("done", ())} - {step}
    right = _judged(form, STEPS[step])
    _put(number, {"typed": typed, "done": sorted(done | {step} if right else done)})
    if not right:
        return _page("details", form, number, **shown), 400
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
        asked=asked(), **more,
    )  # fmt: skip


def _behind(number: int, step: str) -> str:
    """Return the question before this one."""
    steps = [*STEPS]
    if step != steps[0]:
        before = steps[steps.index(step) - 1]
    elif at_desk() or citizen():
        return url_for(".who", number=number, **asked())
    elif number == 1:
        return url_for(".slots", **asked())
    else:
        number, before = number - 1, steps[-1]
    return url_for(".details", number=number, step=before, **asked())


def _judged(form: About, names: tuple[str, ...]) -> bool:
    """Say whether some fields are right; what is wrong with others is not told yet."""
    form.validate()
    accepted(form)
    form.form_errors = []
    for field in form:
        if field.name not in names:
            field.errors = ()
    return not form.errors


def _known() -> dict[str, Entry] | None:
    """Return who is on record and may be meant, by their ids; None where nobody was looked for."""
    if at_desk():
        found: dict[str, Entry] | None = draft().get("found")
        return found
    own = citizen()
    if own is None:
        return None
    if own.id != own.person_id and family.actor().kind == "staff":
        return {str(own.person_id): {"id": str(own.person_id), "name": own.name, "birth": ""}}
    with parts().doors.reading() as db:
        others = [
            (str(one.person_id), one.name)
            for one in proxies.held(family.deed(db), own.id)
            if one.mine and "book" in one.scopes
        ]
    named = [(str(own.id), gettext("Myself")), *others]
    taken = {one.get("id") for one in told()} - {told()[_number() - 1].get("id")}
    return {key: {"id": key, "name": name, "birth": ""} for key, name in named if key not in taken}


def _at_hand() -> str | None:
    """Return whom to propose: who was named before, or whose record is open."""
    own = citizen()
    named = told()[_number() - 1].get("id")
    return named or (str(own.person_id) if own else None)


def _called(one: Entry) -> str:
    return (
        gettext("%(one)s, %(other)s", one=one["name"], other=birth(one["birth"]))
        if one["birth"]
        else one["name"]
    )


def _step_of(field: str) -> str:
    return next(step for step, names in STEPS.items() if field.partition("-")[0] in names)


def _shared() -> dict[str, list[str]]:
    """Return how the first of them is reached: nobody is asked twice."""
    first: dict[str, list[str]] = next((one["typed"] for one in told() if "typed" in one), {})
    return {name: first[name] for name in STEPS["contact"] if name in first}


def _is_whole(one: Entry) -> bool:
    return "id" in one or {*one.get("done", ())} == STEPS.keys()


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
