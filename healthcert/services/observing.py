"""The watch after the needle: who is still observed at a site, and who has left."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Dose, DoseStanding, Observation, Person, Staff
from healthcert.services import audit
from healthcert.services.people import details_of

MINUTE = timedelta(minutes=1)
_FORGOTTEN = timedelta(hours=12)  # whom nobody saw leave has left


class Watched(NamedTuple):
    """Somebody who is observed, and for how many more minutes; 0 or less: they may go."""

    observation_id: UUID
    dose_id: UUID
    name: str
    until: datetime
    minutes_left: int


def begin(db: Session, *, dose: Dose, minutes: int, now: datetime) -> None:
    """Begin the watch over somebody after a dose; of one written down late, it is over."""
    given_at = dose.given_at or now
    until = given_at + timedelta(minutes=minutes)
    if dose.site_id and until > now:
        of = {"dose_id": dose.id, "person_id": dose.person_id, "site_id": dose.site_id}
        db.add(Observation(recorded_at=now, until=until, **of))


def watched(db: Session, *, vault: Vault, site_id: UUID, now: datetime) -> list[Watched]:
    """Return who is observed at a site, the first to be let go first."""
    query = _observed(site_id, now).join(Person, Person.id == Observation.person_id)
    query = query.add_columns(Person).order_by(Observation.until, Observation.id)
    found = []
    for row, person in db.execute(query):
        told, left = details_of(vault, person), -((now - row.until) // MINUTE)
        name = f"{told.given} {told.family}".strip()
        found.append(Watched(row.id, row.dose_id, name, row.until, max(0, left)))
    return found


def count(db: Session, *, site_id: UUID, now: datetime) -> int:
    """Return how many are observed at a site, and nobody's name."""
    return db.scalar(_observed(site_id, now).with_only_columns(func.count())) or 0


def _observed(site_id: UUID, now: datetime) -> Select[Any]:
    watch = select(Observation).filter_by(site_id=site_id, state="observed")
    error = DoseStanding.counts == "entered_in_error"
    given = ~exists().where(DoseStanding.dose_id == Observation.dose_id, error)
    return watch.where(Observation.until > now - _FORGOTTEN, given)


def leave(db: Session, *, observation_id: UUID, staff: Staff, now: datetime) -> None:
    """Note that somebody leaves; whether too early, the clock says.

    Raises:
        NotFound: Nobody is observed so at the site of this member of staff.
        WrongState: They have left already.
    """
    row = db.get(Observation, observation_id, with_for_update=True, populate_existing=True)
    if row is None or row.site_id != staff.site_id:
        raise NotFound
    if row.state != "observed":
        raise WrongState
    row.state = "left_early" if now < row.until else "left"
    row.left_at, row.noted_by = now, staff.id
    audit.done(db, f"observation_{row.state}", row, {"dose": row.dose_id}, by=staff, now=now)
