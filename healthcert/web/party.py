"""Who is to be vaccinated: one person after the other, one question a page, kept as a draft.

The draft lies in the session on the server; the desk's is apart from a citizen's, so that a
clerk who helps somebody mixes nothing up. Who is on record is named there and not typed again.
"""

from uuid import UUID

from flask import redirect, render_template, request, url_for

from healthcert.errors import NotFound
from healthcert.i18n import format_known, gettext
from healthcert.i18n import lazy as _
from healthcert.services import proxies, scenes
from healthcert.web import draft, family, priority
from healthcert.web.about import About, about, accepted
from healthcert.web.answers import Answers, Radios, options, recalled
from healthcert.web.booking import onward
from healthcert.web.draft import STEPS, TOLD, asked, needs, wanted
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
    """Ask who the next person is; first, whether it is one of those one has begun to book for.

    An address that names no draft begins one, which no other window shares.
    """
    if request.method == "POST" or "draft" in request.args:
        return _who()
    (begun, names), new = draft.begun(), draft.begin()
    if names:
        drafts = begun, new
        return render_template("booking/begun.html", asked=asked(), names=names, drafts=drafts)
    return _who() if new == draft.FIRST else redirect(url_for(".who", **asked(draft=new)), code=303)


def _who() -> Page:
    """Ask who of those on record is meant, or go on with somebody else."""
    number, known = _number(), _known()
    left_to_tell = "number" not in request.args and draft.left(number) == [TOLD]
    if left_to_tell or not (known or at_desk()):
        return _to_details(number)
    if known is None:
        return redirect(url_for(".find", number=number, **asked()), code=303)
    own, sent, one = draft.citizen(), request.method == "POST", draft.people()[number - 1]
    at_hand = one.get("id") or (own and str(own.person_id))
    form = Which(request.form if sent else None, person=at_hand)
    other = _("Somebody who is not on record") if at_desk() else _("Somebody else")
    names = {
        key: bdi(name) + " · " + bdi(format_known(born)) if born else bdi(name)
        for key, (name, born) in known.items()
    }
    form.person.choices = options(names | {_NEW: other})
    if not (sent and form.validate()):
        return _page("who", form, number), 400 if sent else 200
    if form.person.data == _NEW:
        one = {"typed": draft.shared(), "done": []}
    else:
        name, born = known[form.person.data]
        one = one if form.person.data == at_hand else {}
        one = {**one, "id": form.person.data, "name": name, "birth": born}
    draft.put(number, one)
    return _to_details(number)


@both("/details", "GET", "POST")
def details() -> Page:
    """Ask one thing about a person, and go on where nothing is wrong; what is, is told by a GET."""
    number, step = _number(), request.args.get("step", "")
    if step == TOLD:
        return _first(number)
    if step not in STEPS:
        raise NotFound
    one = draft.people()[number - 1]
    typed = one.get("typed") or draft.shared()
    if request.method != "POST":
        form = about(recalled(typed) if typed else None)
        is_right = not (typed and "wrong" in request.args) or _judged(form, STEPS[step])
        return _question(form, number, step), 200 if is_right else 400
    typed = typed | {name: request.form.getlist(name) for name in STEPS[step]}
    is_right = _judged(about(recalled(typed)), STEPS[step])
    done = {*one.get("done", ())} - {step}
    one = {} if "id" in one else one
    draft.put(number, one | {"typed": typed, "done": sorted(done | {step} if is_right else done)})
    again = url_for(".details", number=number, step=step, wrong="", **asked())
    return _to_details(number) if is_right else redirect(again, code=303)


def _first(number: int) -> Page:
    """Ask what the programme asks to say who comes first; any answer may be left out."""
    one, programme = draft.people()[number - 1], needs()[number - 1].programme
    with parts().doors.reading() as db:
        questions = priority.asked_by(db, programme)
        known = one.get(TOLD)
        if known is None and questions and priority.may_see(one):
            known = priority.told_last(db, UUID(one["id"]), programme)
    if not questions:
        return _to_details(number)
    if draft.left(number)[:1] not in ([], [TOLD]):  # or it is booked, and its draft is gone
        return onward()
    others = at_desk() or len(draft.people()) > 1
    form = priority.form_of(questions, request.form or recalled(known or {}), of_others=others)
    if request.method != "POST":
        return _question(form, number, TOLD)
    draft.put_told(number, told=priority.kept(form, one))
    return _to_details(number)


def _to_details(number: int) -> Page:
    """Lead to the first thing that a person was not asked yet."""
    left = draft.left(number)
    if left == [TOLD]:
        with parts().doors.reading() as db:
            if not priority.asked_by(db, needs()[number - 1].programme):
                draft.put_told(number)
                left = []
    if not left:
        return onward()
    return redirect(url_for(".details", number=number, step=left[0], **asked()), code=303)


def _question(form: Answers, number: int, step: str) -> str:
    everybody = draft.people()
    steps = [step] if "id" in everybody[number - 1] else [*STEPS, TOLD]
    last = TOLD if TOLD in everybody[number - 2] else [*STEPS][-1]  # of whoever is before
    return _page("details", form, number, step=step, steps=steps, last=last)


def _page(name: str, form: Answers, number: int, **more: object) -> str:
    with parts().doors.alone() as db:
        place = scenes.place_of(db, wanted()[number - 1].slot_id)
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
