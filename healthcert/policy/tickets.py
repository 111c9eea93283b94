"""Tickets of the waiting room: who came when, signed; nothing of it is kept anywhere.

    base32(who (8 bytes) || moment (4) || tag (8)): 32 letters and digits

`who` is a keyed hash of the one identity a ticket is good for, so asking twice gives no second
chance. The moment, in hundredths of a second from the opening on, says which of two classes it
is in and, with the seed, at which place: who came before the opening by chance, everybody later
in the order they came (ADR 27).
"""

import hmac
import re
import unicodedata
from base64 import b32decode, b32encode
from datetime import datetime, timedelta
from typing import NamedTuple

from healthcert.errors import BadInput

LATER = 1 << 32  # the first place of those who came after the opening
_TICK, _WHO, _BODY, _EVER = timedelta(milliseconds=10), 8, 12, 1 << 31


class Ticket(NamedTuple):
    """Who came when."""

    who: bytes  # 8 bytes, of `who`
    came: int  # hundredths of a second after the opening; below 0 before it


def key_of(secret: bytes, name: str) -> bytes:
    """Return the key of one opening day, by its name: it signs its tickets."""
    return hmac.digest(secret, b"healthcert waiting room " + name.encode(), "sha256")


def seed_of(key: bytes) -> bytes:
    """Return the seed of an opening day: its SHA-256 is announced, it is told when it opens."""
    return hmac.digest(key, b"seed", "sha256")


def who(key: bytes, identity: str) -> bytes:
    """Return the 8 bytes that stand for an identity, however it is spaced and capitalised."""
    spelled = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", identity)).upper()
    return hmac.digest(key, b"who" + spelled.encode(), "sha256")[:_WHO]


def issue(key: bytes, whose: bytes, *, opens_at: datetime, now: datetime) -> str:
    """Return the ticket, as text, of somebody who comes now."""
    came = max(-_EVER, min((now - opens_at) // _TICK, _EVER - 1))
    body = whose + came.to_bytes(4, signed=True)
    return b32encode(body + _tag(key, body)).decode()


def read(key: bytes, typed: str) -> Ticket:
    """Return the ticket of a text, in which 0, 1 and small letters are understood.

    Raises:
        BadInput: ``ticket: not_a_ticket``; it is none, of another opening, or was changed.
    """
    try:
        whole = b32decode(re.sub(r"[\s-]", "", typed[:80]), casefold=True, map01="I")
    except ValueError:
        whole = b""
    body, tag = whole[:_BODY], whole[_BODY:]
    if not hmac.compare_digest(_tag(key, body), tag):
        raise BadInput({"ticket": "not_a_ticket"})
    return Ticket(body[:_WHO], int.from_bytes(body[_WHO:], signed=True))


def place(ticket: Ticket, seed: bytes) -> int:
    """Return where a ticket stands: the lower is served first.

    Below `LATER` it is the first four bytes of HMAC-SHA256(seed, who), which nobody could know
    before the seed was told; from there on the moment.
    """
    if ticket.came >= 0:
        return LATER + ticket.came
    return int.from_bytes(hmac.digest(seed, ticket.who, "sha256")[:4])


def _tag(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"ticket" + body, "sha256")[:8]
