"""The doors that need no database: check a certificate, fetch the bundle, say how we are."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from healthcert.config import Settings
from healthcert.errors import NotReady
from healthcert.hcert import self_test
from healthcert.services.development_keys import make_development_keys
from healthcert.services.trusted import load_pins
from healthcert.services.verification import Verifier, built
from healthcert.web import verify
from healthcert.web.api import verify as api
from healthcert.web.delivery import init_delivery
from healthcert.web.errors import init_errors
from healthcert.web.guards import init_guards
from healthcert.web.health import init_health
from healthcert.web.moment import Clock, clock
from healthcert.web.pages import init_pages
from healthcert.web.security import LARGEST_FORM, init_intake, init_security
from healthcert.web.tracing import init_tracing


def create_verifier_app(settings: Settings, *, clock: Clock = clock, floor: Clock = built) -> Flask:
    """Return an application that verifies, and holds no way to a record.

    Args:
        settings: What the operator decided; the database address is not looked at.
        clock: Gives the time of each request.
        floor: Gives a moment that is surely past: a clock that shows less is not believed.

    Raises:
        NotReady: The codec fails its self-test, or styles and scripts have not been built.
    """
    self_test()
    app = new_app(settings, clock, floor)
    init_guards(app, lambda: None)
    init_health(app, {"bundle": lambda: bundle_state(app)})
    init_security(app, settings)
    return app


def new_app(settings: Settings, clock: Clock, floor: Clock, zone: str = "UTC") -> Flask:
    """Return an application with the verifier's doors, not yet guarded; for both factories."""
    app = Flask("healthcert", static_folder=None, template_folder=None)
    app.request_class = verify.InMemory
    app.ensure_sync = lambda view: view  # type: ignore[method-assign,assignment]  # no async
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.extensions["clock"] = clock
    if settings.development:
        make_development_keys(settings.keys_dir, country=settings.country, now=clock())
    app.extensions["bundle"] = settings.bundle
    app.extensions["verifier"] = Verifier(
        settings.bundle, load_pins(settings.pins_dir), floor=floor()
    )
    init_tracing(app)
    init_delivery(app)
    api.init_shortcut(app, settings)
    if proxies := settings.trusted_proxies:  # they tell scheme and host; no more than there are
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    init_pages(app, settings, zone=zone)
    init_intake(app, settings)
    init_errors(app)
    app.register_blueprint(verify.bp)
    app.register_blueprint(api.bp)
    return app


def bundle_state(app: Flask) -> Mapping[str, object]:
    """Return the version and age of the bundle in use; `NotReady` if none can be used."""
    verifier: Verifier = app.extensions["verifier"]
    now = app.extensions["clock"]()
    bundle = verifier.bundle(now)
    if bundle is None:
        raise NotReady("no bundle has been published yet")
    hours = max(0.0, (now - bundle.issued) / timedelta(hours=1))
    return {"version": bundle.version, "age_hours": round(hours, 1)}
