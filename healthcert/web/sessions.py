"""Browser sessions kept on the server, so that they can be ended there.

The cookie holds a random token and the database its hash, so neither a stolen backup nor a
log opens a session. Nothing is read before a view asks for the session, and nothing is
written unless it was used: pages that need no session work without a database.
"""

import hashlib
import secrets
from collections import UserDict
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from flask import Flask, Request, Response, after_this_request, current_app, request, session
from flask.sessions import SessionInterface, SessionMixin

from healthcert.config import Settings
from healthcert.policy.roles import FRESH_FOR
from healthcert.services import visits
from healthcert.web.here import parts
from healthcert.web.moment import now

_SEEN_EVERY = timedelta(minutes=1)  # how exact the idle time has to be


class Visit(UserDict[str, Any], SessionMixin):
    """What one browser's session holds; read from the database when it is first used."""

    def __init__(self, token: str) -> None:
        """Take the token of the cookie, or nothing."""
        self.token = token
        self.modified = False
        self.old_tokens: list[str] = []
        self.started_at: datetime | None = None
        self.seen_at: datetime | None = None
        self.holder: visits.Holder | None = None
        self._held: dict[str, Any] | None = None

    @property
    def used(self) -> bool:
        """Say whether anybody looked into the session during this request."""
        return self._held is not None

    @property
    def due(self) -> bool:
        """Say whether the row must be written: it changed, or is to show that it was seen."""
        return self.modified or (self.seen_at is not None and now() - self.seen_at >= _SEEN_EVERY)

    @property
    def data(self) -> dict[str, Any]:  # type: ignore[override]
        """Return the content, reading it first where nobody has."""
        if self._held is None:
            self._held = self._read() if self.token else {}
        return self._held

    def renew(self) -> None:
        """Start a new session with a new token; the old one opens nothing any more."""
        if self.token:
            self.old_tokens.append(self.token)
        self.leave()

    def leave(self) -> None:
        """Forget the session in this browser; whatever its row has become stays."""
        self.token, self._held, self.holder = "", {}, None
        self.started_at = self.seen_at = None
        self.modified = True

    def _read(self) -> dict[str, Any]:
        with parts().doors.alone() as db:
            visit = visits.find(db, token_hash=_hash(self.token), now=now())
            if visit is None:
                self.token = ""  # never take over a token that a stranger chose
                return {}
            self.started_at, self.seen_at = visit.started_at, visit.seen_at
            if visit.proved_at is not None:
                self.holder = visits.Holder(visit.proved_at, visit.staff_id, visit.person_id)
            return dict(parts().vault.service_open(visit.token_hash, visit.sealed))

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 - the interface is Flask's
        """Keep something that JSON can hold."""
        super().__setitem__(key, value)
        self.modified = True

    def __delitem__(self, key: str) -> None:
        """Forget what is kept under a name."""
        super().__delitem__(key)
        self.modified = True


class Visits(SessionInterface):
    """Opens and saves sessions; the cookie is bound to this host where addresses are https."""

    def __init__(self, settings: Settings) -> None:
        """Take the address that people type: it says how the cookie must be bound."""
        self.secure = settings.base_url.startswith("https://")
        self.cookie = "__Host-healthcert" if self.secure else "healthcert_session"

    def open_session(self, app: Flask, request: Request) -> Visit:  # noqa: ARG002 - Flask's signature
        """Return the session of the cookie, unread."""
        return Visit(request.cookies.get(self.cookie, ""))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002
        """Write what was used, and give or take back the cookie."""
        visit = cast(Visit, session)
        if not visit.used:
            return
        response.vary.add("Cookie")
        response.headers.setdefault("Cache-Control", "no-store")
        if visit.due:
            visit.modified, visit.seen_at = False, None  # once: its failing is answered as well
            self._write(visit, response)

    def _write(self, visit: Visit, response: Response) -> None:
        is_new, doors = not visit.token, parts().doors
        with doors.transaction() if visit.old_tokens else doors.alone() as db:
            for token in visit.old_tokens:
                visits.end(db, token_hash=_hash(token))
            if visit.data:
                visit.token = visit.token or secrets.token_urlsafe(32)
                key = _hash(visit.token)
                sealed = parts().vault.service_seal(key, visit.data)
                visits.keep(
                    db, token_hash=key, sealed=sealed, started_at=visit.started_at or now(),
                    holder=visit.holder, is_new=is_new, now=now(),
                )  # fmt: skip
        self._hand_out(visit, response, is_new=is_new)

    def _hand_out(self, visit: Visit, response: Response, *, is_new: bool) -> None:
        if not visit.data:
            response.delete_cookie(self.cookie, secure=self.secure, httponly=True)
        elif is_new:
            response.set_cookie(
                self.cookie, visit.token, secure=self.secure, httponly=True, samesite="Lax"
            )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def this() -> Visit:
    """Return the session of this request, of which Flask knows the mapping alone."""
    return cast(Visit, session._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001


def sign_in(kind: str, identifier: UUID, *, left: visits.Left | None = None) -> None:
    """Let somebody in who has just proved who they are, a ``person`` or ``staff``, by a new token.

    What they had typed is kept where they were in already; a stranger's is not. `left` is what
    staff left locked on this device, to go on with.
    """
    visit = this()
    held = dict(visit.data) if visit.data.get(kind) == str(identifier) else {}
    if left is not None:
        held = parts().vault.service_open(left.token_hash, left.sealed) | held
    visit.renew()
    visit.data.update(held)
    visit[kind] = str(identifier)
    here = device() if kind == "staff" else None
    visit.holder = visits.Holder(now(), **{f"{kind}_id": identifier}, device=here)


def this_device() -> bytes:
    """Return the hash of this device's cookie; empty where no staff signed in on it today."""
    token = request.cookies.get(_device_cookie())
    return _hash(token) if token else b""


def device() -> bytes:
    """Return the hash of the cookie of this device, and hand one out where it has none."""
    name = _device_cookie()
    token = request.cookies.get(name) or secrets.token_urlsafe(32)

    @after_this_request
    def _mark(answer: Response) -> Response:
        secure = name.startswith("__Host-")
        answer.set_cookie(
            name, token, max_age=visits.LONGEST, secure=secure, httponly=True, samesite="Lax"
        )
        return answer

    return _hash(token)


def _device_cookie() -> str:
    return cast(Visits, current_app.session_interface).cookie + "_device"


def key() -> bytes:
    """Return what this session is called in the list of its owner's."""
    return _hash(this().token)


def proved_at() -> datetime | None:
    """Return when who it is was last proved in this session."""
    visit = this()
    return visit.holder.proved_at if visit.data and visit.holder else None


def lately() -> bool:
    """Say whether it was proved within five minutes, as grave deeds need."""
    proved = proved_at()
    return proved is not None and now() - proved <= FRESH_FOR


def sign_out() -> None:
    """End the session: here, and for whoever else holds its cookie."""
    this().renew()
