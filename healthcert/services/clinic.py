"""A day at a clinic: who is expected, who has come, who is in front of the nurse."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotFound, there
from healthcert.gateways.vault import Vault
from healthcert.models import (
    AdverseEvent,
    Appointment,
    ClinicSession,
    Consent,
    Person,
    Product,
    Programme,
    Site,
    Slot,
    Staff,
)
from healthcert.models.appointment import NOT_VACCINATED_REASONS
from healthcert.policy import likeness
from healthcert.services import (
    audit,
    enrolment,
    facts,
    findings,
    knowledge,
    looks,
    reactions,
    record,
    safety,
)
from healthcert.services.people import Details, IdentityDetails, details_of
from healthcert.services.places import change_state
from healthcert.services.record import HeldAppointment, HeldDose
from healthcert.services.scenes import place_of
from healthcert.services.tidying import tidy_identity

_LEAST_ALIKE = 0.75
_ON_THE_LIST = ("booked", "arrived", "vaccinated", "not_vaccinated", "no_show")


@dataclass(frozen=True, slots=True)
class Expected:
    """A line of the day list."""

    appointment_id: UUID
    reference: str  # as the person holds it
    person_id: UUID
    name: str  # given and family name in their own script
    latin_name: str  # the same in Latin letters, or empty
    birth_date: str  # as told, perhaps partial
    starts_at: datetime  # aware
    time_zone: str  # of the site
    state: str  # of the appointment
    dose_number: int  # which dose it is for
    product_id: UUID  # what the session gives
    product: str  # its name
    programme_id: UUID
    programme: dict[str, str]  # its names by language
    why_not: str | None  # why nothing was given, where it ended so
    consent: str | None  # the decision that counts now; None where nobody was asked


@dataclass(frozen=True, slots=True)
class Unexpected:
    """Somebody who stands there without an appointment, for a dose; named as in `Expected`."""

    person_id: UUID
    name: str
    latin_name: str
    birth_date: str
    time_zone: str
    product_id: UUID
    product: str
    programme_id: UUID
    programme: dict[str, str]
    appointment_id: None = None
    state: str = "arrived"


@dataclass(frozen=True, slots=True)
class Patient:
    """The person in front of the nurse: the line of the day list, details, and doses before."""

    expected: Expected | Unexpected
    details: Details
    before: list[HeldDose]


class Known(NamedTuple):
    """Somebody at the desk, expected or not: details, and what is on record, newest first."""

    person_id: UUID
    details: Details
    appointments: list[HeldAppointment]
    doses: list[HeldDose]
    findings: list[findings.Held]
    reactions: Sequence[AdverseEvent]  # after earlier doses, the latest first

    @property
    def name(self) -> str:
        """Return what the person is called, in their own script."""
        return f"{self.details.given} {self.details.family}".strip()


def day_list(db: Session, *, vault: Vault, site_id: UUID, day: date) -> list[Expected]:
    """Return who is expected at a site on a day, and who has come, by time and name."""
    agreed = (
        select(Consent.decision)
        .where(Consent.person_id == Appointment.person_id)
        .where(Consent.programme_id == Appointment.programme_id)
        .order_by(Consent.ordinal.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Appointment, Person, Product, Programme, Site, agreed)
        .join(Person, Person.id == Appointment.person_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .join(Programme, Programme.id == Appointment.programme_id)
        .join(Site, Site.id == ClinicSession.site_id)
        .where(ClinicSession.site_id == site_id, ClinicSession.day == day)
        .where(Appointment.state.in_(_ON_THE_LIST))
    )
    found = [_expected(vault, *row) for row in db.execute(query)]
    return sorted(found, key=lambda line: (line.starts_at, line.latin_name, line.name))


def looked_for(lines: list[Expected], wanted: str) -> list[Expected]:
    """Return whom of a day list somebody may mean: by reference, parts of names, or their sound."""
    number, typed = wanted.replace("-", "").replace(" ", "").upper(), likeness.parts(wanted)
    words = _plain(wanted).split()

    def alike(line: Expected) -> float:
        return likeness.likeness(typed, likeness.parts(line.name, line.latin_name))

    by_number = [line for line in lines if line.reference.replace("-", "") == number]
    by_part = [
        line for line in lines if all(w in _plain(f"{line.name} {line.latin_name}") for w in words)
    ]
    by_sound = sorted((line for line in lines if alike(line) >= _LEAST_ALIKE), key=alike)
    return by_number or by_part or by_sound[::-1]


def of_card(
    db: Session, *, vault: Vault, lines: list[Expected], wanted: str, country: str
) -> list[Expected]:
    """Return whom of a day list the reference on a card of ours names, typed or scanned."""
    card = tidy_identity(IdentityDetails("card", country, wanted))
    held = enrolment.on_record(db, vault=vault, identities=[card]).values()
    return [line for line in lines if line.person_id in {person.id for person in held}]


def _plain(text: str) -> str:
    """Return a text without capitals and marks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def note_found(db: Session, *, lines: list[Expected], staff: Staff, now: datetime) -> None:
    """Write down that people were found on the day list by looking for them."""
    for line in lines:
        looks.seen(
            db, staff=staff, person_id=line.person_id, reason="registration",
            details={"appointment": line.appointment_id}, now=now, listed=True,
        )  # fmt: skip


