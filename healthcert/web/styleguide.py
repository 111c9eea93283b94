"""The styleguide: every component on one page, in every language, for eyes and for axe.

In development only; ``?state=wrong`` shows the form as it is after wrong answers.
"""

from datetime import UTC, date, datetime

from flask import render_template, request
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired

from healthcert.i18n import lazy
from healthcert.web.answers import options
from healthcert.web.forms import DayField, Form

_ENTER = DataRequired(message=lazy("Enter an answer"))
_WRONG = MultiDict([("born", "31"), ("born", "2"), ("born", "1971"), ("name", "")])
_MORNING = datetime(2026, 12, 3, 8, 40, tzinfo=UTC)


class Sample(Form):
    """One field of each kind."""

    name = StringField(lazy("Full name"), [_ENTER])
    phone = StringField(lazy("Mobile number"))
    born = DayField(lazy("What is your date of birth?"))
    contact = RadioField(
        lazy("How may we reach you?"),
        [_ENTER],
        choices=options(
            {"sms": lazy("Text message"), "mail": lazy("Email"), "post": lazy("Letter")}
        ),
    )
    slot = RadioField(
        lazy("Choose a time"), [_ENTER], choices=["09:00", "09:20", "09:40", "10:00", "10:20"]
    )
    needs = SelectMultipleField(
        lazy("What would help you at the site?"),
        choices=options({"step": lazy("Step-free access"), "sign": lazy("Sign language")}),
    )
    site = SelectField(
        lazy("Site"),
        [_ENTER],
        choices=options({"1": lazy("Central hall"), "2": lazy("Harbour clinic")}),
    )
    note = TextAreaField(lazy("Anything we should know?"))
    agreed = BooleanField(lazy("I agree that my doses are recorded"), [_ENTER])
    picture = FileField(lazy("Photo of your certificate"))


def styleguide() -> str:
    """Show every component, with the form as `state` of the address wants it."""
    wrong = request.args.get("state") == "wrong"
    form = Sample(formdata=_WRONG if wrong else None)
    if wrong:
        form.validate()
    return render_template(
        "dev/styleguide.html", form=form, morning=_MORNING, born=date(1971, 2, 27)
    )
