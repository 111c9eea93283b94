"""For clinics: who is expected, who is here, what was given, what was found to be wrong."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from healthcert.errors import NotFound, TooManyLooks, WrongState
from healthcert.models.dose import BODY_SITES
from healthcert.services import clinic, desk, roster, vaccination
from healthcert.services.facts import Told as ToldDose
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed
from healthcert.web.api.shapes import (
    Moment,
    Page,
    Paging,
    Shape,
    Text,
    Told,
    Words,
    choice,
    page,
)
from healthcert.web.clinic import own_site
from healthcert.web.doses import sign
from healthcert.web.here import parts
from healthcert.web.moment import now

_LOOKS = (NotFound, TooManyLooks)


class Day(Paging):
    """Which day; today, where none is named."""

    day: date | None = None


class Expected(Told):
    """A line of the day list."""

    appointment_id: UUID
    reference: str
    person_id: UUID
    name: str
    latin_name: str
    birth_date: str
    starts_at: Moment
    time_zone: str
    state: str
    dose_number: int
    product_id: UUID
    product: str
    programme_id: UUID
    programme: Words


class Before(Told):
    """A dose given before."""

    dose_id: UUID
    day: str
    product: str
    lot: str
    counts: str
    number: int | None


class Patient(Told):
    """The person in front of the nurse."""

    expected: Expected
    before: list[Before]


class State(Told):
    """What became of an appointment."""

    appointment_id: UUID
    state: str


class Given(Shape):
    """A dose that was given; now, where no time is told."""

    product_id: UUID
    lot: Text
    body_site: Annotated[str, choice(BODY_SITES)]
    given_at: AwareDatetime | None = None

    @property
    def told(self) -> ToldDose:
        """As the service takes it."""
        return ToldDose(self.lot, self.body_site, self.given_at or now())


class Corrected(Given):
    """Everything as it should stand, and why it did not."""

    reason: Annotated[str, choice(vaccination.ERROR_REASONS)]


class InError(Shape):
    """Why a dose should not stand."""

    reason: Annotated[str, choice(vaccination.ERROR_REASONS)]


class NotVaccinated(Shape):
    """Why somebody who came was not vaccinated."""

    reason: Annotated[str, choice(clinic.NOT_VACCINATED_REASONS)]


class Worth(Told):
    """What a dose counts as toward a disease."""

    counts: str
    number: int | None
    certificate: str


class Dose(Told):
    """A dose as it was recorded."""

    dose_id: UUID
    appointment_id: UUID | None
    product: str
    lot: str
    body_site: str
    given_at: Moment
    worth: list[Worth]


@deed("GET", "/clinic/day", (NotFound,))
def day_list(on: On, query: Day) -> Page[Expected]:
    """List who is expected at one's site on a day, and who has come."""
    site = roster.site(on.db, site_id=own_site())
    day = query.day or now().astimezone(ZoneInfo(site.time_zone)).date()
    found = clinic.day_list(on.db, vault=parts().vault, site_id=site.id, day=day)
    return page(Expected, found, lambda one: (one.starts_at, one.appointment_id), query)


@deed("GET", "/clinic/appointments/<uuid:appointment_id>", _LOOKS, looks=True)
def patient(on: On, appointment_id: UUID) -> Patient:
    """Show the person of an appointment; the look is written down."""
    found = clinic.patient(
        on.db, appointment_id=appointment_id, staff=on.staff, reason="care", **on.kit
    )
    return Patient.model_validate(found)


@deed("POST", "/clinic/appointments/<uuid:appointment_id>/arrived", (NotFound, WrongState))
def arrived(on: On, appointment_id: UUID) -> State:
    """Note that a person has come."""
    clinic.arrive(
        on.db, appointment_id=appointment_id, site_id=own_site(), staff_id=on.staff.id, now=now()
    )
    return State(appointment_id=appointment_id, state="arrived")


@deed("POST", "/clinic/appointments/<uuid:appointment_id>/not-vaccinated", (NotFound, WrongState))
def not_vaccinated(on: On, appointment_id: UUID, body: NotVaccinated) -> State:
    """Note that a person who came was not vaccinated, and why."""
    clinic.not_vaccinated(
        on.db, appointment_id=appointment_id, reason=body.reason, staff=on.staff, now=now()
    )
    return State(appointment_id=appointment_id, state="not_vaccinated")


def _sign(dose: Dose) -> None:
    sign(dose.dose_id)


@deed("POST", "/clinic/appointments/<uuid:appointment_id>/dose", (NotFound, WrongState),
      status=201, then=_sign)  # fmt: skip
def dose(on: On, appointment_id: UUID, body: Given) -> Dose:
    """Write down the dose that was given; its certificate is signed at once where it counts."""
    told = body.told
    made = vaccination.record(
        on.db, appointment_id=appointment_id, product_id=body.product_id, lot_text=told.lot,
        body_site=told.body_site, given_at=told.given_at, staff=on.staff,
        country=parts().country, **on.kit,
    )  # fmt: skip
    return _dose(on, made.id)


@deed("GET", "/clinic/doses/<uuid:dose_id>", _LOOKS, looks=True)
def recorded(on: On, dose_id: UUID) -> Dose:
    """Show a dose of one's site, what it counts as, and what became of its certificate."""
    return _dose(on, dose_id)


@deed("POST", "/clinic/doses/<uuid:dose_id>/in-error", (NotFound, WrongState))
def in_error(on: On, dose_id: UUID, body: InError) -> Dose:
    """Mark a dose as entered in error; its certificate no longer holds."""
    vaccination.mark_in_error(
        on.db, dose_id=dose_id, reason=body.reason, staff=on.staff, country=parts().country,
        **on.kit,
    )  # fmt: skip
    return _dose(on, dose_id)


@deed("POST", "/clinic/doses/<uuid:dose_id>/correct", (NotFound, WrongState), status=201,
      then=_sign)  # fmt: skip
def correct(on: On, dose_id: UUID, body: Corrected) -> Dose:
    """Record the right dose in the place of a wrong one."""
    made = vaccination.correct(
        on.db, dose_id=dose_id, product_id=body.product_id, told=body.told,
        reason=body.reason, staff=on.staff, country=parts().country, **on.kit,
    )  # fmt: skip
    return _dose(on, made.id)


def _dose(on: On, dose_id: UUID) -> Dose:
    found = desk.dose_at_site(on.db, dose_id=dose_id, staff=on.staff, reason="care", **on.kit)
    return Dose.model_validate(found)
