"""The frame of the interface: who comes in, what is taken, what is answered."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from healthcert import models
from healthcert.data import limits
from healthcert.models import ApiAnswer, Appointment, AuditEvent, Slot, Staff
from healthcert.policy.roles import Role, has
from healthcert.web.acts import ACTS
from healthcert.web.api.deeds import DEEDS
from healthcert.web.api.document import document
from tests.certificates import NOW
from tests.factories import COVID
from tests.threads import at_once
from tests.web.conftest import Browser
from tests.web.test_guards import path_of, routes

PROBLEM = "application/problem+json"


def state_of(parts, appointment_id):
    with parts.doors.reading() as db:
        return db.get_one(Appointment, appointment_id).state


def cancelled(parts):
    """Return how often an appointment was cancelled."""
    with parts.doors.reading() as db:
        return db.scalar(select(func.count()).where(AuditEvent.act == "appointment_cancelled"))


def tag(who, path):
    return who.get(path).headers["ETag"]


@pytest.mark.walk
def test_every_deed_answers_every_role_as_declared(app, program, citizen):
    whom = {None: program(), Role.CITIZEN: citizen()}
    whom |= {role: program(role) for role in Role if role is not Role.CITIZEN}
    walked = 0
    for rule, method in routes(app, programs=True):
        if rule.endpoint in {"v1.sign_out", "v1.erase"}:  # they leave nobody to ask as
            continue
        for role, who in whom.items():
            answer = who.ask(method, path_of(rule).removeprefix("/api/v1"))
            told = (rule.rule, role, answer.status_code)
            if has(role, ACTS[rule.endpoint]):
                assert answer.status_code not in {401, 403}, told
            else:
                assert answer.status_code == (401 if role is None else 403), told
                assert answer.mimetype == PROBLEM
            walked += 1
    assert walked == (len(DEEDS) - 2) * 8


def test_a_session_of_a_browser_opens_nothing_here(staff, holder):
    for browser in (staff("nurse"), holder()):
        for path in ("/api/v1/clinic/day", "/api/v1/appointments"):
            answer = browser.client.get(path)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("told", ["Bearer x", "Basic x", "Bearer", "hc_x", ""])
def test_a_token_that_is_none_is_refused_everywhere(app, told):
    answer = app.test_client().get("/api/v1/sites", headers={"Authorization": told})
    assert answer.status_code == 401


def test_a_token_ends_by_itself_by_its_owner_and_with_their_work(parts, program, clock, clinic):
    who = program("nurse")
    assert who.get("/clinic/day").status_code == 200
    with parts.doors.transaction() as db:
        db.execute(update(Staff).where(Staff.id == clinic.staff["nurse"]).values(active=False))
    assert who.get("/clinic/day").status_code == 401
    other = program("clerk")
    assert other.post("/sign-out").status_code == 204
    assert other.get("/clinic/day").status_code == 401
    third = program("lead")
    clock.pass_by(days=1)
    assert third.get("/clinic/day").status_code == 401


def test_a_token_may_do_what_it_is_for_and_no_more(program, citizen):
    whose = citizen()
    reader = program("nurse", reads_only=True)
    path = f"/clinic/appointments/{whose.appointment}"
    assert reader.get(path).status_code == 200
    assert reader.post(f"{path}/arrived").status_code == 403
    arrivals = program("clerk", acts=["register_arrival"])
    assert arrivals.get("/clinic/day").status_code == 403
    assert arrivals.post(f"{path}/arrived").status_code == 204


def test_the_same_key_and_request_get_the_first_answer(clinic, citizen):
    who = citizen()
    path, body = f"/appointments/{who.appointment}", {"slot_id": str(clinic.slots[2])}
    asked = {"If_Match": tag(who, path), "Idempotency_Key": "k"}
    first = who.post(f"{path}/move", body, **asked)
    again = who.post(f"{path}/move", body, **asked)
    assert (first.status_code, first.json) == (again.status_code, again.json)
    assert first.json["id"] != str(who.appointment)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(who.get("/appointments").json["items"]) == 2
    other = who.post(f"{path}/move", body, If_Match="*", Idempotency_Key="k")
    assert (other.status_code, other.json["fields"]) == (422, {"Idempotency-Key": "used_otherwise"})


def test_a_key_is_its_askers_alone(parts, program, citizen):
    whose = [citizen(slot=0), citizen(slot=1)]
    clerks = [program("clerk"), program("nurse")]
    for who, one in zip(clerks, whose, strict=True):
        path = f"/clinic/appointments/{one.appointment}/arrived"
        assert who.post(path, Idempotency_Key="1").status_code == 204
        assert state_of(parts, one.appointment) == "arrived"


def test_many_requests_with_one_key_do_one_deed(app, parts, citizen):
    who = citizen()
    path = f"/appointments/{who.appointment}"
    asked = {"If_Match": tag(who, path), "Idempotency_Key": "k"}

    def knock(_turn):
        return type(who)(app, who.token).post(f"{path}/cancel", **asked).status_code

    told = at_once(8, knock)
    assert set(told) <= {204, 409}
    assert 204 in told
    assert cancelled(parts) == 1


def test_a_crash_between_deed_and_answer_leaves_neither(parts, citizen, monkeypatch):
    who = citizen()
    path = f"/appointments/{who.appointment}"
    asked = {"If_Match": tag(who, path), "Idempotency_Key": "k"}

    def crash(*_given, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("healthcert.services.api_answers.keep", crash)
        with pytest.raises(KeyboardInterrupt):
            who.post(f"{path}/cancel", **asked)
    assert (state_of(parts, who.appointment), cancelled(parts)) == ("booked", 0)
    assert who.post(f"{path}/cancel", **asked).status_code == 204
    assert cancelled(parts) == 1


def test_a_crash_while_a_fact_is_signed_does_not_write_it_down_twice(
    parts, program, citizen, monkeypatch
):
    who, nurse = citizen(), program("nurse")
    path = f"/clinic/people/{who.person}/test-results"
    told = {"disease": COVID, "test_type": "LP6464-4", "result": "260415000"}
    asked = {"told": told | {"sampled_at": NOW.isoformat()}}

    def crash(*_given, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("healthcert.web.api.clinic.sign", crash)
        with pytest.raises(KeyboardInterrupt):
            nurse.post(path, asked, Idempotency_Key="k")
    again = nurse.post(path, asked, Idempotency_Key="k")
    assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (201, "true")
    with parts.doors.reading() as db:
        [one] = db.scalars(select(models.TestResult))
    assert again.json["id"] == str(one.id)


def test_an_answer_that_is_lost_is_told_again(parts, citizen, monkeypatch):
    who = citizen()
    path = f"/appointments/{who.appointment}"
    asked = {"If_Match": tag(who, path), "Idempotency_Key": "k"}

    def crash(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("healthcert.web.api.frame._response", crash)
        with pytest.raises(KeyboardInterrupt):
            who.post(f"{path}/cancel", **asked)
    assert state_of(parts, who.appointment) == "cancelled"
    assert who.post(f"{path}/cancel", **asked).status_code == 204
    assert cancelled(parts) == 1


def test_what_was_refused_is_judged_anew(parts, citizen):
    who = citizen()
    path = f"/appointments/{who.appointment}"
    first = who.post(f"{path}/cancel", If_Match='"old"', Idempotency_Key="k")
    assert (first.status_code, first.json["code"]) == (412, "changed")
    assert who.post(f"{path}/cancel", Idempotency_Key="k").status_code == 428
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(ApiAnswer)) == 0


@pytest.mark.parametrize("tags", ['W/"old"', 'W/"{}"', '"old", W/"{}"'])
def test_a_weak_tag_names_no_state(parts, citizen, tags):
    who = citizen()
    path = f"/appointments/{who.appointment}"
    told = tags.format(tag(who, path).strip('"'))
    assert who.post(f"{path}/cancel", If_Match=told).status_code == 412
    assert state_of(parts, who.appointment) == "booked"


def test_of_two_who_saw_the_same_only_one_changes_it(app, parts, clinic, citizen):
    who = citizen()
    path = f"/appointments/{who.appointment}"
    seen = tag(who, path)

    def move(turn):
        body = {"slot_id": str(clinic.slots[1 + turn % 2])}
        return type(who)(app, who.token).post(f"{path}/move", body, If_Match=seen).status_code

    told = at_once(4, move)
    assert sorted(told) == [200, 412, 412, 412]
    with parts.doors.reading() as db:
        taken = [db.get_one(Slot, slot).booked for slot in clinic.slots]
    assert sum(taken) == 1


def test_what_has_not_changed_is_not_sent_again(citizen):
    who = citizen()
    path = f"/appointments/{who.appointment}"
    answer = who.get(path, If_None_Match=tag(who, path))
    assert (answer.status_code, answer.data) == (304, b"")


def test_pages_lose_and_repeat_nothing_while_rows_are_added(citizen, program):
    booked = [citizen(slot=slot).appointment for slot in (0, 2)]
    clerk = program("clerk")
    first = clerk.get("/clinic/day?limit=1")
    booked.append(citizen(slot=1).appointment)  # comes to lie between the two pages
    citizen(slot=0)  # and one before them
    seen = [each["appointment_id"] for each in first.json["items"]]
    link = first.headers["Link"]
    while link:
        path = link[1 : link.index(">")].removeprefix("/api/v1")
        answer = clerk.get(path)
        seen += [each["appointment_id"] for each in answer.json["items"]]
        link = answer.headers.get("Link")
    assert len(seen) == len(set(seen))
    assert set(map(str, booked)) <= set(seen)


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WzFd", "%20", "é"])
def test_a_cursor_that_is_none_of_ours_is_refused(program, cursor):
    answer = program().get(f"/sites?cursor={cursor}")
    assert (answer.status_code, answer.json["fields"]) == (422, {"cursor": "not_a_cursor"})


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sites?limit=0", {"limit": "not_valid"}),
        ("/sites?limit=x", {"limit": "not_valid"}),
        ("/sites?page=2", {"page": "not_known"}),
        ("/sites?limit=1&limit=2", {"limit": "given_twice"}),
    ],
)
def test_what_cannot_be_asked_is_said_by_field(program, path, fields):
    answer = program().get(path)
    assert (answer.status_code, answer.json["fields"]) == (400, fields)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400, "bad_request"),
        ({"data": b"[]", "content_type": "application/json"}, 400, "bad_input"),
        ({"data": b"\xff", "content_type": "application/json"}, 400, "bad_request"),
        ({"data": b"{}"}, 415, "wrong_type"),
        ({"data": b"{}", "content_type": "text/plain"}, 415, "wrong_type"),
        ({"json": {"x": "y" * 200_000}}, 413, "too_large"),
        ({"json": {}, "headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
        ({"json": {}, "headers": {"Transfer-Encoding": "chunked"}}, 411, "needs_length"),
    ],
)
def test_what_is_no_request_of_ours_is_refused_with_its_reason(app, sent, status, code):
    answer = app.test_client().post("/api/v1/slots/search", **sent)
    assert (answer.status_code, answer.json["code"], answer.mimetype) == (status, code, PROBLEM)
    told = document()["paths"]["/api/v1/slots/search"]["post"]["responses"]
    assert f"`{code}`" in told[str(status)]["description"]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (b'"latitude": 1, "longitude": 1, "latitude": 2', "latitude"),
        (b'"latitude": 1, "longitude": 1, "\\u006catitude": 1', "latitude"),
        (
            b'"latitude": 1, "longitude": 1, "needs": {"step_free": true, "step_free": false}',
            "step_free",
        ),
    ],
)
def test_a_member_that_is_given_twice_is_refused_by_its_name(app, clinic, sent, name):
    body = b'{"programme_id": "%s", ' % str(clinic.programme_id).encode() + sent + b"}"
    answer = app.test_client().post(
        "/api/v1/slots/search", data=body, content_type="application/json"
    )
    told = (answer.status_code, answer.json.get("code"), answer.json.get("fields"))
    assert told == (400, "bad_input", {name: "given_twice"})


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_calendar_reaches_cannot_be_used(clinic, citizen, program, at):
    path = f"/clinic/appointments/{citizen().appointment}/dose"
    body = {"lot": clinic.lot, "body_site": "LA", "given_at": at}
    body = {"product_id": str(clinic.product_id), "told": body}
    answer = program("nurse").post(path, body)
    assert (answer.status_code, answer.json["code"]) == (422, "unusable")


def test_a_method_that_is_not_offered_names_those_that_are(app):
    answer = app.test_client().delete("/api/v1/sites")
    assert (answer.status_code, answer.mimetype) == (405, PROBLEM)
    assert "GET" in answer.headers["Allow"]


def test_a_change_without_a_key_is_refused(citizen):
    who = citizen()
    answer = who.post(f"/appointments/{who.appointment}/cancel", Idempotency_Key="")
    assert (answer.status_code, answer.json["fields"]) == (400, {"Idempotency-Key": "missing"})


def test_a_citizens_program_comes_in_by_the_code_that_is_sent(citizen, program, newest_message):
    number, who = citizen().reference, program()
    known = {"reference": number, "birth_date": "1985-03-27"}
    assert who.post("/sign-in/code", known).status_code == 202
    code = next(word for word in newest_message("code").split() if word.strip(".").isdigit())
    wrong = who.post("/sign-in", known | {"code": "000000"})
    assert (wrong.status_code, wrong.json["code"]) == (403, "bad_code")
    answer = who.post("/sign-in", known | {"code": code.strip(".")})
    who.token = answer.json["token"]
    assert [each["reference"] for each in who.get("/appointments").json["items"]]


def test_one_acts_for_whom_one_may_and_for_nobody_else(citizen):
    one, other = citizen(slot=0), citizen(slot=1)
    path = f"/appointments/{other.appointment}"
    assert one.get(path).status_code == 404
    assert one.get(path, Acting_For=str(other.person)).status_code == 404
    assert one.get("/appointments", Acting_For="x").status_code == 400


def test_a_limit_is_kept_for_each_token(program, monkeypatch):
    narrow = limits.limits()["api"]["identity"]
    monkeypatch.setitem(limits.limits()["api"], "identity", type(narrow)(2, 60, narrow.why))
    one, other = program("nurse"), program("clerk")
    told = [one.get("/clinic/day").status_code for _ in range(3)]
    assert told == [200, 200, 429]
    assert other.get("/clinic/day").status_code == 200


def test_a_browser_keeps_its_forms_protected(app):
    answer = Browser(app).client.post("/my/sign-in", headers={"Authorization": "Bearer x"})
    assert "This page has expired" in answer.text
