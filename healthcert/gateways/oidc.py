"""An identity provider that the operator has named, spoken to by OpenID Connect.

Authorization code with PKCE (RFC 7636), state and nonce; OpenID Connect Core 1.0 §3.1. Nothing
that comes from a browser is believed but a code, which only the provider can turn into a token.
"""

import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self, cast
from urllib.parse import urlencode, urlsplit

import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from healthcert.config import Oidc
from healthcert.errors import NotProved, NotReady, ProviderAway

ALGORITHMS = ("ES256", "PS256", "RS256")
LIFE = timedelta(minutes=10)  # how long somebody may stay with the provider
_SECONDS, _MOST_BYTES, _LEEWAY = 5, 256 * 1024, 30


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom the provider says it has seen; `sub` never changes for somebody, all else may."""

    issuer: str
    sub: str
    claims: Mapping[str, Any]  # all of the ID token

    @property
    def acr(self) -> str:
        """Return how sure the provider is, in its own words; empty where it says nothing."""
        return str(self.claims.get("acr", ""))


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider, as a client of it.

    `redirect` is the address of ours to which it sends people back.
    """

    issuer: str
    client_id: str
    redirect: str
    secret: str = field(repr=False)
    scope: str = "openid"

    @classmethod
    def from_settings(cls, settings: Oidc, *, redirect: str, scope: str = "openid") -> Self:
        """Return the provider of the settings; `NotReady` if its secret cannot be read."""
        try:
            secret = settings.secret_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise NotReady(f"{settings.secret_file}: {error.strerror}") from None
        return cls(settings.issuer, settings.client_id, redirect, secret, scope)

    def start(self, now: datetime, *, again: bool = False) -> tuple[str, dict[str, Any]]:
        """Return where to send somebody, and what to keep of it in their session (JSON).

        With `again` the provider must ask them anew, though it knows them already.

        Raises:
            ProviderAway: It does not answer, or not as a provider.
        """
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        asked = {
            "response_type": "code", "scope": self.scope, "client_id": self.client_id,
            "redirect_uri": self.redirect, "state": kept["state"], "nonce": kept["nonce"],
            "code_challenge": create_s256_code_challenge(kept["verifier"]),
            "code_challenge_method": "S256",
        } | ({"prompt": "login", "max_age": "0"} if again else {})  # fmt: skip
        place = self._metadata()["authorization_endpoint"]
        joint = "&" if urlsplit(place).query else "?"
        return place + joint + urlencode(asked), {**kept, "at": now.timestamp(), "again": again}

    def finish(self, kept: Mapping[str, Any], query: Mapping[str, str], now: datetime) -> Claims:
        """Return who came back; `kept` is from `start` and must be forgotten before this is asked.

        Raises:
            NotProved: Not the answer to what was kept, refused, too late, or no token that holds.
            ProviderAway: It does not answer, or not as a provider.
        """
        same = hmac.compare_digest(query.get("state", "").encode(), kept["state"].encode())
        late = now.timestamp() - kept["at"] > LIFE.total_seconds()
        foreign = query.get("iss", self.issuer) != self.issuer  # RFC 9207
        if not same or late or foreign or "code" not in query:
            raise NotProved
        known = self._metadata()
        given = {"grant_type": "authorization_code", "code": query["code"]}
        given |= {"redirect_uri": self.redirect, "code_verifier": kept["verifier"]}
        client = (self.client_id, self.secret)
        token = _fetch(known["token_endpoint"], auth=client, data=given).get("id_token", "")
        told = self._read(str(token), _fetch(known["jwks_uri"]), kept, now)
        return Claims(self.issuer, str(told["sub"]), told)

    def _metadata(self) -> dict[str, str]:
        found = _fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise ProviderAway("it names itself otherwise")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        places = {name: str(found.get(name, "")) for name in names}
        if any(urlsplit(place).scheme != urlsplit(self.issuer).scheme for place in places.values()):
            raise ProviderAway("it names a place that is not as safe as itself")
        return places

    def _read(
        self, token: str, keys: dict[str, Any], kept: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        must = {"iss": self.issuer, "aud": self.client_id, "nonce": kept["nonce"]}
        options = {name: {"essential": True, "value": value} for name, value in must.items()}
        try:
            found = jwt.decode(token, KeySet.import_key_set(cast(Any, keys)), list(ALGORITHMS))
            params = {"client_id": self.client_id, "nonce": kept["nonce"]}
            told = CodeIDToken(found.claims, found.header, options, params)
            told.validate(now=int(now.timestamp()), leeway=_LEEWAY)
        except (JoseError, ValueError, KeyError, TypeError) as wrong:
            raise NotProved from wrong
        if kept["again"] and float(told.get("auth_time", 0)) < kept["at"] - _LEEWAY:
            raise NotProved  # the provider remembered them: nothing was proved now
        return dict(told)


def _fetch(place: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - what requests takes
    """Return a JSON object: within five seconds, of at most 256 KiB, from this very address."""
    method, until, got = "POST" if "data" in more else "GET", time.monotonic() + _SECONDS, b""
    try:
        with requests.request(
            method, place, timeout=_SECONDS, allow_redirects=False, stream=True, **more
        ) as answer:
            for part in answer.iter_content(4096):
                got += part
                if len(got) > _MOST_BYTES or time.monotonic() > until:
                    raise ProviderAway("its answer does not end")
            told = json.loads(got)
    except (requests.RequestException, ValueError) as wrong:
        raise ProviderAway(type(wrong).__name__) from wrong
    if 400 <= answer.status_code < 500 and method == "POST":  # noqa: PLR2004 - RFC 6749 §5.2
        raise NotProved
    if answer.status_code != requests.codes.ok or not isinstance(told, dict):
        raise ProviderAway(f"it answers {answer.status_code}")
    return told
