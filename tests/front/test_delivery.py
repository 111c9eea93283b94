"""Headers and delivery: what every answer carries, and how it travels."""

from __future__ import annotations

import gzip
import re

import pytest


def asset(client, name):
    return re.search(rf'"(/static/{name}\.[0-9a-f]{{10}}\.\w+)"', client.get("/styleguide").text)[1]


@pytest.mark.parametrize("path", ["/styleguide", "/missing"])
def test_every_answer_is_guarded_and_kept_by_nobody(client, path):
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_a_header_that_a_page_sets_itself_stands_alone(client):
    headers = client.get("/own").headers
    assert headers.getlist("Referrer-Policy") == ["no-referrer"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_only_a_service_on_https_demands_it_for_ever(client, make_app):
    secure = make_app(base_url="https://example.org").test_client()
    assert "Strict-Transport-Security" not in client.get("/styleguide").headers
    assert "max-age=63072000" in secure.get("/styleguide").headers["Strict-Transport-Security"]
    sheet = secure.get(asset(secure, "front"), buffered=True)
    assert "Strict-Transport-Security" in sheet.headers


def test_a_built_file_is_kept_for_ever_and_guarded_like_a_page(client):
    answer = client.get(asset(client, "front"), buffered=True)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_built_file_travels_compressed(client, coding):
    answer = client.get(asset(client, "front"), headers={"Accept-Encoding": coding}, buffered=True)
    assert answer.headers["Content-Encoding"] == coding
    assert len(answer.data) < 13_000


def test_a_page_travels_compressed_to_a_browser_that_can_read_it(client):
    answer = client.get("/long", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == b"word " * 1000
    assert "Accept-Encoding" in answer.vary


@pytest.mark.parametrize("wish", ["", "identity", "gzip;q=0"])
def test_a_page_travels_plain_to_one_that_cannot(client, wish):
    answer = client.get("/long", headers={"Accept-Encoding": wish})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.vary


def test_a_short_answer_is_not_worth_compressing(client):
    answer = client.get("/short", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_a_first_page_with_its_sheet_and_script_fits_a_weak_phone(client):
    wire = {"Accept-Encoding": "gzip"}
    text = client.get("/styleguide").text
    parts = ["/styleguide", *re.findall(r'"(/static/front\.[\w.]+)"', text)]
    assert len(parts) == 3
    assert sum(len(client.get(part, headers=wire, buffered=True).data) for part in parts) < 25_000
