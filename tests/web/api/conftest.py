"""Programs that knock at the interface, each with a token of somebody's."""

from __future__ import annotations

import itertools
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from healthcert.models import Appointment
from healthcert.policy.roles import Role
from healthcert.services import api_tokens
from healthcert.services.audit import Actor
from tests.certificates import NOW
from tests.threads import answering


class Program:
    """A client of the interface: a token, a new key for each deed."""

    def __init__(self, app, token=None):
        """Take the application and a token, or none."""
        self.client, self.token = app.test_client(), token

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.ask("POST", path, body, **headers)

    def ask(self, method, path, body=None, **headers):
        told = {"Idempotency-Key": str(uuid4())} if method != "GET" else {}
        told |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=told)


def token_of(parts, role, whose, **more):
    """Return a new token of a member of staff or, by their role, of a citizen."""
    actor = Actor("citizen" if role is Role.CITIZEN else "staff", whose)
    more = {"ends_at": NOW + timedelta(days=1), "name": "a program"} | more
    with parts.doors.transaction() as db:
        return api_tokens.make(db, actor=actor, role=role, now=NOW, **more)


@pytest.fixture
def token(parts, clinic):
    """Return how a token of a member of staff, by role, or of a person is made."""

    def made(role=None, person=None, **more):
        if person:
            return token_of(parts, Role.CITIZEN, person, **more)
        return token_of(parts, Role(role), clinic.staff[role], **more)

    return made


@pytest.fixture
def served(app):
    with answering(app) as address:
        yield address


@pytest.fixture
def program(app, token):
    """Return a program that somebody of a role has given a token; of a stranger without."""
    return lambda role=None, **more: Program(app, token(role, **more) if role or more else None)


@pytest.fixture
def holder_of(parts):
    """Return whose appointment a reference is, and its identifier."""

    def found(number):
        with parts.doors.reading() as db:
            row = db.scalars(select(Appointment).filter_by(reference=number)).one()
            return row.person_id, row.id

    return found


@pytest.fixture
def citizen(book, program, holder_of):
    """Return a program of somebody with an appointment, which goes with it."""
    turns = itertools.count()

    def made(**changes):
        turn = next(turns)
        _browser, number = book(identity_value=f"KANARI {turn:06}", **changes)
        person, appointment = holder_of(number)
        found = program(person=person)
        found.person, found.appointment, found.reference = person, appointment, number
        return found

    return made
