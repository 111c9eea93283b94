"""People who are on no list today: found, shown, and what was found of them elsewhere or by us."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.data import words
from healthcert.errors import BadInput
from healthcert.i18n import format_known, language
from healthcert.i18n import lazy as _
from healthcert.models.test_result import RESULTS, TEST_TYPES
from healthcert.services import clinic, finding, findings, offers, roster
from healthcert.services.elsewhere import Evidence
from healthcert.services.findings import ToldRecovery, ToldTest
from healthcert.services.people import IdentityDetails
from healthcert.web.answers import (
    Answers,
    BirthField,
    Choice,
    Line,
    Radios,
    moment_of,
    needed,
    one_of,
    options,
)
from healthcert.web.clinic import open_pages, own_site
from healthcert.web.doses import InError, sign
from healthcert.web.forms import DayField
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts
from healthcert.web.labels import EVIDENCE, IDENTITIES, REVOKED
from healthcert.web.moment import now

bp = Blueprint("people", __name__, url_prefix="/clinic/people")

_Page = str | tuple[str, int] | Response


class Wanted(Answers):
    """Somebody who is not on today's list, by two things that are known of them."""

    text = Line(_("Names"))
    born = BirthField(_("Date of birth"))
    phone = Line(_("Phone number"))
    identity_kind = Choice(
        _("Kind of document"), choices=options({**IDENTITIES, "card": _("Card of ours")}),
        default="card",
    )  # fmt: skip
    identity_value = Line(_("Number of the document or card"))


class Proved(Answers):
    """What a finding is of, and what speaks for it."""

    disease = Choice(_("Disease"), [needed])
    evidence = Radios(_("What speaks for it?"), choices=options(EVIDENCE), default="given_here")
    country = Line(_("Country where it was, two letters, if not ours"))
    note = Line(_("What the paper is"))


class TestAnswers(Proved):
    """A test that was done."""

    test_type = Radios(_("Kind of test"))
    result = Radios(_("Result"))
    sampled_at = Line(_("When was the sample taken?"))
    centre = Line(_("Where was it taken?"))
    name = Line(_("Name of the test"))
    device = Line(_("Number of a rapid test in the list of the EU"))


class RecoveryAnswers(Proved):
    """A disease that somebody went through."""

    called: ClassVar = {"test_result_id": "test"}

    first_positive_on = DayField(_("First positive test"))
    test = Choice(_("Test on record that showed it"))


@bp.route("/", methods=["GET", "POST"])
def find() -> _Page:
    """Find somebody who is on no list."""
    form, found, told = Wanted(request.form or None), None, None
    if value := form.identity_value.data:
        told = IdentityDetails(form.identity_kind.data, parts().settings.country, value)
    try:
        if request.form:
            found = done(
                finding.find, vault=parts().vault, reason="registration", text=form.text.data,
                born=form.born.data, phone=form.phone.data, identity=told,
            )  # fmt: skip
    except BadInput as wrong:
        form.take(wrong.fields)
        return render_template("clinic/people.html", form=form, found=None), 400
    return render_template("clinic/people.html", form=form, found=found)


@bp.get("/<uuid:person_id>")
def person(person_id: UUID) -> str:
    """Show somebody who was found, and what can be done for them without an appointment."""
    with parts().doors.transaction() as db:
        found = known(db, person_id, "registration")
        site = roster.site(db, site_id=own_site())
        offered = offers.open_at(db, site_id=site.id, person_id=person_id, now=now())
    diseases = words("disease-agent-targeted", language())
    return render_template(
        "clinic/person.html", found=found, diseases=diseases, offered=offered, site=site
    )


@bp.post("/offers/<uuid:offer_id>/<any(accept, decline):verb>")
def answer(offer_id: UUID, verb: str) -> Response:
    """Take what is offered to somebody who waits, or leave it to the next, as they say."""
    if verb == "accept":
        made = done(offers.take_for, vault=parts().vault, offer_id=offer_id)
        return redirect(url_for("clinic.appointment", appointment_id=made.id), code=303)
    person_id = done(offers.leave_for, offer_id=offer_id)
    return redirect(url_for(".person", person_id=person_id, left=""), code=303)


