"""Every route, method and role has a declared outcome; these tests walk them all."""

from __future__ import annotations

import os
import re

import pytest
from flask import Flask

from healthcert.models import new_id
from healthcert.policy.roles import ACTS as ROLE_ACTS
from healthcert.policy.roles import Role, has
from healthcert.web import guards
from healthcert.web.acts import ACTS, BY_ACT, STATELESS, endpoints
from healthcert.web.errors import inside
from tests.conftest import ENGINES
from tests.web.conftest import Browser

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
EXAMPLES = {"kind": "svg", "name": "list.txt", "verb": "decline"}
ROLES = (None, *Role)
# What the guard answers follows from the role and the act alone, so that one engine shows it. The
# views behind it are walked on the other too, where time does not matter (`make nightly`).
WALKED = ENGINES if "HEALTHCERT_HOSTILE" in os.environ else ENGINES[:1]


def routes(app, *, programs=False):
    """Return the ways in: of people, or those that programs come by with a token."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("v1.") != programs:
            continue
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method


def path_of(rule):
    values = {name: EXAMPLES.get(name, str(new_id())) for name in rule.arguments}
    return re.sub(r"<(?:[^:<>]*\([^)]*\):|[^:<>]*:)?(\w+)>", lambda m: values[m[1]], rule.rule)


def test_every_endpoint_is_declared_and_every_declaration_is_an_endpoint(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ACTS)


def test_no_endpoint_is_two_acts():
    assert sum(len([*endpoints(told)]) for told in BY_ACT.values()) == len(ACTS)


def test_every_link_of_a_template_leads_to_a_view(app):
    named = {
        endpoint
        for path in app.jinja_env.list_templates(extensions=["html"])
        for source in [app.jinja_env.loader.get_source(app.jinja_env, path)[0]]
        for endpoint in re.findall(r"url_for\(\s*[\"'](\w[\w.]*\w)[\"']", source)
    }
    assert len(named) > 50
    assert named - set(app.view_functions) == set()


def test_every_act_of_a_route_stands_in_the_table_of_roles_and_no_other():
    assert set(ACTS.values()) == set(ROLE_ACTS)


def test_what_asks_for_no_token_changes_nothing_and_is_for_everyone():
    for act in STATELESS:
        assert all(has(role, act) for role in ROLES)


@pytest.fixture
def visitors(app, staff, holder):
    """Return a browser for each role; for None a stranger's."""
    works = {role: staff(role) for role in Role if role is not Role.CITIZEN}
    return {None: Browser(app), Role.CITIZEN: holder(), **works}


@pytest.mark.walk
@pytest.mark.parametrize("engine_name", WALKED, indirect=True)
def test_every_route_answers_every_role_as_declared(app, visitors):
    walked = 0
    for rule, method in routes(app):
        for role, browser in visitors.items():
            answer = browser.client.open(path_of(rule), method=method)
            status, allowed = answer.status_code, has(role, ACTS[rule.endpoint])
            told = (rule.rule, method, role, status)
            if allowed:
                assert status not in {401, 403}, told
            elif role is None:
                assert status == 303, told
                assert "/sign-in" in answer.location, told
            else:
                assert status == 403, told
            walked += 1
    assert walked >= 4 * len(ACTS)


def test_nothing_is_changed_without_a_form_token(app, visitors):
    for rule, method in routes(app):
        if method == "GET" or ACTS[rule.endpoint] in STATELESS:
            continue
        for role, browser in visitors.items():
            if has(role, ACTS[rule.endpoint]):
                answer = browser.client.open(path_of(rule), method=method)
                assert answer.status_code == 400, (rule.rule, role)
                assert "This page has expired" in answer.text


@pytest.mark.parametrize("token", ["", "x", "IjEi.aaaa.bbbb"])
def test_a_forged_token_is_refused(browser, token):
    browser.get("/my/sign-in")
    answer = browser.client.post("/my/sign-in", data={"csrf_token": token})
    assert answer.status_code == 400


