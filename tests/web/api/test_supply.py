"""What programs do for those who plan a site, keep its stock, and see to what is odd."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from sqlalchemy import select

from healthcert.models import ClinicSession, Draw, Fridge, Lot, SessionTemplate, Site, Slot
from healthcert.services import alarms, hours
from tests import factories as make
from tests.certificates import NOW
from tests.factories import day
from tests.web.api.test_clinic import ask
from tests.web.conftest import two_levels

ON = "sqlite"  # the services are tested on both engines


@pytest.fixture
def came(parts, clinic):
    """Ten doses of the clinic's lot lie there."""
    with parts.doors.transaction() as db:
        site, lot = db.get_one(Site, clinic.site_id), db.scalars(select(Lot)).one()
        make.make_move(db, make.make_shelf(db, site=site, lot=lot), "received", 10)
        return {"site_id": str(clinic.site_id), "lot_id": str(lot.id)}


def test_months_of_sessions_are_previewed_made_and_listed(parts, clinic, program):
    with parts.doors.transaction() as db:
        hours.begin(db, site_id=clinic.site_id, spans=hours.read("Mo-Su 08:00-12:00"), closed=[],
                    now=NOW)  # fmt: skip
    lead, path = program("lead"), "/sessions/templates"
    plan = {
        "site_id": str(clinic.site_id), "programme_id": str(clinic.programme_id),
        "product_id": str(clinic.product_id), "weekdays": 1 + 4, "minutes": 30, "capacity": 4,
        "first_day": day(1).isoformat(), "last_day": day(28).isoformat(), "kept_phone": 1,
        "kept_walk_in": 0, "kept_second_dose": 0,
    }  # fmt: skip
    assert lead.get(path).json["items"] == []
    foreseen = ask(lead, f"{path}/preview", plan)["items"]
    assert [each["slots"] for each in foreseen] == [8] * 8
    assert lead.get(path).json["items"] == []
    made = ask(lead, path, plan, 201)
    assert made["days"] == [each["day"] for each in foreseen]
    [kept] = lead.get(path).json["items"]
    assert (kept["id"], kept["weekdays"], kept["capacity"]) == (made["id"], 5, 4)
    days = [each["day"] for each in lead.get("/sessions").json["items"]]
    assert set(made["days"]) <= set(days)
    assert (kept["last_day"], kept["ended_from"]) == (plan["last_day"], None)
    ask(lead, f"{path}/preview", plan | {"first_day": "9999-12-31"}, 422)
    wrong = ask(lead, f"{path}/preview", plan | {"minutes": 4}, 422)
    assert wrong["fields"] == {"minutes": "not_a_length"}
    assert ask(lead, path, plan | {"site_id": str(make.new_id())}, 404)["code"] == "not_found"
    end, since = f"{path}/{made['id']}/end", {"since": made["days"][3]}
    ask(program("nurse"), end, since, 403)
    ask(lead, end, since, 204)
    assert ask(lead, end, since, 409)["code"] == "wrong_state"
    late = {"since": day(29).isoformat()}
    assert ask(lead, end, late, 422)["fields"] == {"since": "over_by_then"}
    assert lead.get(path).json["items"][0]["ended_from"] == made["days"][3]
    again = ask(lead, path, plan | {"minutes": 20}, 201)
    assert again["days"] == made["days"][3:]
    listed, cursor = [], {}
    while cursor is not None:
        page = lead.get("/sessions", query_string={"limit": 2} | cursor).json
        listed += [each["day"] for each in page["items"]]
        cursor = page["next"] and {"cursor": page["next"]}
    assert sorted(listed) == sorted([NOW.date().isoformat(), *made["days"], *again["days"]])


def test_a_day_that_is_closed_is_listed_and_its_sessions_are_cancelled(parts, clinic, program):
    lead, path = program("lead"), f"/sites/{clinic.site_id}/closures"
    assert lead.get(path).json == {"days": []}
    ask(lead, path, {"day": NOW.date().isoformat()}, 204)
    assert lead.get(path).json == {"days": [NOW.date().isoformat()]}
    with parts.doors.reading() as db:
        assert db.scalars(select(ClinicSession.state)).one() == "cancelled"
    [session] = lead.get("/sessions").json["items"]
    assert (session["state"], session["lost"]) == ("cancelled", None)
    ask(program("nurse"), f"{path}/open", {"day": NOW.date().isoformat()}, 403)
    ask(lead, f"{path}/open", {"day": NOW.date().isoformat()}, 204)
    assert lead.get(path).json == {"days": []}
    again = ask(lead, f"{path}/open", {"day": NOW.date().isoformat()}, 409)
    assert again["code"] == "wrong_state"


