"""Knowledge becomes rows once, and what rests on it moves on with the files."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from healthcert.data import knowledge as files
from healthcert.data import table
from healthcert.errors import BadSettings, NotFound
from healthcert.models import Knowledge, Product, Programme, new_id
from healthcert.models.adverse_event import TERMS
from healthcert.services import knowledge
from tests.factories import NOW
from tests.services.clinic import COMIRNATY, COVID, JCOVDEN


def test_loading_twice_keeps_one_row_a_content(db):
    assert knowledge.load(db, now=NOW) == 4
    assert knowledge.load(db, now=NOW) == 0
    assert db.scalar(select(func.count()).select_from(Knowledge)) == 4


def test_products_and_programmes_carry_what_the_files_say(db):
    knowledge.load(db, now=NOW)
    product = db.scalars(select(Product).filter_by(code=COMIRNATY)).one()
    assert (product.series_doses, product.min_interval_days, product.min_age_years) == (2, 21, 12)
    programme = db.scalars(select(Programme)).one()
    assert programme.disease == COVID
    assert knowledge.programme_content(db, programme.id)["products"] == [COMIRNATY, JCOVDEN]


def test_a_new_content_is_a_new_row_and_the_product_moves_on(db):
    knowledge.load(db, now=NOW)
    product = db.scalars(select(Product).filter_by(code=COMIRNATY)).one()
    older = Knowledge(
        kind="vaccine", name="comirnaty", sha256="0" * 64, recorded_at=NOW,
        content={**db.get_one(Knowledge, product.knowledge_id).content, "name": "Before"},
    )  # fmt: skip
    db.add(older)
    db.flush()
    product.knowledge_id, product.name = older.id, "Before"
    knowledge.load(db, now=NOW)
    assert (product.name, product.knowledge_id == older.id) == ("Comirnaty", False)
    assert knowledge.rule_of(db, product.id).series.grace == 4


def test_what_a_question_looks_for_on_record_is_a_reaction_that_can_be_reported(db):
    knowledge.load(db, now=NOW)
    told = [one.content for one in db.scalars(select(Knowledge).filter_by(kind="vaccine"))]
    asked = [question for content in told for question in content["questions"]]
    looked_for = {term for each in asked for term in each.get("on_record", ())}
    assert looked_for >= {"anaphylaxis", "myocarditis", "thrombosis_with_thrombocytopenia"}
    assert {*table("schema")["question"]["on_record?"].split()[1:]} <= {*TERMS}


def test_an_unknown_product_is_not_found(db):
    with pytest.raises(NotFound):
        knowledge.rule_of(db, new_id())


def test_a_country_without_a_file_is_refused_by_the_name_of_its_setting():
    with pytest.raises(BadSettings, match="HEALTHCERT_COUNTRY"):
        files.country("ZZ")


def test_the_demonstration_country_speaks_every_name_in_every_language():
    country = files.country("XX")
    for place in country.towns:
        assert set(place.names) == set(country.languages)
        assert place.region in country.regions
