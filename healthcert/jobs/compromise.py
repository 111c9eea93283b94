"""A key was lost: stop it, tell every verifier, and give everybody another certificate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from healthcert.errors import NotFound, SignerUnavailable
from healthcert.jobs import certificates, publishing
from healthcert.parts import Parts
from healthcert.services import revoking, signing_keys


def answer(parts: Parts, kid: bytes, now: datetime) -> Iterator[tuple[str, int]]:
    """Do all that the loss of a key asks for; give each step and how many it was about.

    Every step is a transaction that finds its own work: ended at any point and begun again, it
    goes on where it was. Where no stand-by has been published for two days, certificates wait
    as intents until one has.

    Raises:
        NotFound: There is no such key.
        BadBundle: No key would be left in the bundle.
    """
    yield "stopped", parts.doors.run(lambda db: _stop(db, kid, now))
    yield "bundle", publishing.publish_now(parts, now).version
    again = partial(
        revoking.reissue_lost, vault=parts.vault, kid=kid, limit=certificates.AT_ONCE,
        country=parts.country, now=now,
    )  # fmt: skip
    while done := parts.doors.run(again):
        yield "reissued", done
    try:
        while done := certificates.sign_pending(parts, now):
            yield "signed", done
    except SignerUnavailable:
        yield "waiting for a key", 1
    yield "bundle", publishing.publish_now(parts, now).version


def _stop(db: Session, kid: bytes, now: datetime) -> int:
    """Stop a key and bring its successor as far as it may go; return 1 the first time."""
    keys = signing_keys.every(db)
    lost = next((key for key in keys if key.kid == kid), None)
    if lost is None:
        raise NotFound
    first = lost.state != "compromised"
    if first:
        signing_keys.move(db, kid=kid, to="compromised", now=now)
    for key in keys:
        if key.purpose == lost.purpose and key.state == "pending":
            signing_keys.move(db, kid=key.kid, to="published", now=now)
    for next_kid, to in signing_keys.due(db, now):
        signing_keys.move(db, kid=next_kid, to=to, now=now)
    return int(first)
