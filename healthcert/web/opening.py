"""The door of opening day: how it stands, announced, changed before its room opens, taken away."""

from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import BooleanField

from healthcert.errors import BadInput, NotFound
from healthcert.gateways import room_files
from healthcert.gateways.room_files import Opening
from healthcert.i18n import lazy as _
from healthcert.services import desk, limits, openings
from healthcert.services.openings import Standing, State
from healthcert.web.answers import (
    OTHER,
    WRONG,
    Answers,
    Choice,
    Count,
    Line,
    confirmed,
    moment_of,
    needed,
    one_of,
)
from healthcert.web.here import done, parts
from healthcert.web.labels import in_words
from healthcert.web.moment import now

bp = Blueprint("opening", __name__, url_prefix="/admin/opening")

_Page = str | tuple[str, int] | Response


class Wanted(Answers):
    """What is announced of an opening day."""

    programme = Choice(_("For which programme?"), [needed])
    opens_at = Line(_("When does booking open?"), [needed])
    code = Line(_("Short name of this opening"), [needed])
    room_minutes = Count(_("How many minutes before that does the waiting room open?"), [needed])
    hours = Count(_("How many hours after it does booking go through the room?"), [needed])


class Sure(Answers):
    """That somebody means it."""

    sure = BooleanField(_("I understand that all tickets are worth nothing then"), [confirmed])


@bp.get("")
def page() -> str:
    """Show what is announced, how its room is, and what is to be published of it."""
    state = _state()
    return render_template(
        "admin/opening.html", told=state.told, state=state, programmes=_programmes(),
        wrong={name: WRONG.get(code, OTHER) for name, code in state.told.wrong.items()},
    )  # fmt: skip


@bp.get("/change")
def ask() -> str:
    """Ask for an opening, or show the one that stands to be changed."""
    told, form = _form(None)
    return _asked(told, form)


@bp.post("/change")
def announce() -> _Page:
    """Put an opening in the place of the one that stands, which is the one that was shown."""
    with room_files.alone(_folder()):
        told, form = _form(request.form)
        if request.form.get("shown") != _shown(told):
            return _asked(told, form, is_changed=True), 409
        try:
            if not form.validate():
                return _asked(told, form), 400
            made = done(openings.announce, data_dir=_folder(), opening=_opening(told, form))
        except BadInput as wrong:
            form.take(wrong.fields)
            return _asked(told, form), 400
        room_files.announce(_folder(), made)
    return redirect(url_for(".page", saved=1), code=303)


@bp.get("/take-away")
def foresee() -> str:
    """Ask whether what stands is to be taken away."""
    return _sure(Sure())


@bp.post("/take-away")
def take_away() -> _Page:
    """Take away what stands and was shown, broken or not."""
    form = Sure(request.form)
    with room_files.alone(_folder()):
        if request.form.get("shown") != _shown(_state().told):
            return _sure(Sure(), is_changed=True), 409
        if not form.validate():
            return _sure(form), 400
        done(openings.take_away, data_dir=_folder())
        room_files.take_away(_folder())
    return redirect(url_for(".page"), code=303)


def _folder() -> Path:
    return parts().settings.data_dir


def _zone() -> ZoneInfo:
    return ZoneInfo(parts().country.time_zone)


def _state() -> State:
    with parts().doors.reading() as db:
        return openings.state(db, data_dir=_folder(), now=now())


def _programmes() -> dict[str, dict[str, str]]:
    with parts().doors.reading() as db:
        return {one.code: one.names for one in desk.programmes(db)}


def _is_open(told: Standing) -> bool:
    return told.opening is not None and told.opening.is_on(now())


def _shown(told: Standing) -> str:
    """Return a mark of what a form shows: what stands, and what of it can change."""
    return limits.key_of(parts().pepper, repr((told, _is_open(told)))).hex()


def _form(typed: Any) -> tuple[Standing, Wanted]:  # noqa: ANN401
    """Return what stands, and the form of it: while its room is open, only its end can change."""
    with parts().doors.reading() as db:
        told, programmes = openings.standing(db, data_dir=_folder()), desk.programmes(db)
    known: dict[str, Any] = {
        one.name: one.default for one in fields(Opening) if one.default is not MISSING
    }
    if told.opening and not told.opening.is_over(now()):
        known = asdict(told.opening)
        opens = told.opening.opens_at.astimezone(_zone()).replace(tzinfo=None)
        known["opens_at"] = opens.isoformat(timespec="minutes")
    form = Wanted(typed, **known)
    form.programme.choices = one_of({one.code: in_words(one.names) for one in programmes})
    if _is_open(told):
        for name in [*form._fields]:
            if name not in openings.WHILE_OPEN:
                del form[name]
    return told, form


def _opening(told: Standing, form: Wanted) -> Opening:
    typed = {name: value for name, value in form.data.items() if name in form}
    if told.opening and _is_open(told):
        return replace(told.opening, **typed)
    zone = parts().country.time_zone
    opens = moment_of(typed["opens_at"], zone, "opens_at", now()).astimezone(_zone())
    return Opening(**typed | {"opens_at": opens})


def _asked(told: Standing, form: Wanted, *, is_changed: bool = False) -> str:
    return render_template(
        "admin/opening_change.html", form=form, is_open=_is_open(told), is_changed=is_changed,
        told=told, shown=_shown(told), programmes=_programmes() if is_changed else {},
    )  # fmt: skip


def _sure(form: Sure, *, is_changed: bool = False) -> str:
    state = _state()
    if state.told == Standing():
        raise NotFound
    return render_template(
        "admin/opening_end.html", form=form, state=state, is_changed=is_changed, told=state.told,
        shown=_shown(state.told), programmes=_programmes(),
    )  # fmt: skip
