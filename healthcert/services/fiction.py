"""Who and what there is in the demonstration: places, staff, lots and people of nobody's name."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Organisation, Person, Product, Programme, Staff, new_id
from healthcert.models.place import FACILITIES, SessionTemplate, Site, Slot
from healthcert.models.staff import WITHOUT_SITE
from healthcert.services import enrolment, hours, lots, planning, sessions, stock
from healthcert.services.people import Details, IdentityDetails
from healthcert.services.stock import Shelf

PEOPLE = 200
SERIES, SINGLE = "EU/1/20/1528", "EU/1/20/1525"
LOTS = {SERIES: "CM4821", SINGLE: "JC1307"}
ENDING_LOT, ENDED_LOT = "CM4702", "CM4410"
_A_BOX = 150  # doses of each lot that each site has received
_HOURS, _REPAIR_AHEAD = "Mo-Su 08:30-16:00", 400
_KEEPERS = "clerk", "admin"  # who receives lots, and who releases them
_LANGUAGES = ("ar", "ar", "fr", "en")


@dataclass(frozen=True, slots=True)
class Scene:
    """What every step of populating needs."""

    db: Session
    vault: Vault
    country: Country
    seed: int
    today: date
    now: datetime
    texts: Mapping[str, Any]

    @property
    def products(self) -> dict[str, Product]:
        """The products there are, by code."""
        return {product.code: product for product in self.db.scalars(select(Product))}

    @property
    def nurses(self) -> dict[UUID | None, Staff]:
        """A nurse of each site."""
        nurses = self.db.scalars(select(Staff).filter_by(role="nurse"))
        return {nurse.site_id: nurse for nurse in nurses}

    @property
    def zone(self) -> ZoneInfo:
        """The clock on the wall."""
        return ZoneInfo(self.country.time_zone)

    def chance(self, *what: object) -> random.Random:
        """Return a source of chance that is the same for the same seed and purpose."""
        return random.Random(f"{self.seed}:{what}")  # noqa: S311 - it must be foreseeable


@cache
def texts() -> Mapping[str, Any]:
    """Return the names that people, places and staff are made of."""
    text = files("healthcert").joinpath("data", "demo", "people.toml").read_text("utf-8")
    return tomllib.loads(text)


def sites(scene: Scene) -> list[Site]:
    """Make a site in each town of the country, run by the town; return them by code."""
    texts, bodies = scene.texts["site"], scene.texts["organisation"]
    towns = sorted(scene.country.towns, key=lambda town: town.code)
    ministry = Organisation(
        id=new_id(), recorded_at=scene.now, code="ministry", names=bodies["ministry"],
        kind="ministry", level=0,
    )  # fmt: skip
    runs = [
        Organisation(
            id=new_id(), recorded_at=scene.now, code=town.code, kind="municipality", level=1,
            parent_level=0, parent_id=ministry.id,
            names={lang: words % town.names[lang] for lang, words in bodies["town"].items()},
        )
        for town in towns
    ]  # fmt: skip
    scene.db.add_all([ministry, *runs])
    sites = [
        Site(
            recorded_at=scene.now, code=town.code,
            names={lang: words % town.names[lang] for lang, words in texts["names"].items()},
            address={lang: words % town.names[lang] for lang, words in texts["address"].items()},
            region=town.region, latitude=town.latitude + 0.004, longitude=town.longitude + 0.003,
            time_zone=scene.country.time_zone, step_free=number % 2 == 0,
            facilities=list(FACILITIES[: number % 4]),
            languages=["ar", *_LANGUAGES[2 : 2 + number % 3]], female_vaccinator=number % 3 != 1,
            organisation_id=runs[number].id,
        )
        for number, town in enumerate(towns)
    ]  # fmt: skip
    scene.db.add_all(sites)
    scene.db.flush()
    for site in sites:
        repair = scene.today + timedelta(days=_REPAIR_AHEAD)
        spans = hours.read(_HOURS)
        hours.begin(scene.db, site_id=site.id, spans=spans, closed=[repair], now=scene.now)
    return sites


def staff(scene: Scene, sites: list[Site]) -> None:
    """Put one of each role at the first site or the ministry, and a nurse at each other site."""
    ministry = scene.db.scalars(select(Organisation).filter_by(level=0)).one()
    roles = [*scene.texts["staff"]]
    roles += [
        {"name": f"Nurse of {site.names['en']}", "role": "nurse", "site": site}
        for site in sites[1:]
    ]
    for person in roles:
        site, central = person.get("site", sites[0]), person["role"] in WITHOUT_SITE
        works = {"organisation_id": ministry.id} if central else {"site_id": site.id}
        member = {"name": person["name"], "role": person["role"], **works}
        scene.db.add(Staff(recorded_at=scene.now, **member))
        scene.db.flush()


def stock_up(scene: Scene, sites: list[Site]) -> None:
    """Bring lots to every site: two for a long time, one about to end, one that has ended."""
    db, products, since = scene.db, scene.products, scene.today - timedelta(days=200)
    now, ends = datetime.combine(since, time(8), scene.zone), {ENDING_LOT: 3, ENDED_LOT: -40}
    clerk, admin = (db.scalars(select(Staff).filter_by(role=role)).one() for role in _KEEPERS)
    for code, number in [*LOTS.items(), (SERIES, ENDING_LOT), (SERIES, ENDED_LOT)]:
        expires_on = scene.today + timedelta(days=ends.get(number, 400))
        lot = lots.enter(
            db, product_id=products[code].id, number=number, expires_on=expires_on, since=since,
            staff=clerk, now=now,
        )  # fmt: skip
        lots.order(
            db, lot_id=lot.id, state="released", since=since, reason="released", staff=admin,
            country=scene.country, now=now,
        )  # fmt: skip
        for site in sites:
            stock.move(db, Shelf(site.id, lot.id), "received", _A_BOX, staff=admin, now=now)


def planned(scene: Scene, site: Site, product: Product, first: date, last: date) -> SessionTemplate:
    """Return the template by which a site gives a product every day."""
    programme_id = scene.db.scalars(select(Programme.id).order_by(Programme.code)).first()
    template = SessionTemplate(
        site_id=site.id, programme_id=programme_id, product_id=product.id, weekdays=0b1111111,
        first_day=first, last_day=last, minutes=30, capacity=6, kept_phone=1, kept_walk_in=1,
    )  # fmt: skip
    return sessions.begin(scene.db, template, staff=None, now=scene.now)


def opened(scene: Scene, site: Site, product: Product, first: date, last: date) -> list[Slot]:
    """Open a site with a product for some days; return the slots of the first."""
    template = planned(scene, site, product, first, last)
    sessions.make(
        scene.db, template_id=template.id, country=scene.country, until=last, now=scene.now
    )
    return planning.slots_of(scene.db, site_id=site.id, product_id=product.id, day=first)


def _details(scene: Scene, number: int) -> Details:
    """Return the details of one of the people: numbers kept for fiction, mail to nowhere."""
    chance = scene.chance("person", number)
    sex = chance.choice(("female", "male"))
    given, family = chance.choice(scene.texts[sex]), chance.choice(scene.texts["families"])
    born = date(1938, 1, 1) + timedelta(days=chance.randrange(365 * 68))
    return Details(
        family=family[0], given=given[0], family_latin=family[1], given_latin=given[1],
        birth_date=born.isoformat(), sex=sex, phone=f"+447700900{number:03}" if number % 5 else "",
        mail=f"{given[1].lower()}.{number}@example.org", language=chance.choice(_LANGUAGES),
        identity=_identity(scene, number),
    )  # fmt: skip


def _identity(scene: Scene, number: int) -> IdentityDetails:
    return IdentityDetails("national", scene.country.code, f"DEMO{number:06}")


def enrolled(scene: Scene) -> list[Person]:
    """Write the people down; return them by number."""
    return [
        enrolment.enrol(scene.db, vault=scene.vault, details=_details(scene, number), now=scene.now)
        for number in range(PEOPLE)
    ]


def known(scene: Scene) -> list[Person]:
    """Return the people of the demonstration who are on record, whatever else is."""
    identities = [_identity(scene, number) for number in range(PEOPLE)]
    found = enrolment.on_record(scene.db, vault=scene.vault, identities=identities)
    return [found[identity] for identity in identities if identity in found]
