"""For anybody: where vaccinations are given and when, draws; how a citizen's program comes in."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from healthcert import models
from healthcert.errors import BadCode, there
from healthcert.gateways import room_files
from healthcert.models.place import FACILITIES
from healthcert.services import access, api_tokens, draws, roster, search
from healthcert.services.access import Claim
from healthcert.services.audit import Actor
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, get
from healthcert.web.api.lists import Rows
from healthcert.web.api.shapes import (
    BirthDate,
    Country,
    Day,
    Moment,
    Shape,
    Words,
    many,
    number,
    of,
)
from healthcert.web.api.words import Language, word
from healthcert.web.guards import program
from healthcert.web.here import parts
from healthcert.web.moment import now

Dose = number(1, 9)
Site = of(
    "Site", "A place where people are vaccinated.", models.Site,
    "id code names address region latitude longitude time_zone step_free facilities languages "
    "female_vaccinator organisation_id",
)  # fmt: skip
FreeSlot = of(
    "FreeSlot", "A time with places left; one slot for each person, adjacent ones for a party.",
    search.FreeSlot,
    "slot_ids distance_km day starts_at ends_at places product product_id min_age", site=Site,
)  # fmt: skip
Token = of("Token", "What is shown from now on, as ``Authorization: Bearer``.", token=str,
           ends_at=Moment)  # fmt: skip
Found = of("Found", "Free times, the nearest first.", items=many(FreeSlot))
Draw = of(
    "Draw", "A draw as it stands: its rules, and what of it is public by now (`docs/draw/`).",
    id=UUID, state=str, manifest=dict[str, Any],
)  # fmt: skip
Availability = of(
    "Availability", "Where places are left, and roughly how many, at most a minute old.",
    programmes=dict[str, Words], places=list[dict[str, Any]],
)  # fmt: skip


class Needs(Shape):
    """What somebody needs of a site."""

    step_free: bool = False
    language: Language | None = None
    female_vaccinator: bool = False
    facilities: many(word(FACILITIES)) = Field(default_factory=list, max_length=len(FACILITIES))  # type: ignore[valid-type]


class Sought(Shape):
    """What for, for whom, in which days."""

    programme_id: UUID
    dose_number: Dose = 1  # type: ignore[valid-type]
    birth_date: BirthDate | None = None
    places: number(1, 8) = 1  # type: ignore[valid-type]
    needs: Needs = Needs()
    days: Annotated[list[Day], Field(min_length=2, max_length=2)] | None = None
    product_id: UUID | None = None
    limit: number(1, 50) = 15  # type: ignore[valid-type]


class Search(Sought):
    """The same, near where."""

    latitude: float = Field(ge=-90, le=90, examples=[33.9])
    longitude: float = Field(ge=-180, le=180, examples=[35.5])
    site_id: UUID | None = None


class Known(Shape):
    """What only the person knows."""

    kind: word(("reference", *access.DOCUMENTS)) = "reference"  # type: ignore[valid-type]
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


get("/sites", roster.sites, answer=Rows(Site, "code"), about="List the sites, by code.")
get("/sites/<uuid:site_id>", roster.site, answer=Site)


def _drawn(rows: list[tuple[models.Draw, Any]]) -> list[dict[str, Any]]:
    return [_told(draw) for draw, _names in rows]


def _told(draw: models.Draw) -> dict[str, Any]:
    return {"id": draw.id, "state": draw.state, "manifest": draws.manifest(draw)}


DRAWN: dict[str, Any] = {"answer": Draw, "read": _told}
get("/draws", draws.every, answer=Rows(Draw), read=_drawn, fixed={"draw_id": None}, name="draws",
    about="List the draws, in the order in which they were announced.")  # fmt: skip
draw = get("/draws/<uuid:draw_id>", draws.one, name="draw", **DRAWN)


@deed("GET", "/availability", gives=Availability)
def availability(on: On) -> Shape:  # noqa: ARG001 - the database is not asked
    """Tell where places are left, as the worker saw it last."""
    told = there(room_files.held(parts().settings.room_dir / room_files.AVAILABILITY))
    return Availability.model_validate(told)


@deed("POST", "/slots/search", changes=False, gives=Found)
def slots(on: On, body: Search) -> Shape:
    """Find free times; a POST, since an address must not tell anything of a person."""
    return free(on, body, near=(body.latitude, body.longitude), site_id=body.site_id)


def free(on: On, body: Sought, **where: Any) -> Shape:  # noqa: ANN401 - of `nearest_free`
    """Return the free times that are sought."""
    asked = body.model_dump(include={*Sought.model_fields} - {"needs", "days"})
    asked["days"] = (body.days[0], body.days[1]) if body.days else None
    needs = body.needs.model_dump() | {"facilities": tuple(body.needs.facilities)}
    found = search.nearest_free(on.db, needs=search.Needs(**needs), now=now(), **asked | where)
    return Found.model_validate({"items": found})


def _whom(body: Known) -> tuple[str, str]:
    return "ask_code", "".join(filter(str.isalnum, body.reference)).upper()


@deed("POST", "/sign-in/code", status=202, changes=False, spends=_whom)
def ask_code(on: On, body: Known) -> None:
    """Have a code sent to whom reference and birth date belong to; the same is said in any case."""
    access.request_code(on.db, pepper=parts().pepper, claim=body.claim, **on.kit)


@deed("POST", "/sign-in", (BadCode,), changes=False, gives=Token,
      spends=lambda _body: ("redeem_code", ""))  # fmt: skip
def sign_in(on: On, body: Code) -> Shape | BadCode:
    """Give a token for the code that was sent; it holds for twelve hours."""
    answer = access.redeem(on.db, pepper=parts().pepper, claim=body.claim, code=body.code, **on.kit)
    if not answer.lets:
        return BadCode()
    ends_at, actor = now() + api_tokens.OF_A_CITIZEN, Actor("citizen", answer.person_id)
    token = api_tokens.make(on.db, actor=actor, name="api", ends_at=ends_at, now=now())
    return Token.model_validate({"token": token, "ends_at": ends_at})


@deed("POST", "/sign-out", status=204, changes=False)
def sign_out(on: On) -> None:
    """End the token that is shown."""
    if (who := program()) and who.token:
        api_tokens.end(on.db, token_hash=who.token)