@bp.post("/<uuid:person_id>/help")
def assist(person_id: UUID) -> Response:
    """Open the citizen's own pages with somebody who is here without an appointment."""
    with parts().doors.transaction() as db:
        found = known(db, person_id, "request")
    return open_pages(person_id, found.name)


@bp.route("/<uuid:person_id>/test", methods=["GET", "POST"])
def test(person_id: UUID) -> _Page:
    """Write down what a test found."""
    form = TestAnswers(request.form or None)
    for field, codes in ((form.test_type, TEST_TYPES), (form.result, RESULTS)):
        name = "covid-19-lab-test-type" if field is form.test_type else "covid-19-lab-result"
        field.choices = options({code: words(name, language())[code] for code in codes})
    return _finding(person_id, form, "test")


@bp.route("/<uuid:person_id>/recovery", methods=["GET", "POST"])
def recovery(person_id: UUID) -> _Page:
    """Write down a disease that somebody went through."""
    return _finding(person_id, RecoveryAnswers(request.form or None), "recovery")


@bp.route("/findings/<uuid:finding_id>/error", methods=["GET", "POST"])
def mark_in_error(finding_id: UUID) -> _Page:
    """Mark a test or a recovery as entered in error, with what is wrong."""
    form = InError(request.form or None)
    form.reason.choices = options({each: REVOKED[each] for each in findings.ERROR_REASONS})
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        one = findings.at_site(db, finding_id=finding_id, staff=staff)
        found = known(db, one.person_id, "correction")
    if not (request.form and form.validate()):
        [shown] = [each for each in found.findings if each.finding_id == finding_id]
        page = {"found": found, "finding": shown, "form": form}
        return render_template("clinic/in_error.html", **page), 400 if request.form else 200
    done(
        findings.mark_in_error, vault=parts().vault, finding_id=finding_id,
        reason=form.reason.data, country=parts().country,
    )  # fmt: skip
    return redirect(url_for(".person", person_id=found.person_id), code=303)


def known(db: Any, person_id: UUID, reason: str) -> clinic.Known:  # noqa: ANN401 - views know no SQL
    """Return somebody in one's reach; the look is written down."""
    staff = roster.present(db, staff_id=visitor().id)
    return clinic.known(
        db, vault=parts().vault, person_id=person_id, staff=staff, reason=reason, now=now()
    )


def _finding(person_id: UUID, form: Any, kind: str) -> _Page:  # noqa: ANN401 - either form
    form.disease.choices = one_of(words("disease-agent-targeted", language()))
    with parts().doors.transaction() as db:
        found = known(db, person_id, "care")
        zone = roster.site(db, site_id=own_site()).time_zone
        if kind == "recovery":
            shown = [one for one in found.findings if one.counts == "positive"]
            tests = {str(one.finding_id): format_known(str(one.day)) for one in shown}
            form.test.choices = options({"": _("None"), **tests})
    page = {"found": found, "form": form, "kind": kind}
    if not (request.form and form.validate()):
        return render_template("clinic/finding.html", **page), 400 if form.errors else 200
    try:
        deed, told = _told(form, kind, zone)
        done(deed, told=told, person_id=person_id, vault=parts().vault, country=parts().country)
    except BadInput as wrong:
        form.take(wrong.fields)
        return render_template("clinic/finding.html", **page), 400
    sign(person_id)
    return redirect(url_for(".person", person_id=person_id), code=303)


def _told(form: Any, kind: str, zone: str) -> tuple[Callable[..., Any], Any]:  # noqa: ANN401
    """Return the deed that writes a finding down, and what is told of it."""
    told, evidence = form.data, None
    if told["evidence"] != "given_here":
        evidence = Evidence(told["evidence"], told["country"].upper(), told["note"])
    if kind == "test":
        names = ("test_type", "result", "centre", "name", "device")
        at = moment_of(told["sampled_at"], zone, "sampled_at", now())
        more = {name: told[name] for name in names} | {"sampled_at": at, "evidence": evidence}
        return findings.record_test, ToldTest(told["disease"], **more)
    test_id = UUID(told["test"]) if told["test"] else None
    recovered = ToldRecovery(told["disease"], told["first_positive_on"], test_id, evidence)
    return findings.record_recovery, recovered
