"""A clinic's day and its supply, done by programs alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.models import AuditEvent, Lot, Product, WaitEntry
from tests import factories as make
from tests.certificates import NOW


def ask(who, path, body=None, status=200, **headers):
    answer = who.post(path, body, **headers)
    assert answer.status_code == status, answer.text
    return answer.json


def seen(nurse, person):
    findings = nurse.get(f"/clinic/people/{person}").json["findings"]
    return [(each["kind"], each["finding_id"], each["counts"]) for each in findings]


def test_a_patient_goes_through_the_clinic(clinic, program, citizen):
    whose, nurse = citizen(), program("nurse")
    path = f"/clinic/appointments/{whose.appointment}"
    person = nurse.get(path).json["expected"]["person_id"]
    ask(nurse, f"{path}/arrived", status=204)
    ask(nurse, f"{path}/consent", {"decision": "given", "decided_by": "self"}, 201)
    wrong = ask(nurse, f"{path}/screening", {"answers": {"moon": True}}, 422)
    assert wrong["fields"] == {"answers.moon": "not_known"}
    told = {"lot": clinic.lot, "body_site": "LA", "given_at": NOW.isoformat()}
    body = {"product_id": str(clinic.product_id), "told": told}
    dose = ask(nurse, f"{path}/dose", body, 201)["id"]
    again = ask(nurse, f"{path}/dose", body, 409)
    assert (again["code"], again["dose_id"]) == ("wrong_state", dose)
    assert nurse.get(f"/clinic/doses/{dose}").json["worth"][0]["counts"] == "valid"
    reaction = {
        "term": "fever_38", "onset_on": NOW.date().isoformat(), "seriousness": "not_serious",
        "outcome": "recovered", "reporter": "self", "told": {}, "dose_id": dose,
    }  # fmt: skip
    ask(nurse, f"/clinic/people/{person}/reactions", {"reaction": reaction}, 201)
    assert [each["term"] for each in nurse.get("/reactions").json["items"]] == ["fever_38"]
    case = nurse.get("/reactions").json["items"][0]["id"]
    ask(nurse, f"/reactions/{case}/more", {"told": {"history": "asthma"}}, 204)
    assert nurse.get(f"/reactions/{case}").json["told"]["history"] == "asthma"
    test = {
        "disease": "840539006", "test_type": "LP6464-4", "result": "260415000",
        "sampled_at": NOW.isoformat(),
    }  # fmt: skip
    found = ask(nurse, f"/clinic/people/{person}/test-results", {"told": test}, 201)["id"]
    assert seen(nurse, person) == [("test", found, "valid")]
    ask(nurse, f"/clinic/findings/{found}/in-error", {"reason": "wrong_result"}, 204)
    assert seen(nurse, person) == [("test", found, "entered_in_error")]
    weak = {"found": "subpotent", "reason": "frozen"}
    ask(nurse, f"/clinic/doses/{dose}/judgement", weak, 204)
    ask(nurse, f"/clinic/doses/{dose}/in-error", {"reason": "not_given"}, 204)
    told = {"lot": clinic.lot, "body_site": "LA", "given_at": NOW.isoformat()}
    unbooked = {
        "programme_id": str(clinic.programme_id), "product_id": str(clinic.product_id), "told": told
    }  # fmt: skip
    ask(nurse, f"/clinic/people/{person}/doses", unbooked, 201)


def test_a_reaction_is_told_anew_and_taken_back(program, citizen):
    whose, nurse = citizen(), program("nurse")
    reaction = {
        "term": "myocarditis", "onset_on": NOW.date().isoformat(), "seriousness": "not_serious",
        "outcome": "recovering", "reporter": "self", "told": {},
    }  # fmt: skip
    path = f"/clinic/people/{whose.person}/reactions"
    nobodys = reaction | {"dose_id": str(whose.person)}
    assert ask(nurse, path, {"reaction": nobodys}, 422)["fields"] == {
        "reaction.dose_id": "not_known"
    }
    case = f"/reactions/{ask(nurse, path, {'reaction': reaction}, 201)['id']}"
    dead = {"reaction": reaction | {"seriousness": "death"}}
    assert ask(nurse, path, dead, 422)["fields"] == {
        "reaction.seriousness": "not_died", "reaction.outcome": "not_died"
    }  # fmt: skip
    both = {"seriousness": "not_died", "outcome": "not_died"}
    gone = {"seriousness": "death"}
    assert ask(nurse, f"{case}/more", {"told": {}} | gone, 422)["fields"] == both
    step = {"state": "investigating"} | gone
    assert ask(program("inspector"), f"{case}/step", step, 422)["fields"] == both
    more = {"told": {}, "seriousness": "hospitalisation"}
    ask(nurse, f"{case}/more", more, 204)
    assert nurse.get(case).json["case"]["due_at"] is not None
    ask(nurse, f"{case}/in-error", {"reason": "because"}, 400)
    ask(program("clerk"), f"{case}/in-error", {"reason": "wrong_person"}, 403)
    ask(nurse, f"{case}/in-error", {"reason": "wrong_person"}, 204)
    told = nurse.get(case).json["case"]
    assert (told["state"], told["error_reason"]) == ("entered_in_error", "wrong_person")
    assert ask(nurse, f"{case}/in-error", {"reason": "other"}, 409)["code"] == "wrong_state"


def test_the_committee_has_its_lines_page_by_page_and_no_word_that_was_told(
    program, citizen, staff
):
    whose, nurse, inspector = citizen(), program("nurse"), program("inspector")
    reaction = {
        "term": "fever_38", "onset_on": NOW.date().isoformat(), "seriousness": "not_serious",
        "outcome": "recovered", "reporter": "self",
    }  # fmt: skip
    words = [{"history": "asthma of Kanar"}, {"onset_time": "14:30"}]
    path = f"/clinic/people/{whose.person}/reactions"
    cases = [ask(nurse, path, {"reaction": reaction | {"told": told}}, 201)["id"] for told in words]
    later = {"told": {"narrative": "Kanar swelled"}, "seriousness": None, "outcome": None}
    ask(nurse, f"/reactions/{cases[1]}/more", later, 204)
    first = inspector.get("/reactions/export?limit=1").json
    second = inspector.get(f"/reactions/export?limit=1&cursor={first['next']}").json
    lines = first["items"] + second["items"]
    assert (second["next"], [each["case"] for each in lines]) == (None, cases)
    told = [(each["history"], each["comments"], each["onset"][10:]) for each in lines]
    assert told == [("on_file", None, ""), (None, "on_file", "T14:30")]
    assert "Kanar" not in str(lines)
    shown = staff("inspector").get("/reactions/export.json").json
    assert {each["case"]: each for each in shown} == {each["case"]: each for each in lines}
    assert nurse.get("/reactions/export").status_code == 403


def test_another_vaccine_is_asked_for_its_own_questions_and_decided_on(
    clinic, parts, program, citizen
):
    whose, nurse = citizen(), program("nurse")
    path = f"/clinic/appointments/{whose.appointment}"
    with parts.doors.reading() as db:
        other = str(db.scalars(select(Product.id).where(Product.name == "Jcovden")).one())
    asked = nurse.get(f"{path}/questions").json
    assert (asked["product_id"], asked["counts"]) == (str(clinic.product_id), "valid")
    assert "capillary_leak_before" not in [each["code"] for each in asked["items"]]
    asked = nurse.get(f"{path}/questions?product_id={other}").json
    answers = {each["code"]: each["code"] == "capillary_leak_before" for each in asked["items"]}
    led = ask(nurse, f"{path}/screening", {"product_id": other, "answers": answers})
    assert led["outcome"] == "ask"
    go = {"outcome": "go", "reason": "specialist_advice", "until": None}
    ask(nurse, f"{path}/decision", go, 204)
    told = {"lot": "J1", "body_site": "LA", "given_at": NOW.isoformat()}
    ask(nurse, f"{path}/dose", {"product_id": other, "told": told}, 201)
    with parts.doors.reading() as db:
        noted = db.scalars(select(AuditEvent.details).filter_by(act="dose_not_checked")).all()
    assert noted == [{"consent": "not_checked", "screening": "go"}]


def test_who_has_no_appointment_is_asked_as_any_other_by_programs(clinic, parts, program, citizen):
    whose, nurse = citizen(), program("nurse")
    path = f"/clinic/people/{whose.person}"
    of = f"{path}/programmes/{clinic.programme_id}"
    dose = {
        "programme_id": str(clinic.programme_id), "product_id": str(clinic.product_id),
        "told": {"lot": clinic.lot, "body_site": "LA", "given_at": NOW.isoformat()},
    }  # fmt: skip
    ask(nurse, f"{of}/decision", {"outcome": "go", "reason": "other", "until": None}, 409)
    asked = nurse.get(f"{of}/questions?product_id={clinic.product_id}").json["items"]
    answers = {each["code"]: each["code"] == "fever_today" for each in asked}
    body = {"product_id": str(clinic.product_id), "answers": answers}
    assert ask(nurse, f"{of}/screening", body)["outcome"] == "defer"
    go = {"outcome": "go", "reason": "condition_passed", "until": None}
    ask(nurse, f"{of}/decision", go, 204)
    refused = {"decision": "refused", "decided_by": "self"}
    unsaid = ask(nurse, f"{of}/consent", refused, 422)
    assert unsaid["fields"] == {"cancel_ahead": "missing"}
    ask(nurse, f"{of}/consent", refused | {"cancel_ahead": False}, 201)
    assert ask(nurse, f"{path}/doses", dose, 409)["code"] == "not_agreed"
    [line] = nurse.get("/clinic/day").json["items"]
    assert (line["consent"], line["state"]) == ("refused", "booked")
    ask(nurse, f"{of}/consent", {"decision": "given", "decided_by": "self"}, 201)
    ask(nurse, f"{path}/doses", dose, 201)
    with parts.doors.reading() as db:
        assert db.scalars(select(AuditEvent.id).filter_by(act="dose_not_checked")).all() == []


def test_what_they_wait_for_ends_with_the_consent_where_they_want_it(
    parts, clinic, program, citizen
):
    whose, nurse = citizen(), program("nurse")
    of = f"/clinic/appointments/{whose.appointment}"
    ask(nurse, f"{of}/consent", {"decision": "given", "decided_by": "self"}, 201)
    withdrawn = {"decision": "withdrawn", "decided_by": "self"}
    ask(nurse, f"{of}/consent", withdrawn, 201)  # nothing is booked beside this visit
    assert nurse.get(of).json["expected"]["consent"] == "withdrawn"
    with parts.doors.transaction() as db:
        wait = make.add(db, WaitEntry(
            recorded_at=NOW, person_id=whose.person, programme_id=clinic.programme_id,
            turn_on=NOW.date(), state="waiting",
        ))  # fmt: skip
    refused = {"decision": "refused", "decided_by": "self"}
    unsaid = ask(nurse, f"{of}/consent", refused, 422)
    assert unsaid["fields"] == {"cancel_ahead": "missing"}
    assert unsaid["states"] == {"waiting": 1}
    ask(nurse, f"{of}/consent", refused | {"cancel_ahead": True}, 201)
    with parts.doors.reading() as db:
        assert db.get_one(WaitEntry, wait.id).state == "left"


def test_who_was_put_off_books_no_earlier_day_and_nobody_else_learns_it(clinic, program, citizen):
    whose, nurse = citizen(), program("nurse")
    path = f"/clinic/appointments/{whose.appointment}"
    ask(nurse, f"{path}/screening", {"answers": {"fever_today": True}})
    day = (NOW + timedelta(days=7)).date().isoformat()
    put_off = {"outcome": "defer", "reason": "ill_today", "until": day}
    ask(nurse, f"{path}/decision", put_off, 204)
    assert nurse.get(path).json["expected"]["why_not"] == "unwell"
    wish = {"slot_id": str(clinic.slots[2])}
    refused = ask(whose, "/parties", {"wishes": [wish]}, 409)
    assert (refused["code"], refused["opens_on"]) == ("put_off", day)
    typed = {
        "family": "x", "given": "y", "birth_date": "1985-03-27", "language": "en",
        "identity": {"kind": "passport", "country": "XX", "value": "KANARI 000000"},
    }  # fmt: skip
    hidden = ask(program(), "/parties", {"wishes": [wish | {"details": typed}]}, 409)
    assert hidden["code"] == "already_booked"


@pytest.fixture
def shelf(parts, clinic):
    with parts.doors.transaction() as db:
        lot = db.scalars(select(Lot).filter_by(number=clinic.lot)).one()
        return {"site_id": str(clinic.site_id), "lot_id": str(lot.id)}


def test_stock_comes_goes_and_is_counted_by_two(program, shelf):
    nurse, lead = program("nurse"), program("lead")
    moved = {"shelf": shelf, "kind": "received", "quantity": 20}
    ask(nurse, "/clinic/stock/moves", moved, 204)
    [line] = nurse.get("/clinic/stock").json["items"]
    assert line["stock"]["remaining"] == 20
    path = f"/clinic/closing/lots/{shelf['lot_id']}/count"
    assert ask(nurse, path, {"found": 19})["state"] == "open"
    assert lead.get("/clinic/stock").json["items"][0]["stock"]["remaining"] is None
    assert ask(lead, path, {"found": 19})["state"] == "confirmed"
    assert nurse.get("/clinic/closing").json["lots"][0]["remaining"] == 19


def test_an_entry_is_set_right_once_by_another_and_what_is_left_is_told(program, shelf):
    nurse, lead = program("nurse"), program("lead")
    moved = {"shelf": shelf, "kind": "received", "quantity": 20}
    ask(nurse, "/clinic/stock/moves", moved, 204)
    gone = {"shelf": shelf, "kind": "wasted", "quantity": 20, "reason": "broken"}
    ask(nurse, "/clinic/stock/moves", gone, 204)
    assert nurse.get("/clinic/stock").json["items"] == []
    assert len(nurse.get("/clinic/stock?empty=true").json["items"]) == 1
    path = f"/clinic/stock/lots/{shelf['lot_id']}"
    page = nurse.get(f"{path}?limit=1").json
    wasted = page["items"][0]
    came = nurse.get(f"{path}?limit=1&cursor={page['next']}").json["items"][0]
    assert (wasted["ordinal"], came["ordinal"]) == (2, 1)
    entry = f"/clinic/stock/entries/{came['id']}"
    told = {"quantity": 10, "reason": "wrong_number"}
    ask(nurse, entry, told, 403)
    refused = ask(lead, entry, told, 422)
    assert (refused["fields"], refused["left"]) == ({"quantity": "gone_already"}, 0)
    ask(lead, f"/clinic/stock/entries/{wasted['id']}", {"reason": "not_so"}, 204)
    ask(lead, entry, told, 204)
    assert ask(lead, entry, told, 409)["code"] == "wrong_state"
    back = nurse.get(path).json["items"][0]
    assert (back["kind"], back["reason"], back["takes_back"]) == (
        "received_back", "wrong_number", 1,
    )  # fmt: skip
    assert ask(lead, f"/clinic/stock/entries/{back['id']}", told, 422)["fields"] == {
        "move": "not_by_hand"
    }
    assert nurse.get(f"/clinic/stock/lots/{came['id']}").status_code == 404


def test_a_lot_is_ordered_as_it_was_seen_and_by_a_fresh_token(parts, program, clock):
    with parts.doors.transaction() as db:
        lot = make.make_lot(db)
        make.make_validity(db, lot=lot, state="quarantined", reason="received")
    admin = program("admin")
    seen = admin.get(f"/lots/{lot.id}").headers["ETag"]
    order = {"state": "released", "since": None, "reason": "released"}
    ask(admin, f"/lots/{lot.id}/orders", order, 428)
    ask(admin, f"/lots/{lot.id}/orders", order, 204, If_Match=seen)
    ask(admin, f"/lots/{lot.id}/orders", order | {"state": "recalled"}, 412, If_Match=seen)
    ask(admin, f"/lots/{lot.id}/used-up", None, 412, If_Match=seen)
    ask(admin, f"/lots/{lot.id}/used-up", None, 204, If_Match="*")
    assert admin.get(f"/lots/{lot.id}").json["state"] == "exhausted"
    clock.pass_by(minutes=6)
    late = ask(admin, f"/lots/{lot.id}/orders", order, 403, If_Match="*")
    assert late["code"] == "prove_again"
