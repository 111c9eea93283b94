"""Every refusal has a status and words; nothing of a fault is told."""

from __future__ import annotations

import re

import pytest
from werkzeug.exceptions import HTTPException, ImATeapot

from healthcert import errors
from healthcert.web.errors import HTTP_ANSWERS, PROBLEM
from healthcert.web.refusals import answer_to
from tests.canaries import HEALTH, traces_in
from tests.certificates import NOW


def kinds(kind=errors.Refusal):
    yield kind
    for child in kind.__subclasses__():
        yield from kinds(child)


PUBLIC = sorted(
    (kind for kind in kinds() if kind.__module__ == "healthcert.errors"), key=lambda kind: kind.code
)


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.code)
def test_a_refusal_has_a_code_of_its_own_a_status_and_words(kind):
    answer = answer_to(kind)
    assert [other for other in PUBLIC if other.code == kind.code] == [kind]
    assert 400 <= answer.status < 600
    assert str(answer.title)
    assert str(answer.advice)


def test_the_drawing_at_the_head_of_the_module_is_true():
    for kind in PUBLIC:
        assert f"{kind.__name__} " in errors.__doc__
        assert f" {kind.code}" in errors.__doc__


def test_only_the_general_refusal_uses_the_general_words():
    general = answer_to(errors.Refusal)
    assert [kind.code for kind in PUBLIC if answer_to(kind) is general] == ["refused"]


@pytest.fixture
def raising(app):
    """Let public addresses raise what a test says."""

    def raises(error):
        def view():
            raise error

        app.view_functions["public.home"] = view
        app.view_functions["api.verify"] = view
        return app.test_client()

    return raises


LEADS_ON = (errors.ProveAgain, errors.MustWait)  # pages lead to another, which says more
PAGES = [kind for kind in PUBLIC if kind not in LEADS_ON]


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.code)
def test_a_refusal_is_a_page_for_people_and_a_problem_for_programs(raising, kind):
    secret = "not to be told"
    made = {
        errors.BadInput: [{"name": "missing"}],
        errors.BadRows: [[]],
        errors.TooMany: [NOW],
        errors.TooManyLooks: [NOW],
    }
    error = kind(*made.get(kind, []))
    error.args = (secret,)
    client = raising(error)
    page = client.get("/")
    assert page.status_code == answer_to(kind).status
    assert page.mimetype == "text/html"
    assert kind.code in page.text
    problem = client.post("/api/v1/verify")
    assert problem.mimetype == PROBLEM
    assert problem.json["code"] == kind.code
    assert problem.json["status"] == problem.status_code == page.status_code
    assert set(problem.json) >= {"code", "title", "detail", "status", "instance"}
    assert secret not in page.text + problem.text


def test_a_fault_tells_nothing_of_its_inside(raising, caplog):
    client = raising(RuntimeError("password=hunter2 of Kanarina"))
    for answer in (client.get("/"), client.post("/api/v1/verify")):
        assert answer.status_code == 500
        assert "hunter2" not in answer.text
        assert traces_in(answer.text) == []
        assert "Traceback" not in answer.text
        assert "Content-Security-Policy" in answer.headers
    assert client.post("/api/v1/verify").json["code"] == "fault"
    assert len(caplog.records) >= 2


def test_health_and_metrics_show_nobody_who_booked(book, browser):
    book()
    for path in HEALTH:
        assert traces_in(browser.get(path).text) == [], path


def test_http_errors_get_the_same_treatment(raising):
    for status, (code, answer) in HTTP_ANSWERS.items():
        error = HTTPException("not to be told")
        error.code = status
        client = raising(error)
        assert client.get("/").status_code == status == answer.status
        assert client.post("/api/v1/verify").json["code"] == code
    assert raising(ImATeapot()).get("/").status_code == 418


def test_a_refusal_speaks_the_readers_language(raising):
    client = raising(errors.NotFound())
    french = client.get("/", headers={"Accept-Language": "fr"})
    assert french.headers["Content-Language"] == "fr"
    arabic = client.get("/", headers={"Accept-Language": "ar"})
    assert 'dir="rtl"' in arabic.text


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/my/certificates/x", "/book/x"])
def test_an_unknown_address_is_not_found(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 404
    assert (answer.mimetype == PROBLEM) == path.startswith("/api/")


def test_a_form_that_is_too_large_is_refused(browser):
    answer = browser.client.post("/my/sign-in", data={"reference": "x" * 200_000})
    assert answer.status_code == 413


def test_every_answer_carries_its_headers_and_its_number(raising):
    client = raising(RuntimeError())
    seen = set()
    for path in ("/", "/verify", "/nowhere", "/livez", "/my/", "/api/v1/verify", "/bundle"):
        answer = client.get(path)
        for name in (
            "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy",
            "Permissions-Policy", "Cross-Origin-Opener-Policy", "X-Request-Id", "Cache-Control",
        ):  # fmt: skip
            assert answer.headers.get(name), (path, name)
        seen.add(answer.headers["X-Request-Id"])
    assert len(seen) == 7


@pytest.mark.parametrize(
    "told", ["http://localhost//elsewhere.example/x", "http://localhost/\\elsewhere.example/x",
             "http://elsewhere.example/x"],
)  # fmt: skip
def test_the_way_back_from_a_refusal_leads_to_no_page_but_ours(staff, told):
    answer = staff("nurse").client.post("/clinic/book/hold", headers={"Referer": told})
    assert answer.status_code == 400
    [back] = re.findall(r'href="([^"]*)"[^>]*>\s*Back', answer.text)
    assert back == "/"


def test_no_refusal_leads_staff_to_the_page_that_refused_them(staff):
    refused = staff("nurse").get("/my/")
    assert refused.status_code == 403
    assert 'href="/my/"' not in refused.text.partition("<main")[2]


def test_the_way_back_from_a_refusal_is_the_page_of_the_form(staff):
    page = "/clinic/book/?source=phone"
    answer = staff("nurse").client.post(
        "/clinic/book/hold", headers={"Referer": f"http://localhost{page}"}
    )
    assert f'href="{page}"' in answer.text