def test_what_closing_cancelling_or_ending_does_is_told_before(parts, clinic, program, citizen):
    citizen()
    lead = program("lead")
    [session] = lead.get("/sessions").json["items"]
    day, site = {"day": session["day"]}, f"/sites/{clinic.site_id}"
    effect = {"sessions": 1, "people": session["booked"]}
    assert session["booked"] > 0
    assert ask(lead, f"{site}/closures/preview", day) == effect
    assert ask(lead, f"/sessions/{session['id']}/cancel/preview") == effect
    with parts.doors.transaction() as db:
        its = db.get_one(ClinicSession, UUID(session["id"]))
        plan = make.add(db, SessionTemplate(
            recorded_at=NOW, site_id=its.site_id, programme_id=its.programme_id, weekdays=127,
            product_id=its.product_id, first_day=its.day, last_day=its.day, minutes=30, capacity=1,
        ))  # fmt: skip
        its.template_id = plan.id
    end = f"/sessions/templates/{plan.id}/end/preview"
    assert ask(lead, end, {"since": session["day"]}) == effect
    assert ask(lead, end, {"since": "2020-01-01"}, 422)["fields"] == {"since": "too_long_ago"}
    ask(program("nurse"), end, {"since": session["day"]}, 403)
    assert lead.get("/sessions").json["items"][0]["state"] == "published"  # nothing was done
    ask(lead, f"/sessions/{session['id']}/cancel", status=204)
    none = {"sessions": 0, "people": 0}
    assert ask(lead, f"{site}/closures/preview", day) == none
    ask(lead, f"/sessions/{clinic.site_id}/cancel/preview", status=404)


@pytest.mark.usefixtures("clinic")
def test_a_session_keeps_places_for_its_pools_and_is_cancelled_once(parts, program):
    lead = program("lead")
    [session] = lead.get("/sessions").json["items"]
    path = f"/sessions/{session['id']}"
    ask(lead, f"{path}/capacity", {"capacity": 9, "kept": {"walk_in": 2, "waiting": 3}}, 204)
    wrong = ask(lead, f"{path}/capacity", {"capacity": 9, "kept": {"nobody": 2}}, 422)
    assert wrong["fields"] == {"kept_phone": "kept_too_many"}
    with parts.doors.reading() as db:
        assert {*db.execute(select(Slot.kept_walk_in, Slot.kept_waiting))} == {(2, 3)}
    ask(program("nurse"), f"{path}/cancel", status=403)
    ask(lead, f"{path}/cancel", status=204)
    assert ask(lead, f"{path}/cancel", status=409)["code"] == "wrong_state"
    assert ask(lead, f"{path}/capacity", {"capacity": 10}, 409)["code"] == "wrong_state"
    with parts.doors.reading() as db:
        assert db.scalars(select(ClinicSession.state)).one() == "cancelled"


def test_a_site_is_made_listed_read_and_changed_as_it_was_seen(app, clinic, program):
    two_levels(app, clinic)
    admin, path = program("admin"), "/organisations/sites"
    [harbour] = admin.get(path).json["items"]
    shown = admin.get(f"{path}/{harbour['id']}").json
    told = shown | {"code": "north-03", "hours": "Mo-Tu 08:00-12:00", "longitude": "35.6"}
    told |= {"region": "coast"}
    made = ask(admin, path, {"told": told}, 201)["id"]
    assert {each["id"] for each in admin.get(path).json["items"]} == {harbour["id"], made}
    answer = admin.get(f"{path}/{made}")
    assert answer.json == told
    wanted = {"told": answer.json | {"latitude": "33.5", "step_free": "yes"}}
    seen = answer.headers["ETag"]
    ask(admin, f"{path}/{made}", wanted, 428)
    ask(admin, f"{path}/{made}", wanted, 412, If_Match='"another"')
    ask(admin, f"{path}/{made}", wanted, 200, If_Match=seen)
    assert admin.get(f"{path}/{made}").json == wanted["told"]
    ask(admin, f"{path}/{made}", wanted, 412, If_Match=seen)
    taken = {"told": wanted["told"] | {"code": shown["code"]}}
    assert ask(admin, path, taken, 422)["fields"] == {"told.code": "taken"}
    wrong = {"told": wanted["told"] | {"code": "x", "hours": "always"}}
    assert ask(admin, path, wrong, 422)["fields"] == {"told.hours": "not_hours"}
    other, seen = {"told": wanted["told"] | {"hours": ""}}, admin.get(f"{path}/{made}").headers
    refused = ask(admin, f"{path}/{made}", other, 422, If_Match=seen["ETag"])
    assert refused["fields"] == {"told.hours": "own_deed"}
    ask(program("lead"), path, wrong, 403)


