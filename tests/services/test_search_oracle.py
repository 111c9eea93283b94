"""The search finds what a plain look at everything finds, on both engines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.models import ClinicSession, Product, Site, Slot
from healthcert.models.place import FACILITIES, KEPT
from healthcert.services import search
from healthcert.services.search import Needs
from tests.factories import NOW, day
from tests.services.clinic import COMIRNATY, JCOVDEN

ZONES = ("Europe/Paris", "Asia/Beirut", "Pacific/Kiritimati", "America/St_Johns")
SOURCES = ("web", "phone", "walk_in")
POINTS = ((48.0, 2.0), (89.5, 10.0), (-17.0, 179.9), (0.0, -179.99), (-90.0, 0.0), (33.9, 35.5))
EXAMPLES = 12


class Place(NamedTuple):
    """A slot with what it belongs to."""

    site: Site
    session: ClinicSession
    slot: Slot


def some(chance: Random, words) -> list[str]:
    return [word for word in words if chance.random() < 0.6]


def a_world(clinic, chance: Random) -> list[Place]:
    """Return sites far and near, with sessions of all kinds and slots of all fillings."""
    world = []
    for number in range(chance.randint(3, 9)):
        spread = chance.choice((0.1, 2.0, 20.0, 90.0))
        near = chance.choice(POINTS)
        site = Site(
            code=f"W{number}", names={"en": "A"}, address={"en": "B"}, region="North",
            latitude=max(-90.0, min(90.0, near[0] + spread * (chance.random() - 0.5))),
            longitude=(near[1] + spread * (chance.random() - 0.5) + number / 999 + 540) % 360 - 180,
            time_zone=chance.choice(ZONES), step_free=chance.random() < 0.7,
            languages=some(chance, ("fr", "ar")), facilities=some(chance, FACILITIES),
            female_vaccinator=chance.random() < 0.7, recorded_at=NOW,
        )  # fmt: skip
        for on in sorted(chance.sample(range(-1, 6), chance.randint(2, 4))):
            session = ClinicSession(
                programme_id=clinic.programme.id, day=day(on), recorded_at=NOW,
                product_id=clinic.products[chance.choice((COMIRNATY, JCOVDEN))].id,
                state=chance.choice(("published", "published", "running", "draft", "cancelled")),
            )  # fmt: skip
            world += [Place(site, session, slot) for slot in slots_of(session, chance)]
    return world


def slots_of(session: ClinicSession, chance: Random) -> Iterator[Slot]:
    begin = datetime.combine(session.day, time(chance.randint(4, 20)), NOW.tzinfo)
    for _ in range(chance.randint(1, 9)):
        begin += timedelta(minutes=chance.choice((0, 0, 0, 10)))
        kept = {f"kept_{pool}": chance.randint(0, 1) for pool in KEPT}
        taken = {f"booked_{pool}": chance.randint(0, kept[f"kept_{pool}"]) for pool in KEPT}
        opened = chance.randint(0, 2)
        yield Slot(
            starts_at=begin, ends_at=(begin := begin + timedelta(minutes=10)), recorded_at=NOW,
            capacity=opened + sum(kept.values()), **kept, **taken,
            booked=sum(taken.values()) + chance.randint(0, opened),
        )  # fmt: skip


def stored(db: Session, world: list[Place]) -> None:
    for site in {id(each.site): each.site for each in world}.values():
        db.add(site)
    db.flush()
    for session in {id(each.session): each.session for each in world}.values():
        session.site_id = next(each.site.id for each in world if each.session is session)
        db.add(session)
    db.flush()
    for each in world:
        each.slot.session_id = each.session.id
        db.add(each.slot)
    db.flush()


def a_question(clinic, chance: Random) -> dict[str, Any]:
    hours = (time(chance.randint(0, 23)), time(chance.randint(0, 23), 30))
    needs = Needs(
        step_free=chance.random() < 0.2, female_vaccinator=chance.random() < 0.2,
        language=chance.choice((None, None, "ar")),
        facilities=tuple(some(chance, FACILITIES[:1])) if chance.random() < 0.3 else (),
        hours=chance.choice((None, None, hours)),
    )  # fmt: skip
    return {
        "near": chance.choice(POINTS), "limit": chance.choice((1, 6, 15, 99)), "needs": needs,
        "places": chance.choice((1, 1, 2, 3, 8)), "source": chance.choice(SOURCES),
        "dose_number": chance.choice((1, 2)),
        "days": chance.choice((None, (day(0), day(2)), (day(3), day(3)))),
        "product_id": chance.choice((None, None, clinic.products[JCOVDEN].id)),
        "birth_date": chance.choice((None, None, f"{NOW.year - 14}-01-01")),
    }  # fmt: skip


def seen(clinic, world: list[Place], ask: dict[str, Any]) -> list[tuple]:
    """Look at everything."""
    found: dict[Any, list[tuple]] = {}
    for each in world:
        if fits(clinic, each, ask) and (run := a_run(each, world, ask)):
            found.setdefault(each.site.id, []).append((each, run))
    sites = {each.site.id: each.site for each in world}
    away = {key: angle_km(ask["near"], site) for key, site in sites.items()}
    return [
        (tuple(run), round(away[key], 3))
        for key in sorted(found, key=away.__getitem__)
        for each, run in sorted(found[key], key=at)[:5]
    ][: ask["limit"]]


def at(one: tuple[Place, list]) -> tuple:
    return one[0].session.day, one[0].slot.starts_at, one[0].slot.id


def fits(clinic, each: Place, ask: dict[str, Any]) -> bool:
    needs, site, first_last = ask["needs"], each.site, ask["days"] or (date.min, date.max)
    child = ask["birth_date"] and each.session.product_id == clinic.products[JCOVDEN].id
    return (
        (site.step_free or not needs.step_free)
        and (site.female_vaccinator or not needs.female_vaccinator)
        and (needs.language is None or needs.language in site.languages)
        and set(needs.facilities) <= set(site.facilities)
        and in_hours(each, ask)
        and first_last[0] <= each.session.day <= first_last[1]
        and ask["product_id"] in {None, each.session.product_id}
        and each.session.state in {"published", "running"}
        and each.slot.starts_at > NOW
        and not child
        and left(each.slot, ask) > 0
    )


def left(slot: Slot, ask: dict[str, Any]) -> int:
    allowed = {ask["source"]} | ({"second_dose"} if ask["dose_number"] > 1 else set())
    open_ones = slot.capacity - sum(getattr(slot, f"kept_{pool}") for pool in KEPT)
    in_pools = sum(getattr(slot, f"booked_{pool}") for pool in KEPT)
    own = sum(
        getattr(slot, f"kept_{pool}") - getattr(slot, f"booked_{pool}")
        for pool in KEPT
        if pool in allowed
    )
    return open_ones - (slot.booked - in_pools) + own


def a_run(first: Place, world: list[Place], ask: dict[str, Any]) -> list:
    """Return the slots a party takes from a slot on, or nothing where a gap comes first."""
    run: list = []
    clock, here = first.slot.starts_at, [e for e in world if e.session is first.session]
    for each in sorted(here, key=lambda one: one.slot.starts_at):
        if each.slot.starts_at == clock and len(run) < ask["places"]:
            if left(each.slot, ask) < 1 or not in_hours(each, ask):
                break
            run += [each.slot.id] * min(left(each.slot, ask), ask["places"] - len(run))
            clock = each.slot.ends_at
    return run if len(run) == ask["places"] else []


def in_hours(each: Place, ask: dict[str, Any]) -> bool:
    local = each.slot.starts_at.astimezone(ZoneInfo(each.site.time_zone)).time()
    begin, end = ask["needs"].hours or (time(0), time.max)
    return begin <= local < end if begin <= end else local >= begin or local < end


def angle_km(near: tuple[float, float], site: Site) -> float:
    """Return the angle between two vectors, times the radius: no haversine."""
    one, two = (
        (math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a))
        for a, b in (map(math.radians, near), map(math.radians, (site.latitude, site.longitude)))
    )
    cross = math.hypot(
        one[1] * two[2] - one[2] * two[1], one[2] * two[0] - one[0] * two[2],
        one[0] * two[1] - one[1] * two[0],
    )  # fmt: skip
    return 6371 * math.atan2(cross, sum(map(float.__mul__, one, two)))


def test_a_search_finds_what_a_look_at_everything_finds(clinic, say):
    found = 0

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.integers(0, 2**32))
    @example(7)
    def holds(number: int) -> None:
        nonlocal found
        chance = Random(number)
        with clinic.doors.transaction() as db:
            world = a_world(clinic, chance)
            stored(db, world)
            for _ in range(5):
                ask = a_question(clinic, chance)
                offers = search.nearest_free(db, programme_id=clinic.programme.id, now=NOW, **ask)
                expected = seen(clinic, world, ask)
                assert [(o.slot_ids, round(o.distance_km, 3)) for o in offers] == expected, ask
                assert all(offer.places >= ask["places"] for offer in offers)
                found += len(offers)
            db.rollback()

    holds()
    say(f"{found} offers in {5 * EXAMPLES} searches")
    assert found > 5 * EXAMPLES
    with clinic.doors.reading() as db:
        assert db.scalars(select(Slot)).all() == []
        assert len(db.scalars(select(Product)).all()) > 1