def patient(
    db: Session, *, vault: Vault, appointment_id: UUID, staff: Staff, reason: str, now: datetime
) -> Patient:
    """Return the person of an appointment at this site; that it was looked at is written down.

    Raises:
        BadInput: The reason is none of `looks.REASONS`.
        NotFound: No such appointment at the site of this member of staff.
    """
    appointment = _at_site(db, appointment_id, staff.site_id)
    place = place_of(db, appointment.slot_id, states=None)
    person = db.get_one(Person, appointment.person_id)
    programme = db.get_one(Programme, appointment.programme_id)
    agreed = safety.current_consent(db, person_id=person.id, programme_id=programme.id)
    looks.seen(
        db, staff=staff, person_id=person.id, reason=reason,
        details={"appointment": appointment.id}, now=now,
    )  # fmt: skip
    return Patient(
        expected=_expected(
            vault, appointment, person, place.product, programme, place.site,
            agreed.decision if agreed else None,
        ),
        details=details_of(vault, person),
        before=_before(db, person, programme),
    )  # fmt: skip


def unexpected(
    db: Session, *, vault: Vault, person_id: UUID, programme_id: UUID, product_id: UUID | None,
    staff: Staff,
) -> Patient:  # fmt: skip
    """Return somebody without an appointment, for a dose of a programme at the site of a nurse.

    Where no product is meant it is the first that is offered. Whether the person is in reach, who
    calls has found out (`known`).

    Raises:
        NotFound: No such person, programme or product.
    """
    person, site = there(db.get(Person, person_id)), db.get_one(Site, staff.site_id)
    programme = there(db.get(Programme, programme_id))
    product = there(
        db.get(Product, product_id) if product_id else knowledge.first_of(db, programme)
    )
    details = details_of(vault, person)
    line = Unexpected(
        person_id, f"{details.given} {details.family}".strip(),
        f"{details.given_latin} {details.family_latin}".strip(), details.birth_date,
        site.time_zone, product.id, product.name, programme.id, programme.names,
    )  # fmt: skip
    return Patient(line, details, _before(db, person, programme))


def _before(db: Session, person: Person, programme: Programme) -> list[HeldDose]:
    """Return the doses on record toward what a programme protects from, the first one first."""
    doses = reversed(record.doses_of(db, person.id))
    return [dose for dose in doses if dose.disease == programme.disease]


