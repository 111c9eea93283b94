"""What a stranger on the network can make the real server do: nothing that its pages do not say.

The server is started as an operator starts it, on a port of its own, with an https address.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.db import Doors, make_engine
from healthcert.services import knowledge
from healthcert.web.errors import inside
from healthcert.web.security import HEADERS
from tests.certificates import NOW
from tools.running import ROOT, free_port

HOST = "vaccination.example"
BROKEN = "/book/slots?programme=01890000-0000-7000-8000-000000000000&dose=1&town=x"
pytestmark = pytest.mark.xdist_group("running_server")


@pytest.fixture(scope="module")
def server(tmp_path_factory, sqlite_template, keys_dir):
    """A server of its own, and how to knock at it."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    shutil.copytree(keys_dir, folder / "keys")
    development, training = (folder / "keys" / env for env in ("development", "training"))
    shutil.copytree(development, training, dirs_exist_ok=True)
    database = shutil.copy(sqlite_template, folder / "test.db")
    doors = Doors(make_engine(f"sqlite:///{database}"))
    with doors.transaction() as db:
        knowledge.load(db, now=NOW)
    environment = os.environ | {
        "HEALTHCERT_ENV": "training", "HEALTHCERT_BASE_URL": f"https://{HOST}",
        "HEALTHCERT_PORT": str(port), "HEALTHCERT_KEYS_DIR": str(folder / "keys"),
        "HEALTHCERT_DATA_DIR": str(folder), "HEALTHCERT_DATABASE_URL": f"sqlite:///{database}",
    }  # fmt: skip
    log = folder / "log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "healthcert", "serve", "--workers", "1"],
            cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    made = SimpleNamespace(port=port, doors=doors, log=log)
    try:
        deadline = time.monotonic() + 60
        while not alive(made):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield made
    finally:
        running.terminate()
        running.wait(timeout=20)
        doors.engine.dispose()


def alive(server):
    try:
        return knock(server, "/livez").status == 200
    except OSError:
        return False


