"""Record doses: facts first, whatever is wrong with them; and judge by hand what no rule can see.

A dose that was given elsewhere is judged like any other. What was written down wrongly is marked
as entered in error, and the right dose recorded in its place; no row ever changes.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import AlreadyBooked, BadInput, NotFound, TimesOverlap, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Dose,
    DoseStanding,
    Observation,
    Person,
    Product,
    ProductTarget,
    Programme,
    Site,
    Staff,
)
from healthcert.policy.worth import Found
from healthcert.services import (
    audit,
    elsewhere,
    facts,
    issuing,
    judging,
    messages,
    people,
    replanning,
    stock,
    waits,
)
from healthcert.services.booking import cancel
from healthcert.services.elsewhere import Elsewhere
from healthcert.services.facts import Told
from healthcert.services.places import change_state, give_back
from healthcert.services.scenes import Place, place_of
from healthcert.services.sweeping import GIVEN_UP_AFTER

_ON_TIME = ("booked", "arrived")
ERROR_REASONS = (
    "wrong_person", "not_given", "given_twice_on_record", "wrong_product", "wrong_lot",
    "wrong_day", "other",
)  # fmt: skip
SUBPOTENT_REASONS = ("frozen", "too_warm", "open_too_long", "wrong_diluent", "part_dose")
FINDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "entered_in_error": ERROR_REASONS,
        "subpotent": SUBPOTENT_REASONS,
        "": ("found_potent",),  # the rules judge it again
    }
)
"""What a person may find of a dose, and the reasons they may give."""


class AlreadyRecorded(WrongState):
    """The dose of the appointment is on record already; `dose_id` says which it is."""

    def __init__(self, dose_id: UUID) -> None:
        """Take that dose."""
        super().__init__()
        self.dose_id = dose_id


def record(
    db: Session, *, vault: Vault, appointment_id: UUID, product_id: UUID, told: Told, staff: Staff,
    country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Write down the dose that was given in an appointment, judge it, and intend its certificate.

    No medical reason refuses: an unknown lot, too short an interval or the wrong product are
    written down, and `counts` says what they are worth. Read it from `DoseStanding`. Nor does an
    appointment that is over, as by a closure just now: it takes no place again, and the one
    that was to come instead is given back where the dose counts.

    Raises:
        BadInput: See `facts.read`.
        NotFound: No such appointment at the site of this member of staff, or no such product.
        WrongState: Its dose is recorded already: see `AlreadyRecorded`.
    """
    told = facts.read(told, now=now)
    appointment, place = _appointment(db, appointment_id, staff)
    person = people.locked(db, appointment.person_id)
    was = _end(db, appointment)
    dose = facts.write(
        db, told, origin=appointment, site=place.site, product=_product(db, product_id),
        staff=staff, now=now,
    )  # fmt: skip
    late = {} if was in _ON_TIME else {"appointment": was}
    return _follow(db, vault, person, dose, late, appointment.reference, staff, country, now)


