"""Forms in the reader's language: the base of every form, and days typed in three parts.

The templates of `_components/form.html` draw them; see there for hints, headings and widths.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import wtforms
from wtforms import Field
from wtforms.i18n import get_translations
from wtforms.meta import DefaultMeta
from wtforms.validators import StopValidation

from healthcert import i18n
from healthcert.i18n import gettext, lazy

PARTS = ("day", "month", "year")


class Form(wtforms.Form):  # type: ignore[misc]  # the library is untyped
    """A form whose built-in complaints are in the language now spoken.

    Protection tokens are checked by the guard, before any form is looked at.
    """

    class Meta(DefaultMeta):  # type: ignore[misc]
        """How WTForms finds its own words."""

        def get_translations(self, _form: object) -> object:
            """Return the library's catalogue of the language now spoken."""
            return get_translations([i18n.language()])


class DayField(Field):  # type: ignore[misc]
    """A day, asked for as day, month and year, in whatever digits the reader types."""

    data: date | None  # None where it is optional and was left empty

    def __init__(self, label: object = None, *, optional: bool = False, **more: Any) -> None:  # noqa: ANN401 - WTForms' own
        """Describe the field, and whether it may be left empty."""
        super().__init__(label, **more)
        self.optional = optional
        self.typed: tuple[str, ...] = ("", "", "")  # in each part, to be shown again
        self.wrong_parts: tuple[str, ...] = ()  # which of `PARTS`

    @property
    def first_id(self) -> str:
        """Return the box that the summary of errors leads to."""
        return f"{self.id}-{(self.wrong_parts or PARTS)[0]}"

    def process_data(self, value: date | None) -> None:
        """Take a day that is known already."""
        self.data = value
        if value:
            self.typed = (str(value.day), str(value.month), str(value.year))

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Take what was typed: three values of one name, in the order of the boxes."""
        typed = [part.strip() for part in valuelist[:3]]
        self.typed = tuple(typed + [""] * (3 - len(typed)))
        self.data = None
        if any(self.typed):
            self.wrong_parts = _wrong_parts(self.typed)
            self.data = None if self.wrong_parts else _day(self.typed)

    def pre_validate(self, form: object) -> None:  # noqa: ARG002 - WTForms' own signature
        """Refuse a day that is missing, half there, or not in the calendar."""
        if self.data is None and not any(self.typed) and not self.optional:
            self.wrong_parts = PARTS
        if self.wrong_parts:
            raise StopValidation(_complaint(self.typed, self.wrong_parts))


def field_params(
    field: Field,
    hint: str | None = None,
    heading: bool = False,  # noqa: FBT001, FBT002 - for templates
) -> dict[str, object]:
    """Return what the macro of any field is given: identity, label, hint, first error.

    `heading`: whether the label is the heading of the page.
    """
    size = "l" if heading else "s"
    label = {"text": field.label.text, "isPageHeading": heading}
    return {
        "id": field.id,
        "idPrefix": field.id,
        "name": field.name,
        "label": label | {"classes": f"govuk-label--{size}"},
        "fieldset": {"legend": label | {"classes": f"govuk-fieldset__legend--{size}"}},
        "hint": {"text": hint} if hint else None,
        "errorMessage": field.errors
        and {"text": field.errors[0], "visuallyHiddenText": gettext("Error")},
    }


def option_params(field: Any, hints: Mapping[str, str] | None = None) -> list[dict[str, object]]:  # noqa: ANN401 - untyped library
    """Return what the macros of radios and checkboxes are given for each option of a field."""
    said = hints or {}
    return [
        {
            "value": option.data,
            "text": option.label.text,
            "checked": option.checked,
            "hint": {"text": said[option.data]} if option.data in said else None,
        }
        for option in field
    ]


def _wrong_parts(typed: Sequence[str]) -> tuple[str, ...]:
    """Return the parts that are missing or no numbers; else the one that breaks the calendar."""
    bad = tuple(
        name
        for name, part, digits in zip(PARTS, typed, (2, 2, 4), strict=True)
        if not part.isdecimal() or len(part) > digits or (name == "year" and len(part) < digits)
    )
    if bad:
        return bad
    if not 1 <= int(typed[1]) <= 12:  # noqa: PLR2004 - the months of a year
        return ("month",)
    return () if _day(typed) else ("day",)


def _day(typed: Sequence[str]) -> date | None:
    day, month, year = (int(part) for part in typed)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _complaint(typed: Sequence[str], wrong: Sequence[str]) -> str:
    if not any(typed):
        return gettext("Enter the day, month and year")
    missing = [name for name, part in zip(PARTS, typed, strict=True) if not part]
    if missing:
        return str(_MISSING[missing[0]])
    if wrong == ("year",):
        return gettext("Enter the year with four digits, such as 1971")
    return gettext("There is no such day: check the day, month and year")


_MISSING = {
    "day": lazy("Enter the day as well"),
    "month": lazy("Enter the month as well"),
    "year": lazy("Enter the year as well"),
}
