"""Holidays: those of the country, and those declared for many sites in one act."""

from collections.abc import Callable
from typing import Any

from healthcert.errors import BadInput
from healthcert.models import Holiday
from healthcert.services import holidays, keeping
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, get, post
from healthcert.web.api.lists import Rows
from healthcert.web.api.shapes import Made, Shape, T, of
from healthcert.web.api.words import Language
from healthcert.web.here import parts
from healthcert.web.moment import now

DeclaredHoliday = of(
    "Holiday", "A day on which an organisation's sites are closed, and those below it; of those in "
    "one's reach: how many it is for, how many are closed, and who is still to be booked anew.",
    Holiday, "id recorded_at organisation_id region day names withdrawn_at", sites=int,
    closed=int, people=int,
)  # fmt: skip
OfCountry = of("CountryHoliday", "A day on which a country rests, and one's sessions on it.",
               keeping.OfCountry, "day names", sessions=int)  # fmt: skip
Effect = of("HolidayEffect", "What a holiday would close.", sites=int, sessions=int, people=int)
Closing = of(
    "HolidaySent", "A holiday to be; without a region it is for all of them.",
    Holiday, "organisation_id region day", base=Shape, names=dict[Language, str],
)  # fmt: skip
_HOLIDAYS = "/holidays"
_THEIRS: dict[str, Callable[[On], Any]] = {
    "first": lambda _on: now().date(),
    "reach": lambda on: holidays.reach(on.db, staff=on.staff, now=now()),
}
get(_HOLIDAYS, keeping.listed, answer=Rows(DeclaredHoliday, "day id"), name="holidays",
    fixed=_THEIRS)  # fmt: skip
get(f"{_HOLIDAYS}/country", keeping.of_country, answer=Rows(OfCountry, "day"),
    name="country_holidays", fixed=_THEIRS)  # fmt: skip
post(f"{_HOLIDAYS}/<uuid:holiday_id>/withdraw", holidays.withdraw, name="withdraw_holiday")


@deed("POST", f"{_HOLIDAYS}/preview", changes=False,
      types={"body": Closing}, gives=Effect)  # fmt: skip
def foresee_holiday(on: On, body: Shape) -> Shape:
    """Show what a holiday would close, before it is declared."""
    return Effect.model_validate(_of_holiday(holidays.effect, on, body))


@deed("POST", _HOLIDAYS, status=201, types={"body": Closing}, gives=Made)
def declare_holiday(on: On, body: Shape) -> Shape:
    """Declare a holiday: the worker closes what it is for, and books everybody anew."""
    return Made.model_validate(_of_holiday(holidays.declare, on, body))


def _of_holiday(work: Callable[..., T], on: On, told: Shape) -> T:
    wanted = Holiday(**told.model_dump())
    try:
        return work(on.db, wanted, country=parts().country, staff=on.staff, now=now())
    except BadInput as wrong:  # a page has a field for each language
        wrong.fields = {name.replace("name_", "names."): w for name, w in wrong.fields.items()}
        raise
