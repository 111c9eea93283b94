"""Above its capacity the server says so at once, shortly, and to the crowd alone."""

from __future__ import annotations

import os
from threading import Thread

import pytest
from click.testing import CliRunner
from werkzeug.test import create_environ

from healthcert.app import create_app
from healthcert.cli.serve import serve
from healthcert.pool import Turns
from tests.web.conftest import Browser
from tools.running import free_port


@pytest.fixture
def crowded(app):
    """The application with all that is the public's taken."""
    share = app.extensions["shares"]["public"]
    while share.enter():
        pass
    return app


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Many people"), ("fr", "beaucoup de monde"), ("ar", "كثيرون")]
)
@pytest.mark.usefixtures("clinic")
def test_the_crowd_is_told_to_come_again_in_its_language(crowded, language, words):
    answer = Browser(crowded).get("/book/", headers={"Accept-Language": language})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert words in answer.text
    assert f'lang="{language}"' in answer.text
    assert len(answer.data) < 2000
    assert answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.usefixtures("clinic")
def test_programs_get_a_problem_and_others_get_what_they_came_for(crowded, staff):
    problem = Browser(crowded).get("/api/v1/anything")
    assert (problem.status_code, problem.get_json()["code"]) == (503, "busy")
    assert problem.mimetype == "application/problem+json"
    for path in ("/verify", "/", "/livez", "/sign-in"):
        assert Browser(crowded).get(path).status_code == 200, path
    assert staff("nurse").get("/clinic/").status_code == 200


def test_a_share_holds_so_many_and_lets_so_many_wait():
    share = Turns(1, 20, 1)
    assert share.enter()
    found = []
    waiting = Thread(target=lambda: found.append(share.enter()))
    waiting.start()
    share.leave()
    waiting.join()
    assert found == [True]
    assert not Turns(0, 0.01, 1).enter()
    assert not Turns(0, 20, 0).enter()


def test_a_place_is_left_though_the_server_never_closes_the_answer(app):
    told = []
    for _ in range(6):  # more than may be at once
        for _piece in app(create_environ("/sign-in"), lambda status, _head: told.append(status)):
            pass
    assert told == ["200 OK"] * 6


needs_cores = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="this system lets no core be chosen"
)


@needs_cores
def test_who_answers_keeps_to_the_core_that_was_chosen_and_nobody_else(published, database_url):
    before, seen = os.sched_getaffinity(0), []
    core = max(before)
    app = create_app(published.at(database_url=database_url, core=core))

    def answer():
        app(create_environ("/livez"), lambda *_: None)
        seen.append(os.sched_getaffinity(0))

    thread = Thread(target=answer)
    thread.start()
    thread.join()
    app.extensions["healthcert"].close()
    assert seen == [{core}]
    assert os.sched_getaffinity(0) == before


@needs_cores
@pytest.mark.parametrize(
    ("core", "workers", "why"), [(9999, 1, "does not have"), (0, 2, "would share that core")]
)
def test_a_core_that_is_missing_or_shared_is_refused_before_anything_starts(
    tmp_path, core, workers, why
):
    told = {"CORE": core, "KEYS_DIR": tmp_path, "DATA_DIR": tmp_path, "PORT": free_port()}
    env = {f"HEALTHCERT_{name}": str(value) for name, value in told.items()}
    found = CliRunner(env=env).invoke(serve, ["--workers", str(workers)])
    assert found.exit_code == 1
    assert why in str(found.exception)
