"""The whole application on each engine, with a small clinic in it, and browsers to visit it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from sqlalchemy import select
from werkzeug.routing import Rule

from healthcert.app import create_app
from healthcert.config import Settings
from healthcert.data import knowledge as files
from healthcert.hcert.bundle import write
from healthcert.models import ClinicSession, Delegation, Product, Programme, Site, Slot, Staff
from healthcert.parts import Parts
from healthcert.policy import reference
from healthcert.services import knowledge, messages
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.web.draft import STEPS
from tests import factories
from tests.canaries import HEALTH, WATCH, watched
from tests.certificates import NOW
from tests.web.opening_day import opening, steps  # noqa: F401 - fixtures of a day of its own

CENTRAL = {"admin": "Adam Admin", "key_officer": "Kim Keys", "inspector": "Ida Inspector"}
FEVER = Path(__file__).parents[1] / "data" / "yellow_fever"
NURSES = {"code": "nurses", "admits": {"occupation": ["nurse", "doctor"]}}
WORK = {
    "nurse": {"en": "I am a nurse", "fr": "Je suis infirmière", "ar": "أنا ممرضة"},
    "doctor": {"en": "I am a doctor", "fr": "Je suis médecin", "ar": "أنا طبيب"},
}
FAULTS = (403, 404, 405, 500, 503)
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Compiled(BytecodeCache):
    """Templates that an application of an earlier test has compiled."""

    def __init__(self):
        """Begin with none."""
        self._code = {}

    def load_bytecode(self, bucket):
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket):
        self._code[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()


class Routed(Rule):
    """A route whose way back to an address was compiled once, not once an application."""

    _ways: ClassVar = {}

    def _compile_builder(self, append_unknown):
        """Look where a route of the same parts was compiled; its converters stay its own."""
        if self.defaults:
            return super()._compile_builder(append_unknown)
        parts = self.rule, *self._trace, append_unknown
        if parts not in self._ways:
            self._ways[parts] = super()._compile_builder(append_unknown)
        return self._ways[parts]


Flask.url_rule_class = Routed


class Clock:
    """A clock that tests set."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path, keys_dir) -> Settings:
    environment = {
        "HEALTHCERT_KEYS_DIR": str(keys_dir),
        "HEALTHCERT_DATA_DIR": str(tmp_path / "var"),
    }
    return Settings.from_env(environment)


@pytest.fixture
def published(settings, bundle) -> Settings:
    """The settings, with a bundle where they say."""
    private = settings.keys_dir / settings.env
    signer = load_bundle_signer(private, read_secret(private / "secret"))
    settings.bundle.parent.mkdir(exist_ok=True)
    settings.bundle.write_bytes(write(bundle, kid=signer.kid, sign=signer.sign))
    return settings


@pytest.fixture
def app(published, database_url, clock) -> Flask:
    made = create_app(published.at(database_url=database_url), clock=clock, floor=clock)
    made.jinja_env.bytecode_cache = COMPILED
    made.test_client_class = WholeAnswers
    made.wsgi_app = watched(made.wsgi_app)
    yield made
    made.extensions["healthcert"].close()


@pytest.fixture
def parts(app) -> Parts:
    return app.extensions["healthcert"]


@dataclass
class Clinic:
    """A site with one session today, three slots of two places, a clerk, a nurse, an admin."""

    site_id: UUID
    programme_id: UUID
    product_id: UUID
    slots: list[UUID]
    staff: dict[str, UUID]
    lot: str


@pytest.fixture
def clinic(parts) -> Clinic:
    with parts.doors.transaction() as db:
        programme = db.scalars(select(Programme)).one()
        product = db.scalars(select(Product).where(Product.name == "Comirnaty")).one()
        site = factories.make_site(
            db, latitude=33.9, longitude=35.5, names={"en": "Harbour", "ar": "المرفأ"},
            time_zone="Asia/Beirut",
        )  # fmt: skip
        session = factories.make_session(db, site=site, programme=programme, product=product)
        slots = [
            factories.make_slot(
                db, session=session, starts_at=NOW + timedelta(minutes=30 * number),
                ends_at=NOW + timedelta(minutes=30 * number + 20), capacity=2,
            ).id
            for number in (1, 2, 3)
        ]  # fmt: skip
        lot = factories.make_lot(db, product=product)
        factories.make_validity(db, lot=lot)
        staff = {
            "clerk": factories.make_staff(db, role="clerk", site_id=site.id, name="Clara Clerk"),
            "nurse": factories.make_staff(db, role="nurse", site_id=site.id, name="Nadia Nurse"),
            "lead": factories.make_staff(db, role="lead", site_id=site.id, name="Lea Lead"),
        } | {
            role: factories.make_staff(db, role=role, site_id=None, name=name)
            for role, name in CENTRAL.items()
        }
        return Clinic(
            site.id, programme.id, product.id, slots,
            {role: member.id for role, member in staff.items()}, lot.number,
        )  # fmt: skip


