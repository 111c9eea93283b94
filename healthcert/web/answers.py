"""Answers: what people typed, what is wrong with it, and words for that in their language.

Most judging is done by the services, which answer with a code for each field (`BadInput`);
`Answers.take` puts the words of those codes beside the fields, and typed values stay.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict
from wtforms import Field, IntegerField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import StopValidation

from healthcert.data import labels
from healthcert.errors import BadInput
from healthcert.i18n import Lazy, gettext
from healthcert.i18n import lazy as _
from healthcert.web.forms import PARTS, DayField, Form

WRONG = labels("wrong")
OTHER = _("this cannot be used")


def words(code: str, label: object) -> str:
    """Return what is wrong with a field, so that it is understood away from the field too."""
    name = str(label).rstrip("?؟ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}")
    return gettext("%(field)s: %(wrong)s", field=name, wrong=WRONG.get(code, OTHER))


class Answers(Form):
    """A form whose errors are words for codes."""

    called: ClassVar[Mapping[str, str]] = {}  # what services call a field that has another name

    def __init__(self, typed: MultiDict[str, Any] | None = None, **known: Any) -> None:  # noqa: ANN401
        """Take what was typed, or what is known already."""
        super().__init__(typed, data=known)
        for field in self:
            field.label.text = str(field.label.text)

    def take(self, wrong: Mapping[str, str]) -> None:
        """Put the words of what a service found wrong beside the fields it names."""
        for name, code in wrong.items():
            field = self._fields.get(self.called.get(name, name))
            if field is None:
                self.form_errors.append(words(code, name))
            else:
                field.errors = [words(code, field.label.text)]
                field.post_validate(self, validation_stopped=True)


def needed(_form: Form, field: Field) -> None:
    """Refuse a field that was left empty."""
    if not field.data:
        raise StopValidation(words("missing", field.label.text))


def confirmed(_form: Form, field: Field) -> None:
    """Refuse a box that was not ticked."""
    if not field.data:
        raise StopValidation(words("not_confirmed", field.label.text))


def tidy(text: str | None) -> str:
    """Return a text without blanks at its ends and without control characters; NFC."""
    kept = (letter for letter in text or "" if unicodedata.category(letter) != "Cc")
    return unicodedata.normalize("NFC", "".join(kept)).strip()


class Line(StringField):  # type: ignore[misc]
    """One line of text, made tidy."""

    def __init__(self, label: Lazy, checks: Sequence[Any] = (), **more: Any) -> None:  # noqa: ANN401
        """Take the label and the checks."""
        super().__init__(label, checks, filters=[tidy], **more)


class Count(IntegerField):  # type: ignore[misc]
    """A whole number in whatever digits; empty is none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed, in any script's digits."""
        typed = tidy(valuelist[0])[:9] if valuelist else ""
        self.data = None
        if typed:
            try:
                self.data = int(typed)
            except ValueError:
                raise ValueError(words("not_a_number", self.label.text)) from None


class Choice(SelectField):  # type: ignore[misc]
    """One answer out of a list."""

    def pre_validate(self, form: Form) -> None:  # noqa: ARG002 - the signature is WTForms'
        """Refuse what is not in the list."""
        if self.data not in [choice.value for choice in self.iter_choices()]:
            raise StopValidation(words("not_a_choice", self.label.text))


def options(told: Mapping[str, object]) -> list[SelectChoice]:
    """Return the answers to choose from, words by value."""
    return [SelectChoice(value, label) for value, label in told.items()]


def one_of(told: Mapping[str, object]) -> list[SelectChoice]:
    """Return the answers to choose from in a list: none stands there beforehand but the only one.

    Whoever asks refuses the empty one.
    """
    return options(told if len(told) == 1 else {"": "", **told})


class Radios(RadioField):  # type: ignore[misc]
    """One answer out of a few, all seen at once."""

    pre_validate = Choice.pre_validate


class BirthField(DayField):
    """A day of birth; the year, or month and year, will do where no more is known.

    Whether it is a real day is judged by the service it is told to.
    """

    data: Any  # ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` as far as it was filled in

    def __init__(self, label: Lazy, checks: Sequence[Any] = (), **more: Any) -> None:  # noqa: ANN401
        """Take the label and the checks."""
        super().__init__(label, validators=list(checks), **more)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the three parts, in any script's digits."""
        self.typed = tuple(tidy(part)[:10] for part in [*valuelist, "", "", ""][:3])
        day, month, year = (_digits(part) for part in self.typed)
        known = (year.zfill(4) if year else "", month and month.zfill(2), day and day.zfill(2))
        self.data = "-".join(known).rstrip("-")

    def post_validate(self, form: Form, validation_stopped: bool) -> None:  # noqa: ARG002, FBT001 - WTForms' own
        """Mark all three boxes, since nobody can say which one is wrong."""
        self.wrong_parts = PARTS if self.errors else ()


def _digits(text: str) -> str:
    """Return decimal digits of any script as ASCII ones; other characters stay as they are."""
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in text)


def kept(form: Form, typed: MultiDict[str, Any]) -> dict[str, list[str]]:
    """Return what was typed into a form's fields, to be kept in a session as a draft."""
    return {field.name: typed.getlist(field.name) for field in form}


def recalled(draft: Mapping[str, Iterable[str]]) -> MultiDict[str, Any]:
    """Return a draft as it was typed."""
    return MultiDict([(name, value) for name, values in draft.items() for value in values])


def moment_of(text: str, zone: str, field: str, otherwise: datetime) -> datetime:
    """Return a time typed by a zone's clock (IANA), or `otherwise`; `BadInput` if it is none."""
    if not text:
        return otherwise
    try:
        typed = datetime.fromisoformat(text)
        return typed.replace(tzinfo=typed.tzinfo or ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput({field: "not_a_time"}) from None
