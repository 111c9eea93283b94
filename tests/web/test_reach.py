"""Every route about a thing, for every role, wherever the thing is: as docs/roles.md says.

What is expected comes from the page of roles, read by its own program (`tests.policy.oracle`).
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from healthcert.models import (
    Alarm,
    Appointment,
    Certificate,
    CertificateHold,
    Delegation,
    Dose,
    Draw,
    Fridge,
    Lot,
    Organisation,
    Person,
    Product,
    Programme,
    Proxy,
    Request,
    Site,
    Staff,
    Stock,
    Vial,
    WaitEntry,
)
from healthcert.policy.roles import ACTS as ROLE_ACTS
from healthcert.policy.roles import Role, has
from healthcert.services import alarms, enrolment, identities, invitations
from healthcert.services.import_places import SITES
from healthcert.services.people import IdentityDetails
from healthcert.web.acts import ACTS
from tests import factories as make
from tests.certificates import NOW
from tests.models.test_workflow import make_entry, make_offer
from tests.policy import oracle
from tests.services.clinic import details
from tests.web.api.conftest import Program, token_of
from tests.web.conftest import Browser, enter
from tests.web.test_calls import call_for
from tests.web.test_guards import path_of, routes

ON = "sqlite"  # the queries are the same; those of services/delegating are tested on both engines

# What the identifier in an address names: a route with one that is not here fails the build.
NAMES = {
    "appointments.cancel": "appointment",
    "appointments.move": "appointment",
    "appointments.calendar_file": "appointment",
    "citizen.certificate": "certificate",
    "citizen.certificate_file": "certificate",
    "rights.certificate": "certificate",
    "clinic.appointment": "appointment",
    "clinic.arrive": "appointment",
    "clinic.document": "appointment",
    "clinic.card": "appointment",
    "clinic.assist": "appointment",
    "care.consent": "appointment",
    "care.questions": "appointment",
    "care.decision": "appointment",
    "care.not_vaccinated": "appointment",
    "care.left": "observation",
    "people.person": "patient",
    "people.assist": "patient",
    "people.answer": "offer",
    "unbooked.dose": "patient",
    "unbooked.consent": "patient",
    "unbooked.decision": "patient",
    "people.test": "patient",
    "people.recovery": "patient",
    "people.mark_in_error": "finding",
    "reactions.report": "patient",
    "reactions.case": "reaction",
    "reactions.more": "reaction",
    "reactions.mark_in_error": "reaction",
    "reactions.move": "reaction",
    "closing.count": "shelf",
    "entries.every": "shelf",
    "entries.one": "entry",
    "entries.correct": "entry",
    "closing.close": "session",
    "closing.open_again": "session",
    "doses.correct": "dose",
    "family.look_after": "ward",
    "family.end": "proxy",
    "doses.ask": "appointment",
    "doses.record": "appointment",
    "doses.recorded": "dose",
    "doses.mark_in_error": "dose",
    "waiting.leave": "wait",
    "waiting.answer": "offer",
    "admin.revoke": "delegation",
    "admin.alarm": "alarm",
    "contested.one": "request",
    "contested.decide": "request",
    "calls.tell": "call",
    "v1.told_by_call": "call",
    "v1.not_reached": "call",
    "v1.request": "request",
    "v1.decide_request": "request",
    "admin.release": "who_wrote_too_many",
    "team.recover": "colleague",
    "team.grant": "who_lost_a_key",
    "team.sign_out": "colleague",
    "team.end_work": "colleague",
    "v1.appointment": "appointment",
    "v1.calendar": "appointment",
    "v1.confirm_at_desk": "party",
    "v1.let_go_at_desk": "party",
    "v1.cancel": "appointment",
    "v1.move": "appointment",
    "v1.leave": "wait",
    "v1.accept": "offer",
    "v1.decline": "offer",
    "v1.offers_at_desk": "patient",
    "v1.accept_at_desk": "offer",
    "v1.decline_at_desk": "offer",
    "v1.certificate": "certificate",
    "v1.code": "certificate",
    "v1.paper": "certificate",
    "v1.picture": "certificate",
    "v1.release": "who_wrote_too_many",
    "v1.revoke": "delegation",
    "v1.patient": "appointment",
    "v1.assist": "appointment",
    "v1.arrive": "appointment",
    "v1.not_vaccinated": "appointment",
    "v1.record_dose": "appointment",
    "v1.recorded": "dose",
    "v1.mark_in_error": "dose",
    "v1.judge_dose": "dose",
    "v1.write_down": "patient",
    "v1.questions_unbooked": "patient",
    "v1.screen_unbooked": "patient",
    "v1.consent_unbooked": "patient",
    "v1.decide_unbooked": "patient",
    "v1.assist_known": "patient",
    "v1.correct": "dose",
    "v1.consent": "appointment",
    "v1.screen": "appointment",
    "v1.decide": "appointment",
    "v1.left": "observation",
    "v1.record_test": "patient",
    "v1.record_recovery": "patient",
    "v1.finding_in_error": "finding",
    "v1.report_event": "patient",
    "v1.assess": "reaction",
    "v1.tell_more": "reaction",
    "v1.reaction_in_error": "reaction",
    "v1.count": "shelf",
    "v1.entries": "shelf",
    "v1.correct_entry": "entry",
    "v1.close_session": "session",
    "v1.open_session": "session",
    "v1.resize": "session",
    "v1.cancel_session": "session",
    "v1.foresee_cancel": "session",
    "v1.end_template": "template",
    "v1.foresee_end": "template",
    "v1.read_fridge": "fridge",
    "v1.retire_fridge": "fridge",
    "v1.lot": "waiting_lot",
    "v1.exhaust": "waiting_lot",
    "v1.order_lot": "waiting_lot",
    "v1.close_day": "site",
    "v1.foresee_closure": "site",
    "v1.open_day": "site",
    "v1.closures": "site",
    "v1.site_hours": "site",
    "v1.foresee_hours": "site",
    "v1.begin_hours": "site",
    "hours.show": "site",
    "hours.begin": "site",
    "v1.kept_site": "site",
    "v1.change_site": "site",
    "v1.withdraw_holiday": "holiday",
    "holidays.confirm": "holiday",
    "holidays.withdraw": "holiday",
    "sites.show": "site",
    "sites.keep": "site",
    "v1.end_acting": "proxy",
    "v1.questions": "appointment",
    "v1.person": "patient",
    "v1.add_document": "patient",
    "v1.new_card": "patient",
    "v1.case": "reaction",
    "v1.discard_vial": "vial",
    "v1.recall": "waiting_lot",
    "v1.settle_alarm": "alarm",
    "lots.exhaust": "waiting_lot",
    "lots.order": "waiting_lot",
    "lots.foresee": "waiting_lot",
    "lots.recall": "waiting_lot",
    "lots.set_aside": "waiting_lot",
    "draws.show": "draw",
    "draws.run": "draw",
    "draws.foresee": "draw",
    "draws.give_up": "draw",
    "v1.run_draw": "draw",
    "v1.give_up_draw": "draw",
}
TOLD = {"body_site": "LA", "given_at": "2021-06-01T08:00:00Z"}
DOSE = {"product_id": "product", "told": {"lot": "ABC123"} | TOLD}
VACCINE = {"product": "vaccine"}
TYPED = {
    "unbooked.dose": VACCINE,
    "unbooked.consent": VACCINE,
    "unbooked.decision": VACCINE,
    "v1.screen_unbooked": {"answers": {"x": True}},
    "v1.consent_unbooked": {"decision": "given", "decided_by": "self"},
    "v1.decide_unbooked": {"outcome": "go", "reason": "other", "until": None},
    "admin.release": {"why": "cap"},
    "contested.decide": {"act": "verify", "ground": "document_seen"},
    "calls.tell": {"act": "told"},
    "v1.decide_request": {"act": "verify", "reason": "document_seen"},
    "doses.mark_in_error": {"reason": "not_given"},
    "people.mark_in_error": {"reason": "not_done"},
    "v1.finding_in_error": {"reason": "not_done"},
    "reactions.more": {"history": "asthma"},
    "reactions.mark_in_error": {"reason": "wrong_person"},
    "clinic.document": {"identity_kind": "passport", "identity_value": "P1234567"},
    "clinic.assist": {"seen": "y"},
    "people.assist": {"seen": "y"},
    "v1.release": {"why": "cap"},
    "v1.move": {"slot_id": "slot"},
    "v1.not_vaccinated": {"reason": "unwell"},
    "v1.record_dose": DOSE,
    "v1.write_down": DOSE | {"programme_id": "programme"},
    "v1.judge_dose": {"found": "subpotent", "reason": "frozen"},
    "v1.consent": {"decision": "given", "decided_by": "self"},
    "v1.screen": {"answers": {"x": True}},
    "v1.decide": {"outcome": "go", "reason": "other", "until": None},
    "v1.record_test": {
        "told": {
            "disease": "840539006",
            "test_type": "LP6464-4",
            "result": "260415000",
            "sampled_at": "2021-06-01T08:00:00Z",
        }
    },
    "v1.record_recovery": {"told": {"disease": "840539006", "first_positive_on": "2021-06-01"}},
    "v1.report_event": {
        "reaction": {
            "term": "fever_38",
            "onset_on": "2021-06-01",
            "seriousness": "not_serious",
            "outcome": "recovered",
            "reporter": "self",
            "told": {},
        }
    },
    "v1.tell_more": {"told": {"history": "asthma"}},
    "v1.reaction_in_error": {"reason": "wrong_person"},
    "v1.assess": {"state": "investigating"},
    "v1.count": {"found": 3},
    "v1.correct_entry": {"reason": "twice"},
    "v1.add_document": {"told": {"kind": "passport", "country": "XX", "value": "P1234567"}},
    "v1.settle_alarm": {"reason": ""},
    "v1.resize": {"capacity": 9},
    "v1.end_template": {"since": make.day(3).isoformat()},
    "v1.foresee_end": {"since": make.day(3).isoformat()},
    "v1.read_fridge": {"celsius": 4.5, "taken_at": "2021-06-01T08:00:00Z"},
    "v1.retire_fridge": {"into_fridge_id": None},
    "v1.order_lot": {"state": "released", "since": None, "reason": "released"},
    "v1.close_day": {"day": "2030-01-01"},
    "v1.foresee_closure": {"day": "2030-01-01"},
    "v1.open_day": {"day": "2030-01-01"},
    "v1.foresee_hours": {"hours": "Mo 08:00-09:00", "since": "2030-01-01"},
    "v1.begin_hours": {"hours": "Mo 08:00-09:00", "since": "2030-01-01"},
    "hours.begin": {"hours": "Mo 08:00-09:00", "since": "2030-01-01"},
    "v1.change_site": {"told": dict.fromkeys(SITES.columns, "")},
    "v1.mark_in_error": {"reason": "not_given"},
    "v1.correct": {
        "product_id": "product",
        "reason": "wrong_lot",
        "told": {"lot": "ABC123"} | TOLD,
    },
    "lots.recall": {"reason": "regulator"},
    "lots.set_aside": {"reason": "producer"},
    "draws.run": {"public_value": "7", "again": "7"},
    "draws.give_up": {"sure": "y"},
    "v1.run_draw": {"public_value": "7"},
    "closing.count": {"found": "3"},
    "entries.correct": {"why": "twice"},
}
LEADS_AWAY = {
    "family.look_after",
    "clinic.assist",
    "people.assist",
}  # to somebody else's pages, until one returns
PARENTS = [None, 0, 1, 1, 2]  # ministry, region, ours, another, below ours
OURS, ANOTHER = 2, 3
# Whose record, at which site, of which organisation; we are person 0, at site 0.
PLACES = {
    "own": (0, 0, OURS), "another's": (1, 0, OURS), "another site's": (1, 1, OURS),
    "another organisation's": (1, 2, ANOTHER),
}  # fmt: skip
HANDED = {"no longer": [(0, None), (9, 5)], "in force": [(9, None)]}  # ends, taken back; it is 5


@pytest.fixture
def world(app, parts, clinic, staff, book, newest_message):
    """Three sites of two organisations, somebody of each role at the first, and their browsers."""
    _booker, number = book()
    nurse = staff("nurse")
    visit = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
    given = {"identity": "y", "product": str(clinic.product_id), "lot": clinic.lot}
    nurse.post(f"{visit}/dose", given | {"body_site": "LA"})
    citizen = enter(Browser(app), number, newest_message)
    with parts.doors.transaction() as db:
        bodies = []
        for above in PARENTS:
            bodies.append(make.make_organisation(db, None if above is None else bodies[above]))
        ours, another = bodies[OURS].id, bodies[ANOTHER].id
        at = {"time_zone": "Asia/Beirut"}
        sites = [clinic.site_id, make.make_site(db, organisation_id=ours, **at).id,
                 make.make_site(db, organisation_id=another, **at).id]  # fmt: skip
        db.execute(update(Site).where(Site.id == sites[0]).values(organisation_id=ours))
        central = update(Staff).where(Staff.site_id.is_(None))
        db.execute(central.values(organisation_id=ours))
        person = db.scalars(select(Person.id)).one()
        made = SimpleNamespace(
            bodies=[body.id for body in bodies], sites=sites, holder=person, sessions={},
            turns=count(), lot=clinic.lot,
            programme=clinic.programme_id, product=clinic.product_id,
            admin=clinic.staff["admin"], parts=parts,
        )  # fmt: skip
    made.browsers = {None: Browser(app), Role.CITIZEN: citizen} | {
        role: staff(role) for role in Role if role is not Role.CITIZEN
    }
    made.tokens = {
        role: re.search(r'csrf_token" value="([^"]+)', browser.get("/my/sign-in").text)[1]
        for role, browser in made.browsers.items()
    }
    made.real = {
        "slot": str(clinic.slots[2]), "product": str(clinic.product_id),
        "programme": str(clinic.programme_id),
        "vaccine": f"{clinic.programme_id}.{clinic.product_id}",
    }  # fmt: skip
    tokens = {role: clinic.staff[role] for role in Role if role is not Role.CITIZEN}
    made.programs = {None: Program(app)} | {
        role: Program(app, token_of(parts, role, whose))
        for role, whose in [*tokens.items(), (Role.CITIZEN, person)]
    }
    return made


class Things:
    """Makes the things that addresses name, each in its place."""

    def __init__(self, world, db):
        """Take the world and a transaction."""
        self.world, self.db = world, db

    def somebody(self):
        vault = self.world.parts.vault
        return enrolment.enrol(self.db, vault=vault, details=details(), now=NOW)

    def appointment(self, person, site, _body):
        programme = self.db.get_one(Programme, self.world.programme)
        if site not in self.world.sessions:
            self.world.sessions[site] = make.make_session(
                self.db, site=self.db.get_one(Site, self.world.sites[site]), programme=programme,
                product=self.db.get_one(Product, self.world.product), day=make.day(1),
            )  # fmt: skip
        starts_at = NOW + timedelta(days=1, minutes=20 * next(self.world.turns))
        slot = make.make_slot(
            self.db, session=self.world.sessions[site], starts_at=starts_at, booked=1
        )
        programme = programme if person else self.another(programme)
        who = self.somebody() if person else self.db.get_one(Person, self.world.holder)
        return make.make_appointment(self.db, slot=slot, person=who, programme=programme).id

    def party(self, *place):
        one = self.db.get_one(Appointment, self.appointment(*place))
        one.party_id = make.new_id()
        return one.party_id

    def another(self, programme):
        return make.make_programme(self.db, knowledge_id=programme.knowledge_id)

    def dose(self, _person, site, _body):
        lot = self.db.scalars(select(Lot).filter_by(number=self.world.lot)).one()
        where = {
            "site_id": self.world.sites[site],
            "programme": self.db.get_one(Programme, self.world.programme),
        }
        return make.make_counted_dose(self.db, person=self.somebody(), lot=lot, **where).id

    def patient(self, *place):
        appointment = self.db.get_one(Appointment, self.appointment(*place))
        return appointment.person_id

    def finding(self, *place):
        person = self.db.get_one(Person, self.patient(*place))
        by = make.make_staff(self.db, site_id=self.world.sites[place[1]])
        return make.make_test(self.db, person=person, recorded_by=by.id).id

    def observation(self, *place):
        dose = self.db.get_one(Dose, self.dose(*place))
        return make.make_observation(self.db, dose=dose).id

    def reaction(self, _person, site, _body):
        site_id = self.world.sites[site]
        sealed = self.world.parts.vault
        person = self.somebody()
        row_id = make.new_id()
        told = sealed.seal(person.wrapped_key, row_id, {}, purpose="adverse_event")
        return make.make_adverse_event(
            self.db, id=row_id, site_id=site_id, person_id=person.id, sealed=told
        ).id

    def shelf(self, _person, site, _body):
        lot = make.make_good_lot(self.db)
        make.make_shelf(self.db, site=self.db.get_one(Site, self.world.sites[site]), lot=lot)
        return lot.id

    def entry(self, *place):
        lot_id, site_id = self.shelf(*place), self.world.sites[place[1]]
        return make.make_move(self.db, self.db.get_one(Stock, (site_id, lot_id))).id

    def vial(self, *place):
        lot_id, site_id = self.shelf(*place), self.world.sites[place[1]]
        told = {"doses": 5, "use_until": NOW + timedelta(hours=6), "opened_by": self.world.admin}
        row = Vial(recorded_at=NOW, site_id=site_id, lot_id=lot_id, **told)
        return make.add(self.db, row).id

    def fridge(self, _person, site, _body):
        told = {"site_id": self.world.sites[site], "name": str(next(self.world.turns))}
        return make.add(self.db, Fridge(recorded_at=NOW, kind="fridge", **told)).id

    def site(self, _person, site, _body):
        return self.world.sites[site]

    def session(self, _person, site, _body):
        return make.make_session(self.db, site=self.db.get_one(Site, self.world.sites[site])).id

    def template(self, _person, site, _body):
        return make.make_template(self.db, site_id=self.world.sites[site]).id

    def certificate(self, person, _site, _body):
        if person == 0:
            return self.db.scalars(select(Certificate.id).filter_by(state="issued")).first()
        return make.make_certificate(self.db, dose=make.make_counted_dose(self.db)).id

    def colleague(self, _person, _site, body):
        return make.make_staff(
            self.db, role="admin", site_id=None, organisation_id=self.world.bodies[body]
        ).id

    def waiting_lot(self, *_place):
        lot = make.make_lot(self.db)
        make.make_validity(self.db, lot=lot, state="quarantined", reason="received")
        return lot.id

    def draw(self, *_place):
        told = {"programme": self.covid().code, "source": "x", "closes": NOW.isoformat(),
                "places": 1, "reserves": {}}  # fmt: skip
        row_id, sealed = make.new_id(), self.world.parts.vault.service_seal
        row = Draw(id=row_id, recorded_at=NOW, programme_id=self.world.programme, state="closed",
                   commitment=bytes(32), public_source="x", rules=told, list_root=bytes(32),
                   entries=0, sealed=sealed(row_id.bytes, {"seed": "00" * 32}))  # fmt: skip
        return make.add(self.db, row).id

    def delegation(self, _person, _site, body):
        return self.handed("see_organisations", body, 4, 9, None).id

    def holiday(self, _person, _site, body):
        body = self.db.get_one(Organisation, self.world.bodies[body])
        day = make.day(1 + next(self.world.turns))
        return make.make_holiday(self.db, body, day=day).id

    def ward(self, person, _site, _body):
        """Somebody for whom we act, or another does."""
        ward = self.somebody()
        ours = self.db.get_one(Person, self.world.holder)
        self.acting(ward, ours if person == 0 else self.somebody())
        return ward.id

    def proxy(self, person, _site, _body):
        ours = self.db.get_one(Person, self.world.holder)
        return self.acting(self.somebody(), ours if person == 0 else self.somebody()).id

    def acting(self, person, proxy):
        return make.add(
            self.db,
            Proxy(person_id=person.id, proxy_person_id=proxy.id, kind="carer", scope="view",
                  recorded_at=NOW, ends_at=NOW + timedelta(days=9)),
        )  # fmt: skip

    def wait(self, person, _site, _body):
        whose = self.somebody().id if person else self.world.holder
        programme = make.make_programme(self.db, knowledge_id=self.covid().knowledge_id)
        return make_entry(self.db, person_id=whose, programme_id=programme.id).id

    def offer(self, person, site, body):
        entry = self.db.get_one(WaitEntry, self.wait(person, site, body))
        session = make.make_session(
            self.db, programme=self.covid(), product=self.db.get_one(Product, self.world.product),
            site=self.db.get_one(Site, self.world.sites[site]),
            day=make.day(30 + next(self.world.turns)),
        )  # fmt: skip
        return make_offer(self.db, entry, slot_id=make.make_slot(self.db, session=session).id).id

    def covid(self):
        return self.db.get_one(Programme, self.world.programme)

    def alarm(self, *_place):
        about = ("staff", make.make_staff(self.db, role="admin", site_id=None).id)
        alarms.sound(self.db, kind="view_hour", about=about, now=NOW)
        return self.db.scalars(select(Alarm.id).filter_by(subject_id=about[1])).one()

    def who_wrote_too_many(self, *place):
        """Somebody whose facts wait."""
        by, fact = self.colleague(*place), make.make_counted_dose(self.db).id
        make.add(self.db, CertificateHold(recorded_at=NOW, fact_id=fact, why="cap", recorded_by=by))
        return by

    def request(self, _person, site, _body):
        """A document of somebody that was shown for somebody else, at a site."""
        vault, number = self.world.parts.vault, f"Q{next(self.world.turns)}"
        told = IdentityDetails("passport", "XX", number)
        enrolment.enrol(self.db, vault=vault, details=details(identity=told), now=NOW)
        clerk = make.make_staff(self.db, role="clerk", site_id=self.world.sites[site])
        shown_for = self.somebody().id
        identities.add_document(
            self.db, vault=vault, person_id=shown_for, told=told, staff=clerk, country="XX", now=NOW
        )
        return self.db.scalars(select(Request.id).filter_by(person_id=shown_for)).one()

    def call(self, _person, site, _body):
        return call_for(self.world.parts, self.world.sites[site], self.db).id

    def who_lost_a_key(self, *place):
        """Somebody for whom another administrator has asked."""
        lost, asks = self.colleague(*place), make.make_staff(self.db, role="admin", site_id=None)
        invitations.ask_recovery(self.db, staff_id=lost, by=asks.id, now=NOW)
        return lost

    def handed(self, act, giver, taker, ends, revoked):
        hour = timedelta(hours=1)
        return make.add(
            self.db,
            Delegation(
                giver_id=self.world.bodies[giver], taker_id=self.world.bodies[taker], act=act,
                given_by=self.world.admin, recorded_at=NOW - 6 * hour,
                ends_at=NOW + hour * (ends - 5),
                revoked_at=None if revoked is None else NOW + hour * (revoked - 5),
            ),
        )  # fmt: skip


def expected(role, act, place, papers):
    """Return what the page of roles promises: a door shut, nothing there, or an answer."""
    if role is None:
        return "sign in"
    if not has(role, act):
        return "not allowed"
    asks = {
        "role": role.replace("_", " "), "person": 0 if role is Role.CITIZEN else None,
        "acts_for": [], "works_for": OURS,
        "site": 0 if role in {Role.CLERK, Role.NURSE, Role.LEAD} else None,
    }  # fmt: skip
    thing = dict(zip(("person", "site", "of"), PLACES[place], strict=True))
    handed = [
        {"act": act, "giver": 1, "taker": OURS, "ends": ends, "revoked": revoked}
        for ends, revoked in papers
    ]
    found = oracle.allowed(PARENTS, asks, act, thing, handed, 5)
    return "answered" if found else "not found"


def said(answer):
    """Return what a door said."""
    if answer.status_code == 401:
        return "sign in"
    if answer.status_code == 303 and "/sign-in" in answer.location:
        return "sign in"
    assert answer.status_code < 500
    return {403: "not allowed", 404: "not found"}.get(answer.status_code, "answered")


def test_every_route_about_a_thing_says_what_it_names(app):
    about = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "<" in rule.rule and not has(None, ACTS[rule.endpoint])
    }
    assert about == set(NAMES)


@pytest.mark.walk
@pytest.mark.parametrize("papers", HANDED)
def test_every_role_reaches_what_the_page_of_roles_says_and_nothing_else(app, world, papers):
    seen = set()
    with world.parts.doors.transaction() as db:
        for act in ROLE_ACTS:
            for ends, revoked in HANDED[papers]:
                Things(world, db).handed(act, 1, OURS, ends, revoked)
    ways = [*routes(app), *routes(app, programs=True)]
    about = [way for way in ways if way[0].endpoint in NAMES and "<" in way[0].rule]
    for rule, method in about:
        for role in world.browsers:
            for place in PLACES if has(role, ACTS[rule.endpoint]) else ["own"]:
                answer = ask(world, rule, method, role, place)
                wanted = expected(role, ACTS[rule.endpoint], place, HANDED[papers])
                assert said(answer) == wanted, (rule.rule, method, role, place)
                seen.add((wanted, place, rule.endpoint))
    assert {wanted for wanted, *_ in seen} == {"sign in", "not allowed", "not found", "answered"}
    handed_on = ("answered", "another organisation's", "team.end_work")
    assert (handed_on in seen) == (papers == "in force")


def ask(world, rule, method, role, place):
    """Knock as a role, about a new thing in its place."""
    with world.parts.doors.transaction() as db:
        thing = getattr(Things(world, db), NAMES[rule.endpoint])(*PLACES[place])
    path = re.sub(r"(?<!/programmes)/[0-9a-f-]{36}", f"/{thing}", path_of(rule))
    path = re.sub(r"/programmes/[0-9a-f-]{36}", f"/programmes/{world.programme}", path)
    body = TYPED.get(rule.endpoint)
    body = body and {name: world.real.get(str(value), value) for name, value in body.items()}
    if rule.endpoint.startswith("v1."):
        who = world.programs[role]
        return who.ask(method, path.removeprefix("/api/v1"), body, If_Match="*")
    typed = {"csrf_token": world.tokens[role], **(body or {})}
    client = world.browsers[role].client
    answer = client.open(
        path, method=method, data=typed if method == "POST" else None,
        query_string=body if rule.endpoint.startswith("unbooked.") else None,
    )  # fmt: skip
    if rule.endpoint in LEADS_AWAY:
        client.post("/my/family/myself", data=typed)
    return answer
