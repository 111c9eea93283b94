"""An identity provider over real HTTP: who comes back, and whatever must not be believed."""

from __future__ import annotations

import http.server
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import oidc_provider_mock
import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from healthcert.config import Oidc
from healthcert.errors import NotProved, NotReady, ProviderAway
from healthcert.gateways.oidc import Provider

REDIRECT = "http://localhost:8000/sign-in/back"


@pytest.fixture(scope="module")
def issuer():
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    return path


def provider(issuer, secret):
    return Provider.from_settings(Oidc(issuer, "healthcert", secret), redirect=REDIRECT)


def visit(address, sub="subject-1"):
    """Do what a person does at the provider; return the query that comes back to us."""
    answer = requests.post(address, data={"sub": sub}, allow_redirects=False, timeout=5)
    assert answer.headers["Location"].startswith(REDIRECT)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def test_who_signed_in_there_comes_back_as_their_subject(issuer, secret):
    now = datetime.fromtimestamp(time.time(), UTC)
    client = provider(issuer, secret)
    address, kept = client.start(now)
    assert "code_challenge_method=S256" in address
    assert kept["verifier"] not in address
    found = client.finish(kept, visit(address), now)
    assert (found.issuer, found.sub) == (issuer, "subject-1")
    assert "s3cret" not in repr(client)


def test_another_state_another_issuer_or_none_is_refused(issuer, secret):
    now = datetime.fromtimestamp(time.time(), UTC)
    client = provider(issuer, secret)
    address, kept = client.start(now)
    query = visit(address)
    for changed in ({"state": "x"}, {"iss": "https://evil.example"}):
        with pytest.raises(NotProved):
            client.finish(kept, query | changed, now)
    with pytest.raises(NotProved):
        client.finish(kept, {"state": kept["state"], "error": "access_denied"}, now)
    with pytest.raises(NotProved):
        client.finish(kept, query, now + timedelta(minutes=11))


def test_a_code_counts_once_and_for_the_browser_that_asked_alone(issuer, secret):
    now = datetime.fromtimestamp(time.time(), UTC)
    client = provider(issuer, secret)
    address, kept = client.start(now)
    query = visit(address)
    _other, mine = client.start(now)
    with pytest.raises(NotProved):  # a code slipped to somebody else: their nonce is another
        client.finish(mine, query | {"state": mine["state"]}, now)
    with pytest.raises(NotProved):
        client.finish(kept, query, now)


def test_a_secret_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotReady, match="nowhere"):
        provider("https://id.example", tmp_path / "nowhere")


class Liar:
    """A provider that answers whatever a test tells it."""

    def __init__(self) -> None:
        """Make its key; nothing is answered yet."""
        self.key = ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256"})
        self.answers = {}
        self.asked = []

    def start(self):
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                liar.asked.append(self.path)
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = liar.answers.get(self.path, (404, {}, b"{}"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,)).start()
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.tell("/.well-known/openid-configuration", {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
        })  # fmt: skip
        self.tell("/jwks", KeySet([self.key]).as_dict(private=False))
        return self

    def tell(self, path, value, status=200, **headers):
        self.answers[path] = status, headers, json.dumps(value).encode()

    def token(self, claims, key=None, alg="ES256"):
        text = jwt.encode({"alg": alg, "kid": "1"}, claims, key or self.key, algorithms=[alg])
        self.tell("/token", {"id_token": text})


@pytest.fixture
def liar():
    started = Liar().start()
    yield started
    started.server.shutdown()
    started.server.server_close()


NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def came_back(liar, secret, *, again=False, key=None, alg="ES256", **changes):
    client = provider(liar.issuer, secret)
    _address, kept = client.start(NOW, again=again)
    claims = {
        "iss": liar.issuer, "sub": "s", "aud": "healthcert", "nonce": kept["nonce"],
        "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 300,
    }  # fmt: skip
    told = {name: value for name, value in (claims | changes).items() if value is not None}
    liar.token(told, key, alg)
    return client.finish(kept, {"state": kept["state"], "code": "c"}, NOW)


def test_how_somebody_proved_it_there_is_told_on(liar, secret):
    found = came_back(liar, secret, acr="high")
    assert (found.sub, found.acr) == ("s", "high")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["healthcert", "another"]},
        {"nonce": "old"}, {"nonce": None}, {"exp": int(NOW.timestamp()) - 60}, {"exp": None},
        {"iat": int(NOW.timestamp()) + 600}, {"sub": None}, {"azp": "another"},
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_us_now_is_refused(liar, secret, changes):
    assert came_back(liar, secret).sub == "s"
    with pytest.raises(NotProved):
        came_back(liar, secret, **changes)


def test_a_token_under_another_key_or_algorithm_is_refused(liar, secret):
    other = ECKey.generate_key("P-256", {"kid": "1"})
    with pytest.raises(NotProved):
        came_back(liar, secret, key=other)
    with pytest.raises(NotProved):  # signed with our own secret, as if that were a key of theirs
        came_back(liar, secret, key=OctKey.import_key("s3cret" * 8), alg="HS256")


def test_who_must_prove_it_again_is_asked_again(liar, secret):
    long_ago = int((NOW - timedelta(hours=1)).timestamp())
    for told in (None, long_ago):
        with pytest.raises(NotProved):
            came_back(liar, secret, again=True, auth_time=told)
    assert came_back(liar, secret, again=True, auth_time=int(NOW.timestamp())).sub == "s"


def test_no_redirect_is_followed_and_no_endless_answer_read(liar, secret):
    place = "/.well-known/openid-configuration"
    whole = liar.answers[place]
    liar.tell(place, {}, status=302, Location=f"{liar.issuer}/elsewhere")
    client = provider(liar.issuer, secret)
    for answer in (liar.answers[place], (200, {}, b" " * 300_000 + whole[2])):
        liar.answers[place] = answer
        with pytest.raises(ProviderAway):
            client.start(NOW)
    assert "/elsewhere" not in liar.asked


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": ""},
    ],
)
def test_a_provider_that_names_other_places_is_not_believed(liar, secret, changes):
    place = "/.well-known/openid-configuration"
    liar.tell(place, json.loads(liar.answers[place][2]) | changes)
    with pytest.raises(ProviderAway):
        provider(liar.issuer, secret).start(NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_answer_is_refused(liar, secret, body):
    liar.answers["/.well-known/openid-configuration"] = 200, {}, body
    with pytest.raises(ProviderAway):
        provider(liar.issuer, secret).start(NOW)


def test_a_provider_that_is_away_is_refused(secret):
    with pytest.raises(ProviderAway):
        provider("http://127.0.0.1:9", secret).start(NOW)
