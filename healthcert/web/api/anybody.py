"""For anybody: where vaccinations are given and when; and how a citizen's program comes in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from healthcert import models
from healthcert.errors import BadCode, NotFound
from healthcert.models.place import FACILITIES
from healthcert.services import access, api_tokens, desk, roster, search
from healthcert.services.access import Claim
from healthcert.services.audit import Actor
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, serve
from healthcert.web.api.lists import Page, Paging, page
from healthcert.web.api.shapes import (
    BirthDate,
    Country,
    Day,
    Language,
    Moment,
    Shape,
    Told,
    choice,
    of,
    whole,
)
from healthcert.web.guards import program
from healthcert.web.here import parts
from healthcert.web.moment import now

Dose = Annotated[int, Field(ge=1, le=9), BeforeValidator(whole)]


@of(models.Site, "id", "code", "names", "address", "region", "latitude", "longitude", "time_zone",
    "step_free", "facilities", "languages", "female_vaccinator")  # fmt: skip
class Site(Told):
    """A place where people are vaccinated."""


@of(models.Programme, "id", "code", "disease", "names")
class Programme(Told):
    """A vaccination programme against one disease (SNOMED CT, EU value set "tg")."""


class Needs(Shape):
    """What somebody needs of a site."""

    step_free: bool = False
    language: Language | None = None
    female_vaccinator: bool = False
    facilities: Annotated[
        list[Annotated[str, choice(FACILITIES)]], Field(max_length=len(FACILITIES))
    ] = []  # noqa: RUF012 - pydantic copies it


class Search(Shape):
    """What for, near where, for whom, in which days."""

    programme_id: UUID
    latitude: float = Field(ge=-90, le=90, examples=[33.9])
    longitude: float = Field(ge=-180, le=180, examples=[35.5])
    dose_number: Dose = 1
    birth_date: BirthDate | None = None
    places: Annotated[int, Field(ge=1, le=8), BeforeValidator(whole)] = 1
    needs: Needs = Needs()
    days: Annotated[list[Day], Field(min_length=2, max_length=2)] | None = None
    site_id: UUID | None = None
    product_id: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=50), BeforeValidator(whole)] = 15


@of(search.FreeSlot, "slot_ids", "distance_km", "day", "starts_at", "ends_at", "places", "product",
    "min_age")  # fmt: skip
class FreeSlot(Told):
    """A time with places left; one slot for each person, adjacent ones where one is too small."""

    site: Site


class Found(Told):
    """Free times, the nearest first."""

    items: list[FreeSlot]


class Known(Shape):
    """What only the person knows."""

    kind: Annotated[str, choice(("reference", *access.DOCUMENTS))] = "reference"
    reference: str = Field(max_length=60, examples=["HC-7KQM-4T2X"])
    birth_date: BirthDate
    country: Country = "XX"

    @property
    def claim(self) -> Claim:
        """As the service takes it."""
        return Claim(self.reference, self.birth_date, self.kind, self.country)


class Code(Known):
    """The same, with the code that was sent."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(examples=["123456"])]


class Token(Told):
    """What is shown from now on, as ``Authorization: Bearer``."""

    token: str
    ends_at: Moment


@deed("GET", "/sites")
def sites(on: On, query: Paging) -> Page[Site]:
    """List the places where people are vaccinated."""
    return page(Site, roster.sites(on.db), lambda one: (one.code,), query)


serve("GET", "/sites/<uuid:site_id>", roster.site, (NotFound,), answer=Site)


@deed("GET", "/programmes")
def programmes(on: On, query: Paging) -> Page[Programme]:
    """List the vaccination programmes."""
    return page(Programme, desk.programmes(on.db), lambda one: (one.code,), query)


@deed("POST", "/slots/search", changes=False)
def slots(on: On, body: Search) -> Found:
    """Find free times; a POST, since an address must not tell anything of a person."""
    asked = body.model_dump(exclude={"latitude", "longitude", "needs", "days"})
    needs = body.needs.model_dump() | {"facilities": tuple(body.needs.facilities)}
    found = search.nearest_free(
        on.db, near=(body.latitude, body.longitude), needs=search.Needs(**needs), now=now(),
        days=(body.days[0], body.days[1]) if body.days else None, **asked,
    )  # fmt: skip
    return Found.model_validate({"items": found})


def _whom(body: Known) -> tuple[str, str]:
    return "ask_code", "".join(filter(str.isalnum, body.reference)).upper()


@deed("POST", "/sign-in/code", status=202, changes=False, spends=_whom)
def ask_code(on: On, body: Known) -> None:
    """Have a code sent to whom reference and birth date belong to; the same is said in any case."""
    access.request_code(on.db, pepper=parts().pepper, claim=body.claim, **on.kit)


@deed("POST", "/sign-in", (BadCode,), changes=False, spends=lambda _body: ("redeem_code", ""))
def sign_in(on: On, body: Code) -> Token | BadCode:
    """Give a token for the code that was sent; it holds for twelve hours."""
    answer = access.redeem(on.db, pepper=parts().pepper, claim=body.claim, code=body.code, **on.kit)
    if not answer.lets:
        return BadCode()
    ends_at, actor = now() + api_tokens.OF_A_CITIZEN, Actor("citizen", answer.person_id)
    token = api_tokens.make(on.db, actor=actor, name="api", ends_at=ends_at, now=now())
    return Token(token=token, ends_at=ends_at)


@deed("POST", "/sign-out", status=204, changes=False)
def sign_out(on: On) -> None:
    """End the token that is shown."""
    if (who := program()) and who.token:
        api_tokens.end(on.db, token_hash=who.token)