def test_anothers_token_is_refused(app, browser):
    page = Browser(app).get("/my/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    browser.get("/my/sign-in")
    assert browser.client.post("/my/sign-in", data={"csrf_token": token}).status_code == 400


def test_a_method_that_is_not_offered_is_refused_with_those_that_are(app, visitors):
    by_path = {}
    for rule, method in routes(app):
        by_path.setdefault(path_of(rule) if not rule.arguments else rule.rule, set()).add(method)
    for path, offered in by_path.items():
        if "<" in path:
            continue
        for method in set(METHODS) - offered:
            answer = visitors[None].client.open(path, method=method)
            assert answer.status_code == 405, (path, method)
            assert set(answer.headers["Allow"].split(", ")) >= offered


def test_an_endpoint_nobody_declared_is_refused_to_everyone():
    app = Flask("undeclared")
    app.add_url_rule("/new", "new", lambda: "secret")
    guards.init_guards(app, lambda: None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(guards.NotAllowed):
        app.test_client().get("/new")


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example/",
        "///evil.example", "/\tevil", "/%0d%0a\r\nSet-Cookie: a=b", "javascript:alert(1)",
        "http:evil", " /clinic/", "/a\\b", None,
    ],
)  # fmt: skip
def test_an_address_that_leads_out_is_not_followed(address):
    assert inside(address) is None


@pytest.mark.parametrize("address", ["/", "/clinic/?find=a%20b", "/my/certificates/1#x"])
def test_an_address_inside_is_followed(address):
    assert inside(address) == address


@pytest.mark.parametrize("wish", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_signing_in_never_leads_out(app, clinic, wish):
    browser = Browser(app)
    answer = browser.post(
        "/dev/sign-in",
        {"staff": str(clinic.staff["nurse"]), "next": wish},
        page=f"/dev/sign-in?next={wish}",
    )
    assert answer.location == "/clinic/"
    assert browser.get(f"/sign-in?next={wish}").location == "/clinic/"
    asked = Browser(app).get(f"/sign-in?next={wish}")
    assert "evil" not in asked.text.split("<main")[1]


def test_signing_in_leads_to_the_page_that_was_asked_for(app, clinic):
    browser = Browser(app)
    wanted = browser.get("/clinic/?find=x").location
    assert wanted == "/sign-in?next=/clinic/?find%3Dx"
    answer = browser.post(
        "/dev/sign-in", {"staff": str(clinic.staff["nurse"]), "next": "/clinic/?find=x"}
    )
    assert answer.location == "/clinic/?find=x"


@pytest.mark.usefixtures("clinic")
@pytest.mark.parametrize("who", ["", "x", "01890000-0000-7000-8000-000000000000"])
def test_nobody_unknown_is_signed_in(browser, who):
    assert browser.post("/dev/sign-in", {"staff": who}).status_code == 404


def test_the_demonstrations_doors_exist_in_development_only(published, database_url, clock):
    from healthcert.app import create_app  # noqa: PLC0415 - read as production would

    keys = published.keys_dir
    training = published.at(
        env="training", database_url=database_url, base_url="https://x.example",
        secret_file=keys / "development" / "secret",
    )  # fmt: skip
    if not (keys / "training").exists():
        (keys / "training").symlink_to(keys / "development")
    app = create_app(training, clock=clock, floor=clock)
    client = app.test_client()
    for path in ("/dev/sign-in", "/dev/outbox", "/styleguide"):
        assert client.get(path, base_url="https://x.example").status_code == 404
    app.extensions["healthcert"].close()


def test_who_is_refused_is_still_shown_as_signed_in(staff, holder, clinic):
    nurse = staff("nurse")
    own, missing = nurse.get("/my/record"), nurse.get(f"/clinic/doses/{clinic.site_id}")
    assert (own.status_code, missing.status_code) == (403, 404)
    for page in (own.text, missing.text):
        assert "Nadia Nurse" in page
        assert 'href="/clinic/observed"' in page
    citizen = holder().get("/clinic/")
    assert citizen.status_code == 403
    assert "Sign out" in citizen.text
    assert "/clinic/" not in citizen.text


def test_a_stranger_who_is_refused_is_shown_as_nobody(browser):
    page = browser.get("/nowhere")
    assert page.status_code == 404
    assert "Sign out" not in page.text
