"""Take in keys that were made, and move those whose time has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from healthcert.parts import Parts
from healthcert.services import signing_keys
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
        steps = signing_keys.due(db, now)
        for kid, to in steps:
            signing_keys.move(db, kid=kid, to=to, now=now)
        return len(found) + len(steps)

    return parts.doors.run(work)
