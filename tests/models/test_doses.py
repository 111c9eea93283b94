"""Doses: every fact is recorded, and what counts is bound."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from healthcert.models import Dose, DoseJudgement, DoseStanding, new_id
from healthcert.models.dose import COUNTS
from tests import factories as make
from tests.factories import COVID, INTERVAL, TODAY, day
from tests.models.refusals import refused


def standing(db: Session, dose: Dose) -> DoseStanding:
    return db.get_one(DoseStanding, (dose.id, COVID), populate_existing=True)


@pytest.mark.parametrize("counts", COUNTS[1:])
def test_a_dose_is_recorded_whatever_is_wrong_with_it(db, counts):
    person, lot = make.make_person(db), make.make_good_lot(db, expires_on=day(-1))
    make.make_counted_dose(db, person=person)
    without_lot = make.make_dose(db, person=person)
    out_of_date = make.make_dose(db, person=person, lot=lot)
    other_product = make.make_dose(db, person=person, product=make.make_product(db, diseases=()))
    for dose in (without_lot, out_of_date, other_product):
        make.make_judgement(db, dose=dose, counts=counts, reason="seen", number=1)
        assert standing(db, dose).counts == counts


def test_a_dose_is_not_written_down_before_it_is_given(db):
    with refused(db, "ck_dose_given_before_recorded"):
        make.make_dose(db, recorded_on=day(-1))


def test_a_lot_in_our_books_is_named_whole(db):
    lot = make.make_lot(db)
    with refused(db, "ck_dose_lot_whole"):
        make.make_dose(db, lot=lot, lot_product_id=None)
    with refused(db, "foreign_key"):
        make.make_dose(db, lot=lot, lot_product_id=make.make_product(db).id)


def test_a_dose_replaces_one_other(db):
    person = make.make_person(db)
    wrong = make.make_dose(db, person=person)
    make.make_dose(db, person=person, replaces=wrong.id)
    with refused(db, "uq_dose_replaces"):
        make.make_dose(db, person=person, replaces=wrong.id)


def test_a_dose_replaces_none_of_another_person(db):
    wrong = make.make_dose(db)
    with refused(db, "foreign_key"):
        make.make_dose(db, replaces=wrong.id)


def test_what_replaces_a_dose_counts_once_that_one_is_in_error(db):
    person = make.make_person(db)
    wrong = make.make_counted_dose(db, person=person)
    right = make.make_dose(db, person=person, lot=make.make_good_lot(db), replaces=wrong.id)
    validity = make.in_force(db, right)
    with refused(db, "replaced_in_error"):
        make.make_judgement(db, dose=right, validity=validity, number=2)
    make.make_judgement(db, dose=wrong, ordinal=2, counts="entered_in_error", reason="wrong_lot")
    make.make_judgement(db, dose=right, validity=validity)
    assert standing(db, right).counts == "valid"


@pytest.mark.parametrize("counts", ["valid", "unknown"])
def test_what_was_entered_in_error_stays_so(db, counts):
    dose = make.make_counted_dose(db)
    make.make_judgement(db, dose=dose, ordinal=2, counts="entered_in_error", reason="not_given")
    with refused(db, "standing_moves"):
        make.make_judgement(
            db, dose=dose, ordinal=3, counts=counts, validity=make.in_force(db, dose)
        )


@pytest.mark.parametrize("source", ["historic", "foreign"])
@pytest.mark.parametrize(
    "doubt", [{"evidence": "stated"}, {"day_precision": "month"}, {"day_precision": "year"}]
)
def test_what_is_not_proved_is_recorded_and_cannot_count(db, source, doubt):
    dose = make.make_dose(db, source=source, **doubt)
    with refused(db, "foreign_key"):
        make.make_judgement(db, dose=dose)
    make.make_judgement(db, dose=dose, counts="unknown", reason="no_evidence")
    assert standing(db, dose).counts == "unknown"


@pytest.mark.parametrize(
    "lie",
    [
        {"evidence": "seen"},
        {"country": "FR"},
        {"day_precision": "month"},
        {"given_at": None},
        {"body_site": None},
        {"source": "foreign", "evidence": "given_here"},
        {"source": "historic", "country": None},
    ],
)
def test_a_dose_is_given_here_or_elsewhere_and_says_so_whole(db, lie):
    with refused(db, "ck_dose_here_or_elsewhere"):
        make.make_dose(db, **lie)


def test_a_dose_given_elsewhere_has_no_appointment(db):
    appointment = make.make_appointment(db)
    with refused(db, "ck_dose_here_or_elsewhere"):
        make.make_dose(db, source="foreign", appointment_id=appointment.id)


@pytest.mark.parametrize("column", ["evidence", "day_precision", "route", "body_site", "source"])
def test_a_dose_is_told_in_the_words_there_are(db, column):
    values = {"source": "foreign", "evidence": "seen", "country": "FR", column: "nonsense"}
    with refused(db, f"ck_dose_{column}"):
        make.make_dose(db, **values)


def test_what_an_import_tells_twice_is_stored_once(db):
    make.make_dose(db, source="foreign", import_key="partner-7")
    with refused(db, "uq_dose_import_key"):
        make.make_dose(db, source="foreign", import_key="partner-7")


@pytest.mark.parametrize("counts", ["subpotent", "entered_in_error"])
def test_what_a_person_finds_has_a_reason(db, counts):
    with refused(db, "ck_dose_judgement_found_reason"):
        make.make_judgement(db, dose=make.make_dose(db), counts=counts)


LOT_KEY = (
    "lot_validity_id", "lot_id", "lot_product_id", "lot_state", "lot_released_on",
    "lot_expires_on",
)  # fmt: skip


@pytest.mark.parametrize("column", LOT_KEY)
def test_a_valid_judgement_names_its_lot_whole(db, column):
    dose = make.make_dose(db, lot=make.make_good_lot(db))
    validity = make.in_force(db, dose)
    with refused(db, "ck_dose_judgement_lot_whole", "lot_in_force"):
        make.make_judgement(db, dose=dose, validity=validity, **{column: None})


def test_a_valid_judgement_at_the_point_of_care_needs_a_lot(db):
    with refused(db, "ck_dose_judgement_valid_lot"):
        make.make_judgement(db, dose=make.make_dose(db))
    foreign = make.make_dose(db, source="foreign")
    make.make_judgement(db, dose=foreign)
    assert standing(db, foreign).counts == "valid"


@pytest.mark.parametrize(
    ("validity", "given", "fits"),
    [
        ({}, 0, True),
        ({"released_on": TODAY, "expires_on": TODAY}, 0, True),
        ({"expires_on": day(-1)}, 0, False),
        ({"released_on": day(1)}, 0, False),
        ({"state": "recalled"}, 0, False),
    ],
)
def test_a_valid_dose_is_in_date_and_released_that_day(db, validity, given, fits):
    dose = make.make_dose(db, lot=make.make_good_lot(db, **validity), given_on=day(given))
    if fits:
        make.make_judgement(db, dose=dose, validity=make.in_force(db, dose))
        return
    with refused(db, "ck_dose_judgement_valid_lot"):
        make.make_judgement(db, dose=dose, validity=make.in_force(db, dose))


@pytest.mark.parametrize(
    ("truth", "lie"),
    [
        ({"expires_on": day(-1)}, {"lot_expires_on": day(9)}),
        ({"released_on": day(1)}, {"lot_released_on": day(-9)}),
        ({"state": "recalled"}, {"lot_state": "released"}),
    ],
)
def test_a_judgement_cannot_lie_about_its_lot(db, truth, lie):
    dose = make.make_dose(db, lot=make.make_good_lot(db, **truth))
    with refused(db, "foreign_key"):
        make.make_judgement(db, dose=dose, validity=make.in_force(db, dose), **lie)


def test_a_judgement_cannot_use_the_lot_of_another_dose(db):
    good = make.make_dose(db, lot=make.make_good_lot(db))
    dose = make.make_dose(
        db, lot=make.make_lot(db, product=db.get_one(make.Product, good.product_id))
    )
    with refused(db, "foreign_key"):
        make.make_judgement(db, dose=dose, validity=make.in_force(db, good))


@pytest.mark.parametrize(
    "lie", [{"given_on": day(-30)}, {"source": "foreign"}, {"person_id": new_id()}]
)
def test_a_judgement_cannot_lie_about_its_dose(db, lie):
    dose = make.make_dose(db, lot=make.make_good_lot(db))
    with refused(db, "foreign_key"):
        make.make_judgement(db, dose=dose, validity=make.in_force(db, dose), **lie)


def test_a_dose_counts_toward_diseases_of_its_product_alone(db):
    dose = make.make_dose(db, lot=make.make_good_lot(db))
    validity = make.in_force(db, dose)
    with refused(db, "foreign_key"):
        make.make_judgement(db, dose=dose, validity=validity, disease="6142004")
    make.make_judgement(db, dose=dose, disease="6142004", counts="wrong_product")


def test_the_validity_in_force_is_the_latest_one_of_that_day(db):
    lot = make.make_good_lot(db)
    before = make.make_dose(db, lot=lot, given_on=day(-10))
    after = make.make_dose(db, lot=lot, given_on=day(40))
    old = make.in_force(db, before)
    aside = make.make_validity(db, lot=lot, since=day(-5), state="quarantined")
    extension = make.make_validity(db, lot=lot, since=day(30), expires_on=day(400))
    for stale in (old, aside):
        with refused(db, "lot_in_force", "ck_dose_judgement_valid_lot"):
            make.make_judgement(db, dose=after, validity=stale)
    with refused(db, "lot_in_force"):
        make.make_judgement(db, dose=before, validity=extension)
    make.make_judgement(db, dose=before, validity=old)
    make.make_judgement(db, dose=after, validity=extension)


def test_a_lot_set_aside_does_not_stop_recording(db):
    lot = make.make_good_lot(db)
    make.make_validity(db, lot=lot, since=day(-5), state="quarantined")
    dose = make.make_dose(db, lot=lot)
    with refused(db, "ck_dose_judgement_valid_lot"):
        make.make_judgement(db, dose=dose, validity=make.in_force(db, dose))
    make.make_judgement(db, dose=dose, counts="unknown")
    assert standing(db, dose).counts == "unknown"


@pytest.mark.parametrize(
    ("number", "offset", "fits"),
    [
        (2, 20, True), (2, 19, False), (2, 46, True), (2, 47, False), (2, -1, False),
        (2, -60, False), (4, 88, True), (4, 87, False), (4, 30, False),
    ],
)  # fmt: skip
def test_the_interval_holds_in_both_directions_of_time(db, number, offset, fits):
    person, lot = make.make_person(db), make.make_good_lot(db)
    make.make_counted_dose(db, person=person, lot=lot, given_on=day(-1))
    make.make_counted_dose(db, person=person, lot=lot, given_on=day(67), number=3)
    late = make.make_dose(db, person=person, lot=lot, given_on=day(offset))
    validity = make.in_force(db, late)
    if fits:
        make.make_judgement(db, dose=late, validity=validity, number=number)
        return
    with refused(db, "dose_interval"):
        make.make_judgement(db, dose=late, validity=validity, number=number)
    make.make_judgement(db, dose=late, validity=validity, number=number, counts="too_early")


def test_one_dose_counts_as_one_number(db):
    person = make.make_person(db)
    make.make_counted_dose(db, person=person)
    again = make.make_dose(db, person=person, lot=make.make_good_lot(db), given_on=day(60))
    with refused(db, "one_counted_dose"):
        make.make_judgement(db, dose=again, validity=make.in_force(db, again))
    with refused(db, "ck_dose_judgement_valid_number"):
        make.make_judgement(db, dose=again, validity=make.in_force(db, again), number=None)


def test_another_person_and_another_disease_have_series_of_their_own(db):
    person, product = make.make_person(db), make.make_product(db, diseases=(COVID, "6142004"))
    lot = make.make_good_lot(db, product=product)
    make.make_counted_dose(db, person=person, lot=lot)
    flu = make.make_dose(db, person=person, lot=lot, given_on=day(1))
    make.make_judgement(db, dose=flu, validity=make.in_force(db, flu), disease="6142004", number=2)
    make.make_counted_dose(db, lot=lot, given_on=day(1), number=2)


def test_a_dose_in_error_binds_nobody(db):
    person = make.make_person(db)
    wrong = make.make_counted_dose(db, person=person)
    with refused(db, "ck_dose_judgement_found_reason"):
        make.make_judgement(db, dose=wrong, ordinal=2, counts="entered_in_error")
    make.make_judgement(db, dose=wrong, ordinal=2, counts="entered_in_error", reason="other arm")
    make.make_counted_dose(db, person=person, given_on=day(3), number=2)
    make.make_counted_dose(db, person=person, given_on=day(-40))
    assert standing(db, wrong).counts == "entered_in_error"


def test_a_dose_is_judged_again_and_stands_where_the_newest_says(db):
    dose = make.make_counted_dose(db)
    make.make_judgement(db, dose=dose, ordinal=2, counts="recalled_lot", number=None)
    newest = make.make_judgement(db, dose=dose, ordinal=3, validity=make.in_force(db, dose))
    stands = standing(db, dose)
    assert (stands.judgement_id, stands.counts, stands.number) == (newest.id, "valid", 1)
    with refused(db, "uq_dose_judgement_dose_id_disease_ordinal", "judgement_stands"):
        make.make_judgement(db, dose=dose, ordinal=3, counts="duplicate")
    with refused(db, "judgement_stands"):
        make.make_judgement(db, dose=dose, ordinal=5, counts="duplicate")
    assert standing(db, dose).judgement_id == newest.id


def test_a_first_judgement_is_number_one(db):
    with refused(db, "judgement_stands"):
        make.make_judgement(db, dose=make.make_dose(db), ordinal=2, counts="unknown")


def test_a_dose_judged_again_keeps_its_interval(db):
    person, lot = make.make_person(db), make.make_good_lot(db)
    make.make_counted_dose(db, person=person, lot=lot)
    early = make.make_dose(db, person=person, lot=lot, given_on=day(INTERVAL - 1))
    make.make_judgement(db, dose=early, counts="too_early", number=2)
    with refused(db, "dose_interval"):
        make.make_judgement(db, dose=early, validity=make.in_force(db, early), ordinal=2, number=2)


def test_a_standing_is_moved_by_its_judgements_alone(db):
    dose = make.make_counted_dose(db)
    other = make.make_judgement(db, dose=make.make_dose(db), counts="unknown", number=None)
    later = make.make_judgement(db, dose=dose, ordinal=2, counts="duplicate")
    tries = [
        update(DoseStanding).values(counts="valid"),
        update(DoseStanding).values(ordinal=DoseStanding.ordinal + 1),
        update(DoseStanding).values(ordinal=3, judgement_id=later.id),
        update(DoseStanding).values(judgement_id=other.id),
        update(DoseStanding).values(number=None),
        update(DoseStanding).values(min_interval_days=0),
    ]
    for statement in tries:
        with refused(db, "standing_moves", "foreign_key"):
            db.execute(statement.where(DoseStanding.dose_id == dose.id))
    with refused(db, "never_deleted"):
        db.execute(delete(DoseStanding))
    with refused(db, "standing_moves"):
        db.add(DoseStanding(**values_of(later) | {"dose_id": other.dose_id, "disease": "1"}))
        db.flush()


def values_of(judgement: DoseJudgement) -> dict[str, object]:
    names = {column.name for column in DoseStanding.__table__.columns} - {"judgement_id"}
    return {name: getattr(judgement, name) for name in names} | {"judgement_id": judgement.id}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["OR IGNORE", "OR REPLACE"])
def test_no_conflict_clause_puts_a_second_dose_in_the_place_of_the_first(db, way):
    person = make.make_person(db)
    first = make.make_counted_dose(db, person=person)
    second = make.make_dose(db, person=person, lot=make.make_good_lot(db), given_on=day(60))
    sketch = make.make_judgement(db, dose=second, counts="unknown", number=None)
    row = {c.name: getattr(sketch, c.name) for c in DoseJudgement.__table__.columns}
    validity = make.in_force(db, second)
    row |= {
        "id": new_id(), "ordinal": 2, "counts": "valid", "number": 1,
        "lot_validity_id": validity.id, "lot_id": validity.lot_id,
        "lot_product_id": validity.product_id, "lot_state": "released",
        "lot_released_on": validity.released_on, "lot_expires_on": validity.expires_on,
    }  # fmt: skip
    del row["valid_disease"], row["valid_proof"]
    with refused(db, "judgement_stands", "never_deleted", "standing_moves", "one_counted_dose"):
        db.execute(sqlite_insert(DoseJudgement.__table__).prefix_with(way).values(row))
    counted = select(DoseStanding.dose_id).where(DoseStanding.counts == "valid")
    assert db.scalars(counted).all() == [first.id]
