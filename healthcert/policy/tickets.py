"""Tickets of the waiting room: who came when, signed; nothing of it is kept anywhere.

    FQ2T-0M8J-…   32 characters of Crockford's base 32:
    who (8 bytes) || moment (4 bytes) || tag (8 bytes)

`who` is a keyed hash of the one identity a ticket is good for, so asking twice gives no second
chance. The moment, in hundredths of a second from the opening on, says which of two classes it
is in and, with the seed, at which place: who came before the opening by chance, everybody later
in the order they came (ADR 27).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import datetime, timedelta
from typing import NamedTuple

from healthcert.errors import BadInput
from healthcert.policy.reference import ALPHABET

LATER = 1 << 32  # the first place of those who came after the opening
_TICK, _WHO_BYTES, _BYTES, _TAG_BYTES = timedelta(milliseconds=10), 8, 12, 8
_LONGEST_TYPED = 80
_HEARD_AS = str.maketrans("OIL", "011", " -")


class Ticket(NamedTuple):
    """Who came when; what `read` returns was signed by us."""

    who: bytes  # 8 bytes, see `who`
    came: int  # hundredths of a second after the opening; below 0 before it


def who(key: bytes, identity: str) -> bytes:
    """Return the 8 bytes that stand for an identity, however it is spaced and capitalised."""
    spelled = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", identity)).upper()
    return hmac.digest(key, b"who\x00" + spelled.encode(), "sha256")[:_WHO_BYTES]


def issue(key: bytes, whose: bytes, *, opens_at: datetime, now: datetime) -> str:
    """Return the ticket, as text, of somebody who comes now."""
    came = (now - opens_at) // _TICK
    body = whose + max(-LATER // 2, min(came, LATER // 2 - 1)).to_bytes(4, signed=True)
    number = int.from_bytes(body + _tag(key, body))
    text = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(32)))
    return "-".join(text[at : at + 4] for at in range(0, 32, 4))


def read(key: bytes, typed: str) -> Ticket:
    """Return the ticket of a text, which may be typed as a person types.

    Raises:
        BadInput: ``ticket: not_a_ticket``; it is none, of another opening, or was changed.
    """
    digits = [ALPHABET.find(one) for one in typed[:_LONGEST_TYPED].upper().translate(_HEARD_AS)]
    if len(digits) != 32 or min(digits) < 0:  # noqa: PLR2004 - characters of a ticket
        raise BadInput({"ticket": "not_a_ticket"})
    whole = sum(digit << 5 * place for place, digit in enumerate(reversed(digits))).to_bytes(20)
    body, tag = whole[:_BYTES], whole[_BYTES:]
    if not hmac.compare_digest(_tag(key, body), tag):
        raise BadInput({"ticket": "not_a_ticket"})
    return Ticket(body[:_WHO_BYTES], int.from_bytes(body[_WHO_BYTES:], signed=True))


def place(ticket: Ticket, seed: bytes) -> int:
    """Return where a ticket stands: the lower is served first.

    Below `LATER` it is the first four bytes of HMAC-SHA256(seed, who), which nobody could know
    before the seed was told; from there on the moment.
    """
    if ticket.came >= 0:
        return LATER + ticket.came
    return int.from_bytes(hmac.digest(seed, ticket.who, "sha256")[:4])


def commitment(seed: bytes) -> str:
    """Return what is announced of a seed before it is told: its SHA-256 in hex."""
    return hashlib.sha256(seed).hexdigest()


def _tag(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"ticket\x00" + body, "sha256")[:_TAG_BYTES]
