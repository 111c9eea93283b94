"""For clinics: the desk books at its own site, for who is on the telephone or stands there."""

from typing import Any
from uuid import UUID

from healthcert.models.programme import EXCEPTION_REASONS
from healthcert.services import clinic, parties, search
from healthcert.web import desk
from healthcert.web.api.anybody import NEXT, Found, Sought, free
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, post, raised
from healthcert.web.api.parties import REFUSALS, Booked, Party, Wishes, held, whom
from healthcert.web.api.shapes import Shape, word
from healthcert.web.labels import WAYS
from healthcert.web.moment import now

_PARTY = "/clinic/parties/<uuid:party_id>"


class AtDesk(Sought):
    """What is sought, and how they come: some places are kept for each."""

    source: word(WAYS) = "phone"  # type: ignore[valid-type]


class ForThem(Wishes):
    """For whom, how they come, and why out of turn, which a nurse may say."""

    source: word(WAYS) = "phone"  # type: ignore[valid-type]
    exception_reason: word(("", *EXCEPTION_REASONS)) = ""  # type: ignore[valid-type]


@deed("POST", "/clinic/slots/search", changes=False, gives=Found)
def slots_at_desk(on: On, body: AtDesk) -> Shape:
    """Find free times at one's site; for who stands there today's."""
    site = on.site
    where: dict[str, Any] = {"near": (site.latitude, site.longitude), "site_id": site.id}
    if body.source == "walk_in":
        where["days"] = on.today, on.today
    return free(on, body, source=body.source, **where)


post("/clinic/slots/second", search.second_dose, name="second_at_desk",
     body={"source": word(("web", *WAYS))}, **NEXT)  # fmt: skip


@deed("POST", "/clinic/parties", REFUSALS, status=201, spends=whom, gives=Party)
def hold_at_desk(on: On, body: ForThem) -> Shape:
    """Hold places for up to eight people, those on record by whom was found; two doses too."""
    desk.own_alone(on.db, {each.slot_id for each in body.wishes})
    return held(on, body, _found, source=body.source, why=body.exception_reason)


@deed("POST", f"{_PARTY}/confirm", REFUSALS, gives=Booked)
def confirm_at_desk(on: On, party_id: UUID) -> Shape:
    """Book what is held at one's site; a walk-in of today has arrived."""
    _refuse_others(on, party_id)
    made = parties.confirm(on.db, party_id=party_id, actor=on.actor, **on.kit)
    desk.arrived(on.db, made)
    return Booked.model_validate({"appointments": made})


@deed("POST", f"{_PARTY}/let-go", raised(parties.let_go), status=204)
def let_go_at_desk(on: On, party_id: UUID) -> None:
    """Give back what is held at one's site."""
    _refuse_others(on, party_id)
    parties.let_go(on.db, party_id=party_id, actor=on.actor, now=now())


def _found(on: On, told: UUID | None) -> UUID:
    """Return somebody who was just found, or has an appointment here; the look is written down."""
    return clinic.known(
        on.db, person_id=told or UUID(int=0), staff=on.staff, reason="registration", **on.kit
    ).person_id


def _refuse_others(on: On, party_id: UUID) -> None:
    """Refuse what is held elsewhere; at one's site a colleague may go on with it."""
    found = parties.held(on.db, party_id=party_id)
    desk.own_alone(on.db, {each.slot_id for each in found.appointments})