def arrive(
    db: Session, *, appointment_id: UUID, site_id: UUID, staff_id: UUID, now: datetime
) -> None:
    """Note that a person has come; one who was given up, or left unvaccinated, may still come.

    Raises:
        NotFound: No such appointment at this site.
        WrongState: They have come already, or the appointment is over.
        AlreadyBooked, TimesOverlap: They were given up, and have booked again.
    """
    appointment = _at_site(db, appointment_id, site_id)
    change_state(db, appointment, "arrived", before=("booked", "no_show", "not_vaccinated"))
    actor, subject = audit.Actor("staff", staff_id), audit.Subject("appointment", appointment.id)
    audit.note(db, actor=actor, act="arrived", subject=subject, details={}, now=now)


def not_vaccinated(
    db: Session, *, appointment_id: UUID, reason: str, staff: Staff, now: datetime
) -> None:
    """Note that a person who came was not vaccinated, and why.

    Raises:
        BadInput: The reason is none of `NOT_VACCINATED_REASONS`.
        NotFound: No such appointment at the site of this member of staff.
        WrongState: The appointment is over.
    """
    if reason not in NOT_VACCINATED_REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    appointment = _at_site(db, appointment_id, staff.site_id)
    if appointment.state == "booked":
        change_state(db, appointment, "arrived", before=("booked",))
    change_state(db, appointment, "not_vaccinated", before=("arrived",), why_not=reason)
    audit.done(db, "not_vaccinated", appointment, {"reason": reason}, by=staff, now=now)


def known(
    db: Session, *, vault: Vault, person_id: UUID, staff: Staff, reason: str, now: datetime
) -> Known:
    """Return somebody who has or had an appointment at one's site, or was just found by oneself.

    Raises:
        BadInput: The reason is none of `looks.REASONS`.
        NotFound: Nobody of whom that is true.
    """
    ours = select(Appointment.id).join(Slot, Slot.id == Appointment.slot_id)
    ours = ours.join(ClinicSession, ClinicSession.id == Slot.session_id)
    ours = ours.where(Appointment.person_id == person_id, ClinicSession.site_id == staff.site_id)
    found = looks.just_seen(staff.id, person_id, now)
    if not db.scalar(select(or_(ours.exists(), found.exists()))):
        raise NotFound
    looks.seen(db, staff=staff, person_id=person_id, reason=reason, now=now)
    person, zone = db.get_one(Person, person_id), db.get_one(Site, staff.site_id).time_zone
    return Known(
        person_id, details_of(vault, person), record.appointments_of(db, person_id)[person_id],
        record.doses_of(db, person_id), findings.held(db, person_id, zone),
        reactions.of_person(db, person_id),
    )  # fmt: skip


def supply(
    db: Session, *, programme_id: UUID, site_id: UUID, day: date
) -> list[tuple[Product, list[str]]]:
    """Return what a site gives in a programme on a day, with the lots that may be given then."""
    query = (
        select(Product)
        .join(ClinicSession, ClinicSession.product_id == Product.id)
        .where(ClinicSession.site_id == site_id, ClinicSession.day == day)
        .where(ClinicSession.programme_id == programme_id)
        .distinct()
        .order_by(Product.name)
    )
    return [
        (each, facts.lots_on(db, product_id=each.id, site_id=site_id, day=day))
        for each in db.scalars(query)
    ]


def _at_site(db: Session, appointment_id: UUID, site_id: UUID | None) -> Appointment:
    query = (
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(Appointment.id == appointment_id, ClinicSession.site_id == site_id)
    )
    return there(db.scalar(query.execution_options(populate_existing=True)))


def _expected(
    vault: Vault, appointment: Appointment, person: Person, product: Product, programme: Programme,
    site: Site, consent: str | None,
) -> Expected:  # fmt: skip
    details = details_of(vault, person)
    return Expected(
        appointment_id=appointment.id, reference=appointment.reference, person_id=person.id,
        name=f"{details.given} {details.family}".strip(),
        latin_name=f"{details.given_latin} {details.family_latin}".strip(),
        birth_date=details.birth_date, starts_at=appointment.starts_at, time_zone=site.time_zone,
        state=appointment.state, dose_number=appointment.dose_number, product_id=product.id,
        product=product.name, programme_id=programme.id, programme=programme.names,
        why_not=appointment.why_not, consent=consent,
    )  # fmt: skip
