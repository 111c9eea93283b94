"""Anybody checks a certificate: page, picture, programs; nothing needs or leaves a record."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import timedelta
from uuid import UUID

import pytest
from flask import request
from PIL import Image

from healthcert.app import create_app
from healthcert.db import migrate
from healthcert.errors import NotReady
from healthcert.gateways.bundle_files import store
from healthcert.hcert import qr, selftest
from healthcert.hcert.revocation import Named, RevocationList
from healthcert.parts import open_parts
from healthcert.verifier import create_verifier_app
from healthcert.web import verify
from tests.certificates import make_text
from tests.factories import make_event
from tests.postgres import NoPostgres, running_server
from tests.web.conftest import WholeAnswers

API, BATCH, LINES = "/api/v1/verify", "/api/v1/verify/batch", "application/x-ndjson"


@pytest.fixture
def client(published, clock):
    """A visitor of the application that has no database."""
    app = create_verifier_app(published, clock=clock, floor=clock)
    app.test_client_class = WholeAnswers
    return app.test_client()


@pytest.fixture
def text(signers):
    return make_text(signers["v"])


def send(client, data):
    """Send a form with a picture as a browser does, all from memory."""
    head = 'Content-Disposition: form-data; name="picture"; filename="p"'
    body = f"--x\r\n{head}\r\n\r\n".encode() + data + b"\r\n--x--\r\n"
    return client.post("/verify", data=body, content_type="multipart/form-data; boundary=x")


def test_pasted_text_gets_a_verdict_with_name_and_birth_date(client, text):
    answer = client.post("/verify", data={"barcode": f"  {text}\n"})
    assert answer.status_code == 200
    for words in ("Valid", "Müller", "1990-05-17", "photo ID", "2/2", "hours old"):
        assert words in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_process_starts_with_a_codec_that_gives_a_wrong_answer(published, monkeypatch):
    monkeypatch.setattr(selftest, "_KID", bytes(8))
    for start in (open_parts, create_app, create_verifier_app):
        with pytest.raises(NotReady, match="self-test: unknown_issuer"):
            start(published)


def test_a_picture_is_read_and_judged(client, text):
    answer = send(client, qr.png(text))
    assert answer.status_code == 200
    assert "Müller" in answer.text


def test_a_picture_with_another_code_beside_finds_the_certificate():
    assert verify._certificate_among(["HTTPS://X", "HC1:A"]) == "HC1:A"  # noqa: SLF001
    assert verify._certificate_among(["HTTPS://X"]) == "HTTPS://X"  # noqa: SLF001


def picture(width, height):
    written = io.BytesIO()
    Image.new("L", (width, height), 255).save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize("form", [{}, {"barcode": " "}])
def test_nothing_to_check_is_told(client, form):
    answer = client.post("/verify", data=form)
    assert answer.status_code == 400
    assert "Text of the code: fill this in" in answer.text


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "fill this in"),
        (b"GIF89a", 400, "not a PNG, JPEG"),
        (picture(50, 50), 400, "no code was found"),
        (picture(4001, 4000), 400, "16 megapixels"),
        (b"x" * 10_000_001, 400, "16 megapixels"),
        (b"x" * 10_200_000, 413, "too large"),
    ],
    ids=["empty", "broken", "white", "wide", "heavy", "endless"],
)
def test_a_picture_that_cannot_be_checked_is_told_and_what_to_do(client, data, status, words):
    answer = send(client, data)
    assert answer.status_code == status
    assert words in answer.text


def test_an_upload_never_touches_a_disk(client, text, monkeypatch):
    def refuse(*_given, **_more):
        raise AssertionError("a file was opened")

    for opener in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{opener}", refuse)
        monkeypatch.setattr(f"werkzeug.formparser.{opener}", refuse, raising=False)
    data = qr.png(text) + b"\0" * 2_000_000  # past what is kept in memory by default
    answer = send(client, data)
    assert answer.status_code == 200


def test_nothing_of_a_certificate_is_logged(client, text, caplog):
    caplog.set_level("DEBUG")
    client.post("/verify", data={"barcode": text})
    client.post(API, json={"barcode": text})
    told = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for canary in ("Müller", "1990-05-17", text[:40]):
        assert canary not in told
    assert "/api/v1/verify" in told


def test_programs_get_the_whole_verdict(client, text):
    answer = client.post(API, json={"barcode": text})
    assert answer.status_code == 200
    assert set(answer.json) == {
        "verdict", "reasons", "holder", "certificate", "issuer", "rules", "bundle",
    }  # fmt: skip
    assert answer.json["verdict"] == "valid"
    assert answer.json["holder"]["birth_date"] == "1990-05-17"


def test_programs_may_leave_the_holder_out_and_choose_the_time(client, text):
    asked = {"barcode": text, "detail": "minimal", "at": "2031-01-01T00:00:00", "country": "DE"}
    answer = client.post(API, json=asked).json
    assert answer["holder"] is None
    assert answer["certificate"] is None
    assert answer["verdict"] == "expired"
    assert "simulated" in [reason["code"] for reason in answer["reasons"]]
    assert client.post(API, json=asked | {"at": None, "country": None}).json["verdict"] == "valid"


@pytest.mark.parametrize("barcode", ["", "HC1:", "\ud800", "\0", "HC1:" + "A" * 5000, "حساب"])
def test_any_text_at_all_gets_a_verdict(client, barcode):
    answer = client.post(
        API, data=json.dumps({"barcode": barcode}), content_type="application/json"
    )
    assert answer.status_code == 200
    assert answer.json["verdict"] == "invalid"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_request"),
        (b"{", "bad_request"),
        (b"\xff", "bad_request"),
        (b"[" * 100_000, "bad_request"),
        (b'{"barcode": NaN}', "bad_request"),
        (b"[]", "bad_input"),
        (b"{}", "bad_input"),
        (b'{"barcode": 5}', "bad_input"),
        (b'{"barcode": "x", "barcode": "y"}', "bad_input"),
        (b'{"barcode": "x", "country": "Germany"}', "bad_input"),
        (b'{"barcode": "x", "country": 5}', "bad_input"),
        (b'{"barcode": "x", "at": "noon"}', "bad_input"),
        (b'{"barcode": "x", "at": "0001-01-01T00:00:00+23:59"}', "bad_input"),
        (b'{"barcode": "x", "at": 5}', "bad_input"),
        (b'{"barcode": "x", "detail": "some"}', "bad_input"),
        (b'{"barcode": "x", "detail": []}', "bad_input"),
    ],
)
def test_a_malformed_request_is_a_problem(client, body, code):
    answer = client.post(API, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == code


def test_another_media_type_or_too_much_is_a_problem(client):
    assert client.post(API, data="x", content_type="text/plain").status_code == 415
    assert client.post(BATCH, data="x", content_type="application/json").status_code == 415
    body = json.dumps({"barcode": "x" * 200_000})
    assert client.post(API, data=body, content_type="application/json").status_code == 413


def test_a_batch_answers_line_by_line_in_order(client, text):
    lines = [json.dumps({"barcode": text}), "no JSON", "", "[]", json.dumps({"barcode": text})]
    answer = client.post(BATCH, data="\n".join(lines) + "\n", content_type=LINES)
    verdicts = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.mimetype == LINES
    assert [found["verdict"] for found in verdicts] == ["valid", *["invalid"] * 3, "valid"]
    assert verdicts[1]["reasons"][0]["code"] == "not_a_certificate"


def test_the_words_of_a_verdict_are_in_the_readers_language(client, text):
    english = client.post(API, json={"barcode": text[:-1]}).json["reasons"][0]["message"]
    french = client.post(API, json={"barcode": text[:-1]}, headers={"Accept-Language": "fr"}).json[
        "reasons"
    ][0]["message"]
    assert english != french


def test_the_bundle_is_given_as_it_was_published(client, published):
    answer = client.get("/bundle")
    assert answer.data == published.bundle.read_bytes()
    again = client.get("/bundle", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_list_is_given_by_its_hash_for_good(client, published):
    listed = RevocationList.of(["XX"], [("XX", "uvci", bytes(16))])
    store(published.bundle.parent, listed, RevocationList())
    [part] = listed.lists["XX"]
    answer = client.get(f"/bundle/{part.file.sha256.hex()}")
    assert Named.of(answer.data) == part.file
    assert "max-age=31536000" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["0" * 64, "0" * 63, "..%2Fbundle", "A" * 64])
def test_what_is_no_part_is_not_found(client, name):
    assert client.get(f"/bundle/{name}").status_code == 404


def test_without_a_bundle_nothing_is_called_valid(settings, clock, text):
    client = create_verifier_app(settings, clock=clock, floor=clock).test_client()
    assert client.post(API, json={"barcode": text}).json["verdict"] == "cannot_tell"
    assert "no list of trusted issuers" in client.post("/verify", data={"barcode": text}).text
    assert client.get("/bundle").status_code == 503
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize(("proxies", "scheme"), [(0, "http"), (1, "https")])
def test_only_trusted_proxies_are_believed(published, clock, proxies, scheme):
    app = create_verifier_app(published.at(trusted_proxies=proxies), clock=clock, floor=clock)
    seen = []
    app.before_request(lambda: seen.append(request.scheme))
    app.test_client().get("/livez", headers={"X-Forwarded-Proto": "https"})
    assert seen == [scheme]


def test_readiness_tells_what_is_missing(client, app):
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["checks"]["bundle"]["version"] == 1
    whole = app.test_client().get("/readyz")
    assert whole.status_code == 200
    assert set(whole.json["checks"]) == {"bundle", "database", "folder", "keys"}


def test_readiness_tells_when_sealing_is_late_and_closes_no_door(app, clock):
    parts = app.extensions["healthcert"]
    for minutes, late in ((0, False), (2, True)):
        made = int((clock() - timedelta(minutes=minutes)).timestamp() * 1000)
        with parts.doors.transaction() as db:
            make_event(db, id=UUID(int=made << 80))
        told = app.test_client().get("/readyz")
        assert (told.status_code, told.json["checks"]["database"]["audit_late"]) == (200, late)


def test_the_verifier_loads_no_way_to_a_record():
    told = (
        "import sys, healthcert.verifier as v;"
        "bad = [m for m in sys.modules if m.split('.')[0] == 'sqlalchemy'"
        " or m.startswith(('healthcert.models', 'healthcert.db'))];"
        "sys.exit(' '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_postgresql_may_stop_and_verification_does_not_notice(published, clock, text):
    try:
        with running_server() as server, server.database() as name:
            url = server.url(name)
            migrate(url)
            app = create_app(published.at(database_url=url), clock=clock, floor=clock)
            client = app.test_client()
            assert client.get("/readyz").status_code == 200
            assert client.get("/my/sign-in").status_code == 200
            app.extensions["healthcert"].close()
    except NoPostgres as missing:
        pytest.skip(f"PostgreSQL is not tested: {missing}")
    late = create_app(published.at(database_url=url), clock=clock, floor=clock).test_client()
    alone = create_verifier_app(published, clock=clock, floor=clock).test_client()
    for visitor in (client, late, alone):
        assert visitor.post(API, json={"barcode": text}).json["verdict"] == "valid"
        assert "Müller" in visitor.post("/verify", data={"barcode": text}).text
        assert visitor.get("/livez").status_code == 200
    for visitor in (client, late):
        assert visitor.get("/").status_code == 200
        for path in ("/book/", "/my/sign-in", "/readyz"):
            assert visitor.get(path).status_code == 503, path
    assert client.get("/readyz").json["checks"]["database"]["ready"] is False
