"""Forms: days in three parts, and fields wired to their hints and errors."""

from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import RadioField, StringField
from wtforms.validators import DataRequired

from healthcert import i18n
from healthcert.web.forms import DayField, Form


class Person(Form):
    """A form of a test."""

    name = StringField("Name", [DataRequired(message=i18n.lazy("Enter a name"))])
    born = DayField("Born")
    seen = DayField("Seen", optional=True)
    way = RadioField("Way", choices=["a", "b"])


@pytest.fixture
def filled(app):
    def fill(*typed, **more):
        answers = MultiDict([*(("born", part) for part in typed), *more.items()])
        with app.test_request_context("/"):
            form = Person(formdata=answers)
            form.validate()
            return form

    return fill


@pytest.mark.parametrize(
    "typed", [("27", "2", "1971"), (" 27", "02 ", "1971"), ("٢٧", "٢", "١٩٧١")]
)
def test_a_day_is_read_in_any_digits_and_with_stray_spaces(filled, typed):
    form = filled(*typed)
    assert form.born.data == date(1971, 2, 27)
    assert not form.born.errors


@pytest.mark.parametrize(
    ("typed", "wrong", "words"),
    [
        ((), ("day", "month", "year"), "Enter the day, month and year"),
        (("", "", ""), ("day", "month", "year"), "Enter the day, month and year"),
        (("27", "2", ""), ("year",), "Enter the year as well"),
        (("27", "", ""), ("month", "year"), "Enter the month as well"),
        (("", "2", "1971"), ("day",), "Enter the day as well"),
        (("27", "2", "71"), ("year",), "Enter the year with four digits, such as 1971"),
        (("31", "2", "1971"), ("day",), "There is no such day: check the day, month and year"),
        (("1", "13", "1971"), ("month",), "There is no such day: check the day, month and year"),
        (("-1", "2", "1971"), ("day",), "There is no such day: check the day, month and year"),
        (("1", "2", "0000"), ("day",), "There is no such day: check the day, month and year"),
        (("²", "2", "1971"), ("day",), "There is no such day: check the day, month and year"),
    ],
)
def test_a_day_that_is_none_is_refused_and_its_wrong_parts_are_named(filled, typed, wrong, words):
    form = filled(*typed)
    assert form.born.data is None
    assert form.born.wrong_parts == wrong
    assert form.born.errors == [words]
    assert form.born.first_id == f"born-{wrong[0]}"


def test_what_was_typed_is_shown_again(filled, render):
    form = filled("31", "2", "1971")
    said = render(
        '{% from "_components/form.html" import day_field %}{{ day_field(form.born) }}', form=form
    )
    assert 'value="31"' in said
    assert said.count("govuk-input--error") == 1


def test_an_optional_day_may_be_left_out_but_not_half_given(filled):
    assert not filled("1", "2", "1971").seen.errors
    assert filled("1", "2", "1971", seen="1").seen.errors == ["Enter the month as well"]


def test_a_known_day_fills_its_boxes(app):
    with app.test_request_context("/"):
        form = Person(data={"born": date(1971, 2, 3)})
    assert form.born.typed == ("3", "2", "1971")


def test_the_summary_leads_to_the_first_wrong_box_of_each_field(filled, render):
    form = filled("31", "2", "1971")
    said = render('{% from "_components/form.html" import errors %}{{ errors(form) }}', form=form)
    assert 'href="#born-day"' in said
    assert 'href="#name"' in said
    assert 'href="#way"' in said


def test_a_field_names_its_hint_and_its_error_to_screen_readers(filled, render):
    form = filled("1", "1", "1971")
    said = render(
        '{% from "_components/form.html" import text_field %}'
        '{{ text_field(form.name, hint="Hint") }}',
        form=form,
    )
    assert 'aria-describedby="name-hint name-error"' in said
    assert 'id="name-hint"' in said
    assert 'id="name-error"' in said


def test_complaints_built_into_the_library_are_in_the_language_spoken(filled):
    with i18n.use("fr"):
        form = filled("1", "1", "1971", way="c")
    assert form.way.errors == ["N'est pas un choix valide."]


def test_a_number_is_typed_from_the_left_in_every_language(filled, render):
    said = render(
        '{% from "_components/form.html" import text_field %}{{ text_field(form.name, ltr=true) }}',
        form=filled(),
        query="lang=ar",
    )
    assert 'dir="ltr"' in said


def test_a_form_carries_its_protection_where_there_is_one(render):
    source = '{% from "_components/form.html" import form_tag %}{% call form_tag() %}{% endcall %}'
    assert 'name="csrf_token" value="abc"' in render(
        "{% set csrf_token = token %}" + source.replace("%}{% call", " with context %}{% call"),
        token=lambda: "abc",
    )
    assert "csrf_token" not in render(source)