def test_other_hours_are_foreseen_begin_on_a_day_and_are_told_with_those_before(
    parts, clinic, program
):
    with parts.doors.transaction() as db:
        spans = hours.read("Mo-Su 08:00-12:00")
        hours.begin(db, site_id=clinic.site_id, spans=spans, now=NOW)
        make.make_slot(db, session=make.make_session(
            db, site=db.get_one(Site, clinic.site_id), day=day(5),
            programme=db.get_one(make.Programme, clinic.programme_id),
            product=db.get_one(make.Product, clinic.product_id),
        ), booked=1)  # fmt: skip
    lead, path = program("lead"), f"/sites/{clinic.site_id}/hours"
    first = {"since": "0001-01-01", "hours": "Mo-Su 08:00-12:00"}
    assert lead.get(path).json == {"items": [first]}
    other = {"since": day(5).isoformat(), "hours": "Mo-Su 08:00-10:00"}
    changes = {"changed": 0, "cancelled": 1, "made": 0, "gone": 2, "come": 0, "booked": 1}
    assert ask(lead, f"{path}/preview", other) == changes
    assert lead.get(path).json == {"items": [first]}
    assert ask(lead, path, other, Idempotency_Key="one") == changes
    assert ask(lead, path, other, Idempotency_Key="one") == changes
    assert lead.get(path).json == {"items": [first, other]}
    assert ask(lead, path, other, Idempotency_Key="two") == dict.fromkeys(changes, 0)
    wrong = ask(lead, path, other | {"since": day(-1).isoformat()}, 422)
    assert wrong["fields"] == {"since": "too_long_ago"}
    wrong = ask(lead, path, other | {"hours": "always"}, 422)
    assert wrong["fields"] == {"hours": "not_hours"}
    for role in ("nurse", "inspector"):
        ask(program(role), path, other, 403)


def test_a_vial_is_opened_listed_and_what_is_left_thrown_away(program, came):
    nurse = program("nurse")
    vial = ask(nurse, "/clinic/vials", {"shelf": came, "thawed_on": None}, 201)["id"]
    [opened] = nurse.get("/clinic/vials").json["items"]
    assert (opened["vial"]["id"], opened["left"], opened["lot"]["id"]) == (vial, 6, came["lot_id"])
    ask(nurse, f"/clinic/vials/{vial}/discard", status=204)
    assert ask(nurse, f"/clinic/vials/{vial}/discard", status=409)["code"] == "wrong_state"
    assert nurse.get("/clinic/vials").json["items"] == []
    assert nurse.get("/clinic/stock").json["items"][0]["stock"]["remaining"] == 4
    again = {"shelf": came, "kind": "wasted", "quantity": 2, "reason": "opened_vial"}
    asked = ask(nurse, "/clinic/stock/moves", again, 422)
    assert asked["fields"] == {"besides": "wasted_already"}
    ask(nurse, "/clinic/stock/moves", again | {"besides": True}, 204)


@pytest.mark.usefixtures("clinic")
def test_spare_doses_are_offered_on_standby_from_a_session_of_today(parts, program):
    lead = program("lead")
    [today] = lead.get("/clinic/standby").json["items"]
    made = ask(lead, "/clinic/standby", {"session_id": today["id"], "doses": 3}, 201)
    with parts.doors.reading() as db:
        spare = db.scalars(select(Slot).where(Slot.kept_waiting == 3)).one()
    assert made["id"] == str(spare.id)
    again = ask(lead, "/clinic/standby", {"session_id": today["id"], "doses": 3}, 409)
    assert again["code"] == "wrong_state"  # in the same millisecond
    ask(lead, "/clinic/standby", {"session_id": today["id"], "doses": 0}, 400)


