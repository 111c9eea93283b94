"""Organisations, proxies, requests, waiting and cases: what the database holds of itself."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import delete, select, text, update

from healthcert.models import (
    Case,
    CaseEntry,
    Delegation,
    Device,
    Draw,
    Offer,
    Organisation,
    Proxy,
    Request,
    RequestStep,
    WaitEntry,
)
from healthcert.models.request import ACTS, STATES, TRANSITIONS
from tests import factories as make
from tests.factories import NOW, TODAY
from tests.models.refusals import refused
from tests.threads import at_once

LATER = NOW + timedelta(days=1)
_numbers = count(1)


def make_request(db, **values):
    person = make.make_person(db)
    defaults = {
        "reference": f"HC-{next(_numbers):04}", "kind": "correction", "person_id": person.id,
        "knowledge_id": make.make_knowledge(db, kind="country").id, "sealed": b"asked",
        "subject": {}, "due_at": LATER, "recorded_at": NOW,
    }  # fmt: skip
    return make.add(db, Request(**defaults | values))


LEADS_TO = {
    "submit": "submitted", "answer": "submitted", "appeal": "submitted", "verify": "in_review",
    "ask": "needs_information", "approve": "approved", "reject": "rejected", "carry_out": "done",
}  # fmt: skip


def step(db, request, act, staff=None, **values):
    last = db.scalar(select(Request.steps).where(Request.id == request.id)) or 0
    defaults = {
        "request_id": request.id, "ordinal": last + 1, "act": act, "state": LEADS_TO[act],
        "staff_id": staff and staff.id, "reason": "name", "recorded_at": NOW,
    }  # fmt: skip
    made = make.add(db, RequestStep(**defaults | values))
    db.refresh(request)
    return made


def make_entry(db, **values):
    defaults = {
        "person_id": make.make_person(db).id, "programme_id": make.make_programme(db).id,
        "state": "waiting", "turn_on": TODAY, "recorded_at": NOW,
    }  # fmt: skip
    return make.add(db, WaitEntry(**defaults | values))


def make_offer(db, entry, **values):
    defaults = {
        "wait_entry_id": entry.id, "person_id": entry.person_id, "slot_id": make.make_slot(db).id,
        "state": "open", "ends_at": LATER, "recorded_at": NOW,
    }  # fmt: skip
    return make.add(db, Offer(**defaults | values))


def make_draw(db, **values):
    defaults = {
        "programme_id": make.make_programme(db).id, "state": "announced",
        "commitment": bytes(32), "public_source": "the national lottery of the day",
        "recorded_at": NOW,
    }  # fmt: skip
    return make.add(db, Draw(**defaults | values))


def test_an_organisation_stands_one_level_below_its_parent(db):
    top = make.make_organisation(db)
    below = make.make_organisation(db, top)
    for wrong in ({"level": 0}, {"level": 2}, {"parent_level": None}):
        with refused(db, "ck_organisation_below_parent"):
            make.make_organisation(db, top, **wrong)
    with refused(db, "foreign_key"):
        make.make_organisation(db, top, parent_level=1, level=2)
    assert below.level == 1


def test_organisations_make_no_ring(db):
    top = make.make_organisation(db)
    below = make.make_organisation(db, top)
    ring = update(Organisation).where(Organisation.id == top.id)
    with refused(db, "ck_organisation_below_parent"):
        db.execute(ring.values(parent_id=below.id, parent_level=1))
    with refused(db, "foreign_key"):
        db.execute(ring.values(parent_id=below.id, parent_level=1, level=2))


def test_what_is_handed_on_goes_to_another_and_ends(db):
    giver, taker, staff = (
        make.make_organisation(db),
        make.make_organisation(db),
        make.make_staff(db),
    )
    given = {"act": "book_for_someone", "given_by": staff.id, "recorded_at": NOW}
    with refused(db, "ck_delegation_to_another"):
        make.add(db, Delegation(giver_id=giver.id, taker_id=giver.id, ends_at=LATER, **given))
    with refused(db, "ck_delegation_ends_after_start"):
        make.add(db, Delegation(giver_id=giver.id, taker_id=taker.id, ends_at=NOW, **given))
    with refused(db, "ck_delegation_revoked_after_start"):
        make.add(
            db,
            Delegation(
                giver_id=giver.id, taker_id=taker.id, ends_at=LATER,
                revoked_at=NOW - timedelta(1), **given,
            ),
        )  # fmt: skip


def test_a_device_is_known_by_one_key(db):
    site, staff = make.make_site(db), make.make_staff(db)
    told = {"site_id": site.id, "name": "tablet", "registered_by": staff.id, "recorded_at": NOW}
    make.add(db, Device(public_key=b"one", **told))
    with refused(db, "uq_device_public_key"):
        make.add(db, Device(public_key=b"one", **told))
    with refused(db, "ck_device_revoked_after_start"):
        make.add(db, Device(public_key=b"two", revoked_at=NOW - timedelta(1), **told))


def test_a_proxy_is_another_person_or_a_member_of_staff(db):
    child, mother, staff = make.make_person(db), make.make_person(db), make.make_staff(db)

    def proxy(**values):
        told = {"person_id": child.id, "kind": "guardian", "scope": "book", "ends_at": LATER}
        return make.add(db, Proxy(**told | {"recorded_at": NOW} | values))

    proxy(proxy_person_id=mother.id)
    proxy(staff_id=staff.id, kind="operator")
    for rule, values in (
        ("ck_proxy_one_proxy", {}),
        ("ck_proxy_one_proxy", {"proxy_person_id": mother.id, "staff_id": staff.id}),
        ("ck_proxy_operators_are_staff", {"staff_id": staff.id}),
        ("ck_proxy_for_another", {"proxy_person_id": child.id}),
        ("ck_proxy_ends_after_start", {"proxy_person_id": mother.id, "ends_at": NOW}),
        ("one_proxy_in_force", {"proxy_person_id": mother.id}),
    ):
        with refused(db, rule, "ck_proxy_operators_are_staff"):
            proxy(**values)
    db.execute(update(Proxy).values(revoked_at=NOW))
    proxy(proxy_person_id=mother.id)


def test_a_request_stands_where_its_newest_step_leads(db):
    request, clerk, chief = make_request(db), make.make_staff(db), make.make_staff(db)
    step(db, request, "submit")
    step(db, request, "verify", clerk)
    step(db, request, "approve", chief)
    assert (request.state, request.steps) == ("approved", 3)


def test_the_state_of_a_request_is_not_set_by_hand(db):
    request = make_request(db)
    with refused(db, "foreign_key", "request_stands"):
        db.execute(update(Request).values(state="approved", steps=1))
    step(db, request, "submit")
    with refused(db, "foreign_key"):
        db.execute(update(Request).values(state="approved"))
    step(db, request, "reject", make.make_staff(db))
    with refused(db, "request_stands"):
        db.execute(update(Request).values(state="submitted", steps=1))
    with refused(db, "request_stands"):
        db.execute(update(Request).values(kind="recall"))


def test_a_step_follows_the_newest_one(db):
    request, clerk = make_request(db), make.make_staff(db)
    step(db, request, "submit")
    with refused(db, "request_stands"):
        step(db, request, "verify", clerk, ordinal=3)
    taken = "uq_request_step_request_id_ordinal"
    with refused(db, taken, f"{taken}_state"):
        step(db, request, "submit", clerk, ordinal=1)


@pytest.mark.parametrize("act", ["verify", "approve", "carry_out"])
def test_nobody_decides_what_they_submitted(db, act):
    request, clerk = make_request(db), make.make_staff(db)
    step(db, request, "submit", clerk)
    with refused(db, "four_eyes"):
        step(db, request, act, clerk)


def test_nobody_decides_twice(db):
    request, clerk = make_request(db), make.make_staff(db)
    step(db, request, "submit")
    step(db, request, "ask", clerk)
    step(db, request, "answer")
    step(db, request, "verify", clerk)
    with refused(db, "four_eyes"):
        step(db, request, "approve", clerk)


@pytest.mark.parametrize("before", STATES)
def test_a_request_moves_along_the_listed_transitions_alone(db, before):
    path = {
        "submitted": ["submit"], "in_review": ["submit", "verify"],
        "needs_information": ["submit", "ask"], "approved": ["submit", "approve"],
        "rejected": ["submit", "reject"], "done": ["submit", "approve", "carry_out"],
    }  # fmt: skip
    request = make_request(db)
    for act in path[before]:
        step(db, request, act, make.make_staff(db))
    for act in [each for each in ACTS if each != "submit"]:
        if LEADS_TO[act] in {*TRANSITIONS.get(before, ()), before}:
            with db.begin_nested() as savepoint:
                step(db, request, act, make.make_staff(db))
                savepoint.rollback()
            db.refresh(request)
        else:
            with refused(db, "request_transition"):
                step(db, request, act, make.make_staff(db))


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("ck_request_step_act_leads_to_state", {"act": "reject", "state": "approved"}),
        ("ck_request_step_staff_decide", {"act": "approve", "staff_id": None}),
        ("ck_request_step_submitted_first", {"act": "submit", "state": "submitted"}),
    ],
)
def test_a_step_is_one_of_its_kind(db, rule, values):
    request, chief = make_request(db), make.make_staff(db)
    step(db, request, "submit")
    told = {"act": "approve", "staff_id": chief.id} | values
    act = told.pop("act")
    with refused(db, rule):
        step(db, request, act, **told)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_two_steps_of_one_actor_at_once_do_not_both_get_in(doors):
    with doors.transaction() as db:
        request, clerk = make_request(db), make.make_staff(db)
        step(db, request, "submit")
        request_id, clerk_id = request.id, clerk.id

    def act(turn):
        number, name = [(2, "verify"), (3, "approve")][turn]
        with doors.transaction() as db:
            db.add(
                RequestStep(
                    recorded_at=NOW, request_id=request_id, ordinal=number, act=name,
                    state=LEADS_TO[name], staff_id=clerk_id, reason="name",
                )
            )  # fmt: skip

    outcomes = at_once(2, act)
    with doors.reading() as db:
        steps = db.scalars(select(RequestStep.act).order_by(RequestStep.ordinal)).all()
    assert steps in (["submit"], ["submit", "verify"])
    assert any(isinstance(each, Exception) for each in outcomes)


def test_one_waits_once_in_a_programme(db):
    entry = make_entry(db)
    again = {"person_id": entry.person_id, "programme_id": entry.programme_id}
    with refused(db, "one_place_in_the_queue"):
        make_entry(db, **again)
    db.execute(update(WaitEntry).values(state="left"))
    make_entry(db, **again)
    with refused(db, "ck_wait_entry_ranked_by_draw"):
        make_entry(db, rank=1)


def test_one_offer_is_open_for_one_who_waits(db):
    entry = make_entry(db)
    offer = make_offer(db, entry)
    with refused(db, "one_open_offer"):
        make_offer(db, entry)
    with refused(db, "foreign_key"):
        make_offer(db, entry, person_id=make.make_person(db).id, state="declined")
    with refused(db, "ck_offer_accepted"):
        db.execute(update(Offer).values(state="accepted"))
    theirs = make.make_appointment(db, person=db.get(make.Person, entry.person_id))
    others = make.make_appointment(db)
    with refused(db, "foreign_key"):
        db.execute(update(Offer).values(state="accepted", appointment_id=others.id))
    db.execute(update(Offer).values(state="accepted", appointment_id=theirs.id))
    with refused(db, "offer_transition"):
        db.execute(update(Offer).values(state="open", appointment_id=None))
    assert offer.ends_at > NOW


def test_a_draw_shows_its_list_before_its_seed(db):
    make_draw(db)
    with refused(db, "ck_draw_commitment"):
        make_draw(db, commitment=b"short")
    with refused(db, "ck_draw_closed_has_list"):
        db.execute(update(Draw).values(state="closed"))
    seed = {"seed": bytes(32), "public_value": "7"}
    with refused(db, "ck_draw_seed_after_list"):
        db.execute(update(Draw).values(**seed))
    with refused(db, "draw_transition"):
        db.execute(update(Draw).values(state="drawn", list_root=bytes(32), entries=2, **seed))
    db.execute(update(Draw).values(state="closed", list_root=bytes(32), entries=2))
    db.execute(update(Draw).values(state="drawn", **seed))


def test_a_case_is_handled_by_someone_and_what_was_said_stays(db):
    told = {
        "reference": "HC-0000-0000", "passphrase_hash": bytes(32), "kind": "warning",
        "state": "new", "due_at": LATER, "recorded_at": NOW,
    }  # fmt: skip
    case = make.add(db, Case(**told))
    with refused(db, "ck_feedback_case_handled_by_someone"):
        db.execute(update(Case).values(state="assigned"))
    with refused(db, "feedback_case_transition"):
        db.execute(
            update(Case).values(state="resolved", organisation_id=make.make_organisation(db).id)
        )
    make.add(db, CaseEntry(case_id=case.id, ordinal=1, sealed=b"words", recorded_at=NOW))
    for change in ("UPDATE case_entry SET ordinal = 2", "DELETE FROM case_entry"):
        with refused(db, "append_only"):
            db.execute(text(change))


@pytest.mark.parametrize("maker", [make.make_organisation, make_draw, make_entry, make_request])
def test_what_ends_in_a_state_is_not_deleted(db, maker):
    row = maker(db)
    with refused(db, "never_deleted"):
        db.execute(delete(type(row)))


def drawn(db, draw, **values):
    """Move a draw on by SQL, past every service."""
    for state in ("closed", "drawn"):
        seed = {"seed": bytes(32), "public_value": "7"} if state == "drawn" else {}
        told = {"list_root": bytes(32), "entries": 2} if state == "closed" else seed
        db.execute(update(Draw).where(Draw.id == draw.id).values(state=state, **told))
        if values.get("until") == state:
            return


@pytest.mark.parametrize(
    "change",
    [
        {"commitment": bytes([1]) * 32}, {"public_source": "another"}, {"rules": {"places": 9}},
        {"list_root": bytes([1]) * 32}, {"entries": 3}, {"seed": bytes([1]) * 32},
        {"public_value": "8"},
    ],
)  # fmt: skip
def test_what_was_told_of_a_draw_stands(db, change):
    draw = make_draw(db)
    drawn(db, draw)
    with refused(db, "draw_fixed"):
        db.execute(update(Draw).where(Draw.id == draw.id).values(**change))


def test_nobody_enters_or_leaves_a_list_that_was_closed(db):
    draw = make_draw(db)
    entry, late = (make_entry(db, programme_id=draw.programme_id) for _ in range(2))
    mine, others = (update(WaitEntry).where(WaitEntry.id == each.id) for each in (entry, late))
    with refused(db, "entry_fixed"):
        make_entry(db, programme_id=draw.programme_id, draw_id=draw.id)
    db.execute(mine.values(draw_id=draw.id))
    with refused(db, "foreign_key"):
        make_entry_of = make_entry(db)
        db.execute(
            update(WaitEntry).where(WaitEntry.id == make_entry_of.id).values(draw_id=draw.id)
        )
    with refused(db, "entry_fixed"):
        db.execute(mine.values(draw_id=None))
    with refused(db, "entry_fixed"):
        db.execute(mine.values(rank=1))  # before the seed is shown
    drawn(db, draw, until="closed")
    for change in ({"draw_id": draw.id}, {"token": bytes(16)}):
        with refused(db, "entry_fixed"):
            db.execute(others.values(**change))
    with refused(db, "entry_fixed"):
        db.execute(mine.values(draw_group="region:North"))


def test_a_rank_is_given_once_by_a_draw_whose_seed_is_shown(db):
    draw = make_draw(db)
    entry = make_entry(db, programme_id=draw.programme_id)
    mine = update(WaitEntry).where(WaitEntry.id == entry.id)
    db.execute(mine.values(draw_id=draw.id))
    drawn(db, draw)
    db.execute(mine.values(rank=2))
    for rank in (1, None):
        with refused(db, "entry_fixed"):
            db.execute(mine.values(rank=rank))
    db.execute(mine.values(state="left"))


def test_a_void_draw_lets_its_entrants_go(db):
    draw, other = make_draw(db), make_draw(db)
    entry = make_entry(db, programme_id=draw.programme_id)
    mine = update(WaitEntry).where(WaitEntry.id == entry.id)
    db.execute(mine.values(draw_id=draw.id))
    db.execute(update(Draw).where(Draw.id == draw.id).values(state="void"))
    with refused(db, "foreign_key"):
        db.execute(mine.values(draw_id=other.id))  # of another programme
    db.execute(mine.values(draw_id=None))


def test_a_token_is_one_persons_and_kilometres_have_a_middle(db):
    entry = make_entry(db)
    for wrong, rule in (
        ({"token": entry.token}, "uq_wait_entry_token"),
        ({"token": b"short"}, "ck_wait_entry_token"),
        ({"within_km": 5}, "ck_wait_entry_around_a_site"),
        ({"within_km": 0, "site_id": make.make_site(db).id}, "ck_wait_entry_around_a_site"),
    ):  # fmt: skip
        with refused(db, rule):
            make_entry(db, **wrong)
