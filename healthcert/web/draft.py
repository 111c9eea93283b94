"""What was told so far of who is to be vaccinated, kept in the session on the server.

The desk's draft is apart from a citizen's, so that a clerk who helps somebody mixes nothing up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import g, session

from healthcert.errors import NotFound
from healthcert.models import Person
from healthcert.policy.roles import Role
from healthcert.services import enrolment, proxies
from healthcert.services import people as people_on_record
from healthcert.services.people import Details
from healthcert.web import family
from healthcert.web.about import about, details_in
from healthcert.web.answers import recalled
from healthcert.web.chosen import wanted
from healthcert.web.guards import Visitor
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.places import at_desk
from healthcert.web.staff import who as signed_in

STEPS: Mapping[str, tuple[str, ...]] = {
    "name": ("family", "given", "family_latin", "given_latin"),
    "birth": ("birth_date", "sex"),
    "document": ("identity_kind", "identity_value"),
    "contact": ("phone", "mail", "language"),
}
Entry = dict[str, Any]  # ``id``, ``name``, ``birth`` of who is on record; ``typed``, ``done`` else


def read() -> dict[str, Any]:
    """Return what was told so far at this door."""
    return dict(session.get(_key(), {}))


def keep(**changes: Any) -> None:  # noqa: ANN401 - what JSON can hold
    """Keep changes of the draft."""
    session[_key()] = read() | changes


def forget() -> None:
    """Drop the draft: it is booked."""
    session.pop(_key(), None)


def people() -> list[Entry]:
    """Return the people of the draft in their order, one for each place that was chosen."""
    held, count = read().get("people", []), len({one.number for one in wanted()})
    return [*held, *({} for _each in range(count))][:count]


def missing() -> int:
    """Return the number of the first person who is not told whole; 0 where all are."""
    whole = ("id" in one or len(one.get("done", ())) == len(STEPS) for one in people())
    return next((number for number, is_whole in enumerate(whole, 1) if not is_whole), 0)


def citizen() -> Visitor | None:
    """Return the citizen who books, or who acts for one; None for a stranger and at the desk."""
    found = None if at_desk() or session.keys().isdisjoint({"person", "staff"}) else signed_in()
    if found is None or found.role is not Role.CITIZEN:
        return None
    g.visitor = found  # this door is open to strangers: nobody has looked yet who asks
    return found


def person_of(db: Any, one: Entry, before: tuple[str, str] | None) -> Person:  # noqa: ANN401
    """Return somebody of the draft, written down where they are new.

    `before` is whom a party of the draft wrote down in their place, and the party: their record
    follows what was changed since.

    Raises:
        NotFound: Somebody on record, for whom one may not book or no longer.
        AlreadyBooked: What was told contradicts what is on record.
    """
    if "typed" in one:
        told: Any = {"vault": parts().vault, "details": details_of(db, one), "now": now()}
        if before is None:
            return enrolment.enrol(db, **told)
        person_id, party_id = map(UUID, before)
        return enrolment.amend(db, person_id=person_id, party_id=party_id, **told)
    person_id = UUID(one["id"])
    if not at_desk():
        if citizen() is None:  # signed out meanwhile
            raise NotFound
        proxies.admit(db, actor=family.actor(), person_id=person_id, scope="book", now=now())
    found: Person = db.get_one(Person, person_id)
    return found


def details_of(db: Any, one: Entry) -> Details:  # noqa: ANN401
    """Return what was typed of somebody; by the record only of who was named there."""
    if "typed" in one:
        return details_in(about(recalled(one["typed"])))
    return people_on_record.details_of(parts().vault, db.get_one(Person, UUID(one["id"])))


def shared() -> dict[str, list[str]]:
    """Return how the first of them is reached: nobody is asked twice."""
    first: dict[str, list[str]] = next((one["typed"] for one in people() if "typed" in one), {})
    return {name: first[name] for name in STEPS["contact"] if name in first}


def put(number: int, one: Entry) -> None:
    """Keep what is told of one of them."""
    everybody = people()
    everybody[number - 1] = one
    keep(people=everybody, found=None)


def _key() -> str:
    return "desk_draft" if at_desk() else "draft"
