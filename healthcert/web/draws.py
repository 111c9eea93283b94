"""The door of draws: announced, run with the public value, given up; the worker does the rest."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from werkzeug.datastructures import MultiDict
from wtforms import Field
from wtforms.validators import StopValidation

from healthcert.errors import BadInput, there
from healthcert.i18n import lazy as _
from healthcert.models import Programme
from healthcert.policy.draw import Rules
from healthcert.services import desk, draws
from healthcert.web.answers import Answers, Count, Line, moment_of, needed, words
from healthcert.web.here import done, parts
from healthcert.web.labels import in_words
from healthcert.web.moment import now
from healthcert.web.refusals import shown_again
from healthcert.web.rights import Consent

bp = Blueprint("draws", __name__, url_prefix="/admin/draws")
bp.context_processor(lambda: {"moment": draws.moment})

_SHARE = "share "  # what the field of a group is called, before the group
_Page = str | tuple[str, int] | Response


class Wanted(Answers):
    """What is announced of a draw, but for its reserves."""

    places = Count(_("How many places are drawn for?"), [needed])
    closes = Line(_("When does the list close?"), [needed])
    source = Line(_("Where will the public value be read?"), [needed])


def same(form: Answers, field: Field) -> None:
    """Refuse a public value that is not the same twice."""
    if field.data != form["public_value"].data:
        raise StopValidation(words("not_the_same", field.label.text))


class Revealed(Answers):
    """The public value, typed twice, since it cannot be taken back."""

    public_value = Line(_("Public value"), [needed])
    again = Line(_("The same once more"), [needed, same])


@bp.get("")
@shown_again(bp)
def every() -> str:
    """Show the draws there are, and for which programmes one can be announced."""
    with parts().doors.reading() as db:
        found, programmes = draws.every(db), desk.programmes(db)
    return render_template("admin/draws.html", draws=found, programmes=programmes)


@bp.get("/new")
def ask() -> str:
    """Ask for the rules of a draw."""
    programme, groups = _programme()
    return _asked(programme, _form(groups))


@bp.post("/new")
def announce() -> _Page:
    """Show the rules as they are committed to; told that they are right, announce the draw."""
    programme, groups = _programme()
    form = _form(groups, request.form)
    try:
        if not form.validate():
            return _asked(programme, form), 400
        rules = _rules(programme.code, form)
        if "sure" not in request.form:
            with parts().doors.reading() as db:
                draws.refuse_wrong(db, rules, now=now(), country=parts().country)
            return render_template(
                "admin/draw_rules.html", programme=programme, rules=rules, groups=groups,
                typed=MultiDict({field.name: request.form.get(field.name, "") for field in form}),
            )  # fmt: skip
        known = {"vault": parts().vault, "country": parts().country}
        made = done(draws.announce, rules=rules, **known)
    except BadInput as wrong:
        form.take(wrong.fields)
        return _asked(programme, form), 400
    return redirect(url_for(".show", draw_id=made.id, announced=1), code=303)


@bp.get("/<uuid:draw_id>")
def show(draw_id: UUID) -> str:
    """Show how a draw stands, and what can be done."""
    return _page("admin/draw.html", draw_id, Revealed())


@bp.post("/<uuid:draw_id>/run")
def run(draw_id: UUID) -> _Page:
    """Show the seed with the public value; the worker writes the ranks."""
    form = Revealed(request.form)
    if form.validate():
        try:
            value = form.public_value.data
            done(draws.run, vault=parts().vault, draw_id=draw_id, public_value=value)
        except BadInput as wrong:
            form.take(wrong.fields)
        else:
            return redirect(url_for(".show", draw_id=draw_id, drawn=1), code=303)
    return _page("admin/draw.html", draw_id, form), 400


@bp.get("/<uuid:draw_id>/give-up")
def foresee(draw_id: UUID) -> str:
    """Ask whether a draw is to be given up."""
    return _page("admin/draw_end.html", draw_id, Consent())


@bp.post("/<uuid:draw_id>/give-up")
def give_up(draw_id: UUID) -> _Page:
    """End a draw before its seed is shown."""
    form = Consent(request.form)
    if not form.validate():
        return _page("admin/draw_end.html", draw_id, form), 400
    done(draws.give_up, draw_id=draw_id)
    return redirect(url_for(".show", draw_id=draw_id), code=303)


def _programme() -> tuple[Programme, dict[str, Mapping[str, str]]]:
    """Return the programme that the address names, and for whom places may be reserved.

    Raises:
        BadInput: None was chosen.
        NotFound: There is none such.
    """
    code = request.args.get("programme")
    if code == "":
        raise BadInput({"programme": "missing"})
    with parts().doors.reading() as db:
        found = there(next((one for one in desk.programmes(db) if one.code == code), None))
        return found, draws.groups(db, found, parts().country)


def _form(groups: Mapping[str, Mapping[str, str]], *typed: Any) -> Wanted:  # noqa: ANN401
    names = {f"{_SHARE}{group}": Count(in_words(told)) for group, told in groups.items()}
    called = {"reserves": next(iter(names), "")}
    kind: type[Wanted] = type("Shares", (Wanted,), {**names, "called": called})
    return kind(*typed)


def _rules(programme: str, form: Wanted) -> Rules:
    zone = parts().country.time_zone
    closes = moment_of(form.closes.data, zone, "closes", now()).astimezone(ZoneInfo(zone))
    shares = {field.name.removeprefix(_SHARE): field.data for field in _shares(form) if field.data}
    return Rules(
        programme=programme, source=form.source.data, closes=closes.isoformat(timespec="seconds"),
        places=form.places.data or 0, reserves=shares,
    )  # fmt: skip


def _shares(form: Wanted) -> list[Any]:
    return [field for field in form if field.name.startswith(_SHARE)]


def _asked(programme: Programme, form: Wanted) -> str:
    return render_template(
        "admin/draw_new.html", programme=programme, form=form, shares=_shares(form)
    )


def _page(name: str, draw_id: UUID, form: Answers) -> str:
    with parts().doors.reading() as db:
        draw = draws.one(db, draw_id=draw_id)
        [its] = [one for one in desk.programmes(db) if one.id == draw.programme_id]
        groups = draws.groups(db, its, parts().country)
    return render_template(name, draw=draw, programme=its, form=form, groups=groups)
