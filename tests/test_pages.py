"""Pages: languages, direction, components, headers, delivery."""

from __future__ import annotations

import pytest
from flask import Flask

from healthcert import i18n
from healthcert.config import Settings
from healthcert.web.delivery import init_delivery
from healthcert.web.pages import init_pages
from healthcert.web.security import SCANNER, init_security
from healthcert.web.styleguide import styleguide


def make_app(**changes):
    settings = Settings.from_env({}).at(**changes)
    app = Flask("healthcert", static_folder=None)
    app.config["SECRET_KEY"] = "test"
    init_security(app, settings)
    init_delivery(app, settings)
    init_pages(app, settings, zone="Europe/Paris")
    app.add_url_rule("/styleguide", view_func=styleguide)
    app.add_url_rule("/scan", "scan", lambda: ("", 200, SCANNER))
    return app


@pytest.fixture(scope="module")
def client():
    return make_app().test_client()


@pytest.fixture(autouse=True)
def _english():
    with i18n.use("en"):
        yield


def render(source, **values):
    app = make_app()
    with app.test_request_context("/page?page=2"):
        return app.jinja_env.from_string(source).render(**values)