@pytest.fixture
def fever(parts, clinic):
    """Open a second programme at the clinic today, with a slot beside each of the first's."""
    vaccine, programme = (
        source for kind in ("vaccine", "programme") for source in files.sources_in(FEVER, kind)
    )
    open_to_all = programme.content | {"phases": programme.content["phases"][1:]}
    open_to_all["phases"][0] |= {"opens_on": str(NOW.date())}
    more = [vaccine, replace(programme, content=open_to_all)]
    with parts.doors.transaction() as db:
        knowledge.load(db, now=NOW, more=more)
        of = {
            "programme": db.scalars(select(Programme).filter_by(code="yellow-fever")).one(),
            "product": db.scalars(select(Product).filter_by(name="Stamaril")).one(),
            "site": db.get_one(Site, clinic.site_id),
        }
        session = factories.make_session(db, **of)
        for number in (1, 2, 3):
            factories.make_slot(
                db, session=session, starts_at=NOW + timedelta(minutes=30 * number), capacity=2
            )
        return of["programme"].id


@pytest.fixture
def asks(parts):
    """Return how to give a programme phases that ask."""

    def publish(*phases, programme="covid19"):
        with parts.doors.transaction() as db:
            query = select(Programme).filter_by(code=programme)
            told = knowledge.programme_content(db, db.scalars(query).one().id)
            named = [
                {"opens_on": "2026-01-01", "names": {"en": f"The {one['code']}"}} | one
                for one in phases
            ]
            content = told | {"phases": named, "answers": {"occupation": WORK}}
            mark = "-".join([programme, *(one["code"] for one in phases)])
            source = files.sources("programme")[0]
            source = replace(source, name=programme, content=content, sha256=mark)
            knowledge.load(db, now=NOW, more=[*files.sources_in(FEVER, "vaccine"), source])

    return publish


@pytest.fixture
def later(parts, clinic):
    """Open a day four weeks on, when second doses are due."""
    with parts.doors.transaction() as db:
        first = db.get_one(ClinicSession, db.get_one(Slot, clinic.slots[0]).session_id)
        then = ClinicSession(
            site_id=first.site_id, programme_id=first.programme_id, product_id=first.product_id,
            day=first.day + timedelta(days=28), state="published", recorded_at=NOW,
        )  # fmt: skip
        factories.add(db, then)
        for minutes in (0, 30, 60):
            starts_at = NOW + timedelta(days=28, minutes=minutes)
            ends_at = starts_at + timedelta(minutes=30)
            factories.make_slot(db, session=then, starts_at=starts_at, ends_at=ends_at, capacity=4)


def two_levels(app, clinic):
    """Put the clinic's site under an agency and its admin above, with one act handed down."""
    with app.extensions["healthcert"].doors.transaction() as db:
        region = factories.make_organisation(db, names={"en": "Northern region"})
        agency = factories.make_organisation(db, region, names={"en": "Harbour agency"})
        db.get_one(Site, clinic.site_id).organisation_id = agency.id
        db.get_one(Staff, clinic.staff["admin"]).organisation_id = region.id
        given = Delegation(
            giver_id=region.id, taker_id=agency.id, act="end_work", recorded_at=NOW,
            given_by=clinic.staff["admin"], ends_at=NOW + timedelta(days=9),
        )  # fmt: skip
        return factories.add(db, given).id, agency.id


def officers_of(app, clinic):
    """Return two officers above the clinic, and one of another organisation."""
    _given, agency = two_levels(app, clinic)
    with app.extensions["healthcert"].doors.transaction() as db:
        other = factories.make_organisation(db).id
        made = [
            factories.make_staff(db, role="admin", site_id=None, organisation_id=body).id
            for body in (agency, other)
        ]
    return [clinic.staff["admin"], *made]


