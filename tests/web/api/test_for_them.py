"""What a desk's program does for somebody: with their own deeds, or for who is on no record."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from healthcert.data.limits import limits
from healthcert.jobs import places
from healthcert.models import Appointment, AuditEvent, Slot, Staff, WaitEntry, new_id
from tests import factories
from tests.certificates import NOW
from tests.web.api.test_clinic import ask
from tests.web.api.test_parties import DETAILS

NOBODY = {"kind": "none"}


@pytest.fixture
def caller(citizen):
    return citizen()


@pytest.fixture
def desk(program, caller):
    """A clerk's program that has helped out a caller, and the header that names them."""
    clerk = program("clerk")
    ask(clerk, f"/clinic/appointments/{caller.appointment}/help", status=204)
    return clerk, {"Acting_For": str(caller.person)}


def test_a_caller_is_found_and_their_appointment_moved_and_cancelled(parts, clinic, desk, caller):
    clerk, them = desk
    found = clerk.get(f"/clinic/people/{caller.person}").json["appointments"]
    assert [each["appointment_id"] for each in found] == [str(caller.appointment)]
    path, wanted = f"/appointments/{caller.appointment}", {"slot_id": str(clinic.slots[1])}
    tag = clerk.get(path, **them).headers["ETag"]
    assert ask(clerk, f"{path}/move", wanted, 428, **them)["code"] == "needs_match"
    with parts.doors.transaction() as db:
        full = update(Slot).where(Slot.id == clinic.slots[1])
        db.execute(full.values(booked=Slot.capacity))
    lost = ask(clerk, f"{path}/move", wanted, 409, If_Match=tag, **them)
    assert lost["code"] == "slot_full"
    other = {"slot_id": lost["instead"][0]["slot_ids"][0]}
    told = them | {"If_Match": tag, "Idempotency_Key": "move"}
    moved = ask(clerk, f"{path}/move", other, **told)["id"]
    assert ask(clerk, f"{path}/move", other, **told)["id"] == moved
    path = f"/appointments/{moved}"
    assert ask(clerk, f"{path}/cancel", status=412, If_Match=tag, **them)["code"] == "changed"
    tag = clerk.get(path, **them).headers["ETag"]
    ask(clerk, f"{path}/cancel", status=204, If_Match=tag, **them)
    with parts.doors.reading() as db:
        states = sorted(db.scalars(select(Appointment.state)))
        acts = select(AuditEvent.act).filter_by(actor_kind="staff", actor_id=clinic.staff["clerk"])
        done = set(db.scalars(acts))
    assert states == ["cancelled", "rescheduled"]
    assert {"proxy_begun", "appointment_moved", "appointment_cancelled"} <= done
    seen = {(one["role"], one["reason"]) for one in caller.get("/record/seen").json["items"]}
    assert {("operator", "for_them"), ("clerk", "request")} <= seen


def test_nobody_is_reached_who_was_not_helped_out_or_no_longer(
    parts, desk, caller, citizen, program, clock
):
    clerk, them = desk
    path = f"/appointments/{caller.appointment}"
    other = citizen(slot=1)
    assert clerk.get("/appointments", Acting_For=str(other.person)).status_code == 404
    assert program("nurse").get("/appointments", **them).status_code == 404
    assert clerk.get("/appointments").status_code == 403
    assert clerk.get("/clinic/day", **them).status_code == 403
    with parts.doors.transaction() as db:
        elsewhere = factories.make_site(db).id
        db.execute(update(Staff).where(Staff.role == "lead").values(site_id=elsewhere))
    lead = program("lead")
    ask(lead, f"/clinic{path}/help", status=404)
    clock.pass_by(hours=24)
    assert clerk.get("/appointments", **them).status_code in {401, 404}


def test_a_caller_who_ends_it_is_helped_out_no_more(desk, caller):
    clerk, them = desk
    [held] = caller.get("/people").json["items"]
    assert not held["mine"]
    ask(caller, f"/people/{held['proxy_id']}/end", status=204)
    assert clerk.get("/appointments", **them).status_code == 404


def test_staff_who_help_out_reach_neither_family_nor_erasure(desk):
    clerk, them = desk
    child = {"details": DETAILS | {"birth_date": "2020-01-02", "identity": NOBODY}}
    invited = {"scopes": ["view"]}
    claim = {"claim": {"reference": "HC-1111-1111", "birth_date": "1985"}, "code": "000000"}
    assert clerk.get("/people", **them).status_code == 403
    for path, body in (("children", child), ("invitations", invited), ("join", claim)):
        ask(clerk, f"/people/{path}", body, 403, **them)
    ask(clerk, f"/people/{new_id()}/end", status=403, **them)
    assert clerk.get("/record/erase", **them).status_code == 404
    ask(clerk, "/record/erase", status=404, **them)


def test_a_token_that_reads_only_or_does_little_does_no_more_for_them(desk, caller, program):
    _clerk, them = desk
    reads, sees = program("clerk", reads_only=True), program("clerk", acts=["see_day_list"])
    assert len(reads.get("/appointments", **them).json["items"]) == 1
    path = f"/appointments/{caller.appointment}/cancel"
    ask(reads, path, status=403, If_Match="*", **them)
    ask(sees, path, status=403, If_Match="*", **them)


