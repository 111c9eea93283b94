"""Once a minute: offer freed places, open kept ones that nobody took, remind who is to come."""

from datetime import datetime
from functools import partial

from healthcert.parts import Parts
from healthcert.services import offering, offers, places, reminding


def offer(parts: Parts, now: datetime) -> int:
    """End offers that are over and make new ones; return how many it was."""
    done = parts.doors.run(partial(offering.close, vault=parts.vault, now=now))
    with parts.doors.reading() as db:
        free = offers.due(db, now=now)
    fill = partial(
        offering.fill, vault=parts.vault, quiet=parts.country.quiet_hours, now=now,
        link=f"{parts.settings.base_url}/my/waiting",
    )  # fmt: skip
    return done + sum(parts.doors.run(partial(fill, slot_id=slot_id)) for slot_id in free)


def release(parts: Parts, now: datetime) -> int:
    """Open kept places; return in how many slots."""
    return parts.doors.run(partial(places.release, hours=parts.country.release_hours, now=now))


def remind(parts: Parts, now: datetime) -> int:
    """Tell people; return how many."""
    return parts.doors.run(partial(reminding.remind, vault=parts.vault, now=now))
