"""What whoever watches is told: figures, to this machine or with the token, and of nobody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.app import create_app
from healthcert.models import SigningKey
from healthcert.services import signing_keys
from tests.web.conftest import Clock

TOKEN = "t" * 32
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def figures(app):
    """Return what reads the figures, by name and labels."""

    def read(client=None) -> dict[str, float]:
        answer = (client or app.test_client()).get("/metrics")
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/plain; version=0.0.4")
        lines = [
            re.fullmatch(r"(healthcert_[a-z_]+\{.*\}) (\S+)", x)
            for x in answer.text.split("\n")[:-1]
        ]
        return {line[1]: float(line[2]) for line in lines}

    return read


@pytest.mark.usefixtures("clinic")
def test_keys_queues_ages_and_requests_are_told(app, figures, parts):
    app.test_client().get("/livez")
    app.test_client().get("/clinic/patients/nobody-named-Zainab")
    told = figures()
    kid = next(each.kid for each in parts.signers.values() if each.purpose == "v")
    days = told[f'healthcert_key_days_left{{kid="{kid.hex()}",purpose="v",state="active"}}']
    assert 600 < days < 700
    for name in ("messages_queued", "messages_oldest_seconds", "certificates_pending"):
        assert told[f"healthcert_{name}{{}}"] == 0
    assert told["healthcert_database_up{}"] == 1
    assert told["healthcert_bundle_age_hours{}"] == 0
    counted = {
        re.sub(r'process="\d+"', "", name): n for name, n in told.items() if "requests" in name
    }
    assert counted['healthcert_requests_total{,route="/livez",status="2xx"}'] == 1
    assert not any("Zainab" in name for name in told)


@pytest.mark.parametrize(
    ("headers", "environ", "status"),
    [
        ({}, {}, 200),
        ({}, {"REMOTE_ADDR": "::1"}, 200),
        ({}, ELSEWHERE, 404),
        ({"X-Forwarded-For": "127.0.0.1"}, {}, 404),
        ({"Forwarded": "for=127.0.0.1"}, {}, 404),
        ({"Authorization": f"Bearer {TOKEN}"}, ELSEWHERE, 200),
        ({"Authorization": f"Bearer {TOKEN}x"}, ELSEWHERE, 404),
        ({"Authorization": "Bearer "}, ELSEWHERE, 404),
        ({"Authorization": "Bearer é"}, ELSEWHERE, 404),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_strangers_need_the_token(published, database_url, clock, headers, environ, status):
    settings = published.at(database_url=database_url, metrics_token=TOKEN)
    app = create_app(settings, clock=clock, floor=clock)
    answer = app.test_client().get("/metrics", headers=headers, environ_base=environ)
    assert answer.status_code == status
    app.extensions["healthcert"].close()


@pytest.mark.parametrize("given", ["", "Bearer "])
def test_without_a_token_no_stranger_is_answered(app, given):
    told = {"Authorization": given}
    answer = app.test_client().get("/metrics", headers=told, environ_base=ELSEWHERE)
    assert answer.status_code == 404


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_with_the_database_down_what_is_known_is_still_told(published, tmp_path, clock, figures):
    away = published.at(database_url=f"sqlite:///{tmp_path / 'no' / 'folder.db'}")
    client = create_app(away, clock=clock, floor=clock).test_client()
    told = figures(client)
    assert told["healthcert_database_up{}"] == 0
    assert "healthcert_bundle_age_hours{}" in told
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json["checks"]["keys"] == {"ready": False, "code": "not_ready"}


@pytest.mark.usefixtures("clinic")
def test_readiness_tells_of_keys_that_end_soon_and_fails_in_the_last_day(app, parts, clock: Clock):
    with parts.doors.reading() as db:
        end = min(signing_keys.ends(key) for key in db.scalars(select(SigningKey)))
    for before, soon, status in ((31, [], 200), (29, ["r", "t", "v"], 200), (0.9, None, 503)):
        clock.now = end - timedelta(days=before)
        ready = app.test_client().get("/readyz").json["checks"]["keys"]
        assert ready["ready"] == (status == 200)
        assert ready.get("ends_soon") == soon