def test_places_held_for_whom_one_acts_are_theirs(parts, clinic, desk, caller):
    clerk, them = desk
    ask(clerk, f"/appointments/{caller.appointment}/cancel", status=204, If_Match="*", **them)
    wanted = {"wishes": [{"slot_id": str(clinic.slots[1])}]}
    made = ask(clerk, "/parties", wanted, 201, **them)["appointments"]
    with parts.doors.reading() as db:
        assert db.get_one(Appointment, UUID(made[0]["id"])).person_id == caller.person
    ask(clerk, "/parties", wanted, 404)


@pytest.fixture
def wanted(clinic):
    return {
        "programme_id": str(clinic.programme_id), "site_id": str(clinic.site_id), "within_km": 20,
        "standby": True, "details": DETAILS,
    }  # fmt: skip


WAIT = "/waiting/newcomers"


@pytest.mark.parametrize("role", [None, "clerk"])
def test_who_is_on_no_record_is_put_on_the_waiting_list(parts, wanted, program, role):
    who = program(role)
    told = wanted | {"details": DETAILS | {"identity": NOBODY}}
    made = ask(who, WAIT, told, 201, Idempotency_Key="once")
    assert made["reference"].startswith("HC-")
    assert ask(who, WAIT, told, 201, Idempotency_Key="once") == made
    with parts.doors.reading() as db:
        [entry] = db.scalars(select(WaitEntry))
        found = select(AuditEvent.actor_kind).where(
            AuditEvent.act.in_(["waiting_joined", "card_made"])
        )
        assert {*db.scalars(found)} == {"staff" if role else "citizen"}
    assert (str(entry.id), entry.within_km, entry.standby) == (made["id"], 20, True)


def test_who_has_a_number_is_known_by_it_and_waits_once(wanted, program):
    stranger = program()
    assert ask(stranger, WAIT, wanted, 201)["reference"] == ""
    assert ask(stranger, WAIT, wanted, 409)["code"] == "cannot_wait"
    born = wanted | {"details": DETAILS | {"birth_date": "1999"}}
    assert ask(stranger, WAIT, born, 409)["code"] == "cannot_wait"
    wrong = ask(stranger, WAIT, wanted | {"within_km": 7}, 400)
    assert wrong["fields"] == {"within_km": "not_a_choice"}


def test_a_place_in_the_line_is_limited_like_a_booking(wanted, program):
    stranger, full = program(), limits()["book"]["identity"].most
    for _ in range(full):
        stranger.post(WAIT, wanted)
    assert ask(stranger, WAIT, wanted, 429)["code"] == "too_many"


def test_one_waits_on_an_opening_day_without_a_turn_in_the_room(parts, wanted, program):
    soon = (NOW + timedelta(minutes=1)).isoformat()
    told = f'code = "x"\nprogramme = "covid19"\nopens_at = {soon}'
    (parts.settings.data_dir / "opening.toml").write_text(told, "utf-8")
    ask(program(), WAIT, wanted, 201)
    search = {"programme_id": wanted["programme_id"], "latitude": 33.9, "longitude": 35.5}
    assert ask(program(), "/slots/search", search, 503)["code"] == "must_wait"
    deed = program().client.get("/api/openapi.json").json["paths"][f"/api/v1{WAIT}"]["post"]
    assert "must_wait" not in str(deed["responses"])
    assert "Ticket" not in {each["name"] for each in deed["parameters"]}


def test_why_it_is_not_ones_turn_is_told_with_the_groups_names(caller):
    [told] = caller.get("/eligibility").json["items"]
    assert told["decision"]["outcome"] == "eligible"
    phases = {each["about"].get("phase") for each in told["decision"]["reasons"]} - {None}
    assert phases <= told["groups"].keys()
    assert all(names["en"] for names in told["groups"].values())


def test_a_desk_reads_what_is_offered_at_its_site_and_answers_it(parts, clinic, wanted, program):
    ask(program(), WAIT, wanted, 201)
    with parts.doors.transaction() as db:
        kept = {"kept_waiting": 1, "booked": Slot.capacity - 1}
        db.execute(update(Slot).where(Slot.id == clinic.slots[2]).values(**kept))
        person = db.scalars(select(WaitEntry.person_id)).one()
        elsewhere = factories.make_site(db).id
        db.execute(update(Staff).where(Staff.role == "lead").values(site_id=elsewhere))
    assert places.offer(parts, NOW) == 1
    clerk, path = program("clerk"), f"/clinic/people/{person}/offers"
    assert clerk.get(path).status_code == 404, "whom one has not looked for"
    ask(clerk, "/clinic/people/search", {"text": "Kanaridge", "birth_date": "1962-02-03"})
    [one] = clerk.get(path).json["items"]
    assert one.keys() == {"offer_id", "starts_at", "ends_at", "product"}
    path = f"/clinic/offers/{one['offer_id']}"
    for verb in ("accept", "decline"):
        ask(program("lead"), f"{path}/{verb}", status=404)
    made = ask(clerk, f"{path}/accept", status=201, Idempotency_Key="once")
    assert ask(clerk, f"{path}/accept", status=201, Idempotency_Key="once") == made
    assert ask(clerk, f"{path}/decline", status=409)["code"] == "wrong_state"
    with parts.doors.reading() as db:
        assert str(db.scalars(select(Appointment.id).filter_by(source="phone")).one()) == made["id"]
