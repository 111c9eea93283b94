"""For clinics: the desk books at its own site, for who is on the telephone or stands there."""

from typing import Any
from uuid import UUID

from healthcert.models.programme import EXCEPTION_REASONS
from healthcert.services import clinic, offers, parties, search
from healthcert.web import desk
from healthcert.web.api.anybody import Found, Sought, free
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, get, post
from healthcert.web.api.lists import Rows
from healthcert.web.api.parties import LATE, NEXT, REFUSALS, Booked, Party, Wishes, held, whom
from healthcert.web.api.shapes import Shape, of
from healthcert.web.api.words import word
from healthcert.web.clinic import own_site
from healthcert.web.labels import WAYS

_PARTY = "/clinic/parties/<uuid:party_id>"


AtDesk = of("AtDesk", "What is sought, and how they come.", base=Sought, source=word(WAYS))


Offered = of("OfferedHere", "A place at one's site that is offered to somebody who waits, and "
             "until when it is answered.", offers.Open, "*")  # fmt: skip


class ForThem(Wishes):
    """For whom, how they come, and why out of turn, which a nurse may say."""

    source: word(WAYS)  # type: ignore[valid-type]
    exception_reason: word(("", *EXCEPTION_REASONS)) = ""  # type: ignore[valid-type]


@deed("POST", "/clinic/slots/search", changes=False, types={"body": AtDesk}, gives=Found)
def slots_at_desk(on: On, body: Any) -> Shape:  # noqa: ANN401 - made above
    """Find free times at one's site; for who stands there today's."""
    days = {"days": (on.today, on.today)} if body.source == "walk_in" else {}
    near = on.site.latitude, on.site.longitude
    return free(on, body, near=near, site_id=own_site(), source=body.source, **days)


post("/clinic/slots/second", search.second_dose, name="second_at_desk",
     about="Find the next dose, of the product and at the site of the slot where `dose_number` is "
     "given.", body={"source": word(("web", *WAYS))}, **NEXT)  # fmt: skip


@deed("POST", "/clinic/parties", REFUSALS, status=201, spends=whom, gives=Party)
def hold_at_desk(on: On, body: ForThem) -> Shape:
    """Hold places for up to eight people, those on record by whom was found; two doses too."""
    why, site_id = body.exception_reason, own_site()
    return held(on, body, _found, source=body.source, exception_reason=why, site_id=site_id)


@deed("POST", f"{_PARTY}/confirm", LATE, gives=Booked)
def confirm_at_desk(on: On, party_id: UUID) -> Shape:
    """Book what is held at one's site, by a colleague too; a walk-in of today has arrived."""
    made = parties.confirm(on.db, party_id=party_id, actor=on.actor, site_id=own_site(), **on.kit)
    desk.arrived(on.db, made)
    return Booked.model_validate({"appointments": made})


post(f"{_PARTY}/let-go", parties.let_go, name="let_go_at_desk")


_OFFER = "/clinic/offers/<uuid:offer_id>"
get("/clinic/people/<uuid:person_id>/offers", offers.open_at, name="offers_at_desk", looks=True,
    answer=Rows(Offered, "starts_at offer_id"))  # fmt: skip
post(f"{_OFFER}/accept", offers.take_for, status=201, name="accept_at_desk")
post(f"{_OFFER}/decline", offers.leave_for, name="decline_at_desk",
     about="Leave the place at one's own site that is offered to somebody to the next, as they say."
     )  # fmt: skip


def _found(on: On, told: UUID | None) -> UUID:
    """Return somebody who was just found, or has an appointment here; the look is written down."""
    return clinic.known(
        on.db, person_id=told or UUID(int=0), staff=on.staff, reason="registration", **on.kit
    ).person_id
