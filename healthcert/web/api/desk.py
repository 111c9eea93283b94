"""For clinics: people on no list, what was found of them, reactions, and the end of the day."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from healthcert.errors import NotAllowed, NotFound, TooMany, TooManyLooks, WrongState
from healthcert.models import AdverseEvent, Lot
from healthcert.services import closing, finding, findings, reactions, roster, safety
from healthcert.services.people import IdentityDetails
from healthcert.web.api.asker import On
from healthcert.web.api.clinic import Certified
from healthcert.web.api.deeds import deed, serve
from healthcert.web.api.lists import Page, Paging, page
from healthcert.web.api.shapes import BirthDate, Shape, Told, of, sent_as, taken
from healthcert.web.clinic import own_site
from healthcert.web.doses import sign

_SEEN = (NotFound, WrongState, TooManyLooks)
_WHO = "/clinic/people/<uuid:person_id>"


@of(finding.Candidate, "person_id", "name", "latin_name", "birth_date", "likeness")
class Candidate(Told):
    """Somebody who may be meant."""


class Candidates(Told):
    """Who may be meant, the likeliest first."""

    items: list[Candidate]


class Wanted(Shape):
    """Two things that are known of somebody."""

    text: str = ""
    born: BirthDate | None = None
    phone: str = ""
    identity: sent_as(IdentityDetails) | None = None  # type: ignore[valid-type]


@of(AdverseEvent, "id", "number", "term", "onset_on", "seriousness", "outcome", "state",
    "causality", "due_at")  # fmt: skip
class Case(Told):
    """A reaction after a dose, by its codes; what was told in words is on its page."""


@of(Lot, "id", "number", "state")
class OfALot(Told):
    """A lot."""


class LotSum(Told):
    """What became of a lot at a site on a day, in single doses; ``waits``: a second count."""

    lot: OfALot
    product: str
    began: int
    today: dict[str, int]
    remaining: int
    recorded: int
    waits: UUID | None


class Day(Told):
    """What a day comes to."""

    day: date
    lots: list[LotSum]


class Counted(Told):
    """``open`` until a second person counts; then ``confirmed``, or ``dropped``: they differ."""

    state: str


class Found(Shape):
    """How many were counted."""

    found: Annotated[int, Field(ge=0, le=999_999)]


@deed("POST", "/clinic/people/search", (TooMany, TooManyLooks), changes=False)
def find(on: On, body: Wanted) -> Candidates:
    """Find somebody who is on no list; that one looked is written down."""
    identity = taken(body.identity) if body.identity else None
    found = finding.find(
        on.db, staff=on.staff, reason="registration", text=body.text, born=body.born or "",
        phone=body.phone, identity=identity, **on.kit,
    )  # fmt: skip
    return Candidates.model_validate({"items": found})


def _sign(made: Certified) -> None:
    sign(made.person_id)


serve("POST", f"{_WHO}/test-results", findings.record_test, _SEEN, status=201, answer=Certified,
      then=_sign)  # fmt: skip
serve("POST", f"{_WHO}/recoveries", findings.record_recovery, _SEEN, status=201, answer=Certified,
      then=_sign)  # fmt: skip
serve("POST", f"{_WHO}/reactions", safety.report_event, _SEEN, status=201)


@deed("GET", "/reactions")
def cases(on: On, query: Paging) -> Page[Case]:
    """List the reactions in one's reach."""
    found = [one.event for one in reactions.cases(on.db, staff=on.staff)]
    return page(Case, found, lambda one: (one.id,), query)


serve("POST", "/reactions/<uuid:event_id>/step", safety.move_event, (NotFound, WrongState),
      name="assess")  # fmt: skip


@deed("GET", "/clinic/closing", (NotFound,))
def sums(on: On) -> Day:
    """Show what the day comes to at one's site."""
    site = roster.site(on.db, site_id=own_site())
    lots, _sessions = closing.sums(on.db, site=site, day=on.today)
    return Day.model_validate({"day": on.today, "lots": lots})


@deed("POST", "/clinic/closing/lots/<uuid:lot_id>/count", (NotFound, NotAllowed))
def count(on: On, lot_id: UUID, body: Found) -> Counted:
    """Count a lot at the end of the day; two people do, without seeing each other's number."""
    told = on.told({"staff", "now"}, {"lot_id": lot_id}, "")
    return Counted(state=closing.count(on.db, lot_id=lot_id, found=body.found, **told))


serve("POST", "/clinic/sessions/<uuid:session_id>/close", closing.close, (NotFound, WrongState),
      name="close_session")  # fmt: skip
