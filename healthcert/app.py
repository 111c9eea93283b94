"""Build the whole application: the one place where the parts are joined."""

import hmac
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from flask import Flask, g, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug import Response
from werkzeug.exceptions import InternalServerError

from healthcert.config import Settings
from healthcert.data import knowledge
from healthcert.db import at_head
from healthcert.errors import NotReady
from healthcert.gateways import room_files
from healthcert.parts import Parts, open_parts
from healthcert.services import alarms, desk, sealing, signing_keys
from healthcert.services import draws as draw_rows
from healthcert.services.keys import read_secret
from healthcert.services.verification import built
from healthcert.verifier import bundle_state, new_app
from healthcert.web import (
    account,
    admin,
    appointments,
    calls,
    care,
    citizen,
    clinic,
    closing,
    contested,
    dev,
    doses,
    draws,
    entries,
    family,
    holidays,
    hours,
    labels,
    lots,
    national,
    opening,
    party,
    people,
    planning,
    public,
    reactions,
    rights,
    room,
    sites,
    staff,
    stock,
    team,
    unbooked,
    waiting,
)
from healthcert.web.api import doors as api
from healthcert.web.api.asker import bearer
from healthcert.web.errors import http_error, refused
from healthcert.web.guards import init_guards
from healthcert.web.health import init_health
from healthcert.web.metrics import Figure, init_metrics
from healthcert.web.moment import Clock, clock
from healthcert.web.overload import init_overload
from healthcert.web.security import init_security
from healthcert.web.sessions import Visits

_DOWN = (OperationalError, NoConnection)
_DOORS = (
    public.bp, room.bp, *party.DOORS, waiting.bp, citizen.bp, appointments.bp, rights.bp,
    family.bp, national.bp, staff.bp, account.bp, team.bp, clinic.bp, care.bp, people.bp,
    unbooked.bp, reactions.bp, closing.bp, contested.bp, calls.bp, doses.bp, stock.bp, entries.bp,
    planning.bp, holidays.bp, hours.bp, lots.bp, draws.bp, opening.bp, sites.bp, admin.bp, api.bp,
    api.about,
)  # fmt: skip


def create_app(settings: Settings, *, clock: Clock = clock, floor: Clock = built) -> Flask:
    """Return the application with every door.

    It opens while the database is down: what needs it answers 503, and verification goes on.

    Args:
        settings: What the operator decided.
        clock: Gives the time of each request.
        floor: Gives a moment that is surely past: a clock that shows less is not believed.

    Raises:
        NotReady: Keys or built files are missing.
        BadSettings: A setting is unsafe for its environment.
    """
    app = new_app(settings, clock, floor, knowledge.country(settings.country).time_zone)
    parts = open_parts(settings)
    app.extensions["healthcert"] = parts
    app.session_interface = Visits(settings)
    secret = read_secret(settings.secret_file)
    app.config["SECRET_KEY"] = hmac.digest(secret, b"healthcert form tokens", "sha256")
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a token lives as long as its session
    app.jinja_env.globals.update(csrf_token=generate_csrf, labels=labels)
    app.jinja_env.filters["in_words"] = labels.in_words
    app.context_processor(lambda: {"visitor": g.get("visitor")})
    for fault in _DOWN:
        app.register_error_handler(fault, _database_down)
    app.register_error_handler(InternalServerError, _after_the_view)
    for door in _DOORS:
        app.register_blueprint(door)
    if settings.development:
        app.register_blueprint(dev.bp)
        app.add_url_rule("/styleguide", "styleguide", dev.styleguide)
    init_guards(app, staff.who, bearer)
    init_health(app, {
        "bundle": lambda: bundle_state(app),
        "database": lambda: _database_state(parts, clock()),
        "keys": lambda: _keys_state(parts, clock()),
        "folder": lambda: {"worker": room_files.is_kept(settings.room_dir, clock())},
    })  # fmt: skip
    init_metrics(app, lambda: _figures(app, parts, clock()), settings.metrics_token)
    init_overload(app, settings)
    init_security(app, settings)
    return app


def _database_down(_error: Exception) -> ResponseReturnValue:
    if request.blueprint == "booking":
        return room.without_database()
    return refused(NotReady("the database does not answer"))


def _after_the_view(error: InternalServerError) -> Response:
    """Answer what was raised when the session was written: Flask takes it all for faults."""
    down = isinstance(error.original_exception, _DOWN)
    return refused(NotReady("the database does not answer")) if down else http_error(error)


def _database_state(parts: Parts, now: datetime) -> Mapping[str, object]:
    """Tell of a late seal and of draws made elsewhere too; they close no door."""
    if not at_head(parts.doors.engine):
        raise NotReady("the database has the tables of another version")
    parts.refuse_wrong_keys()
    with parts.doors.reading() as db:
        here = draw_rows.are_here(draw_rows.every(db)[:5], parts.settings.draws_dir)
        return {"audit_late": sealing.is_late(db, now=now), "draws_here": here}


def _keys_state(parts: Parts, now: datetime) -> Mapping[str, object]:
    if not parts.signers:
        raise NotReady("no key signs certificates")
    try:
        with parts.doors.reading() as db:
            return signing_keys.left(db, now)
    except DatabaseError:
        raise NotReady("the database does not say which key signs") from None


def _figures(app: Flask, parts: Parts, now: datetime) -> Iterator[Figure]:
    """Give what is known: the database's figures are left out while it is down."""
    with suppress(NotReady):
        yield "bundle_age_hours", {}, float(str(bundle_state(app)["age_hours"]))
    try:
        with parts.doors.reading() as db:
            waiting, head, keys = desk.waiting(db), sealing.newest(db), signing_keys.every(db)
            alarmed = alarms.open_count(db)
    except DatabaseError:
        yield "database_up", {}, 0
        return
    yield "database_up", {}, 1
    yield "messages_queued", {}, waiting.queued
    yield "messages_oldest_seconds", {}, (now - (waiting.oldest or now)).total_seconds()
    yield "certificates_pending", {}, waiting.unsigned
    yield "alarms_open", {}, alarmed
    if head is not None:
        yield "audit_seal_age_seconds", {}, (now - head.sealed_at).total_seconds()
    for key in keys:
        labels = {"kid": key.kid.hex(), "purpose": key.purpose, "state": key.state}
        yield "key_days_left", labels, (signing_keys.ends(key) - now) / timedelta(days=1)
