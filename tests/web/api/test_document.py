"""What a stranger reads of the interface: every deed, every word that is taken, every refusal."""

from __future__ import annotations

import re

from healthcert.web.api.document import document

ON = "sqlite"  # no database is asked


def told_of(method, path):
    return document()["paths"][f"/api/v1{path}"][method]


def taken(name, field):
    return document()["components"]["schemas"][name]["properties"][field]


def test_the_words_that_are_taken_are_named():
    assert taken("DetailsSent", "sex")["enum"] == ["male", "female", "other", "unknown"]
    assert "passport" in taken("IdentityDetailsSent", "kind")["enum"]
    assert "RA" in taken("ToldSent", "body_site")["enum"]
    assert "fever_38" in taken("ReactionSent", "term")["enum"]
    assert "wasted" in taken("MoveStock", "kind")["enum"]
    assert taken("AddFridge", "kind")["enum"] == ["fridge", "freezer"]
    assert "closed" in taken("Assess", "state")["enum"]
    assert 20 in taken("Join", "within_km")["anyOf"][0]["enum"]
    assert taken("ForThem", "source")["enum"] == ["phone", "walk_in"]


def test_what_a_service_says_of_a_deed_is_told_whole():
    assert (
        "`dose_number` is that of the dose given" in told_of("post", "/slots/second")["description"]
    )
    assert not re.search(r"Raises|Args:|`services\.", str(document()))


def test_every_deed_says_what_it_does_in_words_of_its_own():
    summaries = [one["summary"] for ways in document()["paths"].values() for one in ways.values()]
    twice = {told for told in summaries if summaries.count(told) > 1}
    assert twice == set(), "two addresses that say the same"


def test_shapes_and_members_have_names_of_their_own():
    shapes = document()["components"]["schemas"]
    assert [name for name in shapes if not re.fullmatch(r"(Page_)?[A-Za-z]+_?", name)] == []
    sent = {one["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            for ways in document()["paths"].values() for one in ways.values()
            if "application/json" in one.get("requestBody", {}).get("content", {})}  # fmt: skip
    members = {(name, each) for name in sent for each in shapes[name]["properties"]}
    neighbours = {"stage": "vvm_stage", "born": "birth_date", "to": "to_site_id",
                  "into": "into_fridge_id"}  # fmt: skip
    assert [one for one in members if one[1] in neighbours] == []
    assert {("ReadMonitor", "vvm_stage"), ("Find", "birth_date")} <= members


def test_certificates_are_checked_as_the_document_says():
    for path, kind in (("/verify", "application/json"), ("/verify/batch", "application/x-ndjson")):
        one = told_of("post", path)
        assert kind in one["requestBody"]["content"]
        assert kind in one["responses"]["200"]["content"]
        assert one["security"] == [{}]


def test_the_headers_of_an_answer_are_told():
    listed, held = told_of("get", "/sites")["responses"], told_of("post", "/parties")["responses"]
    assert set(listed["200"]["headers"]) == {"ETag", "Link"}
    assert set(held["201"]["headers"]) == {"Idempotency-Replayed"}
    assert set(held["429"]["headers"]) == {"Retry-After"}


def test_a_refusal_that_may_come_is_named():
    assert "`bad_code`" in told_of("post", "/people/join")["responses"]["403"]["description"]
    assert "`wrong_state`" in told_of("post", "/clinic/standby")["responses"]["409"]["description"]
