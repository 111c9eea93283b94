"""Every page has its deed of the interface, or a reason why there is none."""

from __future__ import annotations

import pytest

from healthcert.policy.roles import Role, has
from healthcert.web.acts import ACTS
from healthcert.web.api.deeds import DEEDS

ON = "sqlite"  # no database is asked

# What a program does in the place of each page; every name is an endpoint, or a deed.
BY_DEED = {
    "booking.start booking.slots": "programmes sites site slots",
    "booking.second": "second",
    "booking.who booking.details booking.hold booking.without": "hold let_go family_of",
    "booking.check booking.book booking.done": "confirm",
    "booking.calendar_file desk.calendar_file": "calendar_of_party",
    "desk.start desk.slots": "slots_at_desk",
    "desk.second": "second_at_desk",
    "desk.find desk.who people.find clinic.find": "find",
    "desk.details desk.hold desk.without": "hold_at_desk let_go_at_desk",
    "desk.check desk.book desk.done": "confirm_at_desk",
    "waiting.ask waiting.join": "enter",
    "waiting.mine": "waits",
    "waiting.begin": "join",
    "waiting.leave": "leave",
    "waiting.answer": "accept decline",
    "closing.standby": "open_today standby",
    "room.availability": "availability",
    "public.draws public.draw_file": "draws draw",
    "citizen.sign_in citizen.ask_code": "ask_code",
    "citizen.code citizen.redeem": "sign_in",
    "staff.sign_out": "sign_out",
    "family.page family.look_after": "family_of",
    "family.child": "enrol_child",
    "family.invite": "let_act",
    "family.join": "begin_to_act",
    "family.end": "end_acting",
    "citizen.overview": "appointments appointment doses certificates",
    "citizen.why": "decisions",
    "appointments.calendar_file": "calendar",
    "appointments.cancel": "cancel",
    "appointments.move": "move",
    "citizen.certificate citizen.certificate_file": "certificate code picture",
    "rights.certificate": "paper",
    "rights.record rights.as_json": "whole_record",
    "rights.as_pdf": "on_paper",
    "rights.seen": "seen",
    "rights.foresee": "foresee_erasure",
    "rights.confirm rights.erase": "erase",
    "clinic.day": "day_list",
    "clinic.appointment": "patient",
    "clinic.arrive": "arrive",
    "clinic.document": "add_document",
    "clinic.card": "new_card",
    "clinic.assist": "assist",
    "people.person": "person",
    "people.answer": "offers_at_desk accept_at_desk decline_at_desk",
    "people.assist": "assist_known",
    "unbooked.dose": "questions_unbooked screen_unbooked write_down",
    "unbooked.consent": "consent_unbooked",
    "unbooked.decision": "decide_unbooked",
    "people.test": "record_test",
    "people.recovery": "record_recovery",
    "people.mark_in_error": "finding_in_error",
    "care.consent": "consent",
    "care.questions": "questions screen",
    "care.decision": "decide",
    "care.not_vaccinated": "not_vaccinated",
    "care.observed": "observed",
    "care.left": "left",
    "doses.ask": "patient shelves",
    "doses.record": "record_dose",
    "doses.recorded": "recorded",
    "doses.mark_in_error": "mark_in_error judge_dose",
    "doses.correct": "correct",
    "reactions.report": "report_event",
    "reactions.more": "tell_more",
    "reactions.mark_in_error": "reaction_in_error",
    "reactions.cases": "cases",
    "reactions.export": "export_cases",
    "reactions.case": "case",
    "reactions.move": "assess",
    "closing.page": "sums observed",
    "closing.count": "count",
    "closing.close": "close_session",
    "closing.open_again": "open_session",
    "stock.shelves": "shelves fridges open_vials",
    "stock.receive": "receive",
    "stock.move": "move_stock transfer",
    "stock.read": "read_fridge read_monitor",
    "stock.lay": "lay",
    "stock.vial": "open_vial discard_vial",
    "stock.settle": "settle add_fridge retire_fridge",
    "entries.every entries.one": "entries",
    "entries.correct": "correct_entry",
    "planning.every": "sessions templates",
    "planning.preview": "preview",
    "planning.make": "make",
    "planning.resize": "resize",
    "planning.foresee": "foresee_closure closures",
    "planning.close": "close_day open_day",
    "planning.foresee_one": "foresee_cancel",
    "planning.cancel": "cancel_session",
    "planning.foresee_end": "foresee_end",
    "planning.end": "end_template",
    "hours.show": "site_hours foresee_hours",
    "hours.begin": "begin_hours",
    "holidays.every": "holidays country_holidays",
    "holidays.foresee": "foresee_holiday",
    "holidays.declare": "declare_holiday",
    "holidays.confirm": "holidays",
    "holidays.withdraw": "withdraw_holiday",
    "sites.every": "kept_sites",
    "sites.show": "kept_site",
    "sites.keep": "make_site change_site",
    "lots.every": "known_lots lot",
    "lots.order lots.recall lots.set_aside": "order_lot",
    "lots.foresee": "recall",
    "lots.exhaust": "exhaust",
    "draws.every draws.show": "draws draw",
    "draws.ask draws.announce": "announce_draw",
    "draws.run": "run_draw",
    "draws.foresee draws.give_up": "give_up_draw",
    "opening.page": "opening opening_state",
    "opening.ask opening.announce": "set_opening",
    "opening.foresee opening.take_away": "take_opening_away",
    "admin.organisations": "organisations delegations",
    "admin.delegate": "delegate",
    "admin.revoke": "revoke",
    "calls.every": "calls",
    "calls.tell": "told_by_call not_reached",
    "contested.every": "requests",
    "contested.one": "request",
    "contested.decide": "decide_request",
    "admin.held": "held",
    "admin.release": "release",
    "admin.state": "alarms",
    "admin.alarm": "settle_alarm",
}
WITHOUT = {
    "of the interface itself, or answered as JSON where it is": "about_api.openapi about_api.page "
    "api.verify api.verify_batch verify.page verify.check verify.bundle verify.part room.line "
    "health.alive health.ready metrics.metrics",
    "words for people alone": "public.home styleguide room.page",
    "no database is asked on an opening day: a form of one field, which programs send too, and "
    "show the ticket it gives": "room.ask",
    "a browser's own: what it remembers of today's lots": "stock.today",
    "who works here proves it in a browser, and makes a token there": "staff.sign_in staff.again "
    "staff.ask_passkey staff.with_passkey staff.with_password staff.to_provider "
    "staff.from_provider staff.lock account.invitation account.redeem account.enrol "
    "account.ask_passkey account.add_passkey account.add_password account.own account.tokens "
    "account.change national.start national.back",
    "who works here is looked to by people: a code that is shown once stays out of programs":
    "team.members team.invite team.recover team.grant team.sign_out team.end_work",
    "development alone": "dev.sign_in dev.become dev.outbox",
}  # fmt: skip
PAGES = {page: deeds.split() for pages, deeds in BY_DEED.items() for page in pages.split()}
LEFT_OUT = [page for pages in WITHOUT.values() for page in pages.split()]


def test_every_page_has_its_deed_or_a_reason_why_not():
    named = [page for pages in BY_DEED for page in pages.split()] + LEFT_OUT
    assert len(named) == len(set(named)), "named twice"
    assert set(named) == {name for name in ACTS if not name.startswith("v1.")}


def test_every_deed_stands_for_a_page():
    assert {deed for deeds in PAGES.values() for deed in deeds} == set(DEEDS)


@pytest.mark.parametrize("page", PAGES)
def test_whoever_has_a_page_has_a_deed_for_it(page):
    for role in (None, *Role):
        deeds = {deed: has(role, DEEDS[deed].act) for deed in PAGES[page]}
        assert any(deeds.values()) or not has(role, ACTS[page]), (role, deeds)
