"""A good question about a certificate is answered before Flask, as Flask would answer it."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest

from healthcert.verifier import create_verifier_app
from healthcert.web.acts import ACTS, STATELESS
from tests.certificates import NOW, make_text
from tests.web.conftest import WholeAnswers

API, PLAIN, SLOW = "/api/v1/verify", "application/json", "Application/JSON"
AHEAD = {"at": "2031-01-01T00:00:00", "country": "DE"}
GOOD = {
    "whole": {},
    "minimal": {"detail": "minimal"},
    "ahead": AHEAD,
    "nothing else": {"at": None, "country": None, "unknown": 5},
    "unknown country": {"country": "ZZ"},
    "expired": {"barcode": "expired"},
    "no certificate": {"barcode": "HC1:"},
    "surrogate": {"barcode": "\ud800"},
}
WRONG = {
    "empty": b"", "broken": b"{", "bytes": b"\xff", "deep": b"[" * 90_000, "list": b"[]",
    "none": b"{}", "number": b'{"barcode": NaN}', "no text": b'{"barcode": 5}',
    "no country": b'{"barcode": "x", "country": "Germany"}', "long": b"x" * 100_001,
    "no time": b'{"barcode": "x", "at": "noon"}', "no choice": b'{"barcode": "x", "detail": []}',
}  # fmt: skip
READERS = [{}, {"Accept-Language": "fr", "Accept-Encoding": "br, gzip"}, {"Accept-Language": "ar"}]


@pytest.fixture
def texts(signers):
    ended = make_text(signers["v"], expires=NOW - timedelta(minutes=1))
    return {"good": make_text(signers["v"]), "expired": ended}


@pytest.fixture
def door(published, clock):
    return create_verifier_app(published, clock=clock, floor=clock)


@pytest.fixture
def ask(door):
    """Return what asks, and tells how it was answered and whether Flask was asked."""
    reached = []
    door.before_request_funcs[None].insert(0, lambda: reached.append(1))

    def asked(body, kind=PLAIN, method="POST", **headers):
        reached.clear()
        client = WholeAnswers(door, door.response_class)
        answer = client.open(API, method=method, data=body, content_type=kind, headers=headers)
        told = dict(answer.headers)
        number = told.pop("X-Request-Id").encode()
        return (answer.status, told, answer.data.replace(number, b"")), bool(reached)

    return asked


@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize("question", GOOD)
def test_both_roads_answer_a_good_question_alike(ask, texts, question, reader):
    wanted = {"barcode": "good"} | GOOD[question]
    wanted["barcode"] = texts.get(wanted["barcode"], wanted["barcode"])
    for text in (json.dumps(wanted), f" {json.dumps(wanted, indent=1)}\n"):
        for body in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
            quick, asked_flask = ask(body, **reader)
            slow, asked_too = ask(body, SLOW, **reader)
            assert quick == slow
            assert quick[0] == "200 OK"
            assert [asked_flask, asked_too] == [False, True]


@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize("question", WRONG)
def test_a_wrong_question_is_refused_by_flask_alone(ask, question, reader):
    quick, asked_flask = ask(WRONG[question], **reader)
    assert quick == ask(WRONG[question], SLOW, **reader)[0]
    assert quick[0].startswith("4")
    assert asked_flask


@pytest.mark.parametrize("kind", [PLAIN, f"{PLAIN};charset=utf-8", f"{PLAIN}; charset=utf-8"])
def test_the_type_may_name_an_encoding(ask, texts, kind):
    answer, asked_flask = ask(json.dumps({"barcode": texts["good"]}), kind)
    assert json.loads(answer[2])["verdict"] == "valid"
    assert not asked_flask


def test_a_reader_that_takes_gzip_gets_it(ask, texts):
    body = json.dumps({"barcode": texts["good"]})
    (_status, headers, plain), _ = ask(body)
    assert "Content-Encoding" not in headers
    (_status, headers, small), _ = ask(body, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(small) == plain


@pytest.mark.parametrize(
    ("headers", "method", "kind", "status"),
    [
        ({"Host": "evil.example"}, "POST", PLAIN, 400),
        ({"Transfer-Encoding": "chunked"}, "POST", PLAIN, 411),
        ({}, "POST", "text/plain", 415),
        ({}, "POST", "application/jsonl", 415),
        ({}, "PUT", PLAIN, 405),
        ({}, "GET", PLAIN, 405),
        ({}, "HEAD", PLAIN, 405),
        ({}, "OPTIONS", PLAIN, 200),
    ],
)
def test_what_is_unusual_is_asked_of_flask(ask, texts, headers, method, kind, status):
    answer, asked_flask = ask(json.dumps({"barcode": texts["good"]}), kind, method, **headers)
    assert answer[0].startswith(str(status))
    assert asked_flask
    assert answer[1]["Cache-Control"] == "no-store"
    assert (status in {200, 405}) == ("Allow" in answer[1])


def test_a_fault_is_told_as_any_other(ask, door, texts, caplog):
    door.extensions["verifier"] = None
    answer, _ = ask(json.dumps({"barcode": texts["good"]}))
    assert answer[0].startswith("500")
    assert json.loads(answer[2])["code"] == "fault"
    assert [record.message for record in caplog.records].count("fault") == 1


def test_a_name_that_a_trusted_proxy_tells_counts(published, clock, texts):
    body = {"barcode": texts["good"]}
    for proxies, status in ((0, 200), (1, 400)):
        app = create_verifier_app(published.at(trusted_proxies=proxies), clock=clock, floor=clock)
        told = {"X-Forwarded-Host": "evil.example"}
        assert app.test_client().post(API, json=body, headers=told).status_code == status


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_answers_of_both_roads_are_counted_and_leave_their_places(app, texts):
    body = json.dumps({"barcode": texts["good"]})
    for kind in [PLAIN] * 6 + [SLOW] * 6:  # more than may be at once
        assert app.test_client().post(API, data=body, content_type=kind).status_code == 200
    assert app.extensions["answers"][API, "2xx"] == 12


def test_nobody_is_asked_who_they_are_on_either_road():
    assert ACTS["api.verify"] in STATELESS