class WholeAnswers(FlaskClient):
    """A client that takes each answer whole and closes what it came from."""

    def open(self, *given, **more):
        answer = super().open(*given, **{"buffered": True} | more)
        if answer.status_code in FAULTS or answer.request.path in HEALTH:
            WATCH.look(f"the answer {answer.status} of {answer.request.path}", answer.data)
        return answer


class Browser:
    """A visitor: follows links, fills in forms with their tokens, keeps cookies."""

    def __init__(self, app: Flask) -> None:
        """Open a browser that knows nothing yet."""
        self.client = WholeAnswers(app, app.response_class)

    def get(self, path, **more):
        return self.client.get(path, **more)

    def post(self, path, data=None, *, page=None, **more):
        """Send the form that stands on a page; on the same path where none is named."""
        shown = self.client.get(page or path).get_data(as_text=True)
        token = _TOKEN.search(shown)
        fields = {"csrf_token": unescape(token[1])} if token else {}
        return self.client.post(path, data=fields | (data or {}), **more)

    def sign_in(self, staff_id):
        answer = self.post("/dev/sign-in", {"staff": str(staff_id)})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return self


@pytest.fixture
def browser(app) -> Browser:
    return Browser(app)


@pytest.fixture
def staff(app, clinic):
    """Return a browser in which somebody of a role is signed in."""
    return lambda role: Browser(app).sign_in(clinic.staff[role])


ALIA = {
    "family": "الكناري", "given": "كنارية", "family_latin": "Kanarian", "given_latin": "Kanaria",
    "birth_date": ["27", "3", "1985"], "sex": "female", "identity_kind": "passport",
    "identity_value": "KANARI 123456", "phone": "+44 (7700) 900123", "mail": "", "language": "en",
}  # fmt: skip


@pytest.fixture
def book(app, clinic):
    """Book a slot by the public journey; return the browser that did and the reference."""

    def booked(slot=0, dose=1, **changes):
        visitor = Browser(app)
        asked = f"?slot={clinic.slots[slot]}&dose={dose}"
        tell(visitor, asked, ALIA | changes)
        answer = visitor.post(f"/book/check{asked}")
        assert answer.status_code == 303, answer.get_data(as_text=True)
        page = visitor.get("/book/done").get_data(as_text=True)
        return visitor, reference.read(re.search(r"HC-\w{4}-\w{4}", page)[0])

    return booked


@pytest.fixture
def newest_message(parts):
    """Return the text of the newest message of a template."""

    def newest(template):
        with parts.doors.reading() as db:
            found = messages.outbox(db, vault=parts.vault, limit=50)
        return next(message.text for message in found if message.template == template)

    return newest


def tell(visitor, asked, details, number=1, door="/book"):
    """Answer every question about one of the people; the last answer holds the places."""
    for step in STEPS:
        answer = visitor.post(f"{door}/details{asked}&number={number}&step={step}", details)
        assert answer.status_code == 303 or step == [*STEPS][-1], answer.get_data(as_text=True)
    return answer


@pytest.fixture
def holder(app, book, newest_message):
    """Return a browser in which a citizen with an appointment is signed in."""

    def signed_in(**changes):
        _visitor, number = book(**changes)
        return enter(Browser(app), number, newest_message)

    return signed_in


@pytest.fixture
def vaccinated(app, clinic, book, staff, newest_message):
    """Return a citizen's browser after their dose was recorded, and the nurse's."""

    def made(**changes):
        _visitor, number = book(**changes)
        nurse = staff("nurse")
        path = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
        nurse.post(f"{path}/arrived", page=path)
        answer = nurse.post(
            f"{path}/dose",
            {
                "identity": "y", "product": str(clinic.product_id), "lot": clinic.lot,
                "body_site": "LA",
            },
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        return enter(Browser(app), number, newest_message), nurse, answer.location

    return made


def enter(browser, number, newest_message, birth=("27", "3", "1985")):
    """Sign a citizen in by reference, birth date and the code that is sent."""
    answer = browser.post("/my/sign-in", {"reference": number, "birth_date": list(birth)})
    assert answer.status_code == 303
    code = re.search(r"\d{6}", newest_message("code"))[0]
    answer = browser.post("/my/code", {"code": code})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return browser
