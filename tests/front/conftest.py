"""An application with pages and nothing behind them."""

from __future__ import annotations

import pytest
from flask import Flask, render_template_string

from healthcert import i18n
from healthcert.config import Settings
from healthcert.web.delivery import init_delivery
from healthcert.web.dev import styleguide
from healthcert.web.pages import init_pages
from healthcert.web.security import init_security
from tests.threads import answering


@pytest.fixture(autouse=True)
def _english():
    with i18n.use("en"):
        yield


@pytest.fixture(scope="session")
def make_app():
    def make(**changes):
        settings = Settings.from_env({}).at(**changes)
        app = Flask("healthcert", static_folder=None)
        app.config.update(SECRET_KEY="test", TESTING=True)
        init_delivery(app)
        init_pages(app, settings, zone="Europe/Paris")
        app.add_url_rule("/styleguide", view_func=styleguide, methods=["GET", "POST"])
        app.add_url_rule("/own", "own", lambda: ("", 200, {"Referrer-Policy": "no-referrer"}))
        app.add_url_rule("/long", "long", lambda: "word " * 1000)
        app.add_url_rule("/short", "short", lambda: "word")
        init_security(app, settings)
        return app

    return make


@pytest.fixture(scope="session")
def app(make_app):
    return make_app()


@pytest.fixture
def client(app):
    return app.test_client()  # each test with cookies of its own


@pytest.fixture
def render(app):
    def rendered(source, *, query="", **values):
        with app.test_request_context(f"/page?{query}"):
            app.preprocess_request()
            return render_template_string(source, **values)

    return rendered


@pytest.fixture(scope="session")
def address(app):
    with answering(app) as address:
        yield address
