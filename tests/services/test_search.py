"""Searching: the nearest first, nothing full, nothing over, nothing one is too young for."""

from __future__ import annotations

from datetime import timedelta

from healthcert.models import ClinicSession
from healthcert.services import search
from tests.factories import NOW, day, make_site
from tests.services.clinic import COMIRNATY, JCOVDEN

HERE = (48.0, 2.0)


def nearest(clinic, limit=20, **how) -> list[search.FreeSlot]:
    with clinic.doors.reading() as db:
        return search.nearest_free(
            db, programme_id=clinic.programme.id, near=HERE, now=NOW, limit=limit, **how
        )


def test_the_nearest_site_comes_first_with_its_distance(clinic):
    with clinic.doors.transaction() as db:
        far = make_site(db, latitude=49.0, longitude=2.0)
    away = clinic.slot(site=far)
    near = clinic.slot(day(5))
    found = nearest(clinic)
    assert [each.slot_id for each in found] == [near.id, away.id]
    assert round(found[1].distance_km) == 111


def test_who_needs_it_is_shown_places_without_steps_and_where_they_are_understood(clinic):
    with clinic.doors.transaction() as db:
        fit = make_site(db, latitude=49.0, step_free=True, languages=["fr", "ar"])
    clinic.slot()
    away = clinic.slot(site=fit)
    assert len(nearest(clinic)) == 2
    for need in ({"step_free": True}, {"language": "ar"}):
        assert [each.slot_id for each in nearest(clinic, **need)] == [away.id]
    assert nearest(clinic, step_free=True, language="de") == []


def test_a_full_slot_is_not_offered(clinic):
    slot = clinic.slot(capacity=1)
    assert [each.places for each in nearest(clinic)] == [1]
    clinic.book(slot)
    assert nearest(clinic) == []


def test_a_slot_that_has_begun_is_not_offered(clinic):
    clinic.slot(day(0), starts_at=NOW)
    soon = clinic.slot(day(0), product=JCOVDEN, starts_at=NOW + timedelta(minutes=1))
    assert [each.slot_id for each in nearest(clinic)] == [soon.id]


def test_a_session_that_is_not_published_is_not_offered(clinic):
    slot = clinic.slot()
    with clinic.doors.transaction() as db:
        db.get_one(ClinicSession, slot.session_id).state = "cancelled"
    assert nearest(clinic) == []


def test_a_product_for_adults_is_not_offered_to_a_child(clinic):
    clinic.slot(product=JCOVDEN)
    teen = clinic.slot(day(2), product=COMIRNATY)
    found = nearest(clinic, birth_date=f"{NOW.year - 14}-01-01")
    assert [each.slot_id for each in found] == [teen.id]
    assert len(nearest(clinic)) == 2


def test_one_site_does_not_fill_the_whole_answer(clinic):
    for on in range(1, 9):
        clinic.slot(day(on))
    with clinic.doors.transaction() as db:
        far = make_site(db, latitude=50.0)
    clinic.slot(site=far)
    assert [each.site.id for each in nearest(clinic)].count(far.id) == 1
    assert len(nearest(clinic)) == 6
    assert len(nearest(clinic, limit=3)) == 3