def knock(server, path, method="GET", body=None, *, host=HOST, **headers):
    """Return an answer: status, headers, text, and the cookies it sets."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as line:
        chunked = "Transfer-Encoding" in sent
        line.request(method, path, body, {"Host": host, **sent}, encode_chunked=chunked)
        answer = line.getresponse()
        text = answer.read().decode("utf-8", "replace")
    cookies = answer.headers.get_all("Set-Cookie") or []
    return SimpleNamespace(status=answer.status, headers=answer.headers, text=text, cookies=cookies)


@pytest.fixture
def broken(server):
    """Make the names of programmes unreadable for a while: a fault of our own, in any list."""
    with server.doors.engine.begin() as db:
        (names,) = db.exec_driver_sql("SELECT names FROM programme").scalars()
        db.exec_driver_sql("UPDATE programme SET names = 'canary{'")
    yield
    with server.doors.engine.begin() as db:
        db.exec_driver_sql("UPDATE programme SET names = ?", (names,))


def strict(answer):
    """Check what every answer carries."""
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, name
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    for name in ("Server", "X-Powered-By"):
        assert not re.search(r"\d", answer.headers.get(name, "")), "a version"


FRONT = next((ROOT / "healthcert" / "static").glob("front.*.css"), None)
ANSWERS = [
    ("/", "GET", 200), ("/verify", "GET", 200), ("/livez", "GET", 200), ("/sign-in", "GET", 200),
    ("/nowhere", "GET", 404), ("/static/nowhere.css", "GET", 404),
    ("/static/../wsgi.py", "GET", 404),
    ("/static/%2e%2e/%2e%2e/wsgi.py", "GET", 404), ("/", "PUT", 405), ("/", "TRACE", 405),
    ("/", "BREW", 405), ("/api/v1/verify", "GET", 405),
    ("/api/v1/nothing", "GET", 404), ("/my/", "GET", 303), ("/clinic", "GET", 308),
    ("/clinic/", "GET", 303), ("/dev/sign-in", "GET", 404), ("/", "OPTIONS", 200),
    ("/", "HEAD", 200), ("/my/code", "POST", 400), ("/sign-out", "POST", 400),
    (f"/static/{FRONT.name}" if FRONT else "/", "GET", 200),
]  # fmt: skip


@pytest.mark.parametrize(("path", "method", "status"), ANSWERS)
def test_every_answer_carries_the_policy(server, path, method, status):
    answer = knock(server, path, method)
    assert answer.status == status
    strict(answer)
    if method in {"HEAD", "OPTIONS", "TRACE"}:
        assert answer.text == "" or method == "TRACE"
        assert "GET" in answer.headers.get("Allow", "GET")


def test_the_policy_lets_nothing_in_from_elsewhere():
    told = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert told["default-src"] == told["base-uri"] == told["frame-ancestors"] == "'none'"
    assert {source for sources in told.values() for source in sources.split()} == {
        "'none'", "'self'", "data:",
    }  # fmt: skip
    assert told["img-src"] == "'self' data:"


@pytest.mark.parametrize("path", ["/book/", "/"])
@pytest.mark.usefixtures("broken")
def test_a_fault_of_ours_shows_nothing_of_our_inside(server, path):
    answer = knock(server, path)
    if path == "/book/":
        assert answer.status == 500
    strict(answer)
    for inside_word in ("Traceback", "File ", ".py", "JSONDecodeError", "sqlalchemy", "canary{"):
        assert inside_word not in answer.text
    assert str(ROOT) not in answer.text


@pytest.mark.parametrize("path", ["/verify", "/api/v1/verify", "/my/sign-in"])
def test_too_much_is_refused_kindly_whatever_its_length_is_said_to_be(server, path):
    kind = "application/json" if "api" in path else "application/x-www-form-urlencoded"
    body = b"barcode=" + b"x" * 12_000_000
    chunks = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    for sent, said in ((body, {}), (chunks, {"Transfer_Encoding": "chunked"})):
        try:
            answer = knock(server, path, "POST", sent, Content_Type=kind, **said)
        except (BrokenPipeError, ConnectionResetError):
            continue  # closed while we were still sending
        assert answer.status == (411 if said else 413)
        strict(answer)
        assert said or "too large" in answer.text


def test_the_cookie_is_bound_to_this_host_and_kept_from_scripts(server):
    (cookie,) = knock(server, "/my/sign-in").cookies
    parts = set(cookie.split("; "))
    assert cookie.startswith("__Host-healthcert=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


def test_a_form_without_its_token_changes_nothing(server):
    page = knock(server, "/my/sign-in")
    cookie = page.cookies[0].partition(";")[0]
    token = re.search(r'csrf_token" value="([^"]+)', page.text)[1]
    form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    typed = "reference=HC-7K4M-2QXD&birth_date=27&birth_date=3&birth_date=1985"
    for sent, headers in ((typed, form), (f"{typed}&csrf_token={token}", form | {"Cookie": ""})):
        assert "expired" in knock(server, "/my/sign-in", "POST", sent, **headers).text
    whole = knock(server, "/my/sign-in", "POST", f"{typed}&csrf_token={token}", **form)
    assert "expired" not in whole.text


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"{HOST}.evil.example", "[", "", "evil.example:443", f"{HOST}@evil.example"],
)
def test_another_name_than_ours_is_not_believed(server, host):
    for path in ("/", "/clinic", "/my/", "/nowhere"):
        answer = knock(server, path, host=host)
        assert answer.status == 400
        strict(answer)
        assert "evil" not in answer.text + answer.headers.get("Location", "")
    assert knock(server, "/livez", host="10.0.0.7:8000").status == 200


@pytest.mark.parametrize("name", ["X_Forwarded_Host", "Forwarded", "X_Original_URL", "X_Host"])
def test_what_a_stranger_says_of_proxies_is_not_believed(server, name):
    answer = knock(server, "/clinic", **{name: "evil.example"})
    assert answer.status == 308
    assert "evil" not in answer.headers["Location"]


WISHES = (
    "//evil.example", "/\\evil.example", "https:evil.example", "/%09/evil.example",
    "\\\\evil.example", "javascript:alert(1)", "/x%0d%0aSet-Cookie:a=b", "///evil.example",
)  # fmt: skip


@pytest.mark.parametrize("wish", WISHES)
def test_a_wish_to_go_elsewhere_is_forgotten(server, wish):
    for door in ("/sign-in", "/my/sign-in"):
        answer = knock(server, f"{door}?next={wish}")
        forms = re.findall(r'(?:action|value|href)="([^"]*evil[^"]*)"', answer.text)
        assert all(urlsplit(found).path in {door, ""} and "?" in found for found in forms)
        assert not any("a=b" in cookie for cookie in answer.cookies)


def leads_to(address):
    """Say where a browser goes from a page of ours (WHATWG URL: what it strips and turns)."""
    seen = re.sub(r"[\t\r\n]", "", address.strip("".join(map(chr, range(33))))).replace("\\", "/")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", seen):
        return "elsewhere"
    return "elsewhere" if seen.startswith("//") else "here"


@given(st.text(st.sampled_from("/\\:@?#.%09aehtps\t\n\r \x00\u2028\uff0f"), max_size=12))
@settings(max_examples=500, deadline=None)
def test_no_address_that_is_followed_leads_out(address):
    assert inside(address) is None or leads_to(address) == "here"


def test_two_requests_are_never_taken_for_one(server):
    smuggled = (
        f"POST /verify HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 6\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=5)) as line:
        line.sendall(smuggled.encode())
        line.shutdown(socket.SHUT_WR)
        got = b""
        while part := line.recv(65536):
            got += part
    assert got.count(b"HTTP/1.1 ") <= 1 or b" 400 " in got


def test_the_log_names_no_stranger(server):
    knock(server, "/my/sign-in?next=/canary-in-an-address")
    assert "canary-in-an-address" not in server.log.read_text()
