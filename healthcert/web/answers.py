"""Forms: what was typed, what is wrong with it, and words for that in the reader's language.

Most judging is done by the services, which answer with a code for each field (`BadInput`);
`Form.take` puts the words of those codes beside the fields, and typed values stay.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Field, FileField, RadioField, SelectField, StringField, TextAreaField, validators
from wtforms import Form as _Form

from healthcert.i18n import Lazy, gettext
from healthcert.i18n import lazy as _

WRONG: Mapping[str, Lazy] = {
    "missing": _("fill this in"),
    "too_long": _("this is too long"),
    "not_a_choice": _("choose one of the answers"),
    "not_a_date": _("enter a real date, such as 27 3 1985; only the year will do if no more is known"),
    "in_the_future": _("this day has not come yet"),
    "too_long_ago": _("this is too long ago"),
    "not_a_time": _("enter a real day and time"),
    "not_latin": _("use Latin letters, as in a passport"),
    "not_needed": _("leave this empty, or say which document it is from"),
    "not_a_country": _("enter the two letters of a country"),
    "not_a_language": _("choose one of the languages"),
    "not_a_phone_number": _("enter it with the country's code, such as +33 6 12 34 56 78"),
    "not_a_mail_address": _("enter an address such as name@example.org"),
    "no_contact": _("give a phone number or a mail address, so that we can reach you"),
    "not_a_reference": _("check the letters and digits, such as HC-7K4M-2QXD"),
    "not_a_code": _("enter the six digits of the message"),
    "bad_code": _("this code does not work; check the newest message, or ask for a new one"),
    "too_large": _("the picture is over 10 MB or 16 megapixels: take a smaller one"),
    "bad_picture": _("this is not a PNG, JPEG, GIF or WebP picture"),
    "no_code": _("no code was found in this picture: take it closer, in good light"),
    "before_arrival": _("this is before the person arrived"),
}
_OTHER = _("this cannot be used")


def words(code: str, label: object) -> str:
    """Return what is wrong with a field, so that it can be read away from the field too."""
    return gettext("%(field)s: %(wrong)s", field=label, wrong=WRONG.get(code, _OTHER))


class Form(_Form):
    """A form whose errors are words in the reader's language.

    A subclass may name what its fields are called by services in `called`.
    """

    called: Mapping[str, str] = {}

    def __init__(self, formdata: MultiDict[str, Any] | None = None, **data: Any) -> None:  # noqa: ANN401
        """Take what was typed, or what to begin with."""
        super().__init__(formdata, data=data)
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


def needed(_form: _Form, field: Field) -> None:
    """Refuse a field that was left empty."""
    if not field.data:
        raise validators.StopValidation(words("missing", field.label.text))


def tidy(text: str | None) -> str:
    """Return a text without blanks at its ends and without control characters; NFC."""
    kept = (letter for letter in text or "" if unicodedata.category(letter) != "Cc")
    return unicodedata.normalize("NFC", "".join(kept)).strip()


class Line(StringField):
    """One line of text."""

    def __init__(self, label: Lazy, checks: Sequence[Any] = (), **more: Any) -> None:  # noqa: ANN401
        """Take the label and the checks; the text is made tidy."""
        super().__init__(label, checks, filters=[tidy], **more)


class Choice(SelectField):
    """One answer out of a list."""

    def pre_validate(self, form: _Form) -> None:  # noqa: ARG002 - the signature is WTForms'
        """Refuse what is not in the list."""
        if self.data not in [value for value, *_rest in self.iter_choices()]:
            raise validators.StopValidation(words("not_a_choice", self.label.text))


class Radios(Choice, RadioField):
    """One answer out of a few, all seen at once."""


class DayField(Field):
    """A day, typed as day, month and year; of a birth the year, or month and year, will do.

    `data` is ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` as far as it was filled in; whether it is
    a real day is judged where it is used.
    """

    typed: tuple[str, ...] = ("", "", "")

    @property
    def first_id(self) -> str:
        """Return where a link to this field leads."""
        return f"{self.id}-day"

    @property
    def wrong_parts(self) -> tuple[str, ...]:
        """Return the parts to mark as wrong."""
        return ("day", "month", "year") if self.errors else ()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the three parts, in any script's digits."""
        self.typed = tuple(tidy(part) for part in [*valuelist, "", "", ""][:3])
        day, month, year = (_digits(part) for part in self.typed)
        known = [year.zfill(4) if year else "", month.zfill(2) if month else "", day.zfill(2) if day else ""]
        self.data = "-".join(known).rstrip("-")


def _digits(text: str) -> str:
    """Return decimal digits of any script as ASCII ones; other characters stay as they are."""
    return "".join(str(unicodedata.digit(letter, letter)) for letter in text)


def kept(form: Form, values: MultiDict[str, Any]) -> dict[str, list[str]]:
    """Return what was typed into a form's fields, to be kept in a session as a draft."""
    return {field.name: values.getlist(field.name) for field in form}


def recalled(draft: Mapping[str, Iterable[str]]) -> MultiDict[str, Any]:
    """Return a draft as it was typed."""
    return MultiDict([(name, value) for name, values in draft.items() for value in values])
