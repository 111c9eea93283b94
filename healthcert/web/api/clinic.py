"""For clinics: who is expected, who is here, what was given, what was found to be wrong."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from healthcert.errors import BadInput, NotFound, TooManyLooks, WrongState
from healthcert.models.consent import DECIDERS, DECISIONS
from healthcert.services import clinic, desk, giving, observing, record, safety, vaccination
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, serve
from healthcert.web.api.lists import Page, Paging, page
from healthcert.web.api.shapes import Day as OneDay
from healthcert.web.api.shapes import Made, Shape, Told, choice, of
from healthcert.web.clinic import own_site
from healthcert.web.doses import sign
from healthcert.web.here import parts

_LOOKS = (NotFound, TooManyLooks)
_STEPS = (NotFound, WrongState)
_OF = "/clinic/appointments/<uuid:appointment_id>"
_IN_ERROR = Annotated[str, choice(vaccination.ERROR_REASONS)]


class Day(Paging):
    """Which day; today, where none is named."""

    day: OneDay | None = None


@of(clinic.Expected, "appointment_id", "reference", "person_id", "name", "latin_name",
    "birth_date", "starts_at", "time_zone", "state", "dose_number", "product_id", "product",
    "programme_id", "programme")  # fmt: skip
class Expected(Told):
    """A line of the day list."""


@of(record.HeldDose, "dose_id", "day", "product", "lot", "counts", "number")
class Before(Told):
    """A dose given before."""


class Patient(Told):
    """The person in front of the nurse."""

    expected: Expected
    before: list[Before]


@of(desk.RecordedDose, "dose_id", "appointment_id", "product", "lot", "body_site", "given_at",
    "worth")  # fmt: skip
class Dose(Told):
    """A dose as it was recorded, and what it counts as."""


@of(observing.Watched, "observation_id", "dose_id", "name", "until")
class Watched(Told):
    """Somebody who is watched."""


@deed("GET", "/clinic/day", (NotFound,))
def day_list(on: On, query: Day) -> Page[Expected]:
    """List who is expected at one's site on a day, and who has come."""
    day, vault = query.day or on.today, parts().vault
    found = clinic.day_list(on.db, vault=vault, site_id=own_site(), day=day)
    return page(Expected, found, lambda one: (one.starts_at, one.appointment_id), query)


@deed("GET", _OF, _LOOKS, looks=True)
def patient(on: On, appointment_id: UUID) -> Patient:
    """Show the person of an appointment; the look is written down."""
    found = clinic.patient(
        on.db, appointment_id=appointment_id, staff=on.staff, reason="care", **on.kit
    )
    return Patient.model_validate(found)


def _sign(made: Any) -> None:  # noqa: ANN401 - what was made
    sign(made.person_id)


class Certified(Made):
    """A fact that was written down, of whom; what it earned is signed at once."""

    person_id: UUID


class Asked(Shape):
    """What was answered, by the code of the question; what is not asked is left out."""

    answers: Annotated[dict[str, bool], Field(min_length=1)]


class Led(Told):
    """Where the answers lead: go, defer, or ask a clinician."""

    outcome: str


@deed("POST", f"{_OF}/screening", _LOOKS)
def screen(on: On, appointment_id: UUID, body: Asked) -> Led:
    """Keep what was answered to the health questions, and say where it leads."""
    told = on.told({"patient", "known", "staff", "day", "vault", "now"},
                   {"appointment_id": appointment_id}, "")  # fmt: skip
    asked = {str(question["code"]) for question in told["known"].questions}
    if unknown := body.answers.keys() - asked:
        raise BadInput({f"answers.{code}": "not_known" for code in unknown})
    found = giving.screen(on.db, answers=body.answers, **told)
    return Led(outcome=str(found.outcome))


serve("POST", f"{_OF}/arrived", clinic.arrive, _STEPS)
serve("POST", f"{_OF}/consent", safety.consent, (*_STEPS, TooManyLooks), status=201, body={
    "decision": Annotated[str, choice(DECISIONS)], "decided_by": Annotated[str, choice(DECIDERS)],
})  # fmt: skip
serve("POST", f"{_OF}/decision", giving.decide, (*_STEPS, TooManyLooks))
serve("POST", f"{_OF}/not-vaccinated", clinic.not_vaccinated, _STEPS,
      body={"reason": Annotated[str, choice(clinic.NOT_VACCINATED_REASONS)]})  # fmt: skip
serve("POST", f"{_OF}/dose", giving.give, (*_STEPS, TooManyLooks), status=201, name="record_dose",
      answer=Certified, then=_sign)  # fmt: skip
serve("GET", "/clinic/doses/<uuid:dose_id>", desk.dose_at_site, _LOOKS, looks=True,
      fixed={"reason": "care"}, answer=Dose, name="recorded")  # fmt: skip
serve("POST", "/clinic/doses/<uuid:dose_id>/in-error", vaccination.judge_by_hand, _STEPS,
      name="mark_in_error", fixed={"found": "entered_in_error"},
      body={"reason": _IN_ERROR})  # fmt: skip
serve("POST", "/clinic/doses/<uuid:dose_id>/correct", vaccination.correct, _STEPS, status=201,
      body={"reason": _IN_ERROR}, answer=Certified, then=_sign)  # fmt: skip


@deed("GET", "/clinic/observed", (NotFound,))
def observed(on: On, query: Paging) -> Page[Watched]:
    """List who is watched after a dose, and until when."""
    found = observing.watched(on.db, site_id=own_site(), **on.kit)
    return page(Watched, found, lambda one: (one.until, one.observation_id), query)


serve("POST", "/clinic/observed/<uuid:observation_id>/left", observing.leave, _STEPS, name="left")