def test_what_a_fridge_shows_sets_the_lot_aside_until_a_lead_decides(parts, program, came):
    nurse, lead = program("nurse"), program("lead")
    ask(nurse, "/clinic/fridges", {"name": "Blue", "kind": "fridge"}, 403)
    ask(lead, "/clinic/fridges", {"name": "Blue", "kind": "fridge"}, 204)
    with parts.doors.reading() as db:
        fridge = db.scalars(select(Fridge.id)).one()
    told = {"celsius": 20.0, "taken_at": NOW.isoformat()}
    ask(nurse, f"/clinic/fridges/{fridge}/readings", told, 204)
    [cold] = nurse.get("/clinic/fridges").json["items"]
    assert (cold["name"], cold["celsius"]) == ("Blue", 20.0)
    assert nurse.get("/clinic/stock").json["items"][0]["stock"]["set_aside"]
    ask(nurse, "/clinic/stock/monitors", {"shelf": came, "vvm_stage": 3}, 422)  # it has no monitor
    ask(lead, "/clinic/stock/settle", {"shelf": came, "usable": True}, 204)
    assert nurse.get("/clinic/stock").json["items"][0]["stock"]["set_aside"] is None


def test_a_fridge_is_taken_out_of_use_once_with_the_fridge_its_doses_move_to(program, came):
    nurse, lead = program("nurse"), program("lead")
    for name in ("Blue", "Red"):
        ask(lead, "/clinic/fridges", {"name": name, "kind": "fridge"}, 204)
    blue, red = (each["id"] for each in nurse.get("/clinic/fridges").json["items"])
    ask(nurse, "/clinic/stock/places", {"shelf": came, "fridge_id": blue}, 204)
    path = f"/clinic/fridges/{blue}/gone"
    full = ask(lead, path, {"into_fridge_id": None}, 422)
    assert full["fields"] == {"into_fridge_id": "holds_stock"}
    ask(lead, path, {"into_fridge_id": red}, 204)
    assert [each["id"] for each in nurse.get("/clinic/fridges").json["items"]] == [red]
    assert nurse.get("/clinic/stock").json["items"][0]["stock"]["fridge_id"] == red
    assert ask(lead, path, {"into_fridge_id": None}, 409)["code"] == "wrong_state"
    told = {"celsius": 5.0, "taken_at": NOW.isoformat()}
    ask(nurse, f"/clinic/fridges/{blue}/readings", told, 409)


def test_a_recall_says_whom_it_reaches_and_how_far_it_is(parts, program):
    with parts.doors.transaction() as db:
        lot = make.make_good_lot(db)
        dose = make.make_counted_dose(db, lot=lot)
        where = str(dose.site_id) if dose.site_id else None
        expected = {"site_id": where, "people": 1, "untold": 1}
    admin = program("admin")
    assert admin.get(f"/lots/{lot.id}/recall").json == {"reached": [expected], "left": 0}
    order = {"state": "recalled", "since": None, "reason": "producer"}
    ask(admin, f"/lots/{lot.id}/orders", order, 204, If_Match="*")
    assert admin.get(f"/lots/{lot.id}/recall").json["left"] == 1
    assert admin.get(f"/lots/{make.new_id()}/recall").status_code == 404


def test_anybody_reads_a_draw_and_where_places_are_left(parts, clinic, program):
    who = program()
    with parts.doors.transaction() as db:
        draw = make.add(db, Draw(
            recorded_at=NOW, programme_id=clinic.programme_id, state="announced",
            commitment=bytes(32), public_source="a lottery", sealed=b"x", rules={"seats": 3},
        ))  # fmt: skip
    told = who.get(f"/draws/{draw.id}").json
    assert told["manifest"]["commitment"] == "00" * 32
    assert who.get(f"/draws/{make.new_id()}").status_code == 404
    assert who.get("/availability").status_code == 404
    left = {"programmes": {"covid19": {"en": "x"}}, "places": [{"site": "a", "at_least": 5}]}
    parts.settings.room_dir.mkdir(parents=True, exist_ok=True)
    (parts.settings.room_dir / "availability.json").write_text(json.dumps(left))
    assert who.get("/availability").json == left


def test_alarms_are_read_and_settled(parts, program):
    with parts.doors.transaction() as db:
        alarms.sound(db, kind="view_hour", now=NOW)
    admin = program("admin")
    [raised] = admin.get("/alarms").json["items"]
    assert raised["state"] == "open"
    ask(admin, f"/alarms/{raised['id']}", {"reason": "explained"})
    assert admin.get("/alarms").json["items"] == []


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_text_that_no_column_holds_is_refused_by_its_code(app, clinic, program):
    two_levels(app, clinic)
    admin, path = program("admin"), "/organisations/sites"
    [harbour] = admin.get(path).json["items"]
    told = admin.get(f"{path}/{harbour['id']}").json | {"code": "north-03", "address_en": "a\0b"}
    assert ask(admin, path, {"told": told}, 422)["code"] == "unusable"
    assert len(admin.get(path).json["items"]) == 1
