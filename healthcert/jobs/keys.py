"""Take in keys that were made, move those whose time has come, answer the loss of one."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import SignerUnavailable, there
from healthcert.jobs import certificates, publishing
from healthcert.models import SigningKey
from healthcert.parts import Parts
from healthcert.services import revoking, signing_keys
from healthcert.services.keys import transcript_of


def keep(parts: Parts, now: datetime) -> int:
    """Write down new keys of the folder and do what time asks of all; return how many moved.

    Raises:
        SignerUnavailable: A key is there and cannot be opened.
    """
    folder = parts.settings.keys_dir / parts.settings.env
    with parts.doors.reading() as db:
        known = {key.kid for key in signing_keys.every(db)}
        waits = bool(signing_keys.due(db, now))
    new = [signer for signer in parts.signers.values() if signer.kid not in known]
    if not (new or waits):
        return 0
    found = {signer.certificate: transcript_of(folder, signer.kid) for signer in new}

    def work(db: Session) -> int:
        signing_keys.take_in(db, found, now=now)
        return len(found) + _keep_time(db, now)

    return parts.doors.run(work)


def answer(parts: Parts, kid: bytes, now: datetime) -> Iterator[tuple[str, int]]:
    """Stop a lost key, tell verifiers, certify its holders anew; give each step and its number.

    Every step is a transaction that finds its own work: ended at any point and begun again, it
    goes on. Where no stand-by was published for two days, certificates wait as intents.

    Raises:
        NotFound: There is no such key.
        BadBundle: No key would be left in the bundle.
    """
    yield "stopped", parts.doors.run(lambda db: _stop(db, kid, now))
    yield "bundle", publishing.publish_now(parts, now).version
    again = partial(
        revoking.reissue_lost, vault=parts.vault, kid=kid, limit=revoking.AT_ONCE,
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
    lost = there(db.get(SigningKey, kid))
    steps = [(kid, "compromised")] if lost.state != "compromised" else []
    others = db.scalars(select(SigningKey.kid).filter_by(purpose=lost.purpose, state="pending"))
    for each, to in [*steps, *((other, "published") for other in others.all())]:
        signing_keys.move(db, kid=each, to=to, now=now)
    _keep_time(db, now)
    return len(steps)


def _keep_time(db: Session, now: datetime) -> int:
    steps = signing_keys.due(db, now)
    for kid, to in steps:
        signing_keys.move(db, kid=kid, to=to, now=now)
    return len(steps)
