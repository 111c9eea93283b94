"""Seal the audit, and keep each seal outside the database too."""

import logging
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from healthcert.gateways import seal_files
from healthcert.gateways.note_keys import NoteSigner
from healthcert.parts import Parts
from healthcert.services import sealing
from healthcert.services.keys import load_audit_signer, read_secret

_LOG = logging.getLogger(__name__)


def seal(parts: Parts, now: datetime) -> int:
    """Seal what is due; return how many seals were made and kept.

    Seals are kept from the last one in the files on, so none is missed when a worker ends.

    Raises:
        SignerUnavailable: The log's key cannot be opened; nothing is lost by waiting.
        BadProof: The last seal in the files is none.
    """
    settings = parts.settings
    signer = _signer(settings.keys_dir, settings.env, settings.secret_file)
    back = _back(now)
    with parts.doors.transaction() as db:
        sealing.seal(db, signer=signer, now=now, back=back)
        if back is None and (rows := sealing.unreadable(db)):
            told = ", ".join(map(str, rows[:20]))
            _LOG.error("cannot be read or sealed: audit_event %s", told, extra={"count": len(rows)})
    settings.seals_dir.mkdir(parents=True, exist_ok=True)
    kept = seal_files.newest(settings.seals_dir)
    size = kept.edge.size if kept else 0
    with parts.doors.reading() as db:
        if size == sealing.edge_of(sealing.newest(db)).size:
            return 0
        path = settings.seals_dir / f"{now:%Y-%m-%d}.seals"
        return seal_files.append(path, sealing.seals_after(db, size))


def _back(now: datetime) -> timedelta | None:
    """Look back a little each second, further each ten seconds, at everything once an hour."""
    if now.minute == 0 and now.second < 5:  # noqa: PLR2004 - some rounds take longer than a second
        return None
    return sealing.LOOK_BACK if now.second % 10 == 0 else timedelta(seconds=1)


@cache
def _signer(keys: Path, env: str, secret_file: Path) -> NoteSigner:
    """Return the log's key, opened once: to unlock it takes long."""
    return load_audit_signer(keys, env, read_secret(secret_file))
