"""Who is to be vaccinated: one person after the other, one question a page, kept as a draft.

The draft lies in the session on the server; the desk's is apart from a citizen's, so that a
clerk who helps somebody mixes nothing up. Who is on record is named there and not typed again.
"""

from flask import redirect, render_template, request, url_for

from healthcert.errors import NotFound
from healthcert.i18n import format_known, gettext
from healthcert.i18n import lazy as _
from healthcert.services import booking, proxies
from healthcert.web import draft, family
from healthcert.web.about import About, about, accepted
from healthcert.web.answers import Answers, Radios, options, recalled
from healthcert.web.booking import onward
from healthcert.web.draft import asked, wanted
from healthcert.web.here import parts
from healthcert.web.pages import bdi
from healthcert.web.places import Page, at_desk, both, bp, counter

DOORS = (bp, counter)  # of the whole way, with the views of all its modules
_NEW = "new"


class Which(Answers):
    """Somebody who is on record, or somebody else."""

    person = Radios(_("Who is to be vaccinated?"))


@both("/who", "GET", "POST")
def who() -> Page:
    """Ask who the next person is, among those on record whom one may book for."""
    number, known = _number(), _known()
    if at_desk() and known is None:
        return redirect(url_for(".find", number=number, **asked()), code=303)
    if not known and not at_desk():
        return _to_details(number)
    known = known or {}
    own, sent = draft.citizen(), request.method == "POST"
    at_hand = draft.people()[number - 1].get("id") or (own and str(own.person_id))
    form = Which(request.form if sent else None, person=at_hand)
    other = _("Somebody who is not on record") if at_desk() else _("Somebody else")
    names = {
        key: bdi(name) + " · " + bdi(format_known(born)) if born else bdi(name)
        for key, (name, born) in known.items()
    }
    form.person.choices = options(names | {_NEW: other})
    if not (sent and form.validate()):
        return _page("who", form, number), 400 if sent else 200
    if form.person.data != _NEW:
        name, born = known[form.person.data]
        draft.put(number, {"id": form.person.data, "name": name, "birth": born})
        return onward()
    draft.put(number, {"typed": draft.shared(), "done": []})
    return _to_details(number)


@both("/details", "GET", "POST")
def details() -> Page:
    """Ask one thing about a person, and go on where nothing is wrong; what is, is told by a GET."""
    number, step = _number(), request.args.get("step", "")
    if step not in draft.STEPS:
        raise NotFound
    one = draft.people()[number - 1]
    typed = one.get("typed") or draft.shared()
    if request.method != "POST":
        form = about(recalled(typed) if typed else None)
        is_right = not (typed and "wrong" in request.args) or _judged(form, draft.STEPS[step])
        status = 200 if is_right else 400
        return _page("details", form, number, step=step, steps=[*draft.STEPS]), status
    typed = typed | {name: request.form.getlist(name) for name in draft.STEPS[step]}
    is_right = _judged(about(recalled(typed)), draft.STEPS[step])
    done = {*one.get("done", ())} - {step}
    draft.put(number, {"typed": typed, "done": sorted(done | {step} if is_right else done)})
    again = url_for(".details", number=number, step=step, wrong="", **asked())
    return _to_details(number) if is_right else redirect(again, code=303)


def _to_details(number: int) -> Page:
    """Lead to the first thing that a person was not asked yet."""
    done = draft.people()[number - 1].get("done", ())
    step = next((step for step in draft.STEPS if step not in done), None)
    if step is None:
        return onward()
    return redirect(url_for(".details", number=number, step=step, **asked()), code=303)


def _page(name: str, form: Answers, number: int, **more: object) -> str:
    with parts().doors.reading() as db:
        place = booking.place_of(db, wanted()[number - 1].slot_id)
    return render_template(
        f"booking/{name}.html", form=form, place=place, number=number, count=len(draft.people()),
        asked=asked(), has_choice=at_desk() or draft.citizen(), **more,
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
    own = draft.citizen()
    if at_desk():
        found: dict[str, tuple[str, str]] | None = draft.read().get("found")
        return found
    if own is None or family.actor().kind == "staff":
        return {str(own.person_id): (own.name, "")} if own else None
    with parts().doors.reading() as db:
        held = proxies.held(family.deed(db), own.id)
    mine = [(each.person_id, each.name) for each in held if each.mine and "book" in each.scopes]
    taken = {one.get("id") for number, one in enumerate(draft.people(), 1) if number != _number()}
    everybody = [(own.id, gettext("Myself")), *mine]
    return {str(key): (name, "") for key, name in everybody if str(key) not in taken}


def _number() -> int:
    """Return which of them is asked about: in the address, or the first who is not told."""
    number = request.args.get("number", type=int) or draft.missing() or 1
    if not 1 <= number <= len(draft.people()):
        raise NotFound
    return number
