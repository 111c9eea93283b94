"""For clinics: who is expected, who is here, and what was given."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from healthcert.errors import BadInput
from healthcert.models.appointment import NOT_VACCINATED_REASONS
from healthcert.models.consent import DECIDERS, DECISIONS, OVERRIDE_REASONS
from healthcert.services import (
    clinic,
    desk,
    findings,
    giving,
    observing,
    prompting,
    proxies,
    record,
    unbooked,
    vaccination,
)
from healthcert.web.api.asker import On
from healthcert.web.api.citizen import Appointment
from healthcert.web.api.deeds import deed, get, post
from healthcert.web.api.lists import Paging, Rows
from healthcert.web.api.shapes import Day as OneDay
from healthcert.web.api.shapes import Shape, many, of
from healthcert.web.api.words import word
from healthcert.web.clinic import Scene, own_site, scene, scene_at
from healthcert.web.doses import sign
from healthcert.web.here import parts

_OF = "/clinic/appointments/<uuid:appointment_id>"
_WITHOUT = "/clinic/people/<uuid:person_id>/programmes/<uuid:programme_id>"
_IN_ERROR = word(vaccination.ERROR_REASONS)
_LOOK: dict[str, Any] = {"looks": True, "fixed": {"reason": "care"}}

Expected = of("Expected", "A line of the day list.", clinic.Expected, "*")
_LIST = Rows(Expected, "starts_at appointment_id")
Before = of("Before", "A dose given before.", record.HeldDose,
            "dose_id day product lot counts number")  # fmt: skip
Patient = of("Patient", "The person in front of the nurse.", expected=Expected, before=many(Before))
Finding = of("Finding", "A test or a recovery, and what it is good for.", findings.Held, "*")
Person = of("Person", "Somebody, and what is on record of them.", person_id=UUID, name=str,
            appointments=many(Appointment), doses=many(Before), findings=many(Finding))  # fmt: skip
Question = of("HealthQuestion", "What is asked before a dose, in several languages.",
              code=str, ask=dict[str, str])  # fmt: skip
Questions = of(
    "Questions", "What is asked somebody of their age and sex before a vaccine; what a dose of it "
    "would count as today, and the day to wait for, if there is one.",
    items=many(Question), product_id=UUID, counts=str | None, not_before=OneDay | None,
)  # fmt: skip
Led = of("Led", "Where the answers lead: go, defer, or ask a clinician.", outcome=str)
Dose = of("Dose", "A dose as it was recorded, and what it counts as.", desk.RecordedDose,
          "dose_id appointment_id appointment_state product lot body_site given_at "
          "worth")  # fmt: skip
Watched = of("Watched", "Somebody who is watched.", observing.Watched,
             "observation_id dose_id name until")  # fmt: skip


class Day(Paging):
    """Which day; today, where none is named."""

    day: OneDay | None = None


@deed("GET", "/clinic/day", gives=_LIST.paged)
def day_list(on: On, query: Day) -> Shape:
    """List who is expected at one's site on a day, and who has come."""
    day, vault = query.day or on.today, parts().vault
    found = clinic.day_list(on.db, vault=vault, site_id=own_site(), day=day)
    return _LIST.page(found, query)


class Meant(Shape):
    """Which vaccine is to be given; the one that is planned, where none is named."""

    product_id: UUID | None = None


class Asked(Meant):
    """What was answered, by the code of the question; what is not asked is left out."""

    answers: Annotated[dict[str, bool], Field(min_length=1)]


def _asked(known: prompting.Before) -> Shape:
    told = [{"code": each["code"], "ask": each["ask"]} for each in known.questions]
    worth = known.foreseen
    return Questions.model_validate({
        "items": told, "product_id": known.rule.product.id, "counts": worth and worth.counts,
        "not_before": worth and worth.not_before,
    })  # fmt: skip


def _screened(on: On, at: Scene, answers: dict[str, bool]) -> Shape:
    asked = {str(question["code"]) for question in at.known.questions}
    if unknown := answers.keys() - asked:
        raise BadInput({f"answers.{code}": "not_known" for code in unknown})
    found = giving.screen(
        on.db, answers=answers, patient=at.patient, known=at.known, staff=at.staff, **on.kit
    )
    return Led.model_validate({"outcome": str(found.outcome)})


@deed("GET", f"{_OF}/questions", gives=Questions, looks=True)
def questions(on: On, appointment_id: UUID, query: Meant) -> Shape:
    """Show what is to be asked before the dose; that one looked is written down."""
    return _asked(scene(on.db, appointment_id, "care", query.product_id).known)


