"""Tokens of programs and answers kept for them: what the database holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from healthcert.models import ApiAnswer, ApiToken
from tests import factories as make
from tests.factories import NOW
from tests.models.refusals import refused


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"token_hash": b"hc_a-token"}, "ck_api_token_hash_is_a_digest"),
        ({"staff_id": None}, "ck_api_token_of_one"),
        ({"person_id": True}, "ck_api_token_of_one"),
        ({"ends_at": NOW}, "ck_api_token_ends_after_start"),
    ],
)
def test_a_token_is_a_digest_of_one_owner_and_ends(db, wrong, rule):
    row = {
        "token_hash": b"t" * 32, "recorded_at": NOW, "name": "a program", "acts": "",
        "reads_only": False, "ends_at": NOW + timedelta(days=1), "person_id": None,
        "staff_id": make.make_staff(db).id,
    }  # fmt: skip
    if "person_id" in wrong:
        wrong = {"person_id": make.make_person(db).id}
    with refused(db, rule):
        db.execute(insert(ApiToken).values(row | wrong))
    db.execute(insert(ApiToken).values(row))


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"key_hash": b"my key"}, "ck_api_answer_key_is_a_digest"),
        ({"asked_hash": b"{}"}, "ck_api_answer_asked_is_a_digest"),
        ({"sealed": bytes(262_145)}, "ck_api_answer_sealed_is_bounded"),
    ],
)
def test_an_answer_is_kept_under_digests_and_bounded(db, wrong, rule):
    row = {"key_hash": b"k" * 32, "asked_hash": b"a" * 32, "sealed": b"s", "ends_at": NOW}
    with refused(db, rule):
        db.execute(insert(ApiAnswer).values(row | wrong))
    db.execute(insert(ApiAnswer).values(row))
