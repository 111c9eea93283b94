"""What phases of a programme ask to say who comes first: asked, and told back in words.

It is about people's health and work, so it stands in a draft or a form and never in an address.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from wtforms import SelectMultipleField

from healthcert.i18n import Lazy, gettext
from healthcert.i18n import lazy as _
from healthcert.models import Person, Programme
from healthcert.policy.eligibility import TOLD
from healthcert.services import eligibility
from healthcert.services.eligibility import Questions
from healthcert.web import about, draft
from healthcert.web.answers import Answers, Radios, options
from healthcert.web.draft import Entry
from healthcert.web.here import parts, today
from healthcert.web.labels import ASKED, in_words
from healthcert.web.places import at_desk

Answered = dict[str, list[str]]  # codes by field, those of `TOLD`; none of what was not answered
Row = tuple[object, object, str]


class Asks(NamedTuple):
    """What phases ask, as rows in words, and whether some of it was not answered."""

    rows: list[tuple[object, object]]
    is_open: bool


_NONE = "-"  # is no code of a programme, so it stays in a draft
_OF_OTHERS = {
    "region": _("In which region do they live?"),
    "district": _("In which district do they live?"),
    "occupation": _("Which of these is their work?"),
    "risk": _("Do they have any of these illnesses?"),
    "pregnant": _("Are they pregnant?"),
}


class First(Answers):
    """Whether somebody is of those who come first; any answer may be left out."""

    region = Radios(_("In which region do you live?"))
    district = Radios(_("In which district do you live?"))
    occupation = SelectMultipleField(_("Which of these is your work?"))
    risk = SelectMultipleField(_("Do you have any of these illnesses?"))
    pregnant = Radios(_("Are you pregnant?"))

    @property
    def told(self) -> Answered:
        """Return what was answered, without what is no choice; "none" only where it is alone."""
        told = {each.name: [one.data for one in each if one.checked and one.data] for each in self}
        return {
            field: [code for code in codes if code != _NONE] or codes
            for field, codes in told.items()
            if codes
        }


def asked_by(db: Any, programme: str) -> Questions:  # noqa: ANN401 - views know no SQL
    """Return what a programme asks, now or later; nothing where its identifier is none."""
    try:
        found = db.get(Programme, UUID(programme))
    except ValueError:
        return {}
    return eligibility.asks(db, found, day=today(), country=parts().country) if found else {}


def form_of(asked: Questions, typed: Any, *, of_others: bool) -> First:  # noqa: ANN401 - a MultiDict
    """Return the question with what was typed, or nothing."""
    form = First(typed)
    for field in TOLD:
        if field not in asked:
            del form[field]
            continue
        form[field].choices = options(_words(asked, field))
        if form[field].type == Radios.__name__:  # else it could not be taken back
            form[field].choices += options({"": _("I would rather not say")})
        if of_others:
            form[field].label.text = str(_OF_OTHERS[field])
    return form


def told_last(db: Any, person_id: UUID, programme: str) -> Answered:  # noqa: ANN401
    """Return what was told last of somebody; whoever asks may see it."""
    person = db.get_one(Person, person_id)
    return eligibility.told_of(db, parts().vault, person, UUID(programme))


def asks_of(programme: str, told: Answered) -> Asks:
    """Return in words what phases ask, and whether some of it was not answered."""
    with parts().doors.reading() as db:
        asked = asked_by(db, programme)
    return Asks([row[:2] for row in told_back(asked, asked)], not asked.keys() <= told.keys())


def may_see(one: Entry) -> bool:
    """Say whether somebody in a draft is on record, and found by the desk or books themselves."""
    own = draft.citizen()
    return "id" in one and (at_desk() or (own is not None and one["id"] == str(own.id)))


def kept(form: First, one: Entry) -> Answered | None:
    """Return what is to be kept of the answers; None for what was told last, which nobody saw."""
    saw = may_see(one) or one.get("told") is not None
    return form.told or ({} if saw else None)


def of_wish(db: Any, one: Entry) -> Answered | None:  # noqa: ANN401
    """Return what goes with a wish of somebody in a draft; None for what was told last.

    What was told of who is on record does not speak for who only typed their details.
    """
    told = one.get("told")
    if not told:
        return {} if "typed" in one else told
    return still_asked(asked_by(db, one["told_of"]), told)


def told_back(asked: Questions, told: Mapping[str, Iterable[str]]) -> list[Row]:
    """Return answers in words, as `about.told_back`."""
    rows: list[Row] = []
    for field in asked:
        words = _words(asked, field)
        said = gettext(", ").join(str(words[code]) for code in told.get(field, ()) if code in words)
        rows.append((str(ASKED[field]).capitalize(), said or gettext("Not answered"), draft.TOLD))
    return rows


def shown_of(db: Any, one: Entry) -> tuple[bool, list[Row]]:  # noqa: ANN401
    """Return whether somebody in a draft was typed, and what the check shows of them, in words."""
    typed, rows = "typed" in one, about.told_back(draft.details_of(db, one))
    rows = rows if typed else [rows[0], rows[2]]
    if draft.TOLD in one:
        rows += told_back(asked_by(db, one["told_of"]), one["told"] or {})
    return typed, rows


def still_asked(asked: Questions, told: Answered) -> Answered:
    """Return of the answers what can be told: only what is asked now."""
    kept = {
        field: [code for code in told.get(field, ()) if code in asked[field]] for field in asked
    }
    return {field: codes for field, codes in kept.items() if codes}


def _words(asked: Questions, field: str) -> dict[str, Lazy | str]:
    if asked[field].keys() == {"yes"}:
        return {"yes": _("Yes"), _NONE: _("No")}
    words: dict[str, Lazy | str] = {
        code: in_words(names) or code for code, names in asked[field].items()
    }
    return words | {_NONE: _("None of these")}
