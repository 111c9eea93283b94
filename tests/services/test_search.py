"""Searching: the nearest first, nothing full, nothing over, nothing one is too young for."""

from __future__ import annotations

from datetime import time, timedelta

from healthcert.models import ClinicSession
from healthcert.services import search
from healthcert.services.search import Needs
from tests.factories import NOW, day, make_site, make_slot
from tests.services.clinic import COMIRNATY, JCOVDEN
from tests.statements import sent

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
    for needs in (Needs(step_free=True), Needs(language="ar")):
        assert [each.slot_id for each in nearest(clinic, needs=needs)] == [away.id]
    assert nearest(clinic, needs=Needs(step_free=True, language="de")) == []


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


def party(clinic, places, **how) -> list[tuple]:
    return [each.slot_ids for each in nearest(clinic, places=places, **how)]


def test_a_party_sits_in_one_slot_or_in_adjacent_ones(clinic):
    first = clinic.slot(capacity=2)
    with clinic.doors.transaction() as db:
        session = db.get_one(ClinicSession, first.session_id)
        begins = (first.ends_at, first.ends_at + timedelta(minutes=20))
        second, apart = (
            make_slot(db, session=session, starts_at=each, capacity=1) for each in begins
        )
    assert party(clinic, 2) == [(first.id, first.id)]
    assert party(clinic, 3) == [(first.id, first.id, second.id)]
    assert party(clinic, 4) == []
    clinic.book(first)
    assert party(clinic, 2) == [(first.id, second.id)]
    offer = nearest(clinic, places=2)[0]
    assert (offer.slot_id, offer.starts_at, offer.ends_at, offer.places) == (
        first.id, first.starts_at, second.ends_at, 2,
    )  # fmt: skip
    assert [each.slot_id for each in nearest(clinic)] == [first.id, second.id, apart.id]


def test_needs_of_the_site_are_all_met(clinic):
    fits = {"female_vaccinator": True, "facilities": ["lift", "hearing_loop"]}
    with clinic.doors.transaction() as db:
        fit, half = make_site(db, **fits), make_site(db, **fits | {"facilities": ["lift"]})
    away, other = clinic.slot(site=fit), clinic.slot(site=half)
    needs = Needs(female_vaccinator=True, facilities=("hearing_loop",))
    assert [each.slot_id for each in nearest(clinic, needs=needs)] == [away.id]
    needs = Needs(facilities=("lift",))
    assert {each.slot_id for each in nearest(clinic, needs=needs)} == {away.id, other.id}


def test_the_time_of_day_is_that_of_the_site(clinic):
    slot = clinic.slot()  # ten o'clock UTC, noon in Beirut
    for hours, found in (
        ((time(12), time(13)), [slot.id]),
        ((time(9), time(12)), []),
        ((time(20), time(12, 1)), [slot.id]),  # past midnight
    ):
        offers = nearest(clinic, needs=Needs(hours=hours))
        assert [each.slot_id for each in offers] == found


def test_days_a_site_and_a_product_narrow_the_search(clinic):
    slots = [clinic.slot(day(on)) for on in range(1, 4)]
    other = clinic.slot(product=JCOVDEN)
    found = nearest(clinic, days=(day(2), day(3)))
    assert [each.slot_id for each in found] == [slots[1].id, slots[2].id]
    found = nearest(clinic, product_id=clinic.products[JCOVDEN].id)
    assert [each.slot_id for each in found] == [other.id]
    with clinic.doors.transaction() as db:
        empty = make_site(db)
    assert nearest(clinic, site_id=empty.id) == []
    assert len(nearest(clinic, site_id=clinic.site.id)) == 4


def test_who_telephones_is_offered_what_is_kept_for_the_telephone(clinic):
    slot = clinic.slot(capacity=1, kept_phone=1)
    assert [each.slot_id for each in nearest(clinic, source="phone")] == [slot.id]
    assert nearest(clinic) == nearest(clinic, source="walk_in") == []


def second(clinic, slot, **how) -> search.FreeSlot | None:
    told = {"slot_id": slot.id, "dose_number": 1, "now": NOW}
    with clinic.doors.reading() as db:
        return search.second_dose(db, **told | how)


def test_a_second_dose_is_proposed_on_the_first_day_in_time_at_the_nearest_time_of_day(clinic):
    first = clinic.slot(day(1))
    clinic.slot(day(21))  # too soon
    clinic.slot(day(22), product=JCOVDEN)  # something else
    assert second(clinic, first) is None
    with clinic.doors.transaction() as db:
        elsewhere = make_site(db, latitude=48.0)
    clinic.slot(day(22), site=elsewhere)
    clinic.slot(day(44))  # too late
    assert second(clinic, first) is None
    late = clinic.slot(day(23), capacity=1, kept_second_dose=1)
    found = second(clinic, first)
    assert found is not None
    assert (found.slot_ids, found.day, found.site.id) == ((late.id,), day(23), clinic.site.id)
    with clinic.doors.transaction() as db:
        session = db.get_one(ClinicSession, late.session_id)
        hours = [make_slot(db, session=session, starts_at=late.starts_at + timedelta(hours=each))
                 for each in (-1, 2)]  # fmt: skip
    assert second(clinic, first).slot_id == late.id
    clinic.slot(day(24))
    assert second(clinic, first, places=2).slot_ids == (hours[0].id,) * 2


def test_no_second_dose_is_proposed_where_the_series_ends(clinic):
    single, double = clinic.slot(product=JCOVDEN), clinic.slot()
    for on in (22, 40):
        clinic.slot(day(on))
        clinic.slot(day(on), product=JCOVDEN)
    assert second(clinic, single) is None
    assert second(clinic, double, dose_number=2) is None
    assert second(clinic, double).day == day(22)


def test_a_search_is_two_statements(clinic):
    for on in range(1, 8):
        clinic.slot(day(on))
    how = {"programme_id": clinic.programme.id, "near": HERE, "now": NOW}
    with clinic.doors.reading() as db, sent(clinic.doors.engine) as told:
        assert len(search.nearest_free(db, limit=5, **how)) == 5
    assert len([each for each in told if "SELECT" in each]) == 2