@deed("GET", f"{_WITHOUT}/questions", gives=Questions, looks=True)
def questions_unbooked(on: On, query: Meant, **of: UUID) -> Shape:
    """Show what is to be asked before a dose without an appointment; the look is written down."""
    return _asked(scene_at(on.db, "care", **of, product_id=query.product_id).known)


@deed("POST", f"{_OF}/screening", gives=Led)
def screen(on: On, appointment_id: UUID, body: Asked) -> Shape:
    """Keep what was answered to the health questions, and say where it leads."""
    return _screened(on, scene(on.db, appointment_id, "care", body.product_id), body.answers)


@deed("POST", f"{_WITHOUT}/screening", gives=Led)
def screen_unbooked(on: On, body: Asked, **of: UUID) -> Shape:
    """Keep what was answered before a dose without an appointment, and say where it leads."""
    at = scene_at(on.db, "care", **of, product_id=body.product_id)
    return _screened(on, at, body.answers)


Certified = of("Certified", "A fact that was written down, of whom; it is certified at once.",
               id=UUID, person_id=UUID)  # fmt: skip
FACT: dict[str, Any] = {
    "status": 201, "answer": Certified, "then": lambda made: sign(made.person_id)
}  # fmt: skip
get(_OF, clinic.patient, answer=Patient, **_LOOK)
post(f"{_OF}/arrived", clinic.arrive)
post(f"{_OF}/help", proxies.assist)
_AGREE: Any = {"status": 201}
_AGREE["body"] = {"decision": word(DECISIONS), "decided_by": word(DECIDERS)}
_OUTCOMES = word(("go", "defer", "refuse"))
_DECIDE: Any = {"body": {"outcome": _OUTCOMES, "reason": word(OVERRIDE_REASONS)}}
_ASKED_OF = "Who does not agree is asked whether what they booked or await ends (`cancel_ahead`)."
post(f"{_OF}/consent", giving.agree, name="consent", **_AGREE,
     about=f"Write down whether somebody agrees to the vaccination. {_ASKED_OF}")  # fmt: skip
post(f"{_WITHOUT}/consent", giving.agree, name="consent_unbooked", **_AGREE,
     about=f"Write down whether somebody without an appointment agrees. {_ASKED_OF}")  # fmt: skip
post(f"{_OF}/decision", giving.decide, **_DECIDE)
post(f"{_WITHOUT}/decision", giving.decide, name="decide_unbooked", **_DECIDE,
     about="Decide, as a clinician, on answers given without an appointment.")  # fmt: skip
post(f"{_OF}/not-vaccinated", clinic.not_vaccinated,
     body={"reason": word(NOT_VACCINATED_REASONS)})  # fmt: skip
post(f"{_OF}/dose", giving.give, name="record_dose", **FACT)
post("/clinic/people/<uuid:person_id>/doses", unbooked.write_down, **FACT)
post("/clinic/people/<uuid:person_id>/help", proxies.assist, name="assist_known",
     about="Act for somebody found without an appointment, until the day is over.")  # fmt: skip
get("/clinic/doses/<uuid:dose_id>", desk.dose_at_site, answer=Dose, name="recorded", **_LOOK)
post("/clinic/doses/<uuid:dose_id>/in-error", vaccination.judge_by_hand, name="mark_in_error",
     fixed={"found": "entered_in_error"}, body={"reason": _IN_ERROR},
     about="Mark a dose as entered in error: it counts for nothing.")  # fmt: skip
post("/clinic/doses/<uuid:dose_id>/judgement", vaccination.judge_by_hand, name="judge_dose", body={
    "found": word(vaccination.FINDINGS),
    "reason": word(why for some in vaccination.FINDINGS.values() for why in some),
})  # fmt: skip
post("/clinic/doses/<uuid:dose_id>/correct", vaccination.correct, body={"reason": _IN_ERROR},
     **FACT)  # fmt: skip
post("/clinic/findings/<uuid:finding_id>/in-error", findings.mark_in_error,
     name="finding_in_error", body={"reason": word(findings.ERROR_REASONS)})  # fmt: skip
get("/clinic/observed", observing.watched, answer=Rows(Watched, "until observation_id"),
    name="observed")  # fmt: skip
post("/clinic/observed/<uuid:observation_id>/left", observing.leave, name="left")


@deed("GET", "/clinic/people/<uuid:person_id>", gives=Person, looks=True)
def person(on: On, person_id: UUID) -> Shape:
    """Show somebody who has an appointment here, or was just found; the look is written down."""
    return Person.model_validate(
        clinic.known(on.db, person_id=person_id, staff=on.staff, reason="care", **on.kit)
    )
