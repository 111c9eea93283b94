"""Doors of development alone: be anybody, read every message, see every component for axe."""

from datetime import UTC, date, datetime

import wtforms
from flask import Blueprint, render_template, request, session
from werkzeug import Response
from werkzeug.datastructures import MultiDict
from wtforms.validators import DataRequired

from healthcert.errors import NotFound
from healthcert.i18n import lazy
from healthcert.services import messages, roster
from healthcert.web.answers import options
from healthcert.web.errors import inside
from healthcert.web.forms import DayField, Form
from healthcert.web.here import parts
from healthcert.web.sessions import sign_out
from healthcert.web.staff import identifier, let_in

bp = Blueprint("dev", __name__, url_prefix="/dev")

_NEWEST = 50
_ENTER = DataRequired(message=lazy("Enter an answer"))
_WRONG = MultiDict([("born", "31"), ("born", "2"), ("born", "1971"), ("name", "")])
_MORNING = datetime(2026, 12, 3, 8, 40, tzinfo=UTC)


@bp.get("/sign-in")
def sign_in() -> str:
    """List the demonstration's staff, to be any of them."""
    with parts().doors.reading() as db:
        staff = roster.everyone(db)
    return render_template("dev/sign_in.html", staff=staff, back=inside(request.args.get("next")))


@bp.post("/sign-in")
def become() -> Response:
    """Sign in as a member of the demonstration's staff."""
    staff_id = identifier(request.form.get("staff"))
    with parts().doors.reading() as db:
        if roster.member(db, staff_id=staff_id) is None:
            raise NotFound
    if session.get("staff") != str(staff_id):
        sign_out()
    return let_in(staff_id, request.form.get("next"))


@bp.get("/outbox")
def outbox() -> str:
    """Show the newest messages, as their receivers would read them."""
    with parts().doors.reading() as db:
        found = messages.outbox(db, vault=parts().vault, limit=_NEWEST)
    return render_template("dev/outbox.html", messages=found)


class Sample(Form):
    """One field of each kind."""

    name = wtforms.StringField(lazy("Full name"), [_ENTER])
    phone = wtforms.StringField(lazy("Mobile number"))
    born = DayField(lazy("What is your date of birth?"))
    contact = wtforms.RadioField(
        lazy("How may we reach you?"),
        [_ENTER],
        choices=options(
            {"sms": lazy("Text message"), "mail": lazy("Email"), "post": lazy("Letter")}
        ),
    )
    slot = wtforms.RadioField(
        lazy("Choose a time"), [_ENTER], choices=["09:00", "09:20", "09:40", "10:00", "10:20"]
    )
    needs = wtforms.SelectMultipleField(
        lazy("What would help you at the site?"),
        choices=options({"step": lazy("Step-free access"), "sign": lazy("Sign language")}),
    )
    site = wtforms.SelectField(
        lazy("Site"),
        [_ENTER],
        choices=options({"1": lazy("Central hall"), "2": lazy("Harbour clinic")}),
    )
    note = wtforms.TextAreaField(lazy("Anything we should know?"))
    agreed = wtforms.BooleanField(lazy("I agree that my doses are recorded"), [_ENTER])
    picture = wtforms.FileField(lazy("Photo of your certificate"))


def styleguide() -> str:
    """Show every component in the reader's language, after wrong answers with ``?state=wrong``."""
    wrong = request.args.get("state") == "wrong"
    form = Sample(formdata=_WRONG if wrong else None)
    if wrong:
        form.validate()
    return render_template(
        "dev/styleguide.html", form=form, morning=_MORNING, born=date(1971, 2, 27)
    )