def record_unbooked(
    db: Session, *, vault: Vault, person_id: UUID, programme_id: UUID, product_id: UUID,
    told: Told, staff: Staff, country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Write down a dose that was given to somebody who had no appointment at this site.

    It takes nobody's place; else it is as in `record` of an appointment that is over.

    Raises:
        BadInput: See `facts.read`.
        NotFound: No such person, programme or product.
    """
    told, person = facts.read(told, now=now), people.locked(db, person_id)
    _all_there(db, Programme, {programme_id})
    dose = facts.write(
        db, told, origin=facts.Unbooked(person_id, programme_id), staff=staff, now=now,
        site=db.get_one(Site, staff.site_id), product=_product(db, product_id),
    )  # fmt: skip
    return _follow(db, vault, person, dose, {"appointment": "none"}, "", staff, country, now)


def _follow(
    db: Session, vault: Vault, person: Person, dose: Dose, late: Mapping[str, str], reference: str,
    staff: Staff, country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Let follow what follows from a dose given here: its stock, its worth, what is told of it."""
    stock.take(db, dose=dose, now=now)
    counts = _judge(db, vault, [person], [dose], staff, country, now)[dose.id]
    audit.done(db, "dose_recorded", dose, {**counts, **late}, by=staff, now=now)
    _tell_recalled(db, vault, {person.id: person}, [dose], {dose.id: counts}, country, now)
    if late and "valid" in counts.values():
        actor = audit.Actor("staff", staff.id)
        number = select(func.min(DoseStanding.number)).filter_by(dose_id=dose.id).scalar_subquery()
        again = select(Appointment.id).filter_by(person_id=person.id, state="booked")
        again = again.filter_by(programme_id=dose.programme_id, dose_number=number)
        if one := db.scalar(again):
            cancel(db, vault=vault, appointment_id=one, person_id=person.id, actor=actor, now=now)
    product, site = db.get_one(Product, dose.product_id), db.get_one(Site, dose.site_id)
    messages.queue(
        db, vault=vault, person=person, due_at=now, now=now, time_zone=site.time_zone,
        template="dose_recorded" if reference else "dose_unbooked",
        fields={"product": product.name, "when": dose.given_at or now, "reference": reference},
    )  # fmt: skip
    return dose


def record_elsewhere(
    db: Session, *, vault: Vault, doses: Sequence[elsewhere.OfSomebody], staff: Staff,
    country: Country, now: datetime,
) -> list[Dose]:  # fmt: skip
    """Write down doses given elsewhere that were read, judge each person once, intend certificates.

    What somebody only states, and a day known in part, are recorded, count as ``unknown`` and
    are not certified. An ``import_key`` that is known already gives the dose that is there.

    Raises:
        BadInput: An ``import_key`` belongs to somebody else.
        NotFound: No such person, programme or product.
    """
    locked = people.all_locked(db, {each.person_id for each in doses})
    _all_there(db, Product, {each.product_id for each in doses})
    _all_there(db, Programme, {each.programme_id for each in doses})
    before = _recorded(db, doses)
    new = [each for each in doses if each.told.import_key not in before]
    lots = facts.held_lots(db, [(each.product_id, each.told.lot) for each in new])
    rows = [
        elsewhere.dose_of(
            each, vault=vault, person=locked[each.person_id],
            lot=lots[each.product_id, each.told.lot], staff=staff, country=country, now=now,
        )
        for each in new
    ]  # fmt: skip
    db.add_all(rows)
    db.flush()
    counts = _judge(db, vault, list(locked.values()), rows, staff, country, now)
    for dose in rows:
        told = counts[dose.id] | {"source": dose.source}
        audit.done(db, "dose_recorded", dose, told, by=staff, now=now)
    _tell_recalled(db, vault, locked, rows, counts, country, now)
    written = iter(rows)
    return [before.get(each.told.import_key) or next(written) for each in doses]


def judge_by_hand(
    db: Session, *, vault: Vault, dose_id: UUID, found: str, reason: str, staff: Staff,
    country: Country, now: datetime,
) -> None:  # fmt: skip
    """Judge a dose by what a person found: certificates first, then it, then those around it.

    `found` is a key of `FINDINGS`: ``entered_in_error``, which is for good, ``subpotent``, or
    empty for a subpotent dose that proved to be potent.

    Raises:
        BadInput: The reason is none of its finding.
        NotFound: No such dose at the site of this member of staff.
        WrongState: It was entered in error, is marked so already, or was never marked; or its lot
            is recalled, which a lost strength changes nothing of.
    """
    if reason not in FINDINGS[found]:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    dose, person = _standing(db, dose_id, staff, found)
    _judge(db, vault, [person], [dose], staff, country, now, {dose.id: Found(found, reason)})
    if found == "entered_in_error":
        stock.give_back(db, dose=dose, by=staff.id, now=now)
        if person.erased_at is None:
            _reopen(db, dose, reason, now)
    act = "dose_marked_in_error" if found == "entered_in_error" else "dose_judged_by_hand"
    audit.done(db, act, dose, {"reason": reason}, by=staff, now=now)
    if found:
        template = "dose_corrected" if found == "entered_in_error" else "dose_subpotent"
        issuing.tell(db, vault, person, template, country, now, site_id=staff.site_id)


mark_in_error = partial(judge_by_hand, found="entered_in_error")


def correct(
    db: Session, *, vault: Vault, dose_id: UUID, product_id: UUID, told: Told | Elsewhere,
    reason: str, staff: Staff, country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Record the right dose in the place of a wrong one, which is marked as entered in error.

    `told` is everything as it should stand: `Told` of a dose given here, else `Elsewhere`. For a
    dose of another person mark the wrong one and record anew.

    Raises:
        BadInput: The reason is none, or see `facts.read` and `elsewhere.read`.
        NotFound: No such dose at the site of this member of staff, or no such product.
        WrongState: It is marked already, or what is told is of the other kind.
    """
    if reason not in ERROR_REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    wrong, person = _standing(db, dose_id, staff, "entered_in_error")
    product = _product(db, product_id)
    if isinstance(told, Elsewhere) == (wrong.source == "point_of_care"):
        raise WrongState
    if isinstance(told, Elsewhere):
        told = elsewhere.read(told, country=country, now=now)
        of, named = person.id, (product_id, told.lot)
        right = elsewhere.dose_of(
            elsewhere.OfSomebody(of, wrong.programme_id, product_id, told), vault=vault,
            person=person, lot=facts.held_lots(db, [named])[named],
            staff=staff, country=country, now=now, replaces=wrong.id,
        )  # fmt: skip
        db.add(right)
        db.flush()
    else:
        right = facts.write(
            db, facts.read(told, now=now), origin=wrong, site=db.get_one(Site, wrong.site_id),
            product=product, staff=staff, now=now,
        )  # fmt: skip
    watch = update(Observation).where(Observation.dose_id == wrong.id).values(dose_id=right.id)
    db.execute(watch, execution_options={"synchronize_session": False})
    stock.give_back(db, dose=wrong, by=staff.id, now=now)
    stock.take(db, dose=right, now=now)
    by_hand = {wrong.id: Found("entered_in_error", reason)}
    counts = _judge(db, vault, [person], [wrong, right], staff, country, now, by_hand)[right.id]
    details = counts | {"replaces": wrong.id, "reason": reason}
    audit.done(db, "dose_corrected", right, details, by=staff, now=now)
    _tell_recalled(db, vault, {person.id: person}, [right], {right.id: counts}, country, now)
    issuing.tell(db, vault, person, "dose_corrected", country, now, site_id=staff.site_id)
    return right


def _judge(
    db: Session, vault: Vault, everybody: Sequence[Person], doses: Sequence[Dose], staff: Staff,
    country: Country, now: datetime, by_hand: Mapping[UUID, Found] = MappingProxyType({}),
) -> dict[UUID, dict[str, audit.Detail]]:  # fmt: skip
    """Judge people toward each disease of some of their doses; return what these count as.

    What they have booked and no longer fits is planned anew; what they are offered is ended.
    """
    products = {dose.product_id for dose in doses}
    targets = select(ProductTarget.disease).where(ProductTarget.product_id.in_(products))
    counts: dict[UUID, dict[str, audit.Detail]] = {dose.id: {} for dose in doses}
    for disease in db.scalars(targets.distinct().order_by(ProductTarget.disease)).all():
        found = judging.judge(
            db, vault=vault, people=everybody, disease=disease, country=country,
            judged_by=staff.id, now=now, by_hand=by_hand,
        )  # fmt: skip
        for dose_id in counts.keys() & found.keys():
            counts[dose_id][disease] = found[dose_id]
    replanning.replan(db, vault=vault, persons=everybody, now=now)
    waits.after_dose(db, vault=vault, persons=everybody, now=now)
    return counts


def _standing(db: Session, dose_id: UUID, staff: Staff, found: str) -> tuple[Dose, Person]:
    """Return a dose that a person may judge by hand, and whose it is, locked.

    A dose given elsewhere belongs to the site where it was written down.
    """
    dose = there(db.get(Dose, dose_id))
    site_id = dose.site_id or db.get_one(Staff, dose.recorded_by).site_id
    if site_id != staff.site_id:
        raise NotFound
    person = people.locked(db, dose.person_id)
    stands = set(db.scalars(select(DoseStanding.counts).where(DoseStanding.dose_id == dose_id)))
    over = {"entered_in_error", found} | ({"recalled_lot"} if found == "subpotent" else set())
    if over & stands or not (found or "subpotent" in stands):
        raise WrongState
    return dose, person


def _appointment(db: Session, appointment_id: UUID, staff: Staff) -> tuple[Appointment, Place]:
    appointment = there(db.get(Appointment, appointment_id, populate_existing=True))
    place = place_of(db, appointment.slot_id, states=None)
    if place.site.id != staff.site_id:
        raise NotFound
    return appointment, place


def _end(db: Session, appointment: Appointment) -> str:
    """End an appointment as vaccinated where it can be; return the state that it was in.

    Else it stays over: who was given up, or left, and has booked again meanwhile, keeps that.

    Raises:
        AlreadyRecorded: It is over, and a dose of it stands.
    """
    db.refresh(appointment, with_for_update={"key_share": True})
    was = appointment.state
    if was in _ON_TIME:
        change_state(db, appointment, "vaccinated", before=_ON_TIME)
    elif dose_id := recorded(db, appointment_id=appointment.id):
        raise AlreadyRecorded(dose_id)
    elif was == "held":
        give_back(db, appointment, "cancelled")
    elif was in ("no_show", "not_vaccinated"):
        with suppress(AlreadyBooked, TimesOverlap), db.begin_nested():
            change_state(db, appointment, "arrived", before=(was,))
            change_state(db, appointment, "vaccinated", before=("arrived",))
    return was


def _reopen(db: Session, dose: Dose, reason: str, now: datetime) -> None:
    """Let the appointment of a dose that was not given be of somebody who has come, and waits.

    One of another day is over, without a dose. Who was given it, and has it on record twice, is
    vaccinated; who has booked again keeps that.
    """
    appointment = dose.appointment_id and db.get_one(Appointment, dose.appointment_id)
    if appointment and reason != "given_twice_on_record":
        with suppress(AlreadyBooked, TimesOverlap, WrongState), db.begin_nested():
            change_state(db, appointment, "arrived", before=("vaccinated",))
            if now - appointment.ends_at > GIVEN_UP_AFTER:
                change_state(db, appointment, "not_vaccinated", before=("arrived",))


def recorded(db: Session, *, appointment_id: UUID) -> UUID | None:
    """Return the dose of an appointment that stands; None where none is on record, or in error."""
    stands = select(Dose.id).filter_by(appointment_id=appointment_id).where(~facts.IN_ERROR)
    return db.scalar(stands.limit(1))


def _all_there(db: Session, model: type[Product | Programme], wanted: Collection[UUID]) -> None:
    if len(db.scalars(select(model.id).where(model.id.in_(wanted))).all()) < len(wanted):
        raise NotFound


def _recorded(db: Session, doses: Sequence[elsewhere.OfSomebody]) -> dict[str | None, Dose]:
    """Return by import key the doses that are recorded already.

    Raises:
        BadInput: One of them is somebody else's.
    """
    owners = {each.told.import_key: each.person_id for each in doses if each.told.import_key}
    query = select(Dose).where(Dose.import_key.in_(owners))
    found = {dose.import_key: dose for dose in db.scalars(query)}
    if any(owners[str(key)] != dose.person_id for key, dose in found.items()):
        raise BadInput({"import_key": "taken"})
    return found


def _product(db: Session, product_id: UUID) -> Product:
    return there(db.get(Product, product_id))


def _tell_recalled(
    db: Session, vault: Vault, known: Mapping[UUID, Person], doses: Sequence[Dose],
    counts: Mapping[UUID, Mapping[str, audit.Detail]], country: Country, now: datetime,
) -> None:  # fmt: skip
    """Tell whose dose was written down after its lot was recalled: the worker told the others."""
    for who in {dose.person_id for dose in doses if "recalled_lot" in counts[dose.id].values()}:
        issuing.tell(db, vault, known[who], "lot_recalled", country, now)
