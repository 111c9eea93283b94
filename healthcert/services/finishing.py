"""A session that is over for the day: closed, and opened again where that was too early."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound, WrongState
from healthcert.models import Appointment, ClinicSession, Site, Slot, Staff
from healthcert.services import audit, hours, places, scenes, sessions


class StillHere(WrongState):
    """Somebody in the session is still to come, or waits there: how many, by `states`."""

    code = "still_here"

    def __init__(self, states: Mapping[str, int]) -> None:
        """Take how many appointments hold it up, by their state."""
        super().__init__()
        self.states = dict(states)


def close(db: Session, *, session_id: UUID, staff: Staff, now: datetime) -> None:
    """Close a session of one's site: who has not come is given up, and its free places are gone.

    Raises:
        NotFound: No such session.
        WrongState: It is over already, or somebody is still to come or waits here (`StillHere`).
    """
    session = db.get(ClinicSession, session_id, with_for_update=True, populate_existing=True)
    if session is None or session.site_id != staff.site_id:
        raise NotFound
    query = select(Appointment).join(Slot, Slot.id == Appointment.slot_id)
    query = query.where(Slot.session_id == session_id)
    waiting = query.where(Appointment.state.in_(("held", "booked", "arrived")))
    people = db.scalars(waiting.with_for_update(of=Appointment)).all()
    if session.state not in scenes.BOOKABLE:
        raise WrongState
    left = [each.state for each in people if each.state == "arrived" or each.ends_at > now]
    if left:
        raise StillHere(Counter(left))
    for each in people:
        if each.state == "held":
            places.give_back(db, each, "expired")
        else:
            places.change_state(db, each, "no_show", before=("booked",))
    session.state = "closed"
    audit.done(db, "session_closed", session, {"gave_up": len(people)}, by=staff, now=now)


def open_again(db: Session, *, session_id: UUID, staff: Staff, now: datetime) -> None:
    """Open a session of one's site that was closed too early: its times to come are free again.

    Raises:
        NotFound: No such session.
        WrongState: It is not closed, all its times are over, or the site is closed that day.
    """
    db.get(Site, staff.site_id, with_for_update=sessions.ALONE)  # nobody closes the day meanwhile
    session = db.get(ClinicSession, session_id, with_for_update=True, populate_existing=True)
    if session is None or session.site_id != staff.site_id:
        raise NotFound
    to_come = select(Slot.id).where(Slot.session_id == session_id, Slot.ends_at > now).limit(1)
    is_shut = session.day in hours.closed_days(db, session.site_id)
    if session.state != "closed" or is_shut or db.scalar(to_come) is None:
        raise WrongState
    session.state = "published"
    audit.done(db, "session_reopened", session, {}, by=staff, now=now)
