"""Read at once all that a booking is judged by: the place, and what is on record of the person.

Plain tuples of what booking needs and no mapped objects: what is read is written by nobody here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Base,
    ClinicSession,
    EligibilityDecision,
    Person,
    Product,
    Programme,
    Site,
    Slot,
    narrow,
)
from healthcert.models.place import KEPT
from healthcert.models.straight import Straight
from healthcert.services import eligibility, people
from healthcert.services.people import Details

BOOKABLE = ("published", "running")


@dataclass(frozen=True, slots=True)
class Place:
    """A slot with what it belongs to, read together."""

    slot: Slot
    session: ClinicSession
    site: Site
    product: Product
    programme: Programme


class Scene(NamedTuple):
    """A place, and what is on record of a person in its programme; of rows, what booking needs."""

    place: Place
    details: Details
    last: EligibilityDecision | None  # the newest decision
    counted: Sequence[tuple[date, UUID]]  # of doses in order: the day, the version of its rule
    put_off: date | None  # until when a clinician put them off in the programme, at the last visit


_T = Base.metadata.tables
_READ = {
    "slot": narrow(f"id starts_at ends_at open_places {' '.join(f'kept_{p}' for p in KEPT)}"),
    "clinic_session": narrow("day state site_id product_id programme_id"),
    "site": narrow("names time_zone"),
    "product": narrow("id knowledge_id"),
    "programme": narrow("id disease knowledge_id"),
}
_LAST = narrow(f"id sealed {' '.join(eligibility.SAYS)}")
_SLOT, _SESSION, _PROGRAMME = _T["slot"], _T["clinic_session"], _T["programme"]
_OPEN = vars(Slot)["places"].func(_SLOT.c).label("open_places")  # of plain columns
_WHOLE = {name: narrow(" ".join(_T[name].c.keys())) for name in _READ}


def _places(read: Mapping[str, Any]) -> Select[Any]:
    columns = (_T[name].c.get(each, _OPEN) for name, its in read.items() for each in its._fields)
    return (
        select(*columns)
        .join_from(_SLOT, _SESSION)
        .join_from(_SESSION, _T["site"])
        .join_from(_SESSION, _T["product"])
        .join_from(_SESSION, _PROGRAMME)
    )


PLACES = _places(_READ)
_PLACE = Straight(_places(_WHOLE).where(_SLOT.c.id == bindparam("slot")))
_DECISION, _DOSE, _STANDING = _T["eligibility_decision"], _T["dose"], _T["dose_standing"]
_TRIAGE, _SCREENING = _T["triage"], _T["screening"]
_NEWER, _GIVEN = _DECISION.alias(), _T["product"].alias()
_NEWEST = (
    select(_NEWER.c.id)
    .where(_NEWER.c.person_id == bindparam("person"), _NEWER.c.programme_id == _PROGRAMME.c.id)
    .order_by(_NEWER.c.id.desc())
    .limit(literal_column("1"))
    .correlate(_PROGRAMME)
)
_PUT_OFF = (
    select(_TRIAGE.c.until)
    .join(_SCREENING, _SCREENING.c.id == _TRIAGE.c.screening_id)
    .where(_SCREENING.c.person_id == bindparam("person"))
    .where(_SCREENING.c.programme_id == _PROGRAMME.c.id)
    .order_by(_TRIAGE.c.recorded_at.desc(), _TRIAGE.c.id.desc())
    .limit(literal_column("1"))
    .correlate(_PROGRAMME)
)
_SCENE = Straight(
    PLACES.add_columns(*(_DECISION.c[each] for each in _LAST._fields))
    .add_columns(
        _PUT_OFF.scalar_subquery().label("put_off"), _DOSE.c.given_on, _GIVEN.c.knowledge_id
    )
    .outerjoin(_DECISION, _DECISION.c.id == _NEWEST.scalar_subquery())
    .outerjoin(
        _STANDING,
        (_STANDING.c.person_id == bindparam("person"))
        & (_STANDING.c.disease == _PROGRAMME.c.disease)
        & (_STANDING.c.counts == literal_column("'valid'")),  # as its index says
    )
    .outerjoin(_DOSE, _DOSE.c.id == _STANDING.c.dose_id)
    .outerjoin(_GIVEN, _GIVEN.c.id == _DOSE.c.product_id)
    .where(_SLOT.c.id == bindparam("slot"))
    .order_by(_DOSE.c.given_on, _DOSE.c.given_at, _DOSE.c.id)
)


def scene_of(db: Session, vault: Vault, person: Person, slot_id: UUID) -> Scene:
    """Return a place, and what is on record of a person whom the caller has locked before.

    Raises:
        NotFound: No such slot is open for booking.
    """
    rows = _SCENE.rows(db, slot=slot_id, person=person.id)
    if not rows:
        raise NotFound
    values = iter(rows[0])
    place = place_in(values)
    if place.session.state not in BOOKABLE:
        raise NotFound
    last = _LAST._make(islice(values, len(_LAST._fields)))
    counted = [(given_on, version) for *_, given_on, version in rows if given_on]
    put_off = next(values)
    known = people.details_of(vault, person), last if last.id else None
    return Scene(place, *known, counted, put_off)


def place_of(db: Session, slot_id: UUID, *, states: Collection[str] | None = BOOKABLE) -> Place:
    """Return a place with all there is to say of it, to be read alone.

    Raises:
        NotFound: No such slot, or its session is in none of these states.
    """
    rows = _PLACE.rows(db, slot=slot_id)
    place = place_in(iter(rows[0]), _WHOLE) if rows else None
    if place is None or (states is not None and place.session.state not in states):
        raise NotFound
    return place


def place_in(values: Iterator[Any], read: Mapping[str, Any] = _READ) -> Place:
    """Return the place that a row of `PLACES` begins with; what follows stays in `values`."""
    rows: Any = (its._make(islice(values, len(its._fields))) for its in read.values())
    return Place(*rows)
