"""Identities, codes and proxies: what the database holds of itself, tried around Python."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update

from healthcert.models import AccessCode, Identity, Proxy, new_id
from tests import factories as make
from tests.factories import NOW
from tests.models.refusals import refused

LATER = NOW + timedelta(hours=5)


def identity(db, person, kind, level, **values):
    told = {"person_id": person.id, "kind": kind, "level": level, "country": "XX"}
    blind = None if kind in ("none", "vouched") else new_id().bytes
    return make.add(db, Identity(**told | {"blind": blind, "recorded_at": NOW} | values))


@pytest.mark.parametrize(
    ("kind", "level"),
    [("subject", "low"), ("none", "high"), ("vouched", "substantial"), ("card", "high")],
)
def test_nothing_proves_more_than_it_can(db, kind, level):
    with refused(db, "ck_identity_level_of_kind"):
        identity(db, make.make_person(db), kind, level)


def test_the_level_of_an_identity_is_not_raised_past_its_kind(db):
    card = identity(db, make.make_person(db), "card", "low")
    with refused(db, "ck_identity_level_of_kind"):
        db.execute(update(Identity).filter_by(id=card.id).values(level="high"))


@pytest.mark.parametrize(("kind", "level"), [("card", "low"), ("subject", "high")])
def test_nobody_has_two_cards_or_two_national_sign_ins(db, kind, level):
    person = make.make_person(db)
    identity(db, person, kind, level)
    identity(db, person, "passport", "low")
    identity(db, person, "passport", "low")
    with refused(db, "one_of_ours"):
        identity(db, person, kind, level)


def test_one_national_sign_in_names_one_person(db):
    identity(db, make.make_person(db), "subject", "high", blind=b"one")
    with refused(db, "uq_identity_blind"):
        identity(db, make.make_person(db), "subject", "high", blind=b"one")


def test_a_code_lets_its_person_in_or_somebody_act_in_known_scopes(db):
    person = make.make_person(db)
    code = {"person_id": person.id, "digest": b"", "expires_at": LATER, "recorded_at": NOW}
    code |= {"tries": 0}
    for lets in ("everything", "", "view book", "view view"):
        with refused(db, "ck_access_code_lets"):
            db.execute(insert(AccessCode).values(lets=lets, **code))
    for lets in ("sign_in", "view", "book consent view"):
        db.execute(insert(AccessCode).values(lets=lets, **code))


@pytest.fixture
def proxy(db):
    child, mother = make.make_person(db), make.make_person(db)
    told = {"person_id": child.id, "proxy_person_id": mother.id, "kind": "guardian"}
    return make.add(db, Proxy(scope="book", ends_at=LATER, recorded_at=NOW, **told))


def test_of_a_proxy_only_its_end_is_brought_forward(db, proxy):
    other = make.make_person(db)
    for change in (
        {"ends_at": LATER + timedelta(days=9)}, {"scope": "consent"}, {"kind": "carer"},
        {"person_id": other.id}, {"proxy_person_id": other.id},
        {"recorded_at": NOW - timedelta(days=9)},
    ):  # fmt: skip
        with refused(db, "proxy_fixed"):
            db.execute(update(Proxy).values(**change))
    with refused(db, "never_deleted"):
        db.execute(delete(Proxy))
    db.execute(update(Proxy).values(revoked_at=LATER))
    for change in ({"revoked_at": None}, {"revoked_at": LATER + timedelta(days=1)}):
        with refused(db, "proxy_fixed"):
            db.execute(update(Proxy).values(**change))
    assert proxy.ends_at == LATER


def test_staff_act_for_somebody_for_a_day_at_most(db):
    told = {"person_id": make.make_person(db).id, "staff_id": make.make_staff(db).id}
    told |= {"kind": "operator", "scope": "view", "recorded_at": NOW}
    make.add(db, Proxy(ends_at=NOW + timedelta(days=1), **told))
    with refused(db, "proxy_fixed"):
        make.add(db, Proxy(ends_at=NOW + timedelta(days=1, seconds=1), **told))
